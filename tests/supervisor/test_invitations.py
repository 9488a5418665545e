"""The console's invitations: doubts that a person decides, and inviters who are named at the till."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditRecord, Message
from loyalty.models import Posting
from referrals.models import Flag, Invitation, Referral
from referrals.services import code_of, decide_flags, reissue_code
from tests.clock import AN_HOUR_LATER, NOON
from tests.factories import MemberFactory
from tests.loyalty.points import Balance
from tests.loyalty.points import balance as points_of
from tests.pages import Page
from tests.supervisor.given import doubted, in_english, invited_by

INVITATIONS = "/console/invitations/"
ATTACH = "/console/invitations/attach/"
TWO_PEOPLE = {"decision": "fine", "reason": "They live in one house"}
ONE_PERSON = {"decision": "one_person", "reason": "Both signed with one hand"}


@pytest.fixture(autouse=True)
def noon():
    """Pages read the clock themselves: let it be noon for them too."""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def desk(stan, client_of) -> Client:
    """The browser of somebody of the staff, in English."""
    return in_english(client_of(stan))


@pytest.fixture
def referral(ada, ben) -> Referral:
    """Ada invited Ben."""
    return invited_by(ada, ben)


def page_of(referral: Referral) -> str:
    return f"{INVITATIONS}{referral.pk}/"


def shown(client: Client, referral: Referral) -> dict[str, list[str]]:
    """What the form sends beside what is typed: the doubts that its page shows."""
    return {"flag": flags_in(Page(client.get(page_of(referral))))}


def flags_in(page: Page) -> list[str]:
    """The ids of the doubts that a form sends on."""
    inputs = [attributes for tag, attributes in page.tags if tag == "input"]
    return [one["value"] for one in inputs if one.get("name") == "flag"]


def decide(client: Client, referral: Referral, typed: dict[str, str]) -> HttpResponse:
    """The answer to a form that somebody has just opened and filled in."""
    return client.post(page_of(referral), {**shown(client, referral), **typed}, follow=True)


# Who may


def test_invitations_are_for_staff_and_supervisors_only(ada, sue, referral, desk, client_of):
    doubted(referral)
    for address in (INVITATIONS, page_of(referral), ATTACH):
        assert Client().get(address).headers["Location"] == f"/accounts/login/?next={address}"
        refused = in_english(client_of(ada)).get(address)
        assert refused.status_code == 403
        assert "This page is for staff." in Page(refused).text
        assert client_of(ada).post(address, TWO_PEOPLE).status_code in (403, 405)
        for client in (desk, client_of(sue)):
            assert client.get(address).status_code == 200

    assert Flag.objects.get().decision == ""


def test_an_invitation_that_is_not_there_is_not_found(desk, referral):
    assert desk.get(f"{INVITATIONS}{referral.pk + 1}/").status_code == 404
    assert desk.post(f"{INVITATIONS}{referral.pk + 1}/", TWO_PEOPLE).status_code == 404


def looks() -> list[tuple[object, ...]]:
    """Who was shown to whom on which page, in that order."""
    found = AuditRecord.objects.filter(action="looked_at").order_by("pk")
    return [(look.member, look.actor_id, look.facts) for look in found]


def test_a_look_at_both_before_a_decision_is_written_down(desk, stan, ada, ben, referral):
    doubted(referral)
    desk.get(page_of(referral))

    facts = {"page": "invitation", "referral_id": referral.pk}
    assert looks() == [(ada, stan.pk, facts), (ben, stan.pk, facts)]


@pytest.mark.parametrize("step", [{}, {"change": "yes"}])
def test_whoever_was_found_at_the_till_is_written_down_without_what_was_typed(desk, stan, ada, ben, step):
    desk.get(ATTACH)
    assert looks() == []

    desk.post(ATTACH, {"invited": ben.email, "inviter": ada.email, **step})

    assert looks() == [(ben, stan.pk, {"page": "inviter"}), (ada, stan.pk, {"page": "inviter"})]


def test_whoever_is_found_beside_somebody_unknown_is_written_down_too(desk, stan, ben):
    refused = desk.post(ATTACH, {"invited": ben.email, "inviter": "nobody@example.com", "confirm": "yes"})

    assert refused.status_code == 422
    assert looks() == [(ben, stan.pk, {"page": "inviter"})]


@pytest.mark.parametrize("side", ["inviter", "invited"])
def test_nobody_decides_about_themselves(stan, referral, client_of, side):
    doubted(referral)
    member = getattr(referral, side)
    member.user = stan
    member.save()
    client = in_english(client_of(stan))

    page = Page(client.get(page_of(referral)))
    assert "a colleague has to decide about this invitation" in page.text
    assert "decision" not in page.values("name")
    refused = client.post(page_of(referral), {"flag": [Flag.objects.get().pk], **TWO_PEOPLE})
    assert refused.status_code == 403
    assert "This is about your own account. Ask a colleague to do it." in Page(refused).text
    assert Flag.objects.get().decision == ""


# What waits for a decision


def test_the_console_leads_to_the_invitations_and_counts_what_waits(desk, referral):
    assert "waiting for a decision" not in Page(desk.get("/console/transfers/")).text

    doubted(referral, Flag.Kind.SAME_PHONE, Flag.Kind.SAME_DEVICE)
    doubted(invited_by(MemberFactory(), MemberFactory()))

    page = Page(desk.get("/console/transfers/"))
    assert INVITATIONS in page.hrefs()
    assert "Invitations 2 waiting for a decision" in page.text


def test_the_list_says_what_will_be_here_while_nothing_waits(desk, referral):
    page = Page(desk.get(INVITATIONS))

    assert "Nothing to decide" in page.text
    assert page.count("table") == 0
    assert ATTACH in page.hrefs()


def test_the_list_shows_what_was_noticed_and_what_waits(desk, referral, ben, paid):
    doubted(referral, Flag.Kind.SAME_PHONE)
    doubted(referral, Flag.Kind.SAME_DEVICE, at=AN_HOUR_LATER)
    paid(ben, 10_000)

    page = Page(desk.get(INVITATIONS))

    assert page_of(referral) in page.hrefs()
    assert "Ада И. invited Бен С." in page.text
    assert "by the inviter's link, 10 March 2026, 12:00" in page.text
    assert (
        "An order of the friend has the inviter's phone 10 March 2026, 12:00 "
        "The friend uses a browser of the inviter or of their other friends 10 March 2026, 13:00 100"
        in page.text
    )
    assert "Иванова" not in page.text
    assert "Смирнов" not in page.text


def test_who_has_waited_longest_comes_first(desk, referral):
    other = invited_by(MemberFactory(), MemberFactory())
    doubted(referral, at=AN_HOUR_LATER)
    doubted(other, at=NOON)

    hrefs = Page(desk.get(INVITATIONS)).hrefs()

    assert hrefs.index(page_of(other)) < hrefs.index(page_of(referral))


def test_a_long_queue_says_how_many_more_wait(desk):
    for _pair in range(52):
        doubted(invited_by(*MemberFactory.create_batch(2)))

    page = Page(desk.get(INVITATIONS))

    assert page.count("tr") == 1 + 50
    assert "2 more invitations wait. They are shown once some of these are decided." in page.text


def test_the_list_takes_the_same_queries_however_much_waits_or_was_decided(desk, stan):
    def more(count):
        for _pair in range(count):
            waiting, decided = (invited_by(*MemberFactory.create_batch(2)) for _two in range(2))
            doubted(waiting)
            doubted(decided)
            decide_flags(
                referral=decided,
                decision=Flag.Decision.FINE,
                reason="Both came in",
                at=NOON,
                actor_id=stan.pk,
            )

    more(1)
    desk.get(INVITATIONS)
    with CaptureQueriesContext(connection) as with_one:
        desk.get(INVITATIONS)
    more(29)

    with CaptureQueriesContext(connection) as with_many:
        page = Page(desk.get(INVITATIONS))

    assert page.count("tr") == 1 + 30 + 1 + 25
    assert len(with_one) == len(with_many)


# Deciding


def test_the_page_says_what_each_decision_does(desk, referral, ben, paid):
    doubted(referral)
    paid(ben, 10_000)

    page = Page(desk.get(page_of(referral)))

    assert "Ада И. invited Бен С." in page.text
    assert "Invited by the inviter's link Since 10 March 2026, 12:00" in page.text
    assert "Paid orders of the friend 1 Points waiting for the inviter 100" in page.text
    assert "100\u00a0points become available at their own time" in page.text
    assert "100\u00a0points that are not available yet are taken back. The invitation ends" in page.text


def test_the_page_promises_no_points_where_none_wait(desk, referral):
    doubted(referral)

    text = Page(desk.get(page_of(referral))).text

    assert "Two people The inviter goes on earning from the friend’s orders." in text
    assert "One person The invitation ends and brings nothing more." in text


def test_for_two_people_the_points_become_available(desk, stan, referral, ada, ben, paid):
    doubted(referral)
    paid(ben, 10_000)
    assert points_of(ada) == Balance(pending=100)

    sent = decide(desk, referral, TWO_PEOPLE)

    assert sent.redirect_chain == [(INVITATIONS, 302)]
    assert points_of(ada) == Balance(available=100)
    flag = Flag.objects.get()
    assert (flag.decision, flag.decided_by_id, flag.reason) == ("fine", stan.pk, TWO_PEOPLE["reason"])
    assert AuditRecord.objects.get(action="referral_decided").actor_id == stan.pk
    page = Page(sent)
    assert "Decided: Ада И. and Бен С. are two people. The points that waited are theirs." in page.text
    assert "Nothing to decide" in page.text
    assert "Two people They live in one house Стан Козлов, 10 March 2026, 12:00" in page.text.replace(
        "two", "Two"
    )


def test_for_one_person_the_points_are_taken_back_and_nothing_more_comes(desk, referral, ada, ben, paid):
    doubted(referral)
    paid(ben, 10_000)

    sent = decide(desk, referral, ONE_PERSON)
    paid(ben, 10_000)

    assert "Decided: Ада И. and Бен С. are one person." in Page(sent).text
    assert points_of(ada) == Balance()
    referral.refresh_from_db()
    assert referral.ended_at == NOON
    page = Page(desk.get(page_of(referral)))
    assert "Ended 10 March 2026, 12:00" in page.text
    assert "one person Both signed with one hand" in page.text
    assert "decision" not in page.values("name")


def test_what_was_noticed_after_the_page_was_opened_stays_open(desk, referral, ada, ben, paid):
    doubted(referral, Flag.Kind.SAME_PHONE)
    paid(ben, 10_000)
    seen = shown(desk, referral)
    doubted(referral, Flag.Kind.SAME_DEVICE)

    sent = desk.post(page_of(referral), {**seen, **TWO_PEOPLE}, follow=True)

    assert sent.redirect_chain == [(page_of(referral), 302)]
    assert "Decided. Meanwhile something else was noticed: decide about it, too." in Page(sent).text
    assert dict(Flag.objects.values_list("kind", "decision")) == {"same_phone": "fine", "same_device": ""}
    assert points_of(ada) == Balance(pending=100)

    sent = decide(desk, referral, TWO_PEOPLE)
    assert "The points that waited are theirs." in Page(sent).text


@pytest.mark.parametrize("flags", [[], [""], ["0"], ["x"], ["9" * 30], ["²"], ["\x00"]])
def test_a_decision_about_nothing_that_was_shown_changes_nothing(desk, referral, flags):
    doubted(referral)

    sent = desk.post(page_of(referral), {"flag": flags, **ONE_PERSON}, follow=True)

    assert sent.status_code == 200
    assert "Nothing has changed." in Page(sent).text
    assert Flag.objects.get().decision == ""


def test_a_form_that_was_refused_decides_about_what_it_shows_now(desk, referral):
    doubted(referral, Flag.Kind.SAME_PHONE)
    seen = shown(desk, referral)
    doubted(referral, Flag.Kind.SAME_DEVICE)

    refused = desk.post(page_of(referral), {**seen, **TWO_PEOPLE, "reason": ""})

    ids = [str(flag_id) for flag_id in Flag.objects.order_by("pk").values_list("pk", flat=True)]
    assert flags_in(Page(refused)) == ids


def test_the_words_of_a_decision_reach_no_member(desk, referral, ada, ben, paid, client_of, mailoutbox):
    doubted(referral)
    paid(ben, 10_000)
    page = Page(desk.get(page_of(referral)))
    assert "Colleagues read it here and in the journal." in page.text

    decide(desk, referral, ONE_PERSON)

    told = [
        *(str(message.facts) for message in Message.objects.all()),
        *(letter.body for letter in mailoutbox),
        *(str(posting.explanation) for posting in Posting.objects.all()),
    ]
    assert Posting.objects.filter(kind="take_back").exists()
    for member, least in ((ada, 6), (ben, 4)):
        client = in_english(client_of(member))
        addresses = ["/", "/operations/", "/messages/", "/invite/"]
        addresses += re.findall(r"/operations/\d+/", client.get("/operations/").content.decode())
        assert len(addresses) >= least
        for address in addresses:
            answer = client.get(address, follow=True)
            assert answer.status_code == 200
            told.append(answer.content.decode())
    assert [text for text in told if ONE_PERSON["reason"] in text] == []


def test_what_somebody_else_decided_meanwhile_stays(desk, sue, referral, client_of):
    doubted(referral)
    seen = shown(desk, referral)
    decide(client_of(sue), referral, TWO_PEOPLE)

    late = desk.post(page_of(referral), {**seen, **ONE_PERSON}, follow=True)

    assert late.redirect_chain == [(page_of(referral), 302)]
    assert "This invitation was decided about before. Nothing has changed." in Page(late).text
    assert "Сью Орлова" in Page(late).text
    assert Flag.objects.get().decision == "fine"
    assert AuditRecord.objects.filter(action="referral_decided").count() == 1


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"decision": "fine", "reason": " "}, "Say why: the reason is kept with what you do."),
        ({"decision": "", "reason": "They live in one house"}, "Choose one of the two."),
        ({"decision": "maybe", "reason": "They live in one house"}, "Choose one of the two."),
    ],
)
def test_a_decision_needs_a_choice_and_a_reason(desk, referral, typed, said):
    doubted(referral)

    refused = desk.post(page_of(referral), {**shown(desk, referral), **typed})

    assert refused.status_code == 422
    page = Page(refused)
    assert page.text.count(said) == 2
    assert typed["reason"].strip() in page.text
    assert Flag.objects.get().decision == ""


def test_an_invitation_without_doubts_asks_for_nothing(desk, referral):
    page = Page(desk.get(page_of(referral)))

    assert "Nothing was noticed" in page.text
    assert "decision" not in page.values("name")


def test_what_was_decided_together_stands_together(desk, referral):
    doubted(referral, Flag.Kind.SAME_PHONE, Flag.Kind.SAME_DEVICE)
    decide(desk, referral, TWO_PEOPLE)
    doubted(referral, Flag.Kind.TOO_QUICK)
    with time_machine.travel(NOON + timedelta(minutes=20), tick=False):
        decide(desk, referral, ONE_PERSON)

    of_list, of_page = (Page(desk.get(address)) for address in (INVITATIONS, page_of(referral)))

    assert of_list.count("tr") == 1 + 2
    for page in (of_list, of_page):
        assert page.text.count("They live in one house") == 1
        assert page.text.index("Both signed with one hand") < page.text.index("They live in one house")
        assert page.text.index("the inviter's phone") < page.text.index("a browser of the inviter")


def test_decisions_go_on_page_by_page(desk, stan):
    referrals = [invited_by(*MemberFactory.create_batch(2)) for _pair in range(30)]
    for minute, referral in enumerate(reversed(referrals)):
        doubted(referral)
        decide_flags(
            referral=referral,
            decision=Flag.Decision.FINE,
            reason="Both came in",
            at=NOON + timedelta(minutes=minute // 2),
            actor_id=stan.pk,
        )

    first = Page(desk.get(INVITATIONS))
    (older,) = first.hrefs(rel="next")
    second = Page(desk.get(INVITATIONS + older))

    shown = [href for page in (first, second) for href in page.hrefs() if href.count("/") == 4]
    assert [href for href in shown if href != ATTACH] == [page_of(one) for one in referrals]
    assert second.hrefs(rel="next") == []
    assert "To decide" not in second.text
    beyond = desk.get(f"{INVITATIONS}?before=999999999", follow=True)
    assert Page(beyond).hrefs() == first.hrefs()


# An inviter who is named at the till


def test_staff_note_who_invited_a_new_member(desk, stan, ada, ben):
    check = desk.post(ATTACH, {"invited": ben.email, "inviter": ada.number})

    assert check.status_code == 200
    page = Page(check)
    assert "Did Ада И. invite Бен С.?" in page.text
    assert "b•••@example.com Member since 10 March 2026, 12:00" in page.text
    for contact in (ada.email, ben.email):
        assert contact not in check.content.decode()
    assert Referral.objects.count() == 0

    noted = desk.post(ATTACH, {**hidden(page), "confirm": "yes"}, follow=True)
    assert noted.redirect_chain == [(ATTACH, 302)]
    assert "It is noted that Ада И. invited Бен С." in Page(noted).text
    referral = Referral.objects.get()
    assert (referral.inviter, referral.invited, referral.how) == (ada, ben, "till")
    assert AuditRecord.objects.get(action="inviter_attached").actor_id == stan.pk


def hidden(page: Page) -> dict[str, str]:
    """What the check page sends on without showing it."""
    return {
        attributes["name"]: attributes["value"]
        for tag, attributes in page.tags
        if tag == "input"
        and attributes.get("type") == "hidden"
        and attributes["name"] in ("invited", "inviter")
    }


@pytest.mark.parametrize("spelling", ["number", "phone", "email", "code", "small code", "link"])
def test_an_inviter_is_found_by_whatever_they_show(desk, ada, ben, spelling):
    ada.phone = "+79161234567"
    ada.save()
    code = code_of(member=ada, at=NOON).code
    typed = {
        "number": f" {ada.number[:4]} {ada.number[4:8]}-{ada.number[8:]}",
        "phone": "8 (916) 123-45-67",
        "email": " ADA@example.com",
        "code": code,
        "small code": f" {code.lower()} ",
        "link": f"https://shop.example/r/{code}/",
    }[spelling]

    page = Page(desk.post(ATTACH, {"invited": ben.number, "inviter": typed}))

    assert hidden(page) == {"invited": ben.number, "inviter": ada.number}


def test_noting_the_same_twice_has_one_effect(desk, ada, ben):
    for _time in range(2):
        noted = desk.post(
            ATTACH, {"invited": ben.number, "inviter": ada.number, "confirm": "yes"}, follow=True
        )
        assert "It is noted that Ада И. invited Бен С." in Page(noted).text

    assert Referral.objects.count() == 1
    assert AuditRecord.objects.filter(action="inviter_attached").count() == 1


def test_what_was_entered_can_be_changed(desk, ada, ben):
    changing = desk.post(ATTACH, {"invited": ben.number, "inviter": ada.number, "change": "yes"})

    assert changing.status_code == 200
    page = Page(changing)
    assert "Error:" not in page.text
    assert {ben.number, ada.number} <= set(page.values("value"))
    assert Referral.objects.count() == 0


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("invited", "", "Enter who is new."),
        ("inviter", "", "Enter who invited them."),
        ("invited", "nobody@example.com", "Nobody is found by this."),
        ("inviter", "+7 916 000-00-00", "Nobody is found by this."),
        ("inviter", "https://shop.example/r/23456789/", "Nobody is found by this."),
        ("invited", "nobody@", "This is not an e-mail address."),
        ("inviter", "who knows", "This is not a member number, an e-mail or a phone."),
        ("inviter", "\x00", "Null characters are not allowed."),
    ],
)
def test_who_is_not_found_is_said_at_the_field(desk, ada, ben, field, typed, said):
    refused = desk.post(ATTACH, {"invited": ben.number, "inviter": ada.number, field: typed})

    assert refused.status_code == 422
    assert said_at(refused, field).startswith(said)


def said_at(response, field: str) -> str:
    """The sentence that stands at a field."""
    (error,) = response.context["form"].errors[field]
    assert list(response.context["form"].errors) == [field]
    assert error in Page(response).text
    return error


def test_an_old_code_says_that_there_is_a_new_one(desk, ada, ben):
    code = code_of(member=ada, at=NOON).code
    reissue_code(member=ada, at=NOON)

    refused = desk.post(ATTACH, {"invited": ben.number, "inviter": code})

    assert said_at(refused, "inviter").startswith("This invite code is no longer valid")


def test_members_of_a_sandbox_are_nobody(desk, ada):
    refused = desk.post(ATTACH, {"invited": MemberFactory(is_sandbox=True).number, "inviter": ada.number})

    assert said_at(refused, "invited").startswith("Nobody is found by this.")


def test_each_refusal_stands_at_its_field_and_is_kept(desk, ada, ben):
    def refused(invited, inviter, field):
        sent = desk.post(ATTACH, {"invited": invited.number, "inviter": inviter.number, "confirm": "yes"})
        assert sent.status_code == 422
        return said_at(sent, field)

    older = MemberFactory(joined_at=NOON - timedelta(days=8))
    oldest = MemberFactory(joined_at=NOON - timedelta(days=9))
    twin = MemberFactory(email="a.d.a+2@example.com")

    assert refused(ada, ada, "inviter") == "A member cannot invite themselves."
    assert refused(twin, ada, "inviter") == "Both have the same e-mail address."
    assert refused(older, oldest, "invited") == "An inviter can be noted within 7 days of joining."
    assert "was a member before" in refused(older, ada, "invited")
    invited_by(oldest, ben)
    assert "invited by somebody else" in refused(ben, ada, "invited")
    assert Referral.objects.count() == 1
    assert Invitation.objects.exclude(refusal="").count() == 5


def test_nobody_notes_themselves(stan, ada, ben, client_of):
    ada.user = stan
    ada.save()
    client = in_english(client_of(stan))

    for pair in ((ada, ben), (ben, ada)):
        typed = {"invited": pair[0].number, "inviter": pair[1].number, "confirm": "yes"}
        assert client.post(ATTACH, typed).status_code == 403
    assert Referral.objects.count() == 0


def test_no_address_carries_what_was_entered(desk, ada, ben):
    for step in ({}, {"confirm": "yes"}):
        sent = desk.post(ATTACH, {"invited": ben.email, "inviter": ada.email, **step})
        assert "@" not in sent.headers.get("Location", "")
        if sent.status_code == 200:
            assert [value for value in Page(sent).values("action", "href") if ben.number in value] == []


# Every page


@pytest.mark.parametrize("language", ["ru", "en"])
def test_pages_are_sound_html(desk, stan, referral, language):
    doubted(referral)
    decided = invited_by(MemberFactory(), MemberFactory())
    doubted(decided)
    decide_flags(
        referral=decided, decision=Flag.Decision.FINE, reason="Both came in", at=NOON, actor_id=stan.pk
    )
    desk.cookies["django_language"] = language
    both = {"invited": referral.invited.number, "inviter": referral.inviter.number}
    for response in (
        *(desk.get(address) for address in (INVITATIONS, page_of(referral), page_of(decided), ATTACH)),
        desk.post(ATTACH, both),
        desk.post(ATTACH, {}),
        desk.post(page_of(referral), {}),
    ):
        page = Page(response)
        assert page.count("h1") == 1
        assert page.values("style") == []
        assert "None" not in page.text
        ids = page.values("id")
        assert len(ids) == len(set(ids))
