"""Everything at once: one change, one owner, every wrong code counted."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from accounts.errors import PhoneTaken, WrongCodes
from accounts.models import ContactChange, Member
from accounts.origin import Origin
from accounts.services import contact_changes
from tests.accounts.contact_changes import (
    NEW_EMAIL,
    NEW_PHONE,
    OLD_EMAIL,
    code_in,
    letters_to,
    other_than,
    outcomes,
)
from tests.clock import NOON

pytestmark = pytest.mark.usefixtures("noon")

Outcome = ContactChange.Outcome


def together(*calls):
    """Run the calls in threads that start as one; what each returns, or the error it raises."""
    start = Barrier(len(calls))

    def run(call):
        try:
            start.wait(timeout=10)
            return call()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


@pytest.fixture
def asked(ada, phones):
    """A change of Ada's phone, with its codes."""
    change = contact_changes.ask_contact_change(
        member=ada, kind=ContactChange.Kind.PHONE, new_contact=NEW_PHONE, asked_at=NOON
    )
    return change, code_in(letters_to(OLD_EMAIL)[0]), code_in(phones.to(NEW_PHONE)[0])


def confirming(asked, **changes):
    change, current_code, new_code = asked
    fields = {"current_code": current_code, "new_code": new_code, **changes}
    return lambda: contact_changes.confirm_contact_change(
        change=change,
        confirmed_at=NOON,
        kept_session_key=None,
        origin=Origin(ip="203.0.113.7", user_agent=""),
        **fields,
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_number", range(3))
def test_confirming_twice_at_once_is_one_change(ada, asked, phones, monkeypatch, round_number):
    followed = []
    monkeypatch.setattr(contact_changes, "_follow_ups", [lambda *, member, at: followed.append(member)])

    results = together(*[confirming(asked)] * 4)

    assert [result.outcome for result in results] == [Outcome.CONFIRMED] * 4
    ada.refresh_from_db()
    assert (str(ada.phone), followed) == (NEW_PHONE, [ada])
    assert len(phones.to(NEW_PHONE)) == 1


@pytest.mark.django_db(transaction=True)
def test_wrong_codes_at_once_are_counted_one_by_one(ada, asked):
    wrong = other_than(asked[2])

    results = together(*[confirming(asked, new_code=wrong)] * 4)

    assert sorted(result.tries_left for result in results if isinstance(result, WrongCodes)) == [1, 2, 3, 4]
    assert ContactChange.objects.get().wrong_codes == 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_number", range(3))
def test_two_members_who_confirm_one_phone_at_once_do_not_share_it(ada, ben, phones, round_number):
    requests = []
    for member in (ada, ben):
        change = contact_changes.ask_contact_change(
            member=member, kind=ContactChange.Kind.PHONE, new_contact=NEW_PHONE, asked_at=NOON
        )
        requests.append((change, code_in(letters_to(member.email)[0]), code_in(phones.to(NEW_PHONE)[-1])))

    results = together(*[confirming(request) for request in requests])

    assert [type(result) for result in results if isinstance(result, Exception)] == [PhoneTaken]
    assert Member.objects.filter(phone=NEW_PHONE).count() == 1


@pytest.mark.django_db(transaction=True)
def test_asking_at_once_leaves_one_open_request_and_keeps_the_limit(ada):
    def asking():
        return contact_changes.ask_contact_change(
            member=ada, kind=ContactChange.Kind.EMAIL, new_contact=NEW_EMAIL, asked_at=NOON
        )

    results = together(*[asking] * 7)

    assert sum(isinstance(result, ContactChange) for result in results) == 5
    assert sorted(outcomes()) == ["", *[Outcome.REPLACED] * 4]
