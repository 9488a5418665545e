"""From a draft to an edition in the console: the preview, its file, when and why, a second supervisor."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditRecord
from loyalty.models import RuleSet, Standing
from loyalty.services.rules import specs_of, update_draft
from supervisor.exports.changed_members import csv_parts
from supervisor.models import Approval, JobRun, Preview
from supervisor.services.previews import ask_preview
from tests.clock import NOON, YESTERDAY_NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import draft_edition, publish_edition
from tests.pages import Page
from tests.supervisor.edition_forms import computed, draft_address, filled, signed_in
from tests.supervisor.publishing import previewed

STRICTER = (("Bronze", 0), ("Silver", 12_000), ("Gold", 20_000))
MILDER = (("Bronze", 0, "0.04"), ("Silver", 8_000, "0.06"), ("Gold", 20_000))
LATER = {"when": "later", "on_date": "2026-12-01", "at_time": "00:00", "reason": "Winter"}
NOW = {"when": "at_once", "reason": "Winter"}


@pytest.fixture(autouse=True)
def noon():
    """Pages read the clock themselves: let it be noon for them too."""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def client(sue, client_of) -> Client:
    """The supervisor's browser."""
    publish_edition(effective_at=YESTERDAY_NOON - timedelta(days=400))
    return signed_in(client_of, sue)


@pytest.fixture
def standing(client, ada, ben, paid) -> None:
    """Ada is Silver by 10 000 and would fall; Ben is Bronze by 9 000 and could rise."""
    paid(ada, 10_000, at=YESTERDAY_NOON)
    paid(ben, 9_000, at=YESTERDAY_NOON)


def preview_address(preview: Preview) -> str:
    return f"/console/editions/previews/{preview.pk}/"


def publish_address(preview: Preview) -> str:
    return f"{preview_address(preview)}publish/"


def text_of(response) -> str:
    return Page(response).text


def test_saving_with_a_preview_leads_to_its_progress(client, sue):
    draft = draft_edition()

    led = client.post(
        draft_address(draft), filled(client, draft_address(draft)) | {"waiting_days": "3", "do": "preview"}
    )

    preview = Preview.objects.get()
    assert led.headers["Location"] == preview_address(preview)
    assert (preview.draft_revision, preview.asked_by, preview.draft.waiting_days) == (2, sue, 3)
    page = Page(client.get(preview_address(preview)))
    assert "It is being computed" in page.text
    assert "Look again" in page.text
    assert f"/console/jobs/{preview.job_run_id}/progress/" in page.values("data-hx-get")


def test_asking_again_shows_the_same_preview(client, sue):
    draft = draft_edition()
    address = f"{draft_address(draft)}preview/"

    assert client.post(address).headers["Location"] == client.post(address).headers["Location"]
    assert JobRun.objects.filter(kind="preview").count() == 1
    assert client.get(address).status_code == 405


def test_the_preview_says_that_nothing_has_changed_and_adds_up(client, sue, standing):
    preview = computed(draft_edition(*STRICTER), sue)

    page = Page(client.get(preview_address(preview)))

    assert "This is a calculation. Nothing has changed." in page.text
    assert "2 members as of 10 March 2026, 12:00 (Moscow time), compared with edition 2." in page.text
    assert "Fall to a lower tier 1 50%" in page.text
    assert "Rise to a higher tier 0 0%" in page.text
    assert "Silver 10,000\u00a0₽ 12,000\u00a0₽" in page.text
    assert "Ада Иванова 10,000\u00a0₽ Silver → Bronze" in page.text
    assert "Nobody rises." in page.text
    assert "↓fall: 1" in page.text
    assert "Points already credited do not change" in page.text
    assert "Had it been so for the last 12 months" in page.text
    assert "ada@example.com" not in page.text
    assert "What it changes against edition 2 What differs What Before After" in page.text
    assert "March 2025 from 10 March 2025" in page.text
    assert "March 2026 so far" in page.text
    assert "Gifts and welcome points are not in it" in page.text
    landmarks = [found["aria-labelledby"] for _tag, found in page.tags if "aria-labelledby" in found]
    assert len(landmarks) == len(set(landmarks))


