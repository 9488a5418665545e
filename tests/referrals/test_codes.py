"""Codes of links: one at a time for each member, found however they are typed."""

import re

import pytest

from referrals.models import InviteCode
from referrals.queries import invite_code
from referrals.services import code_of, reissue_code, show_name
from tests.clock import NOON, TOMORROW_NOON
from tests.factories import MemberFactory
from tests.loyalty.races import race


def test_a_code_is_made_once_and_has_no_look_alikes(ada, ben):
    code = code_of(member=ada, at=NOON)

    assert re.fullmatch("[23456789ABCDEFGHJKMNPQRSTUVWXYZ]{8}", code.code)
    assert code_of(member=ada, at=TOMORROW_NOON) == code
    assert code_of(member=ben, at=NOON).code != code.code


def test_a_code_is_found_in_any_case_and_nothing_else_is(ada):
    code = code_of(member=ada, at=NOON)

    assert invite_code(f" {code.code.lower()} ") == code
    for text in ("", "0OIL", code.code[:-1], code.code * 2, "\x00", "ß" * 8):
        assert invite_code(text) is None


def test_a_new_code_ends_the_one_before_which_is_still_known(ada):
    before = show_name(member=ada, shows_name=False, at=NOON)

    after = reissue_code(member=ada, at=TOMORROW_NOON)

    assert after.code != before.code
    assert after.shows_name is False
    assert code_of(member=ada, at=TOMORROW_NOON) == after
    assert invite_code(before.code).ended_at == TOMORROW_NOON


@pytest.mark.django_db(transaction=True)
def test_a_code_that_is_asked_for_at_once_is_one():
    member = MemberFactory()

    codes = race(*[lambda: code_of(member=member, at=NOON).code] * 6)

    assert len(set(codes)) == 1
    assert InviteCode.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_codes_that_are_replaced_at_once_leave_one_alive():
    member = MemberFactory()
    code_of(member=member, at=NOON)

    codes = race(*[lambda: reissue_code(member=member, at=TOMORROW_NOON).code] * 4)

    assert len(set(codes)) == 4
    assert InviteCode.objects.get(ended_at=None).code in codes
