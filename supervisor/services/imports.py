"""Files of orders: uploaded, tried, imported by the worker, and deleted some weeks later."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any, TextIO
from uuid import uuid4

from django.core.files import File
from django.db import transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts.models import User
from orders.imports.bad_rows import BadRows
from orders.imports.errors import FileEmpty, ImportRefused, NotText
from orders.imports.guessing import guess_mapping
from orders.imports.mapping import FIELD_NAMES, ColumnMapping
from orders.imports.rows import first_rows
from orders.services.importing.orders import IMPORTING, ImportReport, import_orders
from supervisor.errors import FileOver, FileTooLarge, ImportBegun, ImportChanged, TrialUnderWay
from supervisor.models import ImportFile, JobRun
from supervisor.queries.imports import BAD_ROWS_ENCODING, BAD_ROWS_SEPARATOR, figures_of, path_of
from supervisor.services.job_runs import JobCancelled, Report, Result, ask_for_job
from supervisor.services.lists import note_export

MOST_MEGABYTES = 500
MOST_BYTES = MOST_MEGABYTES * 1_000_000
KEPT_DAYS = 30
NAME_LETTERS = 200


def take_file(*, upload: "File[Any]", at: datetime, by: User) -> ImportFile:
    """Keep an uploaded file of orders, with what its columns seem to be.

    Raises:
        FileTooLarge: it is larger than MOST_MEGABYTES.
        FileEmpty, NotText: it holds no rows.
    """
    if upload.size > MOST_BYTES:
        raise FileTooLarge(MOST_MEGABYTES)
    name = Path(str(upload.name or "")).name[-NAME_LETTERS:]
    import_file = ImportFile(name=name, uploaded_by=by, uploaded_at=at)
    # What it is called on the uploader's computer is no name for a file on ours.
    import_file.file.save(f"{uuid4()}.csv", upload, save=False)
    try:
        path = path_of(import_file)
        mapping = guess_mapping(path)
        try:
            first_rows(path, mapping, limit=1)
        except (FileEmpty, NotText):
            raise
        except ImportRefused:
            # Another separator or encoding may be chosen on the next page.
            pass
        import_file.mapping = asdict(mapping)
        import_file.save()
    except Exception:
        import_file.file.delete(save=False)
        raise
    return import_file


@transaction.atomic
def try_columns(
    *, import_file: ImportFile, mapping: ColumnMapping, language: str, at: datetime, by: User
) -> ImportFile:
    """Keep how the file is to be read, and ask for a dry run; bad rows are told in that language.

    Raises:
        MappingInvalid: the mapping means nothing, or something is missing in it.
        FileGone: the file is not kept any more.
        FileOver: its import has begun.
        TrialUnderWay: the dry run before has not ended.
    """
    mapping.checked()
    import_file = _locked(import_file)
    if not import_file.is_importable:
        raise FileOver
    if import_file.dry_run is not None and not import_file.dry_run.is_over:
        raise TrialUnderWay
    import_file.mapping = asdict(mapping)
    import_file.import_run = None
    import_file.dry_run = _job(JobRun.Kind.TRY_IMPORT, import_file, at, by, language=language)
    import_file.save()
    return import_file


@transaction.atomic
def begin_import(
    *,
    import_file: ImportFile,
    dry_run_id: int,
    skip_bad_rows: bool,
    language: str,
    at: datetime,
    by: User,
) -> JobRun:
    """Ask for the import that this dry run has foretold; what was stopped goes on.

    Raises:
        FileGone: the file is not kept any more.
        ImportBegun: it was asked for before, and has not stopped.
        ImportChanged: the file was tried out anew since, or was not yet.
    """
    import_file = _locked(import_file)
    if not import_file.is_importable:
        raise ImportBegun
    trial = import_file.dry_run
    if trial is None or trial.pk != dry_run_id or trial.outcome != JobRun.Outcome.DONE:
        raise ImportChanged
    run = _job(JobRun.Kind.IMPORT, import_file, at, by, language=language, skip_bad_rows=skip_bad_rows)
    import_file.import_run = run
    import_file.save()
    return run


def try_import(run: JobRun, report: Report) -> Result:
    """What the worker does for a dry run: say what an import would do, and change nothing.

    Raises:
        FileGone: the file is not kept any more.
        ImportRefused: it cannot be read as it was said to be.
    """
    return _carry_out(run, report, is_dry_run=True)


def run_import(run: JobRun, report: Report) -> Result:
    """What the worker does for an import. After a stop it goes on with what is not there yet.

    Raises:
        FileGone: the file is not kept any more.
        ImportRefused: it cannot be read, or there are bad rows that were not known of.
    """
    return _carry_out(run, report, is_dry_run=False)


def delete_old_files(*, at: datetime) -> int:
    """Delete what was uploaded KEPT_DAYS ago and before; returns how many files. Their rows stay."""
    is_kept = ~Q(file="") | ~Q(bad_rows="")
    is_in_use = Q(dry_run__isnull=False, dry_run__finished_at=None) | Q(
        import_run__isnull=False, import_run__finished_at=None
    )
    until_at = at - timedelta(days=KEPT_DAYS)
    count = 0
    for import_file in ImportFile.objects.filter(is_kept, uploaded_at__lt=until_at).exclude(is_in_use):
        for file in (import_file.file, import_file.bad_rows):
            if file:
                file.delete(save=False)
                count += 1
        import_file.save(update_fields=["file", "bad_rows"])
    return count


def note_bad_rows_taken(*, import_file: ImportFile, at: datetime, by: User) -> None:
    """Write down that somebody took the bad rows out as a file: customers' contacts may be among them."""
    figures = figures_of(import_file.dry_run)
    note_export(
        name="bad_rows",
        filters=f"?import={import_file.pk}",
        file_format="csv",
        rows_count=figures.bad_rows if figures else 0,
        at=at,
        actor=by,
    )


