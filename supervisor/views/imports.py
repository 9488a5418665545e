"""Import of orders by page: the file, its columns, the dry run, the import, and what came of it."""

from dataclasses import replace
from typing import cast

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import role_required, signed_in_user
from accounts.roles import Role
from loyalty.cursors import number_of
from orders.imports.errors import FileEmpty, ImportRefused, NotText
from orders.imports.guessing import guess_mapping
from orders.imports.mapping import ColumnMapping
from supervisor.errors import (
    ConsoleError,
    FileGone,
    FileOver,
    FileTooLarge,
    ImportBegun,
    ImportChanged,
    TooManyColumns,
)
from supervisor.forms.imports import ColumnsForm, ConfirmForm, ReadingForm, UploadForm
from supervisor.models import ImportFile
from supervisor.queries.imports import (
    figures_of,
    import_rows,
    imports_page,
    outlets_of_live_sources,
    path_of,
    shown_bad_rows,
    shown_rows,
)
from supervisor.services.imports import (
    KEPT_DAYS,
    MOST_BYTES,
    MOST_MEGABYTES,
    begin_import,
    note_bad_rows_taken,
    take_file,
    try_columns,
)

# What a form has beside its file.
FORM_BYTES = 10_000
FORM_REFUSED = 422
TOO_LARGE = 413


@require_safe
@role_required(Role.SUPERVISOR)
def show_imports(request: HttpRequest) -> HttpResponse:
    """Every uploaded file, the newest first, and how its import ended."""
    before, after = (number_of(request.GET.get(name)) for name in ("before", "after"))
    page = imports_page(before=before, after=after)
    if not page.rows and (before, after) != (None, None):
        return redirect("supervisor:imports")
    context = {"page": page, "rows": import_rows(page), "kept_days": KEPT_DAYS}
    return render(request, "supervisor/imports/list.html", context)


