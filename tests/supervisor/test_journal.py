"""The console's audit journal: every record in words, filters, pages, and the same as a file."""

import csv
import io
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from accounts.models import AuditRecord
from accounts.numbers import new_member_number
from accounts.services.audit import record
from loyalty.services.blocking import block_member
from supervisor.journal_wording import LISTS, PAGES, doer, facts_in_words, title
from supervisor.queries.journal import JournalFilter, journal, people_of
from supervisor.services.lists import note_list
from tests.clock import NOON, TOMORROW_NOON
from tests.factories import MemberFactory
from tests.pages import Page
from tests.supervisor.given import doubted, in_english, invited_by

JOURNAL = "/console/journal/"
Action = AuditRecord.Action


@pytest.fixture
def client(sue, client_of):
    """Sue's browser, in English."""
    return in_english(client_of(sue))


def noted(action, member=None, *, actor=None, at=NOON, **facts):
    """A record as the services write it."""
    return record(
        action=action,
        member=member,
        at=at,
        actor=actor,
        **facts,
    )


def said(one):
    """What the journal says of a record beside who, what and when."""
    with translation.override("en"):
        return facts_in_words(one, people_of([one]))


def titles(client, query=""):
    """What was done, by the rows of a page."""
    content = client.get(JOURNAL + query).content.decode()
    return [part.split("<", 1)[0].strip() for part in content.split('<th scope="row">')[1:]]


def test_journal_is_for_supervisors(ada, stan, client_of):
    for person in (ada, stan):
        for address in (JOURNAL, f"{JOURNAL}journal.csv"):
            assert client_of(person).get(address).status_code == 403


def test_journal_says_who_did_what_about_whom_and_when(ada, stan, client):
    block_member(member=ada, at=NOON, actor_id=stan.pk, reason="Lost the phone")
    noted(Action.LOOKED_AT, ada, actor=stan, at=TOMORROW_NOON, page="member")

    page = Page(client.get(JOURNAL))

    assert "Looked at an account The member’s card" in page.text
    assert "Blocked an account “Lost the phone”" in page.text
    assert f"{stan.full_name} Staff 10 March 2026, 12:00" in page.text
    assert f"{stan.full_name} Staff 11 March 2026, 12:00" in page.text
    assert f"/console/members/{ada.number}/" in page.hrefs()