def _locked(import_file: ImportFile) -> ImportFile:
    """The file as it is now, which nobody else changes meanwhile."""
    ImportFile.objects.select_for_update().get(pk=import_file.pk)
    found = ImportFile.objects.select_related("dry_run", "import_run").get(pk=import_file.pk)
    path_of(found)
    return found


def _job(kind: JobRun.Kind, import_file: ImportFile, at: datetime, by: User, **facts: object) -> JobRun:
    return ask_for_job(kind=kind, facts={"import_file": import_file.pk, **facts}, asked_by=by, at=at)


def _carry_out(run: JobRun, report: Report, *, is_dry_run: bool) -> Result:
    import_file = ImportFile.objects.get(pk=run.facts["import_file"])
    path = path_of(import_file)
    has_gone_on = run.progressed_at is not None
    taken_count = 0

    def progress(stage: Promise, done_count: int, total_count: int | None) -> None:
        nonlocal taken_count
        if stage is IMPORTING:
            taken_count = done_count
        report(stage, done_count, total_count)

    with translation.override(str(run.facts["language"])), _bad_rows_kept(import_file) as open_file:
        bad_rows = BadRows(
            open_file,
            separator=BAD_ROWS_SEPARATOR,
            headings=(_("Row"), _("Column"), _("Found"), _("Expected")),
            name_of=lambda field: str(FIELD_NAMES.get(field, "")) or _("all columns"),
        )
        try:
            done = import_orders(
                path=path,
                mapping=ColumnMapping(**import_file.mapping),
                at=timezone.now(),
                is_dry_run=is_dry_run,
                skip_bad_rows=bool(run.facts.get("skip_bad_rows")),
                refuse=bad_rows.add,
                progress=progress,
            )
        except JobCancelled as stop:
            # Those that were being written at this moment have come to their end, too.
            raise JobCancelled({} if is_dry_run else {"least_new_orders": taken_count}) from stop
    return _result(done) | {"has_gone_on": has_gone_on}


@contextmanager
def _bad_rows_kept(import_file: ImportFile) -> Iterator[Callable[[], TextIO]]:
    """Opens a file for bad rows when there are some; at the end it is the one of this upload."""
    opened: list[IO[str]] = []

    def open_file() -> TextIO:
        file = NamedTemporaryFile("w", encoding=BAD_ROWS_ENCODING, newline="", suffix=".csv")  # noqa: SIM115
        opened.append(file)
        return file  # type: ignore[return-value]

    try:
        yield open_file
    finally:
        if import_file.bad_rows:
            import_file.bad_rows.delete(save=False)
        for file in opened:
            file.flush()
            with Path(file.name).open("rb") as content:
                import_file.bad_rows.save(f"{uuid4()}.csv", File(content), save=False)
            file.close()
        ImportFile.objects.filter(pk=import_file.pk).update(bad_rows=import_file.bad_rows.name or "")


def _result(done: ImportReport) -> Result:
    """The report as the row of the run keeps it."""
    # As pairs, since an object in the database forgets in which order the tiers are.
    result = asdict(done) | {"total_sum": str(done.total_sum), "tiers": list(done.tiers.items())}
    for name in ("first_at", "last_at"):
        moment = result[name]
        result[name] = moment.isoformat() if moment else None
    return result