def test_the_table_from_to_adds_up_in_its_margins(client, sue, standing):
    preview = computed(draft_edition(*MILDER), sue)

    text = text_of(client.get(preview_address(preview)))

    table = text[text.index("From which tier to which") :]
    assert "Bronze 0 ↑rise: 1 0 1 Silver 0 1 0 1 Gold 0 0 0 0 Together 0 2 0 2" in table


def test_the_file_holds_everybody_who_moves_and_is_noted(client, sue, standing):
    preview = computed(draft_edition(*STRICTER), sue)
    address = f"{preview_address(preview)}members.csv"

    answer = client.get(address)

    rows = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert rows[0] == "Member number;Name;Tier now;Tier then;Direction;Paid sum, ₽"
    (row,) = rows[1:]
    assert row.endswith(";Ада И.;Silver;Bronze;falls;10000.00")
    noted = AuditRecord.objects.get(action="exported")
    assert (noted.actor_id, noted.facts["rows"]) == (sue.pk, 1)


def test_a_tier_left_out_has_its_own_line_and_what_was_set_by_hand_is_named(client, sue, ada, standing):
    Standing.objects.filter(member=ada).update(floor_position=1)
    preview = computed(draft_edition(("Bronze", 0), ("Gold", 20_000)), sue)

    text = text_of(client.get(preview_address(preview)))

    assert "Silver left out 10,000\u00a0₽ 5% 1 0" in text
    assert "Gold 20,000\u00a0₽ 5% 0 1" in text
    assert "Set by hand to “Silver”: would hold “Gold”, 1 member." in text


def test_a_published_preview_keeps_its_counts_and_says_why_the_file_is_gone(client, sue, standing):
    preview = computed(draft_edition(*MILDER), sue)
    client.post(publish_address(preview), NOW | {"do": "publish"})

    led = client.get(f"{preview_address(preview)}members.csv", follow=True)

    assert led.redirect_chain[-1][0] == f"{preview_address(preview)}#file"
    page = Page(led)
    assert "The file of everybody who rises or falls could be taken until the publication" in page.text
    assert "Rise to a higher tier 1 50%" in page.text
    assert "file" in page.values("id")


def test_the_file_is_of_the_moment_it_is_taken_and_notes_what_was_written(client, sue, standing, paid):
    preview = computed(draft_edition(*STRICTER), sue)
    page = Page(client.get(preview_address(preview)))
    assert "The file is computed when you take it" in page.text
    paid(MemberFactory(), 11_000, at=YESTERDAY_NOON)

    answer = client.get(f"{preview_address(preview)}members.csv")

    assert f'filename="preview-{preview.pk}-2026-03-10-1200.csv"' in answer["Content-Disposition"]
    assert len(b"".join(answer.streaming_content).splitlines()) == 3
    assert AuditRecord.objects.get(action="exported").facts["rows"] == 2


def test_a_file_that_is_broken_off_is_noted_with_what_was_written(client, sue, standing):
    noted: list[int] = []
    parts = csv_parts(computed(draft_edition(*STRICTER), sue), at=NOON, language="en", note=noted.append)

    next(parts)
    parts.close()

    assert noted == [0]


def test_each_look_at_members_by_name_is_noted_once(client, sue, standing):
    preview = computed(draft_edition(*STRICTER), sue)
    nobody = computed(draft_edition(), sue)

    client.get(preview_address(nobody))
    assert not AuditRecord.objects.filter(action="searched").exists()
    client.get(preview_address(preview))

    noted = AuditRecord.objects.get(action="searched")
    assert (noted.actor_id, noted.member, noted.facts) == (
        sue.pk,
        None,
        {"kind": "list", "list": "preview", "filters": f"?preview={preview.pk}"},
    )


