"""The operations as a file: the same rows and sums as the page, and nothing that a spreadsheet runs."""

import csv
import io
import tracemalloc
from datetime import date, datetime, timedelta

import openpyxl
import pytest
import time_machine
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Member
from loyalty import exports, spreadsheets
from loyalty.forms.history import HistoryForm
from loyalty.models import Purpose
from loyalty.queries.filters import EVERYTHING, OperationFilter
from loyalty.queries.operations import operations_page
from loyalty.queries.turnover import turnover
from loyalty.services import ledger
from loyalty.services.ledger import Note
from tests.clock import NOON
from tests.factories import UserFactory
from tests.loyalty.lives import earn_many, live
from tests.loyalty.points import NEW_YEAR, earn, new_key
from tests.pages import Page

FILES = ("csv", "xlsx")
QUERIES = ["", "?kind=earned", "?sign=minus", "?since=2026-01-01&until=2026-02-20", "?search=A-"]


@pytest.fixture(autouse=True)
def noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def client(ada, client_of) -> Client:
    """Ada's browser, in English."""
    client = client_of(ada)
    client.cookies["django_language"] = "en"
    return client


def downloaded(client: Client, file: str, query: str = "") -> list[list[object]]:
    """The rows below the headings; in a CSV all cells are texts."""
    response = client.get(f"/operations/operations.{file}{query}")
    assert response.status_code == 200
    content = b"".join(response.streaming_content)
    if file == "csv":
        return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))[1:]
    book = openpyxl.load_workbook(io.BytesIO(content))
    return [list(row) for sheet in book for row in sheet.iter_rows(min_row=2, values_only=True)]


def available_changes(rows: list[list[object]]) -> list[int]:
    return [int(row[8]) for row in rows if row[7] == "available"]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("file", FILES)
def test_file_has_the_operations_and_the_sum_of_the_page(ada, ben, client, file, query):
    live(ada, ben)

    rows = downloaded(client, file, query)

    shown = [
        href.split("/")[2]
        for href in Page(client.get(f"/operations/{query}")).hrefs()
        if href.startswith("/operations/") and href[12:13].isdigit()
    ]
    assert list(dict.fromkeys(str(row[2]) for row in rows)) == shown
    sums = turnover(account_id=ada.pk, filters=_filters(query))
    assert sum(available_changes(rows)) == sums.net_points


@pytest.mark.parametrize("file", FILES)
def test_file_has_a_row_for_each_entry_and_its_balance_is_a_chain(ada, ben, client, file):
    live(ada, ben)

    rows = downloaded(client, file)

    with connection.cursor() as cursor:
        cursor.execute("select count(*) from loyalty_entry where account_id = %s", [ada.pk])
        assert len(rows) == cursor.fetchone()[0]
    balance = 0
    for row in reversed(rows):
        balance += int(row[8]) if row[7] == "available" else 0
        assert int(row[10]) == balance


def test_csv_is_what_a_spreadsheet_expects(ada, client):
    note = Note(purpose=Purpose.ORDER, explanation={"order": "A-1", "outlet": "Кафе «У дома»; вход со двора"})
    _credit(ada, 1_500, note)
    number = ledger.adjust(key=new_key(), account_id=ada.pk, points=-40, at=NOON).posting_id

    response = client.get("/operations/operations.csv")
    content = b"".join(response.streaming_content)

    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="operations-2026-03-10.csv"'
    assert "no-store" in response.headers["Cache-Control"]
    assert content.startswith(b"\xef\xbb\xbfMoment;Date;Operation number;")
    lines = content.decode("utf-8-sig").split("\r\n")
    assert lines[1] == (
        f"2026-03-10T12:00:00+03:00;2026-03-10;{number};Adjusted;Correction by the programme;;;available;-40;"
        "2027-01-01;1460"
    )
    assert '"Order A-1, Кафе «У дома»; вход со двора"' in lines[2]
    assert lines[-1] == ""


def test_csv_in_russian_has_the_days_that_people_write(ada, client):
    earn(ada, 100)
    client.cookies["django_language"] = "ru"

    (row,) = downloaded(client, "csv")

    assert (row[0], row[1], row[9]) == ("2026-03-10T12:00:00+03:00", "10.03.2026", "01.01.2027")


