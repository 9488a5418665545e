"""What stands in order files: values, columns, rows, and everything that can be wrong with them."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from orders.imports.errors import (
    BrokenTable,
    ColumnAmbiguous,
    ColumnMissing,
    FileEmpty,
    FileUnreadable,
    ImportRefused,
    MappingInvalid,
    NotText,
    PositionMissing,
    WrongEncoding,
    WrongSeparator,
)
from orders.imports.mapping import ColumnMapping, mapping_for, parse_columns
from orders.imports.rows import BadRow, OrderRow, made_number, read_rows
from orders.imports.values import BadValue, moment_of, sum_of
from tests.clock import MOSCOW, NOON

COLUMNS = {"customer": "customer", "paid_at": "date", "total": "total"}
WITH_EVERYTHING = {
    **COLUMNS,
    "number": "number",
    "delivery": "delivery",
    "email": "email",
    "phone": "phone",
    "first_name": "name",
}

pytestmark = pytest.mark.usefixtures("in_english")


@pytest.fixture
def read(tmp_path):
    """Reads a text as a file by a mapping."""

    def rows(content, columns=COLUMNS, **settings):
        path = tmp_path / "orders.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        mapping = ColumnMapping(source="noon", columns=columns, **settings)
        return list(read_rows(path, mapping.checked(), latest_at=NOON))

    return rows


@pytest.mark.parametrize(
    ("text", "mark", "expected"),
    [
        ("11.77", ".", "11.77"),
        ("11.770", ".", "11.77"),
        ("12", ".", "12.00"),
        ("0", ".", "0.00"),
        ("1234,5", ",", "1234.50"),
        ("1 234 567,50", ",", "1234567.50"),
        ("1\u00a0234,50", ",", "1234.50"),
        ("999999999.99", ".", "999999999.99"),
    ],
)
def test_sum_of_reads_what_people_write(text, mark, expected):
    assert sum_of(text, mark) == Decimal(expected)
    assert str(sum_of(text, mark)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-1", "a sum that is not negative: returned goods are no order"),
        ("11.775", "at most two decimals"),
        ("1000000000", "at most 999999999.99"),
        ("1" * 39, "at most 999999999.99"),
        ("1" * 4_000, "a sum, such as 1234.50, without a currency"),
        ("NaN", "a sum, such as 1234.50, without a currency"),
        ("Infinity", "a sum, such as 1234.50, without a currency"),
        ("1e9", "a sum, such as 1234.50, without a currency"),
        ("$5", "a sum, such as 1234.50, without a currency"),
        ("1,50", "a sum, such as 1234.50, without a currency"),
        ("١٢", "a sum, such as 1234.50, without a currency"),
        ("", "a sum, such as 1234.50, without a currency"),
    ],
)
def test_sum_of_says_what_was_expected(text, expected):
    with pytest.raises(BadValue) as refusal:
        sum_of(text, ".")

    assert refusal.value.expected == expected


@pytest.mark.parametrize(
    ("text", "date_format", "expected"),
    [
        ("2026-03-01", "", datetime(2026, 3, 1, tzinfo=MOSCOW)),
        ("2026-03-01T10:30", "", datetime(2026, 3, 1, 10, 30, tzinfo=MOSCOW)),
        ("2026-03-01T07:30:00+00:00", "", datetime(2026, 3, 1, 10, 30, tzinfo=MOSCOW)),
        ("19970101", "%Y%m%d", datetime(1997, 1, 1, tzinfo=MOSCOW)),
        ("01.03.2026 10:30", "%d.%m.%Y %H:%M", datetime(2026, 3, 1, 10, 30, tzinfo=MOSCOW)),
    ],
)
def test_moment_of_is_in_the_zone_of_the_programme(text, date_format, expected):
    assert moment_of(text, date_format, MOSCOW) == expected


def test_moment_of_shows_how_a_date_is_written():
    with pytest.raises(BadValue) as refusal:
        moment_of("2026-13-01", "%d.%m.%Y", MOSCOW)

    assert refusal.value.expected == "a date, written like 31.12.2026"


def test_read_rows_keeps_ids_as_text_and_counts_rows_as_a_spreadsheet_does(read):
    rows = read(
        "customer;date;total\n00012;2026-03-01;10,50\n\n00013;2026-03-02;7\n", separator=";", decimal=","
    )

    assert [(row.row, row.customer, row.total_sum) for row in rows] == [
        (2, "00012", Decimal("10.50")),
        (4, "00013", Decimal("7.00")),
    ]


def test_read_rows_of_columns_apart_by_spaces(read):
    rows = read(
        " customer date  count total\r\n 00001 20260101 1   11.77\r\n",
        separator="whitespace",
        date_format="%Y%m%d",
    )

    assert [(row.customer, row.total_sum) for row in rows] == [("00001", Decimal("11.77"))]


def test_read_rows_without_a_header_counts_columns(read):
    rows = read(
        "7,2026-03-01,5\n8,2026-03-01,6\n", {"customer": "1", "paid_at": "2", "total": "3"}, has_header=False
    )

    assert [(row.row, row.customer) for row in rows] == [(1, "7"), (2, "8")]


def test_read_rows_knows_the_encodings_of_old_programs(read):
    columns = {**COLUMNS, "first_name": "имя"}
    content = "customer,date,total,имя\n1,2026-03-01,5,Ольга\n"

    assert read(content.encode("cp1251"), columns, encoding="cp1251")[0].first_name == "Ольга"
    assert read(b"\xef\xbb\xbf" + content.encode(), columns)[0].first_name == "Ольга"
    assert read(content.encode("utf-16"), columns, encoding="utf-16")[0].first_name == "Ольга"


def test_read_rows_names_row_field_found_and_expected(read):
    rows = read(
        "number,customer,date,total,delivery,email,phone,name\n"
        "A1,1,2026-03-01,5,0,,,Ada\n"
        "A2,1,2026-03-40,5,0,,,Ada\n"
        "A3,1,2026-03-11,5,0,,,Ada\n"
        "A4,1,1969-12-31,5,0,,,Ada\n"
        "A5,1,2026-03-01,five,0,,,Ada\n"
        "A6,1,2026-03-01,5,6,,,Ada\n"
        "A7,1,2026-03-01,5,0,ada@,,Ada\n"
        "A8,1,2026-03-01,5,0,,12,Ada\n"
        f"A9,1,2026-03-01,5,0,,,{'A' * 101}\n"
        ",1,2026-03-01,5,0,,,Ada\n"
        "A11,,2026-03-01,5,0,,,Ada\n"
        "A12,1,2026-03-01,5,0,,Ada\n",
        WITH_EVERYTHING,
    )

    assert isinstance(rows[0], OrderRow)
    assert rows[1:] == [
        BadRow(3, "paid_at", "2026-03-40", "a date, written like 2026-12-31 18:30"),
        BadRow(4, "paid_at", "2026-03-11", "a date that is not in the future"),
        BadRow(5, "paid_at", "1969-12-31", "a date after 1970"),
        BadRow(6, "total", "five", "a sum, such as 1234.50, without a currency"),
        BadRow(7, "delivery", "6", "no more than the total, which includes the delivery"),
        BadRow(8, "email", "ada@", "an e-mail address, such as name@example.com"),
        BadRow(9, "phone", "12", "a phone number, such as +7 916 123-45-67"),
        BadRow(10, "first_name", "A" * 59 + "…", "at most 100 letters"),
        BadRow(11, "number", "", "a number, since the file has a column for it"),
        BadRow(12, "customer", "", "whose order it is"),
        BadRow(13, "", "A12 | 1 | 2026-03-01 | 5 | 0 |  | Ada", "8 columns, as in the first row"),
    ]


def test_read_rows_by_contact_where_there_is_no_customer(read):
    columns = {"email": "email", "phone": "phone", "paid_at": "date", "total": "total"}
    rows = read(
        "email,phone,date,total\n"
        "Ada@Example.com,,2026-03-01,5\n"
        ",8 916 123-45-67,2026-03-01,5\n"
        ",,2026-03-01,5\n",
        columns,
    )

    assert [row.customer for row in rows[:2]] == ["ada@example.com", "+79161234567"]
    assert rows[2] == BadRow(4, "email", "", "whose order it is")


def test_made_number_follows_from_the_cells_alone():
    assert made_number(["1", " 2 "]) == made_number(["1", "2"])
    assert made_number(["1", "2"]) != made_number(["12", ""])
    assert len(made_number(["1"])) == 12


@pytest.mark.parametrize(
    ("content", "choices", "refusal", "sentence"),
    [
        (b"", {}, FileEmpty, "There are no orders in this file."),
        (b"customer,date,total\n", {}, FileEmpty, "There are no orders in this file."),
        (
            b"PK\x03\x04xl/workbook",
            {},
            NotText,
            "This is not a text file. "
            "If it is a spreadsheet, save it as CSV from the program it was made with.",
        ),
        (
            "customer,date,total\n1,2026-03-01,5\nОльга,2026-03-01,5\n".encode("cp1251"),
            {},
            WrongEncoding,
            None,
        ),
        (
            b"customer;date;total\n1;2026-03-01;5\n",
            {},
            WrongSeparator,
            "With this separator the whole first row is one column: “customer;date;total”.",
        ),
        (
            b"client,date,total\n1,2026-03-01,5\n",
            {},
            ColumnMissing,
            "There is no column “customer” for customer. The columns of this file are: client, date, total.",
        ),
        (
            b"customer,date,total,total\n1,2026-03-01,5,6\n",
            {},
            ColumnAmbiguous,
            "More than one column of this file is called “total”: for total, name one by its place.",
        ),
        (b'customer,date,total\n1,2026-03-01,"5\n2,2026-03-01,5\n', {}, BrokenTable, None),
        (
            b"customer,date,total\n" + b"1" * 1_000_001,
            {},
            BrokenTable,
            "Row 2 does not end: look for a quotation mark that is not closed, or name another separator.",
        ),
        (
            b"1,2026-03-01,5\n",
            {"has_header": False, "columns": {"customer": "1", "paid_at": "2", "total": "4"}},
            PositionMissing,
            "There is no column 4 for total: the file has 3 columns.",
        ),
    ],
)
def test_read_rows_refuses_a_wrong_file_in_a_sentence(read, content, choices, refusal, sentence):
    with pytest.raises(refusal) as refused:
        read(content, **choices)

    assert sentence in (None, str(refused.value))
    assert str(refused.value)


def test_read_rows_of_no_file(tmp_path):
    with pytest.raises(FileUnreadable) as refused:
        list(read_rows(tmp_path / "none.csv", ColumnMapping(columns=COLUMNS), latest_at=NOON))

    assert str(refused.value) == f"{tmp_path}/none.csv cannot be read: No such file or directory."


def test_mapping_for_takes_the_file_beside_and_options_over_it(tmp_path):
    (tmp_path / "march.mapping.toml").write_text(
        'source = "noon"\nseparator = "tab"\n[columns]\ncustomer = "id"\npaid_at = "date"\ntotal = 3\n'
    )

    mapping = mapping_for(
        tmp_path / "march.csv",
        mapping_file=None,
        options={"separator": None, "encoding": "cp1251", "columns": {"paid_at": "paid"}},
    )

    assert mapping == ColumnMapping(
        source="noon",
        separator="tab",
        encoding="cp1251",
        columns={"customer": "id", "paid_at": "paid", "total": "3"},
    )


@pytest.mark.parametrize(
    "choices",
    [
        {"columns": {"paid_at": "1", "total": "2"}},
        {"columns": {"customer": "1", "total": "2"}},
        {"columns": {**COLUMNS, "price": "1"}},
        {"source": ""},
        {"source": "Полдень"},
        {"separator": "semi"},
        {"encoding": "utf-88"},
        {"encoding": "base64"},
        {"decimal": ";"},
        {"date_format": "%d.%m"},
        {"date_format": "%Q"},
        {"has_header": False},
    ],
    ids=str,
)
def test_mapping_that_means_nothing_is_refused(choices):
    with pytest.raises(MappingInvalid) as refused:
        ColumnMapping(**{"source": "noon", "columns": COLUMNS, **choices}).checked()

    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(
    "content", ["source = ", "colour = 'red'\n", "columns = 'customer=1'\n", "has_header = 'no'\n"]
)
def test_mapping_file_that_means_nothing_is_refused(tmp_path, content):
    (tmp_path / "orders.mapping.toml").write_text(content)

    with pytest.raises(ImportRefused):
        mapping_for(tmp_path / "orders.csv", mapping_file=None, options={})


def test_parse_columns():
    assert parse_columns("customer=1, total = Sum") == {"customer": "1", "total": "Sum"}
    with pytest.raises(MappingInvalid):
        parse_columns("customer")


def test_an_order_of_this_moment_is_not_in_the_future(read):
    later = (NOON + timedelta(seconds=1)).isoformat()
    rows = read(f"customer,date,total\n1,{NOON.isoformat()},5\n1,{later},5\n")

    assert [type(row) for row in rows] == [OrderRow, BadRow]
