"""The demo: complete, the same on every run of a day, and true to the ledger's promises."""

import json
from datetime import datetime
from io import StringIO
from itertools import count

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from accounts.models import Member
from accounts.services import claim_member
from config.demo import DEMO_API_KEY
from loyalty.models import LedgerAudit, PointsAccount, Posting, Standing
from loyalty.queries.audit import every_check, findings
from orders.demo.loading import NotEmpty, ProductionRefused, load_demo
from orders.demo.sandbox import NEWCOMER, REGULAR, RETURNING, fill_sandbox
from orders.demo.sandbox import PEOPLE as SANDBOX_PEOPLE
from orders.demo.timeline import Timeline
from orders.models import ApiKey, Customer, Order, Scope, Source
from orders.services.api_keys import create_key
from orders.services.joining import credit_waiting_orders
from supervisor.queries import programme
from tests.clock import MOSCOW, NOON
from tests.factories import UserFactory
from tests.orders.shop import balance_of
from tests.orders.test_demo_cast import assert_page_is_rich

FEW_MEMBERS = 20
THE_CAST = 0
DIGEST = """
    select md5(string_agg(line, ';' order by line)) from (
        select format('%s %s %s %s %s %s %s', posting.kind, posting.effective_at, posting.purpose,
                      member.phone, entry.bucket, entry.points, lot.expires_on) as line
          from loyalty_posting posting
          join loyalty_entry entry on entry.posting_id = posting.id
          left join accounts_member member on member.id = entry.account_id
          left join loyalty_lot lot on lot.id = entry.lot_id) as lines
"""


def load(at: datetime = NOON, members: int = FEW_MEMBERS):
    return load_demo(at=at, show=lambda done, total: None, members=members)


def digest_of_a_load() -> str:
    """Load the demo, take its fingerprint and take it all back."""
    with transaction.atomic():
        load()
        with connection.cursor() as cursor:
            cursor.execute(DIGEST)
            (found,) = cursor.fetchone()
        transaction.set_rollback(True)
    return found


def test_load_demo_keeps_the_ledgers_promises_and_shows_every_kind_of_operation(db):
    loaded = load()

    assert [finding.check.name for finding in findings(every_check()) if finding.found_count] == []
    assert set(Posting.objects.values_list("kind", flat=True)) == set(Posting.Kind.values)
    assert set(Order.objects.values_list("status", flat=True)) == set(Order.Status.values)
    assert loaded.members == Member.objects.filter(is_sandbox=False).count() >= FEW_MEMBERS - 1
    assert loaded.sandbox_members == Member.objects.filter(is_sandbox=True).count() == len(SANDBOX_PEOPLE)
    assert Member.objects.filter(user=None).count() > 3
    assert set(Standing.objects.values_list("tier__position", flat=True)) == {0, 1, 2}
    assert Standing.objects.filter(floor_position=2).count() == 1
    assert PointsAccount.objects.filter(debt_points__gt=0).exists()
    assert PointsAccount.objects.filter(is_blocked=True).count() == 1
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from ledger.balances("
            " (select array_agg(id) from accounts_member), %s, 'Europe/Moscow')"
            " where least(available_points, pending_points, held_points, debt_points) < 0",
            [NOON],
        )
        assert cursor.fetchone() == (0,)


def test_ada_has_a_rich_page_after_a_short_month(db):
    at = datetime(2027, 3, 1, 0, 10, tzinfo=MOSCOW)

    load(at, members=THE_CAST)

    # Some of her dates are days of months: on the first of March they are close to those told in days.
    assert_page_is_rich(at)


def test_load_demo_is_the_same_on_every_run_of_a_day(db):
    digests = [digest_of_a_load() for _time in range(2)]

    assert digests[0] == digests[1]


def test_load_demo_refuses_a_database_with_members(ada):
    with pytest.raises(NotEmpty):
        load()
    with pytest.raises(CommandError):
        call_command("load_demo")

    assert list(Member.objects.all()) == [ada]


def test_load_demo_refuses_production(db, settings):
    settings.IS_PRODUCTION = True

    with pytest.raises(ProductionRefused):
        load()

    assert not Member.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_load_demo_command_says_how_far_it_is_and_audits_the_ledger():
    output = StringIO()

    call_command("load_demo", "--members=0", stdout=output)

    assert output.getvalue().splitlines()[:4] == [
        f"Demo: {percent} % of two years" for percent in (25, 50, 75, 100)
    ]
    assert output.getvalue().splitlines()[4].endswith("The audit of the ledger found nothing wrong.")
    assert LedgerAudit.objects.get().is_clean


def test_timeline_lets_things_happen_in_turn_and_nothing_in_the_future():
    timeline = Timeline(until=NOON)
    told = []
    timeline.on(timeline.ago(1, 9), lambda at: told.append("then"))
    timeline.on(timeline.ago(2), lambda at: timeline.on(timeline.ago(2, 1), lambda at: told.append("first")))
    timeline.on(timeline.ago(-1), lambda at: told.append("never"))

    timeline.run(show=lambda done, total: told.append((done, total)))

    assert told == [(1, 3), "first", (2, 3), "then", (3, 3)]


