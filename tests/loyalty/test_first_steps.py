"""The first steps on the balance page: ticked from what happened, put away for good."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Member
from loyalty.models import Purpose
from loyalty.queries.steps import every_step, first_steps
from loyalty.services import ledger
from referrals.models import Referral
from tests.clock import NOON, TOMORROW_NOON
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import NEW_YEAR, new_key
from tests.pages import Page

HIDE = reverse("accounts:hide_steps")


@pytest.fixture(autouse=True)
def noon(in_english):
    """Pages read the clock themselves: let it be noon for them too."""
    with time_machine.travel(NOON, tick=False):
        yield


def done(member: Member) -> list[str]:
    """The names of the steps that are done by noon."""
    return [step.name for step in first_steps(member, NOON).steps if step.is_done]


def balance_page(client) -> Page:
    """The first page in English."""
    client.cookies["django_language"] = "en"
    response = client.get(reverse("loyalty:balance"))
    assert response.status_code == 200
    return Page(response)


def test_a_new_member_has_three_steps_ahead(ada):
    steps = first_steps(ada, NOON)
    assert [step.name for step in steps.steps] == ["order", "spend", "friend"]
    assert steps.is_shown
    assert (steps.done_count, steps.welcome_points) == (0, 0)


def test_each_step_is_ticked_by_what_happened(ada, ben, paid, placed):
    placed(ada, 500)
    assert done(ada) == []
    paid(ada, 1000)
    assert done(ada) == ["order"]
    assert done(ben) == []
    paid(ada, 100, points=10)
    assert done(ada) == ["order", "spend"]
    Referral.objects.create(inviter=ada, invited=ben, since_at=NOON)
    assert done(ada) == ["order", "spend", "friend"]
    assert not first_steps(ada, NOON).is_shown


def test_what_comes_later_is_not_ticked_yet(ada, paid):
    paid(ada, 1000, at=TOMORROW_NOON)
    assert done(ada) == []


def test_welcome_points_are_named(ada):
    ledger.credit(
        key=new_key(),
        account_id=ada.pk,
        points=200,
        at=NOON,
        expires_on=NEW_YEAR,
        note=ledger.Note(purpose=Purpose.WELCOME),
    )
    assert first_steps(ada, NOON).welcome_points == 200


def test_a_step_that_the_rules_forbid_gives_way_to_another(ada):
    publish_edition()
    assert [step.name for step in first_steps(ada, NOON).steps] == ["order", "spend", "transfer"]
    publish_edition(transfers_allowed=False, redemption_cap_rate=0)
    assert [step.name for step in first_steps(ada, NOON).steps] == ["order"]


def test_steps_that_are_put_away_stay_so_and_cost_nothing(ada, client_of):
    client = client_of(ada)
    assert client.get(HIDE).status_code == 405
    response = client.post(HIDE)
    assert response.url == reverse("loyalty:balance")
    ada.refresh_from_db()
    assert ada.steps_hidden_at == NOON
    with CaptureQueriesContext(connection) as captured:
        assert not first_steps(ada, NOON).is_shown
    assert len(captured) == 0
    with time_machine.travel(NOON + timedelta(days=1)):
        client.post(HIDE)
    ada.refresh_from_db()
    assert ada.steps_hidden_at == NOON


def test_nobody_puts_away_another_members_steps(ada, ben, client_of, client):
    client_of(ben).post(HIDE)
    ada.refresh_from_db()
    assert ada.steps_hidden_at is None
    assert client.post(HIDE).status_code == 302


def test_the_page_says_how_many_are_done_and_leads_on(ada, client_of, paid):
    paid(ada, 1000)
    page = balance_page(client_of(ada))
    assert "1 of 3 done" in page.text
    assert reverse("referrals:invite") in page.hrefs()
    assert HIDE in page.values("action")
    client = client_of(ada)
    client.post(HIDE)
    assert "of 3 done" not in balance_page(client).text


def test_each_kind_of_step_has_its_place_and_name():
    kinds = every_step()
    assert [kind.name for kind in kinds] == ["order", "spend", "friend", "transfer"]
    assert len({kind.place for kind in kinds}) == len(kinds)
