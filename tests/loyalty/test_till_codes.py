"""Codes of the till: six digits from the cabinet, for two minutes and one payment."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from loyalty.errors import AccountBlocked, TillCodeNeeded, TillCodeOver, TillCodeWrong, TooManyTillCodes
from loyalty.models import TillCode
from loyalty.services.blocking import block_member, unblock_member
from loyalty.services.till_codes import check_till_code, make_till_code, open_till_code, use_till_code
from tests.clock import NOON
from tests.loyalty.points import earn
from tests.loyalty.races import race
from tests.pages import Page
from tests.supervisor.given import in_english

TILL_CODE = "/till-code/"
A_SECOND = timedelta(seconds=1)
TWO_MINUTES = timedelta(minutes=2)


@pytest.fixture
def at_noon():
    """Pages read the clock themselves: let it be noon for them too."""
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def cabinet(ada, client_of) -> Client:
    """Ada’s browser, in English."""
    return in_english(client_of(ada))


def another(code: str) -> str:
    """A code of six digits that is not this one."""
    return f"{(int(code) + 1) % 10**6:06d}"


# What a code is


def test_code_has_six_digits_and_holds_for_two_minutes(ada):
    made = make_till_code(member=ada, at=NOON)

    assert len(made.code) == 6
    assert made.code.isdigit()
    assert made.expires_at == NOON + TWO_MINUTES
    check_till_code(member=ada, code=made.code, at=NOON + TWO_MINUTES - A_SECOND)
    with pytest.raises(TillCodeOver):
        check_till_code(member=ada, code=made.code, at=NOON + TWO_MINUTES)
    with pytest.raises(TillCodeOver):
        use_till_code(member=ada, code=made.code, at=NOON + TWO_MINUTES)


def test_code_is_kept_as_a_hash_and_can_be_shown_again(ada):
    made = make_till_code(member=ada, at=NOON)

    row = TillCode.objects.get()
    assert made.code not in str(vars(row)).replace(str(row.pk), "")
    assert len(row.code_hash) == 64
    assert open_till_code(member=ada, at=NOON + A_SECOND) == made


def test_digits_follow_from_the_secret_key(ada, settings):
    made = make_till_code(member=ada, at=NOON)

    settings.SECRET_KEY = "of another site"

    assert open_till_code(member=ada, at=NOON) != made
    with pytest.raises(TillCodeWrong):
        check_till_code(member=ada, code=made.code, at=NOON)


def test_code_may_be_typed_with_a_space(ada):
    code = make_till_code(member=ada, at=NOON).code

    check_till_code(member=ada, code=f" {code[:3]} {code[3:]} ", at=NOON)


def test_code_is_used_once(ada):
    code = make_till_code(member=ada, at=NOON).code
    use_till_code(member=ada, code=code, at=NOON)

    with pytest.raises(TillCodeOver):
        use_till_code(member=ada, code=code, at=NOON)
    with pytest.raises(TillCodeOver):
        check_till_code(member=ada, code=code, at=NOON)
    assert open_till_code(member=ada, at=NOON) is None


def test_code_of_somebody_else_is_none_of_hers(ada, ben):
    of_ben = make_till_code(member=ben, at=NOON).code

    with pytest.raises(TillCodeOver):
        check_till_code(member=ada, code=of_ben, at=NOON)
    of_ada = make_till_code(member=ada, at=NOON).code
    if of_ada != of_ben:
        with pytest.raises(TillCodeWrong):
            check_till_code(member=ada, code=of_ben, at=NOON)
    check_till_code(member=ben, code=of_ben, at=NOON)


def test_new_code_ends_the_one_before(ada):
    first = make_till_code(member=ada, at=NOON).code
    second = make_till_code(member=ada, at=NOON + A_SECOND).code

    assert TillCode.objects.filter(ended_at=None).count() == 1
    check_till_code(member=ada, code=second, at=NOON + A_SECOND)
    if first != second:
        with pytest.raises(TillCodeWrong):
            check_till_code(member=ada, code=first, at=NOON + A_SECOND)


# Wrong tries


def test_five_wrong_tries_end_it(ada):
    code = make_till_code(member=ada, at=NOON).code

    for tries_left in (4, 3, 2, 1):
        with pytest.raises(TillCodeWrong) as refusal:
            check_till_code(member=ada, code=another(code), at=NOON)
        assert refusal.value.tries_left == tries_left
    with pytest.raises(TillCodeOver):
        check_till_code(member=ada, code=another(code), at=NOON)

    with pytest.raises(TillCodeOver):
        check_till_code(member=ada, code=code, at=NOON)
    assert TillCode.objects.get().wrong_tries == 5


def test_nothing_entered_is_no_try(ada):
    make_till_code(member=ada, at=NOON)

    with pytest.raises(TillCodeNeeded):
        check_till_code(member=ada, code="  ", at=NOON)

    assert TillCode.objects.get().wrong_tries == 0


# Who gets one


def test_blocked_member_gets_none(ada):
    block_member(member=ada, at=NOON, actor_id=None, reason="Asked for it")

    with pytest.raises(AccountBlocked):
        make_till_code(member=ada, at=NOON)

    assert not TillCode.objects.exists()


def test_twenty_codes_an_hour(ada):
    for second in range(20):
        make_till_code(member=ada, at=NOON + second * A_SECOND)

    with pytest.raises(TooManyTillCodes) as refusal:
        make_till_code(member=ada, at=NOON + timedelta(minutes=59))

    assert refusal.value.allowed_at == NOON + timedelta(hours=1)
    make_till_code(member=ada, at=NOON + timedelta(hours=1))


def test_old_codes_are_not_kept(ada, ben):
    make_till_code(member=ada, at=NOON)
    make_till_code(member=ben, at=NOON)

    make_till_code(member=ada, at=NOON + timedelta(hours=2))

    assert [code.made_at for code in TillCode.objects.filter(member=ada)] == [NOON + timedelta(hours=2)]
    assert TillCode.objects.filter(member=ben).count() == 1


# At the same moment


@pytest.mark.django_db(transaction=True)
def test_of_ten_payments_at_once_with_one_code_one_takes_it(ada):
    code = make_till_code(member=ada, at=NOON).code

    outcomes = race(*[lambda: use_till_code(member=ada, code=code, at=NOON)] * 10)

    assert sum(outcome is None for outcome in outcomes) == 1
    assert sum(isinstance(outcome, TillCodeOver) for outcome in outcomes) == 9


@pytest.mark.django_db(transaction=True)
def test_of_ten_wrong_tries_at_once_five_are_counted(ada):
    code = make_till_code(member=ada, at=NOON).code

    outcomes = race(*[lambda: check_till_code(member=ada, code=another(code), at=NOON)] * 10)

    assert sum(isinstance(outcome, TillCodeWrong) for outcome in outcomes) == 4
    assert sum(isinstance(outcome, TillCodeOver) for outcome in outcomes) == 6
    assert TillCode.objects.get().wrong_tries == 5


@pytest.mark.django_db(transaction=True)
def test_ten_made_at_once_leave_one_open(ada):
    outcomes = race(*[lambda: make_till_code(member=ada, at=NOON)] * 10)

    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert TillCode.objects.filter(ended_at=None).count() == 1


# The page in the cabinet


def test_page_makes_a_code_only_when_it_is_asked_to(cabinet, ada, at_noon):
    earn(ada, 100)
    page = Page(cabinet.get(TILL_CODE))

    assert "Make a code" in page.text
    assert not TillCode.objects.exists()

    answer = cabinet.post(TILL_CODE)

    assert (answer.status_code, answer["Location"]) == (302, TILL_CODE)
    code = open_till_code(member=ada, at=NOON).code
    for _time in range(2):
        text = Page(cabinet.get(TILL_CODE)).text
        assert f"{code[:3]}\u00a0{code[3:]}" in text
        assert "12:02:00" in text
    assert TillCode.objects.count() == 1


def test_page_shows_the_number_beside_the_code(cabinet, ada, at_noon):
    cabinet.post(TILL_CODE)

    text = Page(cabinet.get(TILL_CODE)).text

    assert "\u00a0".join(ada.number[at : at + 4] for at in (0, 4, 8)) in text
    assert "Make a new one" in text


def test_page_shows_no_code_that_is_over(cabinet, ada, at_noon):
    earn(ada, 100)
    cabinet.post(TILL_CODE)
    code = open_till_code(member=ada, at=NOON).code

    at_noon.shift(TWO_MINUTES)

    text = Page(cabinet.get(TILL_CODE)).text
    assert "Make a code" in text
    assert f"{code[:3]}\u00a0{code[3:]}" not in text


def test_page_is_of_who_is_signed_in(ada, ben, client_of, at_noon):
    earn(ben, 100)
    make_till_code(member=ada, at=NOON)

    text = Page(in_english(client_of(ben)).get(TILL_CODE)).text

    assert "Make a code" in text


def test_page_says_too_often_in_words(cabinet, ada, at_noon):
    for _time in range(20):
        cabinet.post(TILL_CODE)

    text = Page(cabinet.post(TILL_CODE, follow=True)).text

    assert "Too many codes were made within an hour" in text
    assert "13:00" in text


def test_page_of_a_blocked_member_says_so(cabinet, ada, at_noon):
    block_member(member=ada, at=NOON, actor_id=None, reason="Asked for it")

    page = Page(cabinet.get(TILL_CODE))
    answer = cabinet.post(TILL_CODE, follow=True)

    assert "The account is blocked" in page.text
    assert page.count("form") == Page(cabinet.get("/rules/")).count("form")
    assert "blocked" in Page(answer).text
    assert not TillCode.objects.exists()


def test_page_is_for_members(client, stan, client_of):
    assert client.get(TILL_CODE).status_code == 302
    assert client_of(stan).get(TILL_CODE).status_code == 404
    assert client_of(stan).post(TILL_CODE).status_code == 404


def test_balance_leads_to_it_where_there_is_something_to_spend(cabinet, ada, at_noon, sue):
    assert TILL_CODE not in Page(cabinet.get("/")).hrefs()

    earn(ada, 10)
    assert TILL_CODE in Page(cabinet.get("/")).hrefs()

    block_member(member=ada, at=NOON, actor_id=None, reason="Asked for it")
    assert TILL_CODE not in Page(cabinet.get("/")).hrefs()
    unblock_member(member=ada, at=NOON, actor_id=sue.pk, reason="Settled")
    assert TILL_CODE in Page(cabinet.get("/")).hrefs()


def test_page_explains_why_there_is_no_code_without_points(ben, client_of, at_noon):
    page = Page(in_english(client_of(ben)).get(TILL_CODE))

    assert "You have no points to spend now" in page.text
    assert page.hrefs(**{"class": "button"}) == ["/rules/#earning"]
    assert "Make a code" not in page.text