def test_whoever_gets_less_is_counted_in_words_before_publishing(client, sue, standing):
    lower = (("Bronze", 0), ("Silver", 10_000, "0.04"), ("Gold", 20_000))
    preview = computed(draft_edition(*lower), sue)
    assert (preview.falling_count, preview.worse_off_count) == (0, 1)

    for address in (preview_address(preview), publish_address(preview)):
        text = text_of(client.get(address))
        assert "1 member would get less than now" in text
        assert "second supervisor has to agree" in text or "another supervisor looks" in text


def test_a_preview_of_a_draft_that_has_changed_offers_a_new_one_only(client, sue, standing):
    draft = draft_edition(*STRICTER)
    preview = computed(draft, sue)
    update_draft(draft=draft, revision=1, tiers=specs_of(draft), settings={}, at=NOON, actor_id=sue.pk)

    page = Page(client.get(preview_address(preview)))

    assert "It cannot be published by these figures." in page.text
    assert publish_address(preview) not in page.hrefs()
    assert f"{preview_address(preview)}members.csv" not in page.hrefs()
    led = client.get(f"{preview_address(preview)}members.csv", follow=True)
    assert "The list is of rules that have changed since." in text_of(led)


def test_a_preview_that_failed_says_so_and_can_be_asked_for_again(client, sue):
    draft = draft_edition()
    preview = ask_preview(draft=draft, at=NOON, by=sue)
    JobRun.objects.filter(pk=preview.job_run_id).update(finished_at=NOON, outcome="failed")

    text = text_of(client.get(preview_address(preview)))

    assert "It was not computed" in text
    assert f"under job {preview.job_run_id}; it may be begun again" in text
    again = client.post(f"{draft_address(draft)}preview/")
    assert again.headers["Location"] != preview_address(preview)


def test_publishing_names_the_effect_and_the_moment_before_it_happens(client, sue, standing):
    preview = computed(draft_edition(*MILDER), sue)
    form = text_of(client.get(publish_address(preview)))
    assert "What will happen Nobody falls to a lower tier." in form
    assert "What it changes against edition 2 What differs What Before After Tier “Bronze”" in form
    assert "By the programme’s clock: Moscow time" in form

    check = client.post(publish_address(preview), LATER)

    assert check.status_code == 200
    assert "Takes effect on 1 December 2026, 00:00, Moscow time." in text_of(check)
    assert "What it changes against edition 2 What differs What Before After Tier “Bronze”" in text_of(check)
    assert RuleSet.objects.filter(number__isnull=False).count() == 2


def test_what_members_who_fall_will_read_is_shown_in_both_languages(client, sue, standing):
    preview = computed(draft_edition(*STRICTER), sue)

    page = Page(client.get(publish_address(preview)))

    read = page.text.partition("What members who fall will read")[2]
    assert "30 days before, or as soon as it is published if that is later" in read
    assert "New rules of the programme take effect on 11 March 2026. By them your tier becomes" in read
    assert "Orders for 2,000\u00a0₽ more before that day keep the tier you have." in read
    assert "Orders for 2,000\u00a0₽ more bring the tier “Silver” back." in read
    assert page.values("lang")[-4:] == ["ru", "en", "ru", "en"]
    assert "2\u00a0000\u00a0₽" in read
    assert "None" not in read


def test_nothing_is_read_before_rules_that_take_effect_at_once(client, sue, standing):
    preview = computed(draft_edition(*STRICTER), sue)

    at_once = text_of(client.post(publish_address(preview), NOW))
    later = text_of(client.post(publish_address(preview), LATER | {"on_date": "2026-04-01"}))

    assert "days before, or" not in at_once
    assert "When their tier has been recounted" in at_once
    assert "New rules of the programme take effect on 1 April 2026." in later


