import pytest
from django.template import Context, Template
from hypothesis import given
from hypothesis import strategies as st

from accounts.errors import InvalidMemberNumber, MemberNumberLengthError, MistypedMemberNumber
from accounts.numbers import (
    format_member_number,
    new_member_number,
    new_member_numbers,
    parse_member_number,
)

ADAS_NUMBER = "248190736514"

a_number = st.builds(new_member_number)
a_place = st.integers(min_value=0, max_value=11)


def test_new_member_number_has_twelve_digits_and_does_not_look_like_a_phone():
    numbers = [new_member_number() for _ in range(200)]

    assert {len(number) for number in numbers} == {12}
    assert {number[0] for number in numbers} == set("23456")
    assert [parse_member_number(number) for number in numbers] == numbers


def test_new_member_numbers_are_all_different():
    assert len(set(new_member_numbers(5_000))) == 5_000
    assert new_member_numbers(0) == []


@given(number=a_number, place=a_place, digit=st.sampled_from("0123456789"))
def test_parse_member_number_notices_any_wrong_digit(number, place, digit):
    mistyped = number[:place] + digit + number[place + 1 :]
    if mistyped == number:
        assert parse_member_number(mistyped) == number
        return

    with pytest.raises(MistypedMemberNumber):
        parse_member_number(mistyped)


@given(number=a_number, place=st.integers(min_value=0, max_value=10))
def test_parse_member_number_notices_any_two_neighbours_that_changed_places(number, place):
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    if swapped == number:
        return

    with pytest.raises(MistypedMemberNumber):
        parse_member_number(swapped)


@given(number=a_number, separator=st.sampled_from([" ", "\u00a0", "\u202f", "-", "\u2011", " – ", "\t"]))
def test_parse_member_number_reads_any_spaces_and_hyphens(number, separator):
    assert parse_member_number(f" {separator.join([number[:4], number[4:8], number[8:]])}\n") == number
    assert parse_member_number(format_member_number(number)) == number


@given(text=st.text(max_size=20))
def test_parse_member_number_refuses_everything_else_with_its_own_error(text):
    with pytest.raises(InvalidMemberNumber):
        parse_member_number(text)


@pytest.mark.parametrize(
    ("text", "found_digits", "sentence"),
    [
        ("2", 1, "A member number has 12 digits, and 1 digit was entered."),
        ("2481 9073 651", 11, "A member number has 12 digits, and 11 digits were entered."),
        ("2481 9073 6510 5", 13, "A member number has 12 digits, and 13 digits were entered."),
    ],
)
def test_parse_member_number_counts_the_digits_it_found(text, found_digits, sentence, in_english):
    with pytest.raises(MemberNumberLengthError) as refusal:
        parse_member_number(text)

    assert refusal.value.found_digits == found_digits
    assert str(refusal.value) == sentence


@pytest.mark.parametrize("text", ["", "   ", "Ада", "2481 9073 651O", "٢٤٨١٩٠٧٣٦٥١٤", "+2481 9073 6510"])
def test_parse_member_number_refuses_what_is_not_digits(text):
    with pytest.raises(InvalidMemberNumber) as refusal:
        parse_member_number(text)

    assert type(refusal.value) is InvalidMemberNumber


def test_parse_member_number_refuses_a_first_digit_that_is_never_given():
    with pytest.raises(MistypedMemberNumber):
        parse_member_number("0" * 12)


def test_format_member_number_keeps_the_groups_on_one_line():
    assert format_member_number(ADAS_NUMBER) == "2481\u00a09073\u00a06514"
    template = Template("{% load accounts %}{{ number|member_number }}")
    assert template.render(Context({"number": ADAS_NUMBER})) == "2481\u00a09073\u00a06514"
