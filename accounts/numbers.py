"""The member number: what a member says at the till and shows to a friend.

Twelve digits: a first one from 2 to 6, so that nobody takes it for a Russian phone number, ten
random ones, and a check digit by Damm's algorithm, which notices every single wrong digit and
every swap of two neighbours. It says nothing about how many members there are.
"""

import re
import secrets

from stdnum import damm

from accounts.errors import InvalidMemberNumber, MemberNumberLengthError, MistypedMemberNumber

NUMBER_DIGITS = 12
FIRST_DIGITS = "23456"
RANDOM_DIGITS = NUMBER_DIGITS - 2
NO_BREAK_SPACE = "\u00a0"

# What people, messengers and spreadsheets put between the groups: any space, a hyphen or a dash,
# and the invisible characters that come along when a number is copied from a page.
SEPARATORS = re.compile(r"[\s\-\u2010-\u2015\u2212\u200b-\u200f\u2060\ufeff]+")


def new_member_number() -> str:
    """A random member number of 12 digits. It may be taken: the database says so on saving."""
    digits = secrets.choice(FIRST_DIGITS) + f"{secrets.randbelow(10**RANDOM_DIGITS):0{RANDOM_DIGITS}d}"
    return digits + damm.calc_check_digit(digits)


def new_member_numbers(count: int) -> list[str]:
    """`count` random member numbers, no two of them the same."""
    numbers: dict[str, None] = {}
    while len(numbers) < count:
        numbers[new_member_number()] = None
    return list(numbers)


def parse_member_number(text: str) -> str:
    """The 12 digits of a member number written with any spaces and hyphens.

    Raises:
        MemberNumberLengthError: there are more or fewer than 12 digits.
        MistypedMemberNumber: a digit is wrong or two have changed places.
        InvalidMemberNumber: there is something else than digits in it, or nothing at all.
    """
    digits = SEPARATORS.sub("", text)
    if not digits.isascii() or not digits.isdigit():
        raise InvalidMemberNumber
    if len(digits) != NUMBER_DIGITS:
        raise MemberNumberLengthError(found_digits=len(digits))
    if digits[0] not in FIRST_DIGITS or not damm.is_valid(digits):
        raise MistypedMemberNumber
    return digits


def format_member_number(number: str) -> str:
    """The number in groups of four, which stay on one line: “2481 9073 6514”."""
    return NO_BREAK_SPACE.join(number[start : start + 4] for start in range(0, len(number), 4))