# Each action with the facts that its service writes, and what is said of them.
WORDED = [
    (Action.RECIPIENT_ASKED, {"by": "phone", "outcome": "found"}, ["By a phone", "Somebody was found"]),
    (Action.PROOF_FAILED, {"by": "code", "intent": "x"}, ["A one-time code"]),
    (Action.CODE_SENT, {"intent": "x"}, []),
    (Action.ACCOUNT_BLOCKED, {"reason": "Lost"}, ["“Lost”"]),
    (Action.ACCOUNT_UNBLOCKED, {"reason": "Found"}, ["“Found”"]),
    (
        Action.TRANSFER_REVERSED,
        {"number": "6701101994", "points": 50, "reason": "Not me"},
        ["Receipt 6701101994", "50\u00a0points", "“Not me”"],
    ),
    (Action.LOOKED_AT, {"page": "transfer", "number": "670"}, ["A transfer", "Receipt 670"]),
    (Action.CONTACTS_SHOWN, {}, []),
    (Action.SEARCHED, {"kinds": ["phone"], "letters": 4, "found": 2}, ["As phone", "2 members found"]),
    (
        Action.EXPORTED,
        {"list": "members", "format": "csv", "rows": 1_999, "filters": ""},
        ["The list “members” as CSV, 1,999 rows"],
    ),
    (
        Action.EXPORTED,
        {"list": "bad_rows", "format": "csv", "rows": 2, "filters": "?import=1"},
        ["The list “bad rows of an import” as CSV, 2 rows"],
    ),
    (
        Action.EXPORTED,
        {"list": "preview", "format": "csv", "rows": 1, "filters": "?preview=1"},
        ["The list “members whose tier would change” as CSV, 1 row"],
    ),
    (
        Action.SALE_REGISTERED,
        {"order": "10000001", "points": 30, "outlet": "nevsky"},
        ["Order 10000001", "30\u00a0points"],
    ),
    (
        Action.POINTS_ADJUSTED,
        {"points": -30, "cause": "mistake", "posting": 7},
        ["−30", "A mistake put right"],
    ),
    (Action.TIER_SET, {"position": 1, "tier": "Silver"}, ["Not below “Silver”"]),
    (Action.TIER_SET, {"position": None, "tier": "Base"}, ["The tier follows from orders alone again"]),
    (
        Action.APPROVAL_ASKED,
        {"approval": 3, "kind": "adjustment", "points": 5_000},
        ["Adjustment of points", "5,000\u00a0points", "Approval 3"],
    ),
    (
        Action.APPROVAL_DECIDED,
        {"approval": 3, "kind": "publication", "decision": "approved"},
        ["Publication of an edition", "Approved", "Approval 3"],
    ),
    (
        Action.RULES_PUBLISHED,
        {
            "edition": 4,
            "effective_at": "2026-12-01T00:00:00+03:00",
            "reason": "Winter",
            "members_count": 1_000,
            "falling_count": 12,
        },
        [
            "In force from 1 December 2026, 00:00",
            "Of 1,000 members 12 come to a lower tier",
            "Edition 4",
            "“Winter”",
        ],
    ),
    (Action.RULES_WITHDRAWN, {"edition": 4}, ["Edition 4"]),
    (Action.JOB_BEGUN, {"job": 9, "kind": "recount"}, ["Recount of tiers", "Long job 9"]),
    (Action.JOB_CANCELLED, {"job": 9, "kind": "import"}, ["Import of orders", "Long job 9"]),
    (Action.OUTLET_CHANGED, {"outlet": "nevsky", "change": "closed", "name": "N"}, ["Nevsky: closed"]),
    (Action.KEY_CHANGED, {"key": "trythesandbx", "change": "revoked"}, ["Revoked", "Key trythesandbx"]),
    (Action.COLLEAGUE_INVITED, {"invitation": 1, "role": "staff"}, ["Role: Staff"]),
    (
        Action.COLLEAGUE_INVITED,
        {"invitation": 1, "role": "staff", "is_taken_back": True},
        ["Role: Staff. The invitation was taken back"],
    ),
    (Action.COLLEAGUE_JOINED, {"invitation": 1, "role": "staff"}, ["Role: Staff"]),
    (Action.ROLE_CHANGED, {"role": "staff", "is_given": False}, ["Role taken: Staff"]),
    (Action.SECOND_FACTOR_RESET, {}, []),
]


@pytest.mark.parametrize(("action", "facts", "words"), WORDED)
def test_facts_are_told_in_words(ada, sue, action, facts, words):
    member = None if action in AuditRecord.ABOUT_THE_PROGRAMME else ada

    assert said(noted(action, member, actor=sue, **facts)) == words


def test_approval_about_a_member_names_them(ada, sue):
    """In the list of all approvals, too."""
    noted(Action.APPROVAL_ASKED, ada, actor=sue, approval=3, kind="adjustment", points=5_000)

    for action in ("", Action.APPROVAL_ASKED):
        assert [record.member for record in journal(JournalFilter(action=action))] == [ada]


def test_every_action_is_worded(ada, ben, sue, stan):
    """Those whose records name other people are told below."""
    named_below = {Action.INVITER_ATTACHED, Action.REFERRAL_DECIDED}

    assert {action for action, _facts, _words in WORDED} | named_below == set(Action)


