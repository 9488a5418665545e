"""The import of orders by page: upload, columns, dry run, confirmation, what came of it."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import AuditRecord
from orders.models import Order, Source
from supervisor.models import ImportFile, JobRun
from supervisor.services.imports import delete_old_files
from supervisor.services.job_runs import ask_to_cancel
from supervisor.views import imports as views
from tests.clock import NOON
from tests.pages import Page
from tests.supervisor.given import in_english as reads_english
from tests.supervisor.uploads import NUMBERED, WITH_BAD_ROWS, confirm, try_out, work_on

LIST = "/console/imports/"
NEW = "/console/imports/new/"


@pytest.fixture
def desk(client_of, sue, files):
    """Sue's browser, which reads English."""
    return reads_english(client_of(sue))


def send(desk, content=NUMBERED, name="orders.csv"):
    content = content.encode() if isinstance(content, str) else content
    return desk.post(NEW, {"file": SimpleUploadedFile(name, content)})


def columns_form(**chosen):
    """What the page of the columns sends, as it was guessed for NUMBERED."""
    form = {
        "separator": "semicolon",
        "encoding": "utf-8",
        "has_header": "on",
        "column_1": "number",
        "column_2": "paid_at",
        "column_3": "customer",
        "column_4": "total",
        "date_format": "%d.%m.%Y",
        "decimal": ",",
        "source": "+",
        "source_name": "Полдень",
        "source_code": "noon",
        "outlet": "",
    } | chosen
    return {name: value for name, value in form.items() if value is not None}


def selected(page, name):
    """What a select of the page shows."""
    names = [attributes.get("name") for tag, attributes in page.tags if tag in ("select", "option")]
    options = page.tags[[attributes.get("name") for _tag, attributes in page.tags].index(name) + 1 :]
    assert name in names
    for tag, attributes in options:
        if tag != "option":
            break
        if "selected" in attributes:
            return attributes["value"]
    return ""


def test_whole_way_of_a_file(desk, files):
    answer = send(desk)
    import_file = ImportFile.objects.get()
    address = f"{LIST}{import_file.pk}/"
    assert answer["Location"] == f"{address}columns/"

    page = Page(desk.get(answer["Location"]))
    assert [selected(page, f"column_{place}") for place in (1, 2, 3, 4)] == [
        "number",
        "paid_at",
        "customer",
        "total",
    ]
    assert (selected(page, "date_format"), selected(page, "decimal")) == ("%d.%m.%Y", ",")
    assert "100,50" in page.text

    answer = desk.post(f"{address}columns/", columns_form())
    assert answer["Location"] == address
    waiting = Page(desk.get(address))
    assert "Waits for the worker" in waiting.text
    assert not Order.objects.exists()

    work_on(ImportFile.objects.get().dry_run)
    tried = Page(desk.get(address))
    assert "Import 3 orders" in tried.text
    assert "125,50" in tried.text or "125.50" in tried.text

    trial_id = ImportFile.objects.get().dry_run_id
    answer = desk.post(f"{address}start/", {"dry_run": trial_id})
    assert answer["Location"] == address
    work_on(ImportFile.objects.get().import_run)
    done = Page(desk.get(address))
    assert "What was imported" in done.text
    assert "Import 3 orders" not in done.text
    assert Order.objects.count() == 3
    assert "imported" in Page(desk.get(LIST)).text


def test_the_same_file_again_says_that_nothing_would_change(desk, tried, sue):
    work_on(confirm(tried(), sue))
    again = tried()

    page = Page(desk.get(f"{LIST}{again.pk}/"))

    assert "every order of this file is known already" in page.text
    assert "Import 0" not in page.text
    assert ("form", f"{LIST}{again.pk}/start/") not in [
        (tag, attributes.get("action")) for tag, attributes in page.tags
    ]


def test_bad_rows_are_shown_and_given_as_a_file(desk, tried):
    import_file = tried(WITH_BAD_ROWS)
    address = f"{LIST}{import_file.pk}/"

    page = Page(desk.get(address))
    assert "Import 1 order without the bad rows" in page.text
    assert "2 rows cannot be taken." in page.text
    assert "=1+1" in page.text

    answer = desk.get(f"{address}bad-rows.csv")
    assert answer["Content-Disposition"].startswith("attachment")
    assert "'=1+1" in b"".join(answer.streaming_content).decode("utf-8-sig")
    assert AuditRecord.objects.get(action=AuditRecord.Action.EXPORTED).facts == {
        "list": "bad_rows",
        "filters": f"?import={import_file.pk}",
        "format": "csv",
        "rows": 2,
    }

    form = {name: "on" for name in page.values("name") if name == "skip_bad_rows"}
    desk.post(f"{address}start/", {**form, "dry_run": import_file.dry_run_id})
    work_on(ImportFile.objects.get().import_run)
    assert Order.objects.count() == 1