def test_xlsx_has_real_numbers_and_days(ada, client):
    number = earn(ada, 1_500)

    response = client.get("/operations/operations.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))

    assert response.headers["Content-Disposition"] == 'attachment; filename="operations-2026-03-10.xlsx"'
    assert "no-store" in response.headers["Cache-Control"]
    (row,) = book.active.iter_rows(min_row=2)
    assert [cell.value for cell in row][:3] == [datetime(2026, 3, 10, 12), datetime(2026, 3, 10), number]
    assert [cell.value for cell in row][8:] == [1_500, datetime(2027, 1, 1), 1_500]
    assert [cell.is_date for cell in row] == [index in (0, 1, 9) for index in range(11)]


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_texts_are_no_formulas(ada, client, begin):
    text = f"{begin}cmd|' /C calc'!A0"
    _credit(ada, 10, Note(explanation={"reason": text, "order": text}))

    (row,) = downloaded(client, "csv")
    assert (row[5], row[6]) == (f"'{text}", f"'{text}")

    content = b"".join(client.get("/operations/operations.xlsx").streaming_content)
    cells = next(openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows(min_row=2))
    assert {cell.data_type for cell in cells} <= {"s", "n", "d", "inlineStr"}
    assert cells[6].value.lstrip("\t\r\n") == text.lstrip("\t\r\n")


def test_control_characters_spoil_no_file(ada, client):
    _credit(ada, 10, Note(explanation={"reason": "a\x07b", "order": "\x1bA-1"}))

    (row,) = downloaded(client, "xlsx")

    assert (row[5], row[6]) == ("ab", "A-1")


@pytest.mark.parametrize("file", FILES)
def test_file_of_nothing_has_headings_only(client, file):
    assert downloaded(client, file) == []


@pytest.mark.parametrize("file", FILES)
def test_file_has_nobody_elses_operations(ada, ben, client, client_of, file):
    live(ada, ben)
    number = earn(ben, 77_777)

    assert str(number) not in {str(row[2]) for row in downloaded(client, file)}
    assert downloaded(client, file, f"?search={number}") == []
    other = client_of(ben)
    other.cookies["django_language"] = "en"
    assert {str(row[7]) for row in downloaded(other, file)} == {"available"}
    assert sum(available_changes(downloaded(other, file))) == 77_777


@pytest.mark.parametrize("file", FILES)
def test_file_is_for_members_only(db, client_of, file):
    address = f"/operations/operations.{file}"

    assert Client().get(address).headers["Location"] == f"/accounts/login/?next={address}"
    assert client_of(UserFactory()).get(address).status_code == 404


@pytest.mark.parametrize("file", FILES)
def test_file_is_only_read(client, file):
    assert client.post(f"/operations/operations.{file}").status_code == 405


def test_batches_are_read_one_by_one(ada, ben, monkeypatch):
    live(ada, ben)
    everything = [row for rows in exports.batches(account_id=ada.pk, filters=EVERYTHING) for row in rows]
    monkeypatch.setattr(exports, "BATCH_OPERATIONS", 3)

    with CaptureQueriesContext(connection) as captured:
        parts = list(exports.batches(account_id=ada.pk, filters=EVERYTHING))

    operations = operations_page(account_id=ada.pk, limit=1_000).operations
    assert [row for rows in parts for row in rows] == everything
    assert len(captured) == 2 * len(parts) == 2 * -(-len(operations) // 3)


def test_file_keeps_its_language_whatever_comes_in_between(ada, in_english):
    earn(ada, 1)

    parts = exports.csv_parts(account_id=ada.pk, filters=EVERYTHING, language="ru")

    content = b"".join(parts).decode()
    assert "Points credited" not in content
    assert "available" not in content


def test_long_workbook_goes_on_in_another_sheet(ada, client, monkeypatch):
    earn_many(ada, 25)
    monkeypatch.setattr(spreadsheets, "ROWS_PER_SHEET", 10)

    content = b"".join(client.get("/operations/operations.xlsx").streaming_content)

    book = openpyxl.load_workbook(io.BytesIO(content))
    assert [sheet.max_row for sheet in book] == [11, 11, 6]
    assert len(downloaded(client, "xlsx")) == 25


def test_csv_of_any_length_takes_the_memory_of_a_part(ada):
    earn_many(ada, 6_000)

    def peak_bytes(filters: OperationFilter) -> int:
        tracemalloc.start()
        for _part in exports.csv_parts(account_id=ada.pk, filters=filters, language="en"):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    fewer = OperationFilter(since_on=(NOON - timedelta(minutes=1_500)).date())
    peak_bytes(fewer)
    assert peak_bytes(EVERYTHING) < 1.5 * peak_bytes(fewer)


def _filters(query: str) -> OperationFilter:
    """What the form makes of a query of QUERIES."""
    form = HistoryForm(QueryDict(query.lstrip("?")))
    assert form.is_valid()
    return form.filters()


def _credit(member: Member, points: int, note: Note, *, until: date = NEW_YEAR) -> None:
    ledger.credit(key=new_key(), account_id=member.pk, points=points, at=NOON, expires_on=until, note=note)