# The body is looked at only once it is known whose it is, and that it is not too large to be taken: the
# middleware would read it before.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.SUPERVISOR)
def new_import(request: HttpRequest) -> HttpResponseBase:
    """The form for a file; its columns are on the next page."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES + FORM_BYTES:
        context = {"form": UploadForm(), "refusal": FileTooLarge(MOST_MEGABYTES), "kept_days": KEPT_DAYS}
        return render(request, "supervisor/imports/new.html", context, status=TOO_LARGE)
    return cast(HttpResponseBase, _upload(request))


@csrf_protect
def _upload(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if form.is_valid():
        try:
            import_file = take_file(upload=form.upload, at=timezone.now(), by=signed_in_user(request))
        except (FileTooLarge, FileEmpty, NotText) as refusal:
            form.add_error("file", str(refusal))
        else:
            return redirect("supervisor:import_columns", import_file.pk)
    context = {"form": form, "kept_days": KEPT_DAYS}
    return render(
        request, "supervisor/imports/new.html", context, status=FORM_REFUSED if form.errors else 200
    )


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.SUPERVISOR)
def choose_columns(request: HttpRequest, import_id: int) -> HttpResponse:
    """The first rows of the file, what each column is, and the button that tries it out."""
    import_file = _import_file(import_id)
    if not import_file.is_importable:
        messages.info(request, str(FileOver()))
        return redirect("supervisor:import", import_file.pk)
    saved = ColumnMapping(**import_file.mapping)
    is_looking = request.method != "POST" and "separator" in request.GET
    reading = ReadingForm(_reading_data(request, saved, is_looking=is_looking), mapping=saved)
    mapping = reading.read(saved)
    rows: list[list[str]] = []
    try:
        if is_looking and reading.is_valid():
            guessed = guess_mapping(path_of(import_file), **reading.cleaned_data)
            mapping = replace(
                guessed, source=saved.source, source_name=saved.source_name, outlet=saved.outlet
            )
        rows = shown_rows(import_file, mapping)
    except FileGone as refusal:
        messages.info(request, str(refusal))
        return redirect("supervisor:import", import_file.pk)
    except (ImportRefused, TooManyColumns) as refusal:
        setting = refusal.setting if isinstance(refusal, ImportRefused) else refusal.field
        reading.add_error(setting if setting in reading.fields else None, str(refusal))
    header = rows[0] if rows else []
    form = ColumnsForm(request.POST or None, mapping=mapping, header=header)
    if request.method == "POST" and not reading.errors and form.is_valid():
        try:
            try_columns(
                import_file=import_file,
                mapping=form.mapped(),
                language=str(get_language()),
                at=timezone.now(),
                by=signed_in_user(request),
            )
        except ImportRefused as refusal:
            form.add_error(refusal.setting if refusal.setting in form.fields else None, str(refusal))
        except ConsoleError as refusal:
            messages.info(request, str(refusal))
            return redirect("supervisor:import", import_file.pk)
        else:
            return redirect("supervisor:import", import_file.pk)
    is_refused = bool(reading.errors) or (request.method == "POST" and bool(form.errors))
    context = {
        "import_file": import_file,
        "mapping": mapping,
        "reading": reading,
        "form": form,
        "rows": rows[1:] if mapping.has_header else rows,
        "outlets": outlets_of_live_sources(),
    }
    return render(
        request, "supervisor/imports/columns.html", context, status=FORM_REFUSED if is_refused else 200
    )


@require_safe
@role_required(Role.SUPERVISOR)
def show_import(request: HttpRequest, import_id: int) -> HttpResponse:
    """One file: the dry run and what it says, the import and what came of it, and what can be done."""
    import_file = _import_file(import_id)
    trial, run = import_file.dry_run, import_file.import_run
    is_kept = bool(import_file.file)
    if trial is None and is_kept:
        return redirect("supervisor:import_columns", import_file.pk)
    latest = run or trial
    foreseen, done = figures_of(trial), figures_of(run)
    can_begin = is_kept and foreseen is not None and foreseen.new_orders > 0
    context = {
        "import_file": import_file,
        "job_run": latest,
        "foreseen": foreseen,
        "done": done,
        "figures": done if run else foreseen,
        "is_kept": is_kept,
        "can_begin": can_begin and import_file.is_importable,
        "can_change": is_kept and import_file.is_importable and latest is not None and latest.is_over,
        "bad_rows": shown_bad_rows(import_file) if latest and latest.is_over else [],
        "kept_days": KEPT_DAYS,
    }
    return render(request, "supervisor/imports/import.html", context)


@require_POST
@role_required(Role.SUPERVISOR)
def start_import(request: HttpRequest, import_id: int) -> HttpResponse:
    """Begin what the dry run has foretold; the same button twice begins it once."""
    import_file = _import_file(import_id)
    form = ConfirmForm(request.POST)
    try:
        if not form.is_valid():
            raise ImportChanged
        begin_import(
            import_file=import_file,
            dry_run_id=form.cleaned_data["dry_run"],
            skip_bad_rows=form.cleaned_data["skip_bad_rows"],
            language=str(get_language()),
            at=timezone.now(),
            by=signed_in_user(request),
        )
    except (FileGone, ImportBegun, ImportChanged) as refusal:
        messages.info(request, str(refusal))
    return redirect("supervisor:import", import_file.pk)


@require_safe
@role_required(Role.SUPERVISOR)
def show_bad_rows(request: HttpRequest, import_id: int) -> FileResponse:
    """All rows that cannot be taken, as a file."""
    import_file = _import_file(import_id)
    if not shown_bad_rows(import_file):
        raise Http404
    note_bad_rows_taken(import_file=import_file, at=timezone.now(), by=signed_in_user(request))
    return FileResponse(
        import_file.bad_rows.open("rb"),
        as_attachment=True,
        filename=_("bad-rows-%(number)s.csv") % {"number": import_file.pk},
        content_type="text/csv; charset=utf-8",
    )


def _import_file(import_id: int) -> ImportFile:
    files = ImportFile.objects.select_related(
        "uploaded_by", "dry_run__asked_by", "import_run__asked_by", "import_run__cancel_asked_by"
    )
    return get_object_or_404(files, pk=import_id)


def _reading_data(request: HttpRequest, saved: ColumnMapping, *, is_looking: bool) -> dict[str, str]:
    """What was chosen, or what is kept: as a form sends it, so that a refusal can stand in it."""
    if request.method == "POST" or is_looking:
        return (request.POST if request.method == "POST" else request.GET).dict()
    chosen = {"separator": saved.separator, "encoding": saved.encoding}
    return chosen | ({"has_header": "on"} if saved.has_header else {})
