"""What waits for a second person, as pages show it: approved, declined, withdrawn, and by whom not."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import services
from accounts.models import AuditRecord, User
from accounts.roles import Role
from accounts.services import staff
from loyalty.models import Cause, PointsAccount
from supervisor.errors import LetInByAsker
from supervisor.models import Approval, JobRun
from supervisor.services.approvals import decide
from supervisor.services.editions import ask_publication
from tests.factories import UserFactory
from tests.loyalty.editions import draft_edition
from tests.pages import Page
from tests.supervisor.publishing import previewed

APPROVALS = "/console/approvals/"


@pytest.fixture
def desk(sue, client_of) -> Client:
    """The supervisor's browser, in English."""
    client = client_of(sue)
    client.cookies["django_language"] = "en"
    return client


def page_of(approval: Approval) -> str:
    return f"{APPROVALS}{approval.pk}/"


def asks_to_adjust(by: User, member, points=2_000, **more) -> Approval:
    return Approval.objects.create(
        **{
            "key": uuid4(),
            "kind": Approval.Kind.ADJUSTMENT,
            "asked_by": by,
            "asked_at": timezone.now(),
            "reason": "The order of March was never counted.",
            "member": member,
            "points": points,
            "cause": Cause.LOST_ORDER,
            **more,
        }
    )


def asks_to_publish(by: User) -> Approval:
    now = timezone.now()
    preview = previewed(
        by, draft_edition(("Bronze", 0, "0.07")), members=1_200, falling=90, worse_off=95, at=now
    )
    asked = ask_publication(preview=preview, effective_at=None, reason="A spring edition.", at=now, by=by)
    assert asked.approval
    return asked.approval


@pytest.fixture
def boss(db) -> User:
    """Another supervisor."""
    colleague = UserFactory()
    services.assign_role(user=colleague, role=Role.SUPERVISOR)
    return colleague


def decided(by: User, asked: Approval, at=None) -> Approval:
    asked.decision, asked.decided_by, asked.decided_at = "declined", by, at or timezone.now()
    asked.decision_reason = "Not now."
    asked.save()
    return asked


def available(member) -> int:
    account = PointsAccount.objects.filter(pk=member.pk).first()
    return account.available_points if account else 0


def test_an_empty_list_says_what_will_be_there(desk):
    page = Page(desk.get(APPROVALS))

    assert "Nothing to decide" in page.text
    assert page.count("table") == 0


def test_the_list_shows_who_asks_for_what_and_why(desk, stan, ada):
    asked = asks_to_adjust(stan, ada)

    page = Page(desk.get(APPROVALS))

    for words in ("plus 2,000", "Ада И.", "The order of March", "Стан Козлов"):
        assert words in page.text.replace("\u00a0", " ")
    assert page_of(asked) in page.hrefs()


def test_a_correction_is_approved_by_a_second_person(desk, stan, ada, paid):
    asked = asks_to_adjust(stan, ada)
    before = available(ada)

    page = Page(desk.get(page_of(asked)))
    for words in ("What is asked for", "An order that was not counted", "The order of March", "Стан Козлов"):
        assert words in page.text
    led = desk.post(page_of(asked), {"decision": "approve", "reason": ""})

    assert led["Location"] == APPROVALS
    assert available(ada) == before + 2_000
    shown = Page(desk.get(APPROVALS)).text
    assert "Approved, and done." in shown
    assert "Nothing to decide" in shown
    asked.refresh_from_db()
    assert (asked.decision, asked.decided_by.email) == ("approved", "sue@example.com")


def test_pressing_twice_approves_once(desk, stan, ada):
    asked = asks_to_adjust(stan, ada)
    before = available(ada)

    desk.post(page_of(asked), {"decision": "approve"})
    again = desk.post(page_of(asked), {"decision": "approve"})

    assert again["Location"] == page_of(asked)
    text = Page(desk.get(page_of(asked))).text
    assert "This was decided or withdrawn before." in text
    assert "approved" in text
    assert available(ada) == before + 2_000