def test_a_file_without_bad_rows_has_no_file_of_them(desk, tried):
    assert desk.get(f"{LIST}{tried().pk}/bad-rows.csv").status_code == 404


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "There are no orders in this file."),
        (b" \n", "There are no orders in this file."),
        (b"PK\x03\x04xl", "This is not a text file."),
        (b"\x00\x01\x02", "This is not a text file."),
    ],
)
def test_upload_of_no_table_says_so_at_the_field(desk, files, content, sentence):
    answer = send(desk, content)

    assert answer.status_code == 422
    page = Page(answer)
    assert sentence in page.text
    assert page.text.startswith("Error:")
    assert not ImportFile.objects.exists()


def test_upload_of_nothing_asks_for_a_file(desk):
    answer = desk.post(NEW, {})

    assert answer.status_code == 422
    assert "Choose a file." in Page(answer).text


def test_upload_that_is_too_large_is_refused_before_it_is_read(desk, monkeypatch, files):
    monkeypatch.setattr(views, "MOST_BYTES", 100)
    monkeypatch.setattr(views, "FORM_BYTES", 0)

    answer = send(desk, "x" * 1000)

    assert answer.status_code == 413
    assert "The file is larger than 500 MB." in Page(answer).text
    assert not ImportFile.objects.exists()


def test_upload_is_guarded_against_other_sites(sue, files):
    desk = Client(enforce_csrf_checks=True)
    desk.force_login(sue)

    assert send(desk).status_code == 403
    assert not ImportFile.objects.exists()


def test_other_separator_shows_the_rows_again_and_guesses_anew(desk, upload):
    import_file = upload("a|b;Date;Client;Sum\n1|2;01.02.2026;7;1,00\n")
    address = f"{LIST}{import_file.pk}/columns/"

    page = Page(desk.get(f"{address}?separator=pipe&encoding=utf-8&has_header=on"))

    assert "Column 2: b;Date;Client;Sum" in page.text
    assert "The table has 2 columns; where they do not fit, it scrolls sideways." in page.text
    assert "Column 3" not in page.text
    # Looking changes nothing.
    assert ImportFile.objects.get().mapping["separator"] == "semicolon"


@pytest.mark.parametrize(
    ("content", "query", "sentence"),
    [
        ("one\n1\n2\n", "", "the whole first row is one column"),
        (";".join("abc" for _ in range(61)) + "\n1\n", "", "has 61 columns; at most 60"),
        ("a;b;c\nЯ;1;2\n".encode("cp1251"), "?separator=semicolon&encoding=utf-8", "is not in the encoding"),
        ("x" * 1_000_001, "", "Row 1 does not end"),
        (NUMBERED, "?separator=smoke&encoding=utf-8", "smoke"),
    ],
)
def test_file_that_cannot_be_shown_says_why_at_the_field(desk, upload, content, query, sentence):
    import_file = upload(content)

    answer = desk.get(f"{LIST}{import_file.pk}/columns/{query}")

    assert answer.status_code == 422
    page = Page(answer)
    assert sentence in page.text
    assert page.text.startswith("Error:")


def test_hostile_cells_and_headers_are_shown_as_they_are(desk, upload):
    content = (
        "<script>alert(1)</script>;Date;Date;\"=cmd|'/c calc'!A1\"\n<b>x</b>;01.02.2026;02.02.2026;1,00\n"
    )

    answer = desk.get(f"{LIST}{upload(content).pk}/columns/")

    assert answer.status_code == 200
    assert b"<script>alert" not in answer.content
    assert b"<b>x</b>" not in answer.content


def test_columns_of_the_same_name_are_told_apart_by_their_places(desk, upload):
    import_file = upload("Client;Date;Date;Sum;Sum\n7;01.01.2026;02.01.2026;1,00;2,00\n")
    address = f"{LIST}{import_file.pk}/"

    form = columns_form(column_1="customer", column_2="", column_3="paid_at", column_4="", column_5="total")
    assert desk.post(f"{address}columns/", form)["Location"] == address

    work_on(ImportFile.objects.get().dry_run)
    assert "2 ₽" in Page(desk.get(address)).text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"column_2": ""}, "Choose which column is this: date of payment."),
        ({"column_4": ""}, "Choose which column is this: total sum."),
        ({"column_3": ""}, "Choose which column tells whose order it is"),
        ({"column_1": "total"}, "Column 1 is this already: choose one of the two."),
        ({"source": ""}, "Choose where these orders are from."),
        ({"source_name": ""}, "Give the new source a name."),
        ({"source_code": ""}, "Give the new source a code."),
        ({"source_code": "о-о"}, "Use up to 50 Latin letters, digits and hyphens."),
        ({"source_code": "taken"}, "taken"),
        ({"outlet": "x" * 101}, "100"),
        ({"column_1": "secret"}, "secret"),
        ({"date_format": "%Q"}, "%Q"),
    ],
)
def test_wrong_choice_says_so_and_keeps_what_was_chosen(desk, upload, chosen, sentence):
    Source.objects.create(code="taken", name="Taken", is_sandbox=True)
    address = f"{LIST}{upload().pk}/columns/"

    answer = desk.post(address, columns_form(**chosen))

    assert answer.status_code == 422
    page = Page(answer)
    assert sentence in page.text
    assert page.text.startswith("Error:")
    if "column_3" not in chosen:
        assert selected(page, "column_3") == "customer"
    assert not JobRun.objects.exists()