def test_other_members_are_named_by_their_numbers_and_colleagues_by_their_names(ada, ben, sue, stan):
    attached = noted(Action.INVITER_ATTACHED, ben, actor=stan, inviter_id=ada.pk, referral_id=1)
    assert said(attached) == [f"Inviter {ada.number[:4]}\u00a0{ada.number[4:8]}\u00a0{ada.number[8:]}"]

    decided = noted(
        Action.REFERRAL_DECIDED,
        ada,
        actor=stan,
        invited_id=ben.pk,
        decision="fine",
        kinds=["same_phone"],
        points=0,
        reason="Married",
    )
    assert said(decided) == [
        "Two people",
        "An order of the friend has the inviter's phone",
        f"Friend {ben.number[:4]}\u00a0{ben.number[4:8]}\u00a0{ben.number[8:]}",
        "“Married”",
    ]

    changed = noted(Action.ROLE_CHANGED, actor=sue, role="supervisor", is_given=True, colleague=stan.pk)
    assert said(changed) == ["Role given: Supervisor", f"Colleague: {stan.full_name}"]

    reset = noted(Action.SECOND_FACTOR_RESET, actor=sue, colleague=stan.pk)
    assert said(reset) == [f"Colleague: {stan.full_name}"]


def noted_names(pattern):
    """What the console calls something where it writes it down."""
    sources = (Path(__file__).parents[2] / "supervisor").rglob("*.py")
    return {name for source in sources for name in re.findall(pattern, source.read_text())}


def test_every_page_and_list_that_is_noted_has_words_and_no_other_has():
    assert set(PAGES) == noted_names(r'\bpage="(\w+)"')
    assert set(LISTS) == noted_names(r'\bname="(\w+)",(?: |\n +)filters=')


@pytest.mark.parametrize(("name", "words"), [("members", "members"), ("orders", "orders")])
def test_look_at_a_list_says_at_which(sue, in_english, name, words):
    note_list(name=name, filters="", at=NOON, actor=sue)

    assert title(AuditRecord.objects.get()) == f"Looked at the list “{words}”"


def test_who_did_it_is_a_colleague_the_member_a_system_or_the_programme(ada, ben, stan, in_english):
    of_stan = noted(Action.LOOKED_AT, ada, actor=stan, page="member")
    of_ada = noted(Action.RECIPIENT_ASKED, ada, actor=ada.user, outcome="found")
    of_a_shop = noted(Action.RECIPIENT_ASKED, ada, outcome="found", source="noon")
    of_nobody = noted(Action.CODE_SENT, ada)
    records = [of_stan, of_ada, of_a_shop, of_nobody]
    people = people_of(records)

    assert [doer(one, people) for one in records] == [
        stan.full_name,
        "The member",
        "The system “noon”",
        "The programme",
    ]
    assert title(of_stan) == "Looked at an account"


def test_latest_stands_first_and_sandboxes_nowhere(ada, stan, client):
    noted(Action.CONTACTS_SHOWN, ada, actor=stan, at=NOON)
    noted(Action.LOOKED_AT, ada, actor=stan, at=TOMORROW_NOON)
    noted(Action.ACCOUNT_BLOCKED, MemberFactory(is_sandbox=True), at=TOMORROW_NOON)

    assert titles(client) == ["Looked at an account", "Had a member’s contacts shown"]


def test_journal_is_filtered_by_action_colleague_member_and_period(ada, ben, stan, sue, client):
    noted(Action.LOOKED_AT, ada, actor=stan, at=NOON)
    noted(Action.CONTACTS_SHOWN, ada, actor=sue, at=TOMORROW_NOON)
    noted(Action.EXPORTED, actor=sue, at=TOMORROW_NOON, list="members", rows=1, format="csv")
    noted(Action.LOOKED_AT, ben, actor=sue, at=TOMORROW_NOON + timedelta(days=1))

    looked, shown, exported = (
        "Looked at an account",
        "Had a member’s contacts shown",
        "Took out a list as a file",
    )
    assert titles(client, "?action=looked_at") == [looked, looked]
    assert titles(client, "?action=exported") == [exported]
    assert titles(client, f"?colleague={stan.pk}") == [looked]
    assert titles(client, f"?number={ada.number}") == [shown, looked]
    assert titles(client, f"?number={ada.number[:4]}+{ada.number[4:8]}+{ada.number[8:]}") == [shown, looked]
    assert titles(client, "?since=2026-03-11&until=2026-03-11") == [exported, shown]
    assert titles(client, f"?action=looked_at&colleague={sue.pk}&until=2026-03-11") == []