# The sandbox


@pytest.fixture
def sandbox(db) -> Source:
    """The demo's sandbox, in a programme of which nothing else is there."""
    return fill_sandbox(Timeline(until=NOON))


@pytest.fixture
def ask(client):
    """Asks the API as the developer of a shop does, with the demo's key unless another one is given."""
    requests = count(1)

    def answer(method: str, path: str, body: dict[str, object] | None = None, key: str = DEMO_API_KEY):
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"request-{next(requests)}"}
        content = json.dumps(body or {})
        response = client.generic(method, f"/api/v1{path}", content, "application/json", headers=headers)
        return response.status_code, response.json()

    return answer


@pytest.fixture
def live_key(shop) -> str:
    """The key of a shop that is no sandbox."""
    return create_key(source=shop, name="Online shop", scopes=Scope.values, at=NOON).text


def test_sandbox_has_a_key_that_everybody_knows_and_members_to_look_at(sandbox, ask):
    assert ApiKey.objects.get().scopes == Scope.values
    members = {customer.external_id: customer.member for customer in Customer.objects.all()}
    assert set(members) == {REGULAR, RETURNING, NEWCOMER}
    assert all(member.is_sandbox and member.user is None for member in members.values())

    regular, returning, newcomer = (balance_of(members[each]) for each in (REGULAR, RETURNING, NEWCOMER))
    assert (regular.available_points, regular.held_points) == (104, 50)
    assert (returning.available_points, newcomer.available_points) == (24, 0)
    statuses = Order.objects.order_by("number").values_list("number", "status")
    assert list(statuses) == [
        ("demo-0001", "paid"),
        ("demo-0002", "paid"),
        ("demo-0003", "partly_refunded"),
        ("demo-0004", "new"),
    ]
    status, found = ask("POST", "/members/search", {"customer_id": REGULAR})
    assert (status, found["number"]) == (200, members[REGULAR].number)


def test_sandbox_does_not_find_a_live_member(sandbox, ask, ada):
    assert ask("GET", f"/members/{ada.number}")[0] == 404
    assert ask("GET", f"/members/{ada.number}/balance")[0] == 404
    assert ask("GET", f"/members/{ada.number}/operations")[0] == 404
    assert ask("POST", "/members/search", {"email": ada.email})[0] == 404
    assert ask("POST", "/quotes", {"member": ada.number, "total_sum": "100"})[1]["code"] == "unknown_member"


def test_sandbox_is_not_found_by_a_live_key(sandbox, ask, live_key):
    member = Customer.objects.get(external_id=REGULAR).member

    assert ask("GET", f"/members/{member.number}")[0] == 200
    assert ask("GET", f"/members/{member.number}", key=live_key)[0] == 404
    assert ask("GET", f"/members/{member.number}/balance", key=live_key)[0] == 404
    assert ask("POST", "/members/search", {"email": member.email}, key=live_key)[0] == 404
    assert ask("GET", "/orders/demo-0001", key=live_key)[0] == 404
    assert ask("GET", "/orders", key=live_key)[1]["orders"] == []


def test_order_for_a_live_members_email_stays_in_the_sandbox(sandbox, ask, ada):
    order = {"total_sum": "1000.00", "paid_at": "2026-03-09T12:00:00+03:00", "email": ada.email}

    placed = ask("POST", "/orders", {"number": "S-1", **order})
    registered = ask("POST", "/order-batches", {"orders": [{"number": "S-2", **order}]})
    refused = ask("POST", "/orders", {"number": "S-3", **order, "member": ada.number})

    assert (placed[0], placed[1]["member"], placed[1]["earned_points"]) == (201, None, 0)
    assert [outcome["member"] for outcome in registered[1]["outcomes"]] == [None]
    assert (refused[0], refused[1]["code"]) == (422, "unknown_member")
    assert credit_waiting_orders(member=ada, at=NOON) == []
    assert list(ada.orders.all()) == []
    assert balance_of(ada).available_points == 0


def test_live_members_email_can_be_registered_in_the_sandbox(sandbox, ask, ada):
    person = {"first_name": "Ada", "email": ada.email, "agrees_to_programme": True}

    status, registered = ask("POST", "/members", person)

    assert status == 201
    double = Member.objects.get(number=registered["number"])
    assert (double.email, double.is_sandbox) == (ada.email, True)
    assert Member.objects.get(email=ada.email, is_sandbox=False) == ada


def test_nobody_signs_in_as_a_member_of_the_sandbox(sandbox):
    email = SANDBOX_PEOPLE[REGULAR].email
    user = UserFactory(email=email)

    member = claim_member(user=user, claimed_at=NOON, verified_email=email)

    assert (member.email, member.is_sandbox) == (email, False)


def test_sandbox_counts_for_nothing_in_the_console(sandbox, ask, ada):
    assert programme.members_count() == 1
    assert programme.outstanding_points() == 0
