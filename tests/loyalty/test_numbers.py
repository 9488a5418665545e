"""The numbers on the pages: golden values in both languages."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation

from loyalty.templatetags import numbers

LATE_EVENING_UTC = datetime(2026, 12, 31, 21, 30, tzinfo=UTC)


@pytest.fixture
def in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def in_russian():
    with translation.override("ru"):
        yield


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 points"),
        (1, "1 point"),
        (2, "2 points"),
        (12_345, "12,345 points"),
        (-1, "−1 point"),
        (-12_345, "−12,345 points"),
    ],
)
def test_points_in_english(in_english, number, text):
    assert plain(numbers.points(number)) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 баллов"),
        (1, "1 балл"),
        (2, "2 балла"),
        (4, "4 балла"),
        (5, "5 баллов"),
        (11, "11 баллов"),
        (12, "12 баллов"),
        (14, "14 баллов"),
        (21, "21 балл"),
        (22, "22 балла"),
        (25, "25 баллов"),
        (100, "100 баллов"),
        (101, "101 балл"),
        (111, "111 баллов"),
        (112, "112 баллов"),
        (121, "121 балл"),
        (1_001, "1 001 балл"),
        (1_011, "1 011 баллов"),
        (1_022, "1 022 балла"),
        (12_345, "12 345 баллов"),
        (1_000_000, "1 000 000 баллов"),
        (-1, "−1 балл"),
        (-22, "−22 балла"),
    ],
)
def test_points_in_russian_have_the_right_plural(in_russian, number, text):
    assert plain(numbers.points(number)) == text


def test_points_never_break_between_digits_and_unit(in_english):
    assert numbers.points(500) == "500\u00a0points"


def test_points_large_is_the_same_phrase_with_the_digits_marked(in_english):
    assert numbers.points_large(12_345) == "<b>12,345</b>\u00a0points"


@pytest.mark.parametrize(
    ("number", "shown", "spoken"),
    [
        (225, "+225", "plus 225 points"),
        (-500, "−500", "minus 500 points"),
        (0, "0", "0 points"),
    ],
)
def test_signed_points_are_digits_for_the_eye_and_words_for_the_ear(in_english, number, shown, spoken):
    assert plain(numbers.signed_points(number)) == (
        f'<span aria-hidden="true">{shown}</span><span class="visually-hidden">{spoken}</span>'
    )


@pytest.mark.parametrize(
    ("amount_sum", "russian", "english"),
    [
        (Decimal("12345.50"), "12\u00a0345,50\u00a0₽", "12,345.50\u00a0₽"),
        (Decimal("4990.00"), "4\u00a0990\u00a0₽", "4,990\u00a0₽"),
        (Decimal(0), "0\u00a0₽", "0\u00a0₽"),
        (Decimal("0.999"), "0,99\u00a0₽", "0.99\u00a0₽"),
        (Decimal("-150.5"), "−150,50\u00a0₽", "−150.50\u00a0₽"),
    ],
)
def test_money_has_its_sign_and_is_never_rounded_up(amount_sum, russian, english):
    with translation.override("ru"):
        assert numbers.money(amount_sum) == russian
    with translation.override("en"):
        assert numbers.money(amount_sum) == english


@pytest.mark.parametrize(
    ("share", "russian", "english"),
    [
        (Decimal("0.05"), "5\u00a0%", "5%"),
        (Decimal("0.0500"), "5\u00a0%", "5%"),
        (Decimal("0.0125"), "1,25\u00a0%", "1.25%"),
        (Decimal("0.153"), "15,3\u00a0%", "15.3%"),
        (Decimal(1), "100\u00a0%", "100%"),
        (Decimal(0), "0\u00a0%", "0%"),
    ],
)
def test_rate_is_a_share_in_percent(share, russian, english):
    with translation.override("ru"):
        assert numbers.rate(share) == russian
    with translation.override("en"):
        assert numbers.rate(share) == english


def test_figures_are_grouped(in_russian):
    assert numbers.figures(12_345) == "12\u00a0345"
    assert numbers.figures(-1_000) == "−1\u00a0000"


@pytest.mark.parametrize(("language", "text"), [("ru", "31 декабря 2026 г."), ("en", "31 December 2026")])
def test_day_is_a_time_element(language, text):
    with translation.override(language):
        assert numbers.day(date(2026, 12, 31)) == f'<time class="nowrap" datetime="2026-12-31">{text}</time>'


def test_day_of_a_moment_is_the_programmes_day(in_russian):
    with timezone.override(ZoneInfo("Europe/Moscow")):
        assert (
            numbers.day(LATE_EVENING_UTC)
            == '<time class="nowrap" datetime="2027-01-01">1 января 2027 г.</time>'
        )
    with timezone.override(ZoneInfo("Europe/Kaliningrad")):
        assert (
            numbers.day(LATE_EVENING_UTC)
            == '<time class="nowrap" datetime="2026-12-31">31 декабря 2026 г.</time>'
        )


@pytest.mark.parametrize(
    ("language", "text"), [("ru", "1 января 2027, 00:30"), ("en", "1 January 2027, 00:30")]
)
def test_moment_names_its_offset_for_machines(language, text):
    with translation.override(language), timezone.override(ZoneInfo("Europe/Moscow")):
        assert (
            numbers.moment(LATE_EVENING_UTC)
            == f'<time class="nowrap" datetime="2027-01-01T00:30:00+03:00">{text}</time>'
        )


def test_clock_is_the_hour_in_the_programmes_zone():
    with timezone.override(ZoneInfo("Europe/Moscow")):
        assert numbers.clock(LATE_EVENING_UTC) == '<time datetime="2027-01-01T00:30:00+03:00">00:30</time>'


@pytest.mark.parametrize(
    ("on", "text"),
    [
        (date(2026, 11, 22), "Today, 22 November 2026"),
        (date(2026, 11, 21), "Yesterday, 21 November 2026"),
        (date(2026, 11, 20), "20 November 2026"),
        (date(2026, 11, 23), "23 November 2026"),
    ],
)
def test_day_heading_names_today_and_yesterday(in_english, on, text):
    now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    assert numbers.day_heading(on, now) == f'<time datetime="{on.isoformat()}">{text}</time>'


@pytest.mark.parametrize(("language", "text"), [("ru", "Декабрь 2026"), ("en", "December 2026")])
def test_month_stands_alone_in_the_nominative(language, text):
    with translation.override(language):
        assert numbers.month(date(2026, 12, 1)) == text


def test_seconds_are_told_to_a_tenth(in_english):
    assert numbers.seconds(timedelta(seconds=12, milliseconds=380)) == "12.4\u00a0s"


class Expiry(NamedTuple):
    expires_on: date | None
    points: int


def test_by_month_sums_to_what_was_given():
    first, second = Expiry(date(2026, 12, 3), 100), Expiry(date(2026, 12, 31), 20)
    third, never = Expiry(date(2027, 1, 31), 7), Expiry(None, 5)

    months = numbers.by_month([first, second, third, never])

    assert months == [
        (date(2026, 12, 1), 120, [first, second]),
        (date(2027, 1, 1), 7, [third]),
        (None, 5, [never]),
    ]


@pytest.mark.parametrize(("language", "place"), [("ru", "Москва"), ("en", "Moscow")])
def test_zone_place_is_named_in_the_readers_language(language, place):
    with translation.override(language), timezone.override(ZoneInfo("Europe/Moscow")):
        assert numbers.zone_place() == place


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Order W-00730, A & B", 'Order <span class="nowrap">W-00730</span>, A &amp; B'),
        ("W-1 and N-22-3", '<span class="nowrap">W-1</span> and <span class="nowrap">N-22-3</span>'),
        ("A till-code, 5 - 3 <b>", "A till-code, 5 - 3 &lt;b&gt;"),
        # It is longer than a narrow screen: better broken than cut.
        ("A-12345678901234567890", "A-12345678901234567890"),
        ("", ""),
    ],
)
def test_numbers_with_a_hyphen_stay_whole(text, html):
    assert numbers.whole_numbers(text) == html