def test_where_nobody_falls_or_the_draft_has_changed_no_message_is_shown(client, sue, standing):
    nobody = computed(draft_edition(*MILDER), sue)
    changed = computed(draft_edition(*STRICTER), sue)
    update_draft(
        draft=changed.draft,
        revision=changed.draft.revision,
        settings={},
        tiers=specs_of(draft_edition(("Wood", 0), ("Stone", 5_000))),
        at=NOON,
        actor_id=sue.pk,
    )

    for preview in (nobody, changed):
        assert "will read" not in text_of(client.get(publish_address(preview)))


def test_what_was_checked_can_be_changed_with_everything_kept(client, sue, standing):
    preview = computed(draft_edition(*MILDER), sue)

    back = client.post(publish_address(preview), LATER | {"do": "change"})

    page = Page(back)
    assert "2026-12-01" in page.values("value")
    assert "Winter" in page.text
    assert "Continue" in page.text


def test_a_confirmed_publication_leads_to_the_edition_that_is_to_come(client, sue, standing):
    preview = computed(draft_edition(*MILDER), sue)

    led = client.post(publish_address(preview), LATER | {"do": "publish"})

    edition = RuleSet.objects.get(number=3)
    assert led.headers["Location"] == "/console/editions/3/"
    assert edition.effective_at.isoformat() == "2026-11-30T21:00:00+00:00"
    assert (edition.reason, edition.published_by) == ("Winter", sue)
    assert AuditRecord.objects.filter(action="rules_published").count() == 1


def test_at_once_leads_to_the_recount(client, sue, standing):
    preview = computed(draft_edition(*MILDER), sue)

    led = client.post(publish_address(preview), NOW | {"do": "publish"}, follow=True)

    run = JobRun.objects.get(kind="recount")
    assert led.redirect_chain[-1][0] == f"/console/jobs/{run.pk}/"
    assert "Edition 3 is in force. The members’ tiers are being recounted." in text_of(led)


def test_a_second_confirmation_publishes_nothing_and_leads_to_the_edition(client, sue, standing):
    preview = computed(draft_edition(*MILDER), sue)
    client.post(publish_address(preview), NOW | {"do": "publish"})

    again = client.post(publish_address(preview), NOW | {"do": "publish"}, follow=True)

    assert again.redirect_chain[-1][0] == "/console/editions/3/"
    assert "Edition 3 is published already. Nothing was done twice." in text_of(again)
    assert RuleSet.objects.filter(number__isnull=False).count() == 3
    assert JobRun.objects.filter(kind="recount").count() == 1
    kept = text_of(client.get(preview_address(preview)))
    assert "The draft has become edition 3 since." in kept
    assert "Go on to publish" not in kept


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"reason": ""}, "Say why: the reason is kept with what you do."),
        ({"reason": "  "}, "Say why: the reason is kept with what you do."),
        ({"when": ""}, "Choose when the rules take effect."),
        ({"on_date": ""}, "Enter the date on which the rules take effect."),
        ({"on_date": "31.02.2026"}, "Enter the date as day, month and year: 31.12.2026."),
        ({"at_time": "25:00"}, "Enter the time as hours and minutes: 00:00."),
        ({"on_date": "2026-03-09"}, "This moment has passed."),
        ({"on_date": "09.03.2026"}, "This moment has passed."),
    ],
)
def test_what_is_wrong_about_publishing_stands_at_its_field(client, sue, standing, typed, sentence):
    preview = computed(draft_edition(*MILDER), sue)

    for act in ({}, {"do": "publish"}):
        refused = client.post(publish_address(preview), LATER | typed | act)
        assert refused.status_code == 422
        assert sentence in text_of(refused)
    assert not RuleSet.objects.filter(number=3).exists()


def test_a_moment_before_the_last_edition_is_refused(client, sue, standing):
    publish_edition(effective_at=NOON + timedelta(days=300))
    preview = computed(draft_edition(*MILDER), sue)

    refused = client.post(publish_address(preview), LATER | {"do": "publish"})

    assert "The rules published before these take effect on 04.01.2027 12:00." in text_of(refused)