def test_nothing_yet_and_nothing_found_are_told_apart(client):
    assert "No records yet" in Page(client.get(JOURNAL)).text

    page = Page(client.get(f"{JOURNAL}?action=looked_at"))

    assert "Nothing was found with this filter" in page.text
    assert "What was done: looked at an account" in page.text
    assert JOURNAL in page.hrefs()


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?number=123", "has 12 digits"),
        ("?number=000000000000", "A digit of this member number is wrong"),
        ("?action=guessed", "Choose one of the list."),
        ("?colleague=x", "Choose one of the list."),
        ("?since=2026-03-10&until=2026-03-09", "The period ends before it begins."),
    ],
)
def test_mistake_in_the_filter_is_named(client, query, sentence):
    page = Page(client.get(JOURNAL + query))

    assert page.text.startswith("Error: Journal")
    assert sentence in page.text
    assert client.get(f"{JOURNAL}journal.csv{query}").headers["Location"].startswith(JOURNAL)


def test_number_that_nobody_has_is_told(client):
    address = f"{JOURNAL}?number={new_member_number()}"

    assert "Nobody has this member number." in Page(client.get(address)).text


def test_pages_follow_each_other_and_lead_back(ada, stan, client):
    """Sixty records, all of two moments: each stands on one page."""
    for number in range(60):
        noted(
            Action.LOOKED_AT, ada, actor=stan, at=NOON + timedelta(minutes=number % 2), page=f"page {number}"
        )
    first = Page(client.get(JOURNAL))
    second = Page(client.get(JOURNAL + first.hrefs(rel="next")[0]))
    third = Page(client.get(JOURNAL + second.hrefs(rel="next")[0]))

    assert third.hrefs(rel="next") == []
    told = [f"Page {number} " in page.text for number in range(60) for page in (first, second, third)]
    assert sum(told) == 60
    assert Page(client.get(JOURNAL + third.hrefs(rel="prev")[0])).text == second.text


def test_file_has_what_the_filter_asks_for_and_is_written_down(ada, stan, sue, client):
    stan.first_name = "=1+1"
    stan.save()
    block_member(member=ada, at=NOON, actor_id=stan.pk, reason="Lost")
    noted(Action.LOOKED_AT, ada, actor=stan, page="member")

    response = client.get(f"{JOURNAL}journal.csv?action=account_blocked")

    content = b"".join(response.streaming_content).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(content), delimiter=";"))
    number = f"{ada.number[:4]}\u00a0{ada.number[4:8]}\u00a0{ada.number[8:]}"
    assert rows[1:] == [
        ["2026-03-10T12:00:00+03:00", "Blocked an account", number, f"'{stan.full_name}", "Staff", "“Lost”"]
    ]
    written = AuditRecord.objects.get(action=Action.EXPORTED)
    assert written.actor_id == sue.pk
    assert written.facts == {
        "list": "journal",
        "filters": "?action=account_blocked",
        "format": "csv",
        "rows": 1,
    }


def test_journal_takes_the_same_queries_at_one_record_and_at_thirty(ada, ben, stan, client):
    def story():
        noted(Action.LOOKED_AT, ada, actor=stan, page="member")
        noted(Action.INVITER_ATTACHED, MemberFactory(), actor=stan, inviter_id=MemberFactory().pk)

    story()
    client.get(JOURNAL)
    with CaptureQueriesContext(connection) as with_one:
        client.get(JOURNAL)
    for _number in range(30):
        story()

    with CaptureQueriesContext(connection) as with_many:
        client.get(JOURNAL)

    assert len(with_one) == len(with_many)


@pytest.mark.parametrize("language", ["ru", "en"])
def test_journal_is_sound_html(ada, ben, stan, client, language):
    doubted(invited_by(ada, ben))
    for action, facts, _words in WORDED:
        member = None if action in AuditRecord.ABOUT_THE_PROGRAMME else ada
        noted(action, member, actor=stan, **facts)
    client.cookies["django_language"] = language

    page = Page(client.get(JOURNAL))

    assert page.count("h1") == 1
    assert page.values("style") == []
    assert "None" not in page.text
    assert "%(" not in page.text
