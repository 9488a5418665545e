"""What an order file seems to be: encoding, separator, header, columns, dates, sums."""

import pytest
from django.utils.timezone import localtime

from orders.imports.guessing import guess_mapping
from orders.imports.rows import BadRow, read_rows
from tests.clock import NOON


@pytest.fixture
def guessed(tmp_path):
    """What is guessed of a text."""

    def of(content, **known):
        path = tmp_path / "orders.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return guess_mapping(path, **known)

    return of


RUSSIAN = (
    "Номер заказа;Дата;Телефон;Сумма доставки;Итого\nЗ-1;03.02.2026 10:30;+79161234567;100,00;1 200,50\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "utf-16"])
def test_a_russian_export_in_each_encoding(guessed, encoding):
    mapping = guessed(RUSSIAN.encode(encoding))

    assert mapping.encoding == encoding.removesuffix("-sig")
    assert mapping.columns == {"number": 1, "paid_at": 2, "phone": 3, "delivery": 4, "total": 5}
    assert (mapping.separator, mapping.date_format, mapping.decimal) == ("semicolon", "%d.%m.%Y %H:%M", ",")
    assert mapping.has_header


@pytest.mark.parametrize(
    ("content", "separator"),
    [
        ("order id,order date,client,amount\n1,2026-01-02,7,5.00\n", "comma"),
        ("order id\torder date\tclient\tamount\n1\t2026-01-02\t7\t5.00\n", "tab"),
        ("order id|order date|client|amount\n1|2026-01-02|7|5.00\n", "pipe"),
        ("order date client amount\n1 2026-01-02 7 5.00\n", "whitespace"),
    ],
)
def test_separators(guessed, content, separator):
    mapping = guessed(content)

    assert mapping.separator == separator
    assert {"paid_at", "customer", "total"} <= set(mapping.columns)


def test_columns_without_names_by_what_stands_in_them(guessed):
    mapping = guessed("A1,eve@example.com,2026-01-02,5.00\nA2,kai@example.com,2026-01-03,7.00\n")

    assert not mapping.has_header
    assert mapping.columns == {"email": 2, "paid_at": 3, "total": 4}


@pytest.mark.parametrize(
    ("text", "date_format"),
    [
        ("2026-01-31", ""),
        ("2026-01-31T10:30:00", ""),
        ("31.01.2026", "%d.%m.%Y"),
        ("31.01.26", "%d.%m.%y"),
        ("31/01/2026", "%d/%m/%Y"),
        ("01/31/2026", "%m/%d/%Y"),
        ("2026/01/31", "%Y/%m/%d"),
    ],
)
def test_dates(guessed, text, date_format):
    assert guessed(f"date,client,total\n{text},7,5\n").date_format == date_format


def test_a_column_of_dates_some_of_which_have_a_time(guessed, tmp_path):
    mapping = guessed("date,client,total\n21.11.2025,7,5\n20.11.2025 10:00,7,6\n")

    rows = read_rows(tmp_path / "orders.csv", mapping, latest_at=NOON)

    assert [localtime(row.paid_at).strftime("%d %H:%M") for row in rows] == ["21 00:00", "20 10:00"]


@pytest.mark.parametrize("name", ["Shop", "Магазин", "Точка продаж"])
def test_outlets(guessed, name):
    assert guessed(f"date,client,total,{name}\n21.11.2025,7,5,Arbat\n").columns["outlet"] == 4


def test_what_is_known_is_not_guessed(guessed):
    mapping = guessed(RUSSIAN, separator="comma", encoding="cp1251", has_header=False)

    assert (mapping.separator, mapping.encoding, mapping.has_header) == ("comma", "cp1251", False)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n\n",
        b"one column\n1\n",
        b"\x00\x01\x02",
        b"\xff\xfe",
        b"\xff\xfea",
        bytes(range(256)) * 300,
        b'"' * 70_000,
        b"a;" * 40_000,
        b"x" * 200_000,
        b'a;b\n"never ends;' + b"x" * 200_000,
        "Я".encode() * 40_000,
    ],
)
def test_nothing_that_may_stand_in_a_file_breaks_it(guessed, content):
    guessed(content).separator_character  # noqa: B018  (it is readable)


def test_what_was_guessed_reads_the_file(guessed, tmp_path):
    mapping = guessed(RUSSIAN.encode("cp1251"))

    [row] = read_rows(tmp_path / "orders.csv", mapping, latest_at=NOON)

    assert not isinstance(row, BadRow)
    assert (row.number, str(row.total_sum), str(row.delivery_sum)) == ("З-1", "1200.50", "100.00")