def test_a_draft_that_changed_before_the_confirmation_keeps_what_was_typed(client, sue, standing):
    draft = draft_edition(*MILDER)
    preview = computed(draft, sue)
    update_draft(draft=draft, revision=1, tiers=specs_of(draft), settings={}, at=NOON, actor_id=sue.pk)

    refused = client.post(publish_address(preview), LATER | {"do": "publish"})

    page = Page(refused)
    assert refused.status_code == 422
    assert "Nothing was published: what was shown no longer holds." in page.text
    assert "Winter" in page.text
    assert f"{draft_address(draft)}preview/" in page.values("formaction")
    assert not RuleSet.objects.filter(number=3).exists()


def test_more_than_one_in_twenty_falling_asks_a_second_supervisor(client, sue, standing):
    preview = computed(draft_edition(*STRICTER), sue)
    assert "a second supervisor has to agree" in text_of(client.get(preview_address(preview)))
    assert "So you only ask" in text_of(client.post(publish_address(preview), LATER))

    led = client.post(publish_address(preview), LATER | {"do": "publish"}, follow=True)

    approval = Approval.objects.get()
    assert (approval.asked_by, approval.reason) == (sue, "Winter")
    text = text_of(led)
    assert "A second supervisor is asked. Until somebody agrees, nothing changes." in text
    assert "Сью Орлова asked for the publication on 10 March 2026, 12:00." in text
    assert not RuleSet.objects.filter(number=3).exists()
    assert "waits for a second supervisor" in text_of(client.get("/console/editions/"))
    again = client.post(publish_address(preview), LATER | {"do": "publish"}, follow=True)
    assert "waits for a second person already" in text_of(again)
    assert Approval.objects.count() == 1


@pytest.mark.parametrize("person", ["stan", "ada"])
def test_nobody_else_sees_or_publishes_anything(person, request, client, sue, standing, client_of):
    preview = computed(draft_edition(*MILDER), sue)
    other = client_of(request.getfixturevalue(person))

    for address in (preview_address(preview), publish_address(preview)):
        assert other.get(address).status_code == 403
    assert other.get(f"{preview_address(preview)}members.csv").status_code == 403
    assert other.post(publish_address(preview), NOW | {"do": "publish"}).status_code == 403
    assert not RuleSet.objects.filter(number=3).exists()


def test_a_stale_token_publishes_nothing(client, sue, standing):
    preview = computed(draft_edition(*MILDER), sue)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(sue)

    stale = NOW | {"do": "publish", "csrfmiddlewaretoken": "of yesterday"}
    assert browser.post(publish_address(preview), stale).status_code == 403
    assert not RuleSet.objects.filter(number=3).exists()


def test_the_preview_takes_the_same_queries_however_many_members_move(client, sue, standing, paid):
    def take(preview: Preview) -> int:
        client.get(preview_address(preview))
        with CaptureQueriesContext(connection) as captured:
            client.get(preview_address(preview))
        return len(captured)

    with_one = take(computed(draft_edition(*STRICTER), sue))
    for member in MemberFactory.create_batch(9):
        paid(member, Decimal(11_000), at=YESTERDAY_NOON)

    assert take(computed(draft_edition(*STRICTER), sue)) == with_one


def test_share_that_needs_a_second_supervisor_is_the_one_that_decides(client, sue, monkeypatch):
    for module in ("services.editions", "views.editions.previews", "views.editions.publishing"):
        monkeypatch.setattr(f"supervisor.{module}.MOST_WORSE_SHARE", Decimal("0.125"))
    preview = previewed(sue, members=100, falling=13)

    address = preview_address(preview)

    assert "More than 12.5% of the members fall or get less, so" in text_of(client.get(address))
    assert "More than 12.5% of the members fall or get less. So" in text_of(client.get(f"{address}publish/"))
