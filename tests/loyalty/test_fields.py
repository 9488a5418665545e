"""Points and other numbers as people type them."""

from decimal import Decimal

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.utils import translation

from loyalty.fields import Bound, NumberField, PercentField, PointsField, WholeNumberField


class Sending(forms.Form):
    points = PointsField(
        least=Bound(10, "Send 10 points or more."), most=Bound(2_000, "You have 2 000 points.")
    )


def refusal(typed: str, **settings) -> str:
    with pytest.raises(ValidationError) as refused:
        PointsField(**settings).clean(typed)
    (message,) = refused.value.messages
    return message


@pytest.mark.parametrize(
    "typed",
    ["1500", "1 500", "1\u00a0500", "1\u202f500", "1\u2009500", " 1500 ", "01500"],
)
@pytest.mark.parametrize("language", ["ru", "en"])
def test_case_133_points_are_read_with_any_space_in_any_language(typed, language):
    with translation.override(language):
        assert PointsField().clean(typed) == 1_500


REFUSED = {
    "": "Enter how many points.",
    " \u00a0": "Enter how many points.",
    "0": "Enter 1 point or more.",
    "000": "Enter 1 point or more.",
    "-5": "Enter the number without a minus.",
    "\u22125": "Enter the number without a minus.",
    "1,500": "Enter whole points, without a comma or a full stop: 1500.",
    "1.5": "Enter whole points, without a comma or a full stop: 1500.",
    "1e3": "Enter the number in digits only, without letters: 1500.",
    "١٢": "Enter the number in the digits from 0 to 9.",
    "１２": "Enter the number in the digits from 0 to 9.",
    "1234567890": "Enter a number of at most 9 digits.",
    "100 ₽": "Enter the number in digits only, such as 1500.",
    "1\t500": "Enter the number in digits only, such as 1500.",
    "+5": "Enter the number in digits only, such as 1500.",
}


@pytest.mark.parametrize(("typed", "text"), REFUSED.items())
def test_case_133_everything_else_is_refused_with_a_text_of_its_own(typed, text, in_english):
    assert refusal(typed) == text


def test_the_largest_number_has_nine_digits():
    assert PointsField().clean("999 999 999") == 999_999_999


@pytest.mark.parametrize(
    ("typed", "text"), [("9", "Send 10 points or more."), ("2 001", "You have 2 000 points.")]
)
def test_limits_are_refused_with_their_sentences(typed, text):
    assert Sending({"points": typed}).errors == {"points": [text]}


@pytest.mark.parametrize("typed", ["10", "2 000"])
def test_limits_are_within_what_is_accepted(typed):
    assert Sending({"points": typed}).is_valid()


def test_nothing_may_be_typed_where_it_is_not_required():
    assert PointsField(required=False).clean(" ") is None


def test_what_was_typed_is_shown_again():
    html = str(Sending({"points": "1 5oo"})["points"])

    assert 'value="1 5oo"' in html
    assert 'type="text"' in html
    assert 'inputmode="numeric"' in html


# Sums, percents and other numbers


def number_refusal(field: forms.Field, typed: str) -> str:
    with pytest.raises(ValidationError) as refused:
        field.clean(typed)
    (message,) = refused.value.messages
    return message


def sum_field(**settings) -> NumberField:
    return NumberField(most=Decimal("999999.99"), places=2, **settings)


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("typed", ["1,25", "1.25", " 1,25 ", "01,25"])
def test_a_comma_and_a_full_stop_are_one_and_the_same(typed, language):
    with translation.override(language):
        assert sum_field().clean(typed) == Decimal("1.25")
        assert PercentField().clean(typed) == Decimal("0.0125")


@pytest.mark.parametrize("typed", ["100000,50", "100 000.50", "100\u00a0000,5", "100\u202f000,50"])
def test_sums_are_read_with_any_space(typed):
    assert sum_field().clean(typed) == Decimal("100000.5")


NUMBERS_REFUSED = {
    "": "Enter a number.",
    "1,2,5": "Enter the number with a single comma or full stop, such as 1,25.",
    "1.000,50": "Enter the number with a single comma or full stop, such as 1,25.",
    "5,": "Enter the number with a single comma or full stop, such as 1,25.",
    ",5": "Enter the number with a single comma or full stop, such as 1,25.",
    "1e3": "Enter the number in digits only, without letters.",
    "пять": "Enter the number in digits only, without letters.",
    "-5": "Enter the number without a minus.",
    "\u22125": "Enter the number without a minus.",
    "١٢": "Enter the number in the digits from 0 to 9.",
    "+5": "Enter the number in digits only.",
    "5 %": "Enter the number in digits only.",
    "1,500": "Enter the number with at most 2 decimal places.",
    "25.000": "Enter the number with at most 2 decimal places.",
    "1,255": "Enter the number with at most 2 decimal places.",
    "1000000": "Enter a number of at most 999\u00a0999.99.",
}


@pytest.mark.parametrize(("typed", "text"), NUMBERS_REFUSED.items())
def test_everything_else_is_no_number(typed, text, in_english):
    assert number_refusal(sum_field(), typed) == text


@pytest.mark.parametrize("typed", ["5", "5 %", "5%", "5\u00a0%", "5,0"])
def test_percents_are_shares(typed):
    assert PercentField().clean(typed) == Decimal("0.05")


def test_percents_end_at_a_hundred_and_have_two_places(in_english):
    assert PercentField().clean("100") == 1
    assert number_refusal(PercentField(), "100,01") == "Enter a number of at most 100."
    assert number_refusal(PercentField(), "0,111") == "Enter the number with at most 2 decimal places."


def test_shares_are_shown_as_they_can_be_typed():
    field = PercentField()
    for language, text in (("ru", "1,25"), ("en", "1.25")):
        with translation.override(language):
            assert field.prepare_value(Decimal("0.0125")) == text
            assert field.clean(text) == Decimal("0.0125")
    assert field.prepare_value(Decimal("0.0500")) == "5"
    assert field.prepare_value("1,2,5") == "1,2,5"


def test_large_sums_are_shown_in_groups_that_can_be_typed():
    with translation.override("en"):
        shown = sum_field().prepare_value(Decimal("100000.50"))

    assert shown == "100\u00a0000.5"
    assert sum_field().clean(shown) == Decimal("100000.5")


def test_whole_numbers_may_be_nothing_but_not_broken(in_english):
    field = WholeNumberField(most=Decimal(1_200))

    assert field.clean("0") == 0
    assert field.clean("1 200") == 1_200
    assert number_refusal(field, "1,5") == "Enter a whole number, without a comma or a full stop."
    assert number_refusal(field, "1 201") == "Enter a number of at most 1\u00a0200."
    assert WholeNumberField(most=Decimal(5), required=False).clean("") is None
