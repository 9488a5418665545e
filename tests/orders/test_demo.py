"""The demo: complete, the same on every run of a day, and true to the ledger's promises."""

from datetime import datetime
from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from accounts.models import Member, User
from config.demo import DEMO_LOGINS
from loyalty.models import LedgerAudit, PointsAccount, Posting, Standing
from loyalty.queries.audit import every_check, findings
from loyalty.queries.balance import balance
from loyalty.queries.operations import operations_page
from loyalty.queries.standing import standing_card
from orders.demo.cast import LATECOMER, STRANGER
from orders.demo.loading import NotEmpty, ProductionRefused, load_demo
from orders.demo.timeline import Timeline
from orders.models import Order
from tests.clock import MOSCOW, NOON

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
    assert loaded.members == Member.objects.count() >= FEW_MEMBERS - 1
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


def test_load_demo_makes_logins_and_orders_that_waited(db):
    load(members=THE_CAST)

    for login in DEMO_LOGINS:
        user = User.objects.get(email=login.email)
        assert user.check_password(login.password)
        assert user.member.orders.exists()
        assert EmailAddress.objects.get(user=user).verified
    roles = User.objects.filter(email__in=["stan@ballada.example", "sue@ballada.example"])
    assert [set(user.role_names) for user in roles.order_by("email")] == [
        {"member", "staff"},
        {"member", "supervisor"},
    ]
    latecomer = Member.objects.get(email=LATECOMER.email)
    waited = latecomer.orders.filter(placed_at__lt=latecomer.joined_at)
    assert [order.status for order in waited.order_by("placed_at")] == ["paid", "partly_refunded", "new"]
    assert balance(account_id=latecomer.pk, at=NOON).available_points > 0
    assert Order.objects.filter(member=None, customer_email=STRANGER.email).count() == 2
    assert Order.objects.filter(member=None, customer_phone=STRANGER.phone).count() == 1


# Some of Ada's dates are days of months: on the first of March they are close to those told in days.
@pytest.mark.parametrize("at", [NOON, datetime(2027, 3, 1, 0, 10, tzinfo=MOSCOW)], ids=str)
def test_load_demo_gives_ada_a_rich_page(db, at):
    load(at, members=THE_CAST)

    ada = Member.objects.get(email="ada@ballada.example")
    card = standing_card(ada, at)
    assert (card.tier.position, card.to_next_sum) == (1, 3210)
    points = balance(account_id=ada.pk, at=at)
    assert 2000 <= points.available_points <= 4000
    assert (points.held_points, points.pending_points) == (250, 300)
    assert len(points.expiries) > 6
    assert points.next_expiry.days_left <= 30
    assert points.next_expiry.points >= 200
    latest = operations_page(account_id=ada.pk, limit=5).operations
    assert [(operation.kind, operation.purpose) for operation in latest] == [
        ("hold", "order"),
        ("credit", "referral"),
        ("take_back", "order"),
        ("transfer", ""),
        ("credit", "order"),
    ]


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
