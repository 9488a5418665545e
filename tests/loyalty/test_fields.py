"""Points as people type them."""

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.utils import translation

from loyalty.fields import Bound, PointsField


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
