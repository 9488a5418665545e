"""Uploaded files of orders: taken, tried out, imported once, stopped, gone on with, deleted."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import AuditRecord, Member
from loyalty.models import Posting, Standing
from orders.imports.errors import FileEmpty, MappingInvalid, NotText
from orders.models import Order, OrderStep, Outlet, Source
from orders.services.importing import staging
from supervisor import jobs
from supervisor.errors import (
    FileGone,
    FileOver,
    FileTooLarge,
    ImportBegun,
    ImportChanged,
    TrialUnderWay,
)
from supervisor.models import ImportFile, JobRun
from supervisor.queries.imports import figures_of, path_of, shown_bad_rows
from supervisor.services import imports, job_runs
from supervisor.services.imports import delete_old_files, take_file
from supervisor.services.job_runs import ask_to_cancel
from tests.clock import NOON
from tests.loyalty.races import race
from tests.loyalty.test_jobs import work_off
from tests.supervisor.uploads import NUMBERED, WITH_BAD_ROWS, confirm, try_out, work_on

MANY = "Order;Date;Client;Sum\n" + "".join(f"A-{n};01.02.2026;{n:03};10,00\n" for n in range(1, 41))


@pytest.fixture
def small_batches(monkeypatch):
    """Four orders a transaction, each of which is reported."""
    monkeypatch.setattr(staging, "BATCH_ORDERS", 4)
    monkeypatch.setattr(job_runs, "SECONDS_BETWEEN_REPORTS", 0)


def everything():
    return {
        model.__name__: model.objects.count()
        for model in (Source, Outlet, Member, Order, OrderStep, Posting, Standing)
    }


def stored(files):
    return sorted(path.name for path in files.rglob("*") if path.is_file())


def fresh(import_file):
    return ImportFile.objects.get(pk=import_file.pk)


def test_upload_keeps_the_file_under_a_name_of_ours(upload, files, sue):
    import_file = upload(name="заказы за март.csv")

    assert (import_file.name, import_file.uploaded_by, import_file.uploaded_at) == (
        "заказы за март.csv",
        sue,
        NOON,
    )
    assert path_of(import_file).read_text() == NUMBERED
    assert path_of(import_file).parent == files / "imports"
    assert path_of(import_file).stat().st_mode & 0o777 == 0o600
    assert "март" not in import_file.file.name


def test_upload_guesses_what_it_can(upload):
    mapping = upload().mapping

    assert mapping["columns"] == {"number": 1, "paid_at": 2, "customer": 3, "total": 4}
    assert (mapping["separator"], mapping["date_format"], mapping["decimal"]) == (
        "semicolon",
        "%d.%m.%Y",
        ",",
    )


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", FileEmpty),
        (b" \n\r\n", FileEmpty),
        (b"PK\x03\x04xl/workbook.xml", NotText),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", NotText),
        (bytes(range(256)) * 40, NotText),
    ],
)
def test_upload_of_no_table_is_refused_and_not_kept(upload, files, content, refusal):
    with pytest.raises(refusal):
        upload(content)

    assert stored(files) == []
    assert not ImportFile.objects.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"one column\n1\n2\n",
        b'a;b\n"1;2\n',
        "a;b\nОльга;2\n".encode("cp1251"),
        b"x" * 3_000_000,
        b"a;b;c\n1\n1;2;3;4;5\n",
        b"=cmd|'/c calc'!A1;b;c\n",
        b"\xff\xfea\x00;\x00b\x00",
    ],
)
def test_upload_of_a_strange_table_is_kept_to_be_looked_at(upload, content):
    assert path_of(upload(content)).read_bytes() == content


def test_upload_larger_than_may_be_is_refused(sue, files, monkeypatch):
    monkeypatch.setattr(imports, "MOST_BYTES", 10)

    with pytest.raises(FileTooLarge):
        take_file(upload=SimpleUploadedFile("orders.csv", b"12345678901"), at=NOON, by=sue)

    assert stored(files) == []


def test_dry_run_says_what_an_import_would_do_and_changes_nothing(upload, sue, in_english):
    before = everything()

    run = work_on(try_out(upload(), sue).dry_run)

    assert run.outcome == "done"
    figures = figures_of(run)
    assert (figures.new_orders, figures.known_orders, figures.bad_rows) == (3, 0, 0)
    assert (figures.new_members, str(figures.total_sum), figures.points) == (2, "125.50", 3)
    assert figures.tiers == [("Basic", 2), ("Silver", 0), ("Gold", 0)]
    assert everything() == before


def test_import_does_what_the_dry_run_said(tried, sue):
    import_file = tried()

    run = work_on(confirm(import_file, sue))

    assert run.outcome == "done"
    assert figures_of(run) == figures_of(import_file.dry_run)
    assert list(Order.objects.order_by("number").values_list("number", "total_sum")) == [
        ("A-1", 100.50),
        ("A-2", 20),
        ("A-3", 5),
    ]
    assert Source.objects.get().name == "Полдень"


def test_same_file_again_changes_nothing_and_says_so(tried, sue):
    work_on(confirm(tried(), sue))
    after = everything()

    again = tried()
    figures = figures_of(again.dry_run)
    assert (figures.new_orders, figures.known_orders) == (0, 3)
    # Whoever asks for it all the same changes nothing either.
    assert figures_of(work_on(confirm(again, sue))).new_orders == 0
    assert everything() == after


def test_outlet_of_the_whole_file(tried, sue):
    work_on(confirm(tried(outlet="Невский"), sue))

    assert {order.outlet.name for order in Order.objects.select_related("outlet")} == {"Невский"}


def test_asking_is_written_down(tried, sue):
    confirm(tried(), sue)

    records = AuditRecord.objects.filter(action=AuditRecord.Action.JOB_BEGUN).order_by("pk")
    assert [(record.facts["kind"], record.actor_id) for record in records] == [
        ("try_import", sue.pk),
        ("import", sue.pk),
    ]


def test_bad_rows_are_a_file_that_no_spreadsheet_reckons_with(tried):
    import_file = tried(WITH_BAD_ROWS)

    assert figures_of(import_file.dry_run).bad_rows == 2
    assert import_file.bad_rows.open("rb").read().decode("utf-8-sig").splitlines() == [
        "Row;Column;Found;Expected",
        "3;date of payment;02.02.2099;a date that is not in the future",
        "4;total sum;'=1+1;a sum, such as 1234,50, without a currency",
    ]
    assert [(row.row, row.found) for row in shown_bad_rows(import_file)] == [
        ("3", "02.02.2099"),
        ("4", "=1+1"),
    ]


def test_bad_rows_are_left_out_only_when_that_was_confirmed(tried, sue):
    import_file = tried(WITH_BAD_ROWS)

    refused = work_on(confirm(import_file, sue))
    assert (refused.outcome, Order.objects.count()) == ("refused", 0)
    assert refused.refusal["en"] == "Nothing was imported, since 2 rows cannot be taken."

    taken = work_on(confirm(fresh(import_file), sue, skip_bad_rows=True))
    assert (taken.outcome, Order.objects.count()) == ("done", 1)


def test_new_dry_run_replaces_the_bad_rows_of_the_one_before(tried, files, sue):
    import_file = tried(WITH_BAD_ROWS)
    first = import_file.bad_rows.name

    work_on(try_out(import_file, sue).dry_run)

    assert fresh(import_file).bad_rows.name not in ("", first)
    assert len(stored(files)) == 2


@pytest.mark.parametrize(
    ("content", "chosen", "said"),
    [
        (
            "Order;Date;Client;Sum\n" + "A;01.02.2026;1;1,00\n" * 9000 + "Я;01.02.2026;1;1,00\n",
            {"encoding": "ascii"},
            "is not in the encoding ascii.",
        ),
        ('Order;Date;Client;Sum\nA;01.02.2026;"1;1,00\n', {}, "Row 2 does not end"),
        ("Order;Date;Client;Sum\n", {}, "There are no orders in this file."),
        (NUMBERED, {"separator": "tab"}, "the whole first row is one column"),
        (NUMBERED, {"columns": {"paid_at": 2, "total": 4, "customer": 9}}, "There is no column 9"),
    ],
)
def test_file_that_is_wrong_as_a_whole_is_refused_in_both_languages(upload, sue, content, chosen, said):
    columns = {"paid_at": 2, "total": 4, "customer": 3}

    run = work_on(try_out(upload(content), sue, **{"columns": columns, **chosen}).dry_run)

    assert run.outcome == "refused"
    assert said in run.refusal["en"]
    assert "--" not in run.refusal["en"]
    assert set(run.refusal) == {"ru", "en"}


def test_columns_that_mean_nothing_ask_for_no_dry_run(upload, sue):
    with pytest.raises(MappingInvalid):
        try_out(upload(), sue, columns={"paid_at": 2})

    assert not JobRun.objects.exists()


def test_one_dry_run_of_a_file_at_a_time(upload, sue):
    import_file = try_out(upload(), sue)

    with pytest.raises(TrialUnderWay):
        try_out(import_file, sue)


def test_import_begins_only_by_the_dry_run_that_was_looked_at(tried, sue):
    import_file = tried()
    looked_at = fresh(import_file)
    try_out(import_file, sue)

    with pytest.raises(ImportChanged):
        confirm(looked_at, sue)
    with pytest.raises(ImportChanged):
        confirm(fresh(import_file), sue)


@pytest.mark.parametrize("asked_again", [confirm, try_out])
def test_nothing_changes_once_the_import_was_asked_for(tried, sue, asked_again):
    import_file = tried()
    confirm(import_file, sue)

    with pytest.raises((ImportBegun, FileOver)):
        asked_again(import_file, sue)

    assert JobRun.objects.filter(kind=JobRun.Kind.IMPORT).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_confirmations_at_once_begin_one_import(tried, sue):
    import_file = tried()

    outcomes = race(*[lambda: confirm(import_file, sue)] * 4)

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["ImportBegun"] * 3 + ["JobRun"]
    work_off()
    assert Order.objects.count() == 3
    assert JobRun.objects.get(kind=JobRun.Kind.IMPORT).outcome == "done"


@pytest.mark.django_db(transaction=True)
def test_worker_does_both_with_progress(upload, sue):
    import_file = upload(MANY)
    try_out(import_file, sue)
    work_off()
    import_file = fresh(import_file)
    run = confirm(import_file, sue)
    work_off()

    run.refresh_from_db()
    assert (run.outcome, run.done_count, run.total_count) == ("done", 40, 40)
    assert run.stage["en"] == "Importing"
    assert run.stage["ru"] != "Importing"
    assert not figures_of(run).has_gone_on


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small_batches")
def test_cancelled_import_keeps_what_is_done_and_goes_on_when_asked_again(tried, sue, monkeypatch):
    import_file = tried(MANY)
    run = confirm(import_file, sue)
    report = job_runs.Report.__call__

    def cancel_after_the_first_batch(self, stage, done_count=0, total_count=None, **more):
        if done_count == 4 and total_count == 40:
            ask_to_cancel(run=self.run, at=NOON, by=sue)
        report(self, stage, done_count, total_count, **more)

    with monkeypatch.context() as patched:
        patched.setattr(job_runs.Report, "__call__", cancel_after_the_first_batch)
        stopped = work_on(run)

    kept = Order.objects.count()
    assert stopped.outcome == "cancelled"
    assert stopped.result == {"least_new_orders": 4}
    assert 4 <= kept < 40
    assert stopped.has_stopped

    done = work_on(confirm(fresh(import_file), sue))

    assert (done.outcome, Order.objects.count()) == ("done", 40)
    assert (figures_of(done).new_orders, figures_of(done).known_orders) == (40 - kept, kept)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small_batches")
def test_import_of_a_killed_worker_goes_on_and_says_so(tried, sue, monkeypatch):
    run = confirm(tried(MANY), sue)
    report = job_runs.Report.__call__

    def die_after_the_first_batch(self, stage, done_count=0, total_count=None, **more):
        report(self, stage, done_count, total_count, **more)
        if done_count == 4 and total_count == 40:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(job_runs.Report, "__call__", die_after_the_first_batch)
        with pytest.raises(KeyboardInterrupt):
            work_on(run)

    done = work_on(run)

    assert (done.outcome, Order.objects.count()) == ("done", 40)
    figures = figures_of(done)
    assert figures.has_gone_on
    assert figures.new_orders + figures.known_orders == 40


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small_batches")
def test_cancelled_while_the_file_is_read(upload, sue, monkeypatch):
    monkeypatch.setattr(staging, "PROGRESS_ROWS", 1)
    run = try_out(upload(MANY), sue).dry_run
    report = job_runs.Report.__call__

    def cancel_at_once(self, stage, done_count=0, total_count=None, **more):
        assert str(stage) in ("Reading", "Чтение")
        if done_count == 1:
            race(lambda: ask_to_cancel(run=self.run, at=NOON, by=sue))
        report(self, stage, done_count, total_count, **more)

    monkeypatch.setattr(job_runs.Report, "__call__", cancel_at_once)

    run = work_on(run)

    assert (run.outcome, run.result) == ("cancelled", {})


def test_files_are_deleted_after_thirty_days_and_their_rows_stay(tried, upload, files, sue):
    old = tried(WITH_BAD_ROWS)
    work_on(confirm(old, sue, skip_bad_rows=True))
    in_use = try_out(upload(), sue)
    new = upload(at=NOON + timedelta(seconds=1))

    assert delete_old_files(at=NOON + timedelta(days=30)) == 0
    assert delete_old_files(at=NOON + timedelta(days=30, seconds=1)) == 2
    assert delete_old_files(at=NOON + timedelta(days=30, seconds=1)) == 0

    assert len(stored(files)) == 2
    old = fresh(old)
    assert (bool(old.file), bool(old.bad_rows), figures_of(old.import_run).new_orders) == (False, False, 1)
    assert path_of(fresh(in_use)).is_file()
    assert path_of(fresh(new)).is_file()
    for ask in (confirm, try_out):
        with pytest.raises(FileGone):
            ask(old, sue)


def test_work_on_a_file_that_is_gone_is_refused(upload, sue):
    import_file = try_out(upload(), sue)
    path_of(import_file).unlink()

    run = work_on(import_file.dry_run)

    assert run.outcome == "refused"
    assert run.refusal["en"] == "The file is not kept any more. Upload it again."


def test_the_daily_job_deletes(upload, files):
    upload(at=NOON - timedelta(days=3650))

    assert jobs.delete_old_uploads.func(timestamp=0) == 1
    assert stored(files) == []