def test_declining_needs_a_reason_that_the_asker_reads(desk, stan, ada):
    asked = asks_to_adjust(stan, ada)

    refused = desk.post(page_of(asked), {"decision": "decline", "reason": " "})
    assert refused.status_code == 422
    assert "Say why: the reason is kept with what you do." in Page(refused).text
    assert "Error:" in Page(refused).text
    desk.post(page_of(asked), {"decision": "decline", "reason": "The order was refunded."})

    text = Page(desk.get(page_of(asked))).text
    assert "declined" in text
    assert "The order was refunded." in text
    assert desk.get(APPROVALS).content.decode().count("declined") == 1


def test_what_one_asks_for_oneself_is_withdrawn_and_not_approved(desk, sue, ada):
    asked = asks_to_adjust(sue, ada)

    page = Page(desk.get(page_of(asked)))
    assert "You have asked for this" in page.text
    assert "approve" not in page.values("value")
    refused = desk.post(page_of(asked), {"decision": "approve"})
    assert refused.status_code == 422
    assert "somebody else decides about it" in Page(refused).text

    assert desk.post(page_of(asked), {"decision": "withdraw"})["Location"] == APPROVALS
    asked.refresh_from_db()
    assert asked.decision == "withdrawn"


def test_nobody_withdraws_what_a_colleague_asks_for(desk, stan, ada):
    refused = desk.post(page_of(asks_to_adjust(stan, ada)), {"decision": "withdraw"})

    assert refused.status_code == 422
    assert "only they can withdraw it" in Page(refused).text


def test_nobody_decides_about_their_own_account(stan, ada, client_of):
    services.assign_role(user=ada.user, role=Role.SUPERVISOR)
    asked = asks_to_adjust(stan, ada)
    browser = client_of(ada)
    browser.cookies["django_language"] = "en"

    assert "This is about your own account" in Page(browser.get(page_of(asked))).text
    assert browser.post(page_of(asked), {"decision": "approve"}).status_code == 422
    asked.refresh_from_db()
    assert not asked.decision


def test_what_cannot_be_done_any_more_is_said_and_stays_open(desk, stan, ada):
    asked = asks_to_adjust(stan, ada, points=-1_000_000)

    refused = desk.post(page_of(asked), {"decision": "approve"})

    assert refused.status_code == 422
    assert "Correct the errors" in Page(refused).text
    asked.refresh_from_db()
    assert not asked.decision


def test_a_publication_says_what_it_changes_and_does(desk, boss):
    asked = asks_to_publish(boss)

    page = Page(desk.get(page_of(asked)))

    assert f"/console/editions/previews/{asked.preview_id}/" in page.hrefs()
    assert "Fall to a lower tier 90 7.5% Rise to a higher tier 7 0.6%" in page.text
    assert "Points a month 0" in page.text
    assert "95 members would get less than now (7.9%)" in page.text
    assert "What it changes against edition 1 What differs What Before After" in page.text
    assert "at once" in page.text


def test_an_approved_publication_leads_to_the_edition_and_its_recount(desk, boss):
    asked = asks_to_publish(boss)

    page = Page(desk.post(page_of(asked), {"decision": "approve"}, follow=True))

    run = JobRun.objects.get(kind=JobRun.Kind.RECOUNT)
    assert "Approved, and done. Edition 2, Recount of the members’ tiers" in page.text
    assert {"/console/editions/2/", f"/console/jobs/{run.pk}/"} <= set(page.hrefs())


def test_pressing_no_button_says_so(desk, stan, ada):
    response = desk.post(page_of(asks_to_adjust(stan, ada)), {"decision": "perhaps", "reason": "kept"})

    assert response.status_code == 422
    assert "Press one of the buttons." in Page(response).text
    assert "kept" in response.content.decode()


def test_what_does_not_exist_is_not_found(desk):
    for send in (desk.get, desk.post):
        assert send(f"{APPROVALS}999/").status_code == 404


def test_looking_at_somebodys_points_is_recorded(desk, stan, sue, ada):
    desk.get(page_of(asks_to_adjust(stan, ada)))

    look = AuditRecord.objects.get(action="looked_at")
    assert (look.member, look.actor_id, look.facts["page"]) == (ada, sue.pk, "approval")


