"""The console's pages of editions: which there are, each one, restoring and withdrawing."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditRecord
from loyalty.models import RuleSet
from loyalty.queries.rules import tiers_of
from loyalty.services.rules import create_draft, withdraw_rule_set
from supervisor.models import JobRun
from supervisor.services.editions import ask_publication
from tests.clock import NOON, TOMORROW_NOON, YESTERDAY_NOON
from tests.loyalty.editions import LONG_AGO, draft_edition, publish_edition
from tests.pages import Page
from tests.supervisor.edition_forms import signed_in
from tests.supervisor.publishing import previewed

EDITIONS = "/console/editions/"


@pytest.fixture(autouse=True)
def noon():
    """Pages read the clock themselves: let it be noon for them too."""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def client(sue, client_of) -> Client:
    """The supervisor's browser."""
    return signed_in(client_of, sue)


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return Page(response).text


@pytest.mark.parametrize("address", [EDITIONS, f"{EDITIONS}1/", f"{EDITIONS}drafts/1/", "/console/jobs/"])
def test_staff_and_members_are_refused_with_a_sentence(stan, ada, client_of, address):
    for person in (stan, ada):
        refused = signed_in(client_of, person).get(address)
        assert refused.status_code == 403
        assert "This page is for supervisors." in Page(refused).text
    assert Client().get(address).headers["Location"] == f"/accounts/login/?next={address}"


@pytest.mark.parametrize("person", ["stan", "ada"])
def test_nobody_else_makes_drafts_by_a_direct_post(person, request, client_of):
    client = client_of(request.getfixturevalue(person))
    count = RuleSet.objects.count()

    assert client.post(f"{EDITIONS}new/").status_code == 403
    assert client.post(f"{EDITIONS}1/restore/").status_code == 403
    assert RuleSet.objects.count() == count


def test_the_list_tells_live_scheduled_drafts_past_and_withdrawn(client, sue):
    past = publish_edition(effective_at=YESTERDAY_NOON - timedelta(days=9))
    live = publish_edition(effective_at=YESTERDAY_NOON)
    coming = publish_edition(effective_at=TOMORROW_NOON)
    gone = withdraw_rule_set(rule_set=publish_edition(effective_at=TOMORROW_NOON), at=NOON, by=sue)
    draft = create_draft(copy_of=live, drafted_by=sue, at=NOON)

    text = text_of(client, EDITIONS)

    parts = [
        text.index(heading)
        for heading in ("In force now", "Scheduled", "Drafts", "Past", "Withdrawn before they took effect")
    ]
    assert parts == sorted(parts)
    now, scheduled, drafts, before, withdrawn = (
        text[begin:end] for begin, end in zip(parts, [*parts[1:], len(text)], strict=True)
    )
    assert f"Edition {live.number} 9 March 2026, 12:00" in now
    assert f"Edition {coming.number} 11 March 2026, 12:00" in scheduled
    assert f"Draft {draft.pk} 10 March 2026, 12:00 Сью Орлова edition {live.number}" in drafts
    assert f"Edition {past.number}" in before
    assert f"Edition {gone.number}" in withdrawn
    assert "A test" in before


def test_a_draft_begins_as_a_copy_of_the_edition_in_force(client, sue):
    live = publish_edition(waiting_days=3, effective_at=YESTERDAY_NOON)
    publish_edition(waiting_days=9, effective_at=TOMORROW_NOON)

    led = client.post(f"{EDITIONS}new/")

    draft = RuleSet.objects.get(number=None)
    assert led.headers["Location"] == f"{EDITIONS}drafts/{draft.pk}/"
    assert (draft.copied_from, draft.drafted_by, draft.waiting_days) == (live, sue, 3)
    assert [tier.name for tier in tiers_of(draft)] == ["Bronze", "Silver", "Gold"]
    assert client.get(f"{EDITIONS}new/").status_code == 405


def test_an_edition_says_what_it_changed_and_holds(client):
    publish_edition(effective_at=LONG_AGO)
    edition = publish_edition(effective_at=YESTERDAY_NOON, waiting_days=14)

    text = text_of(client, f"{EDITIONS}{edition.number}/")

    assert "Days until earned points can be spent at once 14\u00a0days".replace("\u00a0", " ") in text
    assert "Gold 20,000\u00a0₽ 5%" in text
    assert "Earned points can be spent after 14 days." in text
    assert "in force" in text
    assert client.get(f"{EDITIONS}999/").status_code == 404