def test_sandboxes_are_no_source_of_a_file(desk, upload):
    Source.objects.create(code="try-out", name="Песочница", is_sandbox=True)

    assert "Песочница" not in Page(desk.get(f"{LIST}{upload().pk}/columns/")).text


def test_refused_dry_run_says_why_and_lets_the_columns_be_changed(desk, upload, sue):
    import_file = try_out(upload("Order;Date;Client;Sum\n"), sue)
    work_on(import_file.dry_run)

    page = Page(desk.get(f"{LIST}{import_file.pk}/"))

    assert "There are no orders in this file." in page.text
    assert f"{LIST}{import_file.pk}/columns/" in page.hrefs()


def test_cancelled_import_offers_to_go_on(desk, tried, sue):
    import_file = tried()
    ask_to_cancel(run=confirm(import_file, sue), at=NOON, by=sue)
    address = f"{LIST}{import_file.pk}/"

    page = Page(desk.get(address))
    assert "Go on with the import" in page.text

    desk.post(f"{address}start/", {"dry_run": import_file.dry_run_id})
    work_on(ImportFile.objects.get().import_run)
    assert Order.objects.count() == 3


def test_confirming_what_changed_since_or_twice_begins_nothing(desk, tried):
    import_file = tried()
    address = f"{LIST}{import_file.pk}/"

    for form in ({}, {"dry_run": "x"}, {"dry_run": import_file.dry_run_id + 1}):
        page = Page(desk.post(f"{address}start/", form, follow=True))
        assert "The dry run is another one by now." in page.text
    desk.post(f"{address}start/", {"dry_run": import_file.dry_run_id})
    page = Page(desk.post(f"{address}start/", {"dry_run": import_file.dry_run_id}, follow=True))

    assert "The import of this file has begun already." in page.text
    assert JobRun.objects.filter(kind=JobRun.Kind.IMPORT).count() == 1


def test_columns_stay_once_the_import_was_asked_for(desk, tried, sue):
    import_file = tried()
    confirm(import_file, sue)

    page = Page(desk.post(f"{LIST}{import_file.pk}/columns/", columns_form(source_code="new"), follow=True))

    assert "so its columns stay as they are" in page.text


def test_deleted_file_keeps_its_page(desk, tried, sue):
    done = tried()
    work_on(confirm(done, sue))
    only_tried = tried("Order;Date;Client;Sum\nB-1;01.02.2026;007;1,00\n")
    delete_old_files(at=NOON + timedelta(days=31))

    page = Page(desk.get(f"{LIST}{done.pk}/"))
    assert "The file itself was deleted 30 days after it was uploaded." in page.text
    assert "What was imported" in page.text
    page = Page(desk.get(f"{LIST}{only_tried.pk}/"))
    assert "Upload it again" in page.text
    assert "Import 1 order" not in page.text
    answer = desk.get(f"{LIST}{only_tried.pk}/columns/")
    assert answer["Location"] == f"{LIST}{only_tried.pk}/"


def test_list_without_files_says_what_to_do(desk):
    page = Page(desk.get(LIST))

    assert "No file was imported yet" in page.text
    assert NEW in page.hrefs()
    assert "30 days after they were uploaded" in page.text


def test_list_asks_the_same_number_of_queries_for_one_file_and_for_thirty(
    desk, tried, sue, django_assert_max_num_queries
):
    work_on(confirm(tried(), sue))
    desk.get(LIST)
    with django_assert_max_num_queries(1000) as one:
        desk.get(LIST)
    ImportFile.objects.bulk_create(
        ImportFile(file="imports/x.csv", name=f"file {n}", uploaded_by=sue, uploaded_at=NOON)
        for n in range(29)
    )
    with django_assert_max_num_queries(1000) as thirty:
        page = Page(desk.get(LIST))

    assert len(thirty) == len(one)
    assert "file 28" in page.text
    assert page.hrefs(rel="next")
    older = Page(desk.get(LIST + page.hrefs(rel="next")[0]))
    assert "orders.csv" in older.text
    assert desk.get(f"{LIST}?after=1")["Location"] == LIST


@pytest.mark.parametrize("role", ["member", "staff", "nobody"])
def test_only_supervisors_import(client_of, tried, ada, stan, role, files):
    import_file = tried(WITH_BAD_ROWS)
    desk = Client() if role == "nobody" else client_of(ada if role == "member" else stan)
    own = f"{LIST}{import_file.pk}/"

    for address in (LIST, NEW, own, f"{own}columns/", f"{own}bad-rows.csv"):
        assert desk.get(address).status_code == (302 if role == "nobody" else 403)
    for address in (NEW, f"{own}columns/", f"{own}start/"):
        assert desk.post(address, columns_form()).status_code == (302 if role == "nobody" else 403)
    assert ImportFile.objects.count() == 1


def test_what_does_not_exist_is_not_found(desk):
    for address in ("404/", "404/columns/", "404/bad-rows.csv", f"{10**30}/"):
        assert desk.get(f"{LIST}{address}").status_code == 404
    assert desk.post(f"{LIST}404/start/").status_code == 404