def test_decided_ones_come_in_pages_without_gaps(desk, sue, stan, ada):
    at = timezone.now()
    made = [
        decided(sue, asks_to_adjust(stan, ada), at + timedelta(seconds=number // 3)) for number in range(60)
    ]

    seen, address = [], APPROVALS
    while address:
        page = Page(desk.get(address))
        seen += [href for href in page.hrefs() if href.startswith(APPROVALS) and href != APPROVALS]
        (address,) = [APPROVALS + href for href in page.hrefs(rel="next")] or [""]

    assert seen == [
        page_of(one) for one in sorted(made, key=lambda one: (one.decided_at, one.pk), reverse=True)
    ]
    assert desk.get(f"{APPROVALS}?before=1")["Location"] == APPROVALS
    assert desk.get(f"{APPROVALS}?before=x").status_code == 200


def test_the_list_asks_as_many_queries_for_thirty_as_for_one(desk, sue, stan, ada, ben):
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert desk.get(APPROVALS).status_code == 200
        return len(asked)

    asks_to_adjust(stan, ada)
    decided(sue, asks_to_adjust(stan, ada))
    desk.get(APPROVALS)
    with_one = queries()
    for _ in range(30):
        colleague = UserFactory()
        asks_to_adjust(colleague, ben)
        decided(sue, asks_to_adjust(colleague, ada))

    assert queries() == with_one


# Two people, and not one with two addresses


def let_in(by: User, email: str, at=None) -> User:
    """A supervisor who has joined by an invitation of that colleague."""
    at = at or timezone.now()
    staff.invite_colleague(email=email, role=Role.SUPERVISOR, at=at, by=by)
    token = mail.outbox[-1].body.split("/staff/join/")[1].split("/")[0]
    return staff.accept_invitation(
        token=token, first_name="Вера", last_name="", password="a pass phrase of hers", at=at
    )


def made_supervisor(by: User, at=None) -> User:
    """A supervisor whom that colleague has made one."""
    user = UserFactory(email="mira@example.com")
    services.assign_role(user=user, role=Role.STAFF)
    staff.give_role(user=user, role=Role.SUPERVISOR, at=at or timezone.now(), by=by)
    return User.objects.get(pk=user.pk)


def approve(asked: Approval, by: User) -> Approval:
    return decide(approval=asked, is_approved=True, reason="", at=timezone.now(), by=by)


def test_nobody_approves_for_whoever_has_just_let_them_in(sue, ada):
    vera = let_in(sue, "vera@example.com")
    # One who was invited could invite the next one.
    others = [vera, let_in(vera, "zoe@example.com"), made_supervisor(sue)]
    asked = asks_to_adjust(sue, ada)

    for other in others:
        with pytest.raises(LetInByAsker):
            approve(asked, other)

    assert available(ada) == 0
    declined = decide(approval=asked, is_approved=False, reason="No", at=timezone.now(), by=vera)
    assert declined.decision == "declined"


@pytest.mark.parametrize("way", [lambda by, at: let_in(by, "vera@example.com", at), made_supervisor])
def test_whoever_was_let_in_a_month_ago_or_by_somebody_else_approves(sue, stan, ada, way):
    other = way(sue, timezone.now() - timedelta(days=31))
    root = User.objects.create_superuser("root@example.com", "pass phrase")
    approve(asks_to_adjust(sue, ada, points=10), other)
    approve(asks_to_adjust(stan, ada, points=10), let_in(root, "zoe@example.com"))

    assert available(ada) == 20


def test_the_page_says_why_another_supervisor_approves(sue, ada, client_of):
    asked = asks_to_adjust(sue, ada)
    browser = client_of(let_in(sue, "vera@example.com"))
    browser.cookies["django_language"] = "en"

    response = browser.post(page_of(asked), {"decision": "approve", "reason": ""})

    assert response.status_code == 422
    assert "has let you into the console less than 30 days ago" in Page(response).text