def test_restoring_makes_a_draft_and_deletes_nothing(client):
    old = publish_edition(("Bronze", 0, "0.01"), effective_at=LONG_AGO)
    publish_edition(("Bronze", 0, "0.02"), effective_at=YESTERDAY_NOON)

    led = client.post(f"{EDITIONS}{old.number}/restore/", follow=True)

    draft = RuleSet.objects.get(number=None)
    assert str(tiers_of(draft)[0].coefficient) == "0.0100"
    assert f"This draft is edition {old.number} as it was." in Page(led).text
    assert RuleSet.objects.filter(number__isnull=False).count() == 3


def test_a_scheduled_edition_is_withdrawn_or_copied_and_not_restored(client):
    publish_edition(effective_at=YESTERDAY_NOON)
    coming = publish_edition(effective_at=TOMORROW_NOON)

    text = text_of(client, f"{EDITIONS}{coming.number}/")

    assert "Withdraw it" in text
    assert "To go back to these rules" not in text
    assert "A draft begins as a copy of this edition." in text


def test_an_address_of_a_button_opened_like_a_page_says_so(client):
    refused = client.get(f"{EDITIONS}new/")

    assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")
    page = Page(refused)
    assert page.count("h1") == 1
    assert "At this address something is done when a button is pressed" in page.text
    assert client.get(f"{EDITIONS}new/", HTTP_ACCEPT="application/json").content == b""


def test_withdrawing_asks_first_and_calls_the_recount_off(client, sue):
    publish_edition(effective_at=YESTERDAY_NOON)
    preview = previewed(sue)
    done = ask_publication(preview=preview, effective_at=TOMORROW_NOON, reason="Spring", at=NOON, by=sue)
    address = f"{EDITIONS}{done.rule_set.number}/withdraw/"

    asked = text_of(client, address)
    assert "It would take effect on 11 March 2026, 12:00; then it never does." in asked
    assert RuleSet.objects.get(pk=done.rule_set.pk).withdrawn_at is None
    led = client.post(address, follow=True)

    assert f"Edition {done.rule_set.number} is withdrawn." in Page(led).text
    edition = RuleSet.objects.get(pk=done.rule_set.pk)
    assert (edition.withdrawn_at, edition.withdrawn_by) == (NOON, sue)
    assert JobRun.objects.get(pk=done.job_run.pk).outcome == "cancelled"
    assert AuditRecord.objects.filter(action="rules_withdrawn").count() == 1
    again = client.post(address, follow=True)
    assert "These rules have been withdrawn already." in Page(again).text
    assert AuditRecord.objects.filter(action="rules_withdrawn").count() == 1


def test_what_is_in_force_cannot_be_withdrawn(client):
    edition = publish_edition(effective_at=YESTERDAY_NOON)

    for answer in (client.get, client.post):
        led = answer(f"{EDITIONS}{edition.number}/withdraw/", follow=True)
        assert "These rules have taken effect already, or do so within seconds." in Page(led).text
    assert RuleSet.objects.get(pk=edition.pk).withdrawn_at is None


def test_a_form_of_yesterday_is_refused(sue):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(sue)
    count = RuleSet.objects.count()

    assert browser.post(f"{EDITIONS}new/", {"csrfmiddlewaretoken": "stale"}).status_code == 403
    assert RuleSet.objects.count() == count


def test_the_list_takes_the_same_queries_however_many_there_are(client, sue):
    def take() -> int:
        client.get(EDITIONS)
        with CaptureQueriesContext(connection) as captured:
            client.get(EDITIONS)
        return len(captured)

    create_draft(copy_of=publish_edition(), drafted_by=sue, at=NOON)
    with_one = take()
    for place in range(30):
        edition = publish_edition(effective_at=LONG_AGO + timedelta(days=place))
        create_draft(copy_of=edition, drafted_by=sue, at=NOON)
        publish_edition(effective_at=LONG_AGO + timedelta(days=place))

    assert take() == with_one


def test_a_draft_is_deleted_once_that_is_confirmed(client):
    draft = draft_edition()
    address = f"{EDITIONS}drafts/{draft.pk}/delete/"

    assert "gone then and cannot be brought back" in text_of(client, address)
    assert RuleSet.objects.filter(pk=draft.pk).exists()
    assert client.post(address).headers["Location"] == EDITIONS
    assert not RuleSet.objects.filter(pk=draft.pk).exists()
    assert client.post(address).status_code == 404


@pytest.mark.parametrize("address", [EDITIONS, f"{EDITIONS}1/", "/console/", "/rules/", "/rules/1/"])
def test_first_edition_holds_from_the_beginning(client, address):
    text = text_of(client, address)

    assert "from the beginning" in text
    assert "1970" not in text


def test_past_first_edition_held_from_the_beginning_to_the_next(client):
    publish_edition(effective_at=YESTERDAY_NOON)

    assert "in force from the beginning to 9 March 2026" in text_of(client, "/rules/1/")
    assert "from the beginning" in text_of(client, "/rules/")
