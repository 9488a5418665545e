"""A file imported whole leaves behind what its orders would have, sent one by one."""

import csv
import random
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction

from accounts.services import create_member
from loyalty.services import ledger
from orders.imports.mapping import ColumnMapping
from orders.models import Customer, Order, Outlet, Source
from orders.services.importing.orders import import_orders
from orders.services.orders import place_order, refund_order, register_paid_order
from referrals.models import Referral
from referrals.services import attach_inviter
from tests.clock import MOSCOW, NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import publish_edition

MAPPING = ColumnMapping(
    source="noon",
    columns={name: name for name in ("number", "customer", "paid_at", "total", "delivery", "outlet")},
)
LATER = NOON + timedelta(days=200)
TIERS = (("Bronze", 0, "0.03"), ("Silver", 3_000, "0.05"), ("Gold", 9_000, "0.075"))
# What an import must leave as the services do: everything but ids and the moments of recording.
STATE = {
    "accounts": """
        select customer, available_points, pending_points, held_points, debt_points, version
          from loyalty_points_account account join person on person.id = account.id""",
    "lots": """
        select customer, expires_on, fund, points, held_points
          from loyalty_lot lot join person on person.id = account_id""",
    "credits": """
        select customer, points, taken_back_points, fund, available_at, expires_on, matured_at
          from loyalty_credit credit join person on person.id = account_id""",
    "entries": """
        select customer, version, kind, purpose, effective_at, line, bucket, entry.points, expires_on,
               available_after_points, pending_after_points, held_after_points, debt_after_points,
               orders_order.number, posting.rule_set_id, posting.actor_id, explanation::text
          from loyalty_entry entry join person on person.id = entry.account_id
          join loyalty_posting posting on posting.id = entry.posting_id
          left join loyalty_lot lot on lot.id = entry.lot_id
          left join orders_order on orders_order.id = posting.order_id""",
    "programme": """
        select account_id, kind, effective_at, line, bucket, points, origin_id is null
          from loyalty_entry entry join loyalty_posting posting on posting.id = entry.posting_id
         where account_id < 0""",
    "requests": "select key, refusal, limit_points from loyalty_request",
    "standings": """
        select customer, paid_sum, tier_id, since_at, floor_position
          from loyalty_standing standing join person on person.id = standing.member_id""",
    "tier changes": """
        select customer, from_tier_id, to_tier_id, change.rule_set_id, change.changed_at, cause,
               number, actor_id, reason
          from loyalty_tier_change change join person on person.id = change.member_id
          left join orders_order on orders_order.id = change.order_id""",
    "paid sums": """
        select customer, number, counted_at, recorded_at, entry.paid_sum
          from loyalty_paid_sum_entry entry join person on person.id = entry.member_id
          join orders_order on orders_order.id = entry.order_id""",
    "orders": """
        select customer, to_jsonb(orders_order) - '{id,member_id,outlet_id,changed_at}'::text[], outlet.name
          from orders_order join person on person.id = orders_order.member_id
          left join orders_outlet outlet on outlet.id = orders_order.outlet_id""",
    "steps": """
        select number, kind, key, request - 'member', happened_at, step.actor_id, money_sum,
               step.earned_points, step.spent_points
          from orders_order_step step join orders_order on orders_order.id = step.order_id""",
    "rewards": """
        select customer, number, base_sum, referral_rate, points, reward.rule_set_id, rewarded_at
          from referrals_reward reward
          join orders_order on orders_order.id = reward.order_id
          join referrals_referral referral on referral.id = reward.referral_id
          join person on person.id = referral.inviter_id""",
    "members": "select customer, joined_at, first_name, email, language from person",
}
PEOPLE = """
    with person as (
        select member.id, joined_at, first_name, email, language, coalesce(external_id, number) as customer
          from accounts_member member left join orders_customer on orders_customer.member_id = member.id)
"""


def state():
    """Everything there is, by what it is called outside."""
    found = {}
    with connection.cursor() as cursor:
        for name, query in STATE.items():
            cursor.execute(f"{PEOPLE} select to_jsonb(row)::text from ({query}) as row order by 1")
            found[name] = [row for (row,) in cursor.fetchall()]
    return found


@pytest.fixture
def shop(db):
    shop = Source.objects.create(code="noon", name="Полдень")
    Outlet.objects.create(source=shop, code="outlet-1", name="Main Street")
    return shop


def some_orders(count, people, *, seed=7, first=datetime(2024, 6, 1, tzinfo=MOSCOW), days=600):
    """Rows of a file, in no order of time: most people buy little, some much."""
    chance = random.Random(seed)
    rows = []
    for number in range(count):
        total = Decimal(chance.choice([0, 1, 33, 1234, 9999, 65_050, 120_099])) / 100 + chance.randrange(900)
        at = first + timedelta(days=chance.randrange(days), minutes=chance.choice([0, 0, 61, 700]))
        rows.append(
            {
                "number": f"F-{number}",
                "customer": f"{int(people * chance.random() ** 2):04d}",
                "paid_at": at,
                "total": total,
                "delivery": min(total, Decimal(chance.choice([0, 0, 150]))),
                "outlet": chance.choice(["", "Main Street"]),
            }
        )
    return rows


def write_file(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(MAPPING.columns))
        writer.writeheader()
        writer.writerows({**row, "paid_at": row["paid_at"].isoformat()} for row in rows)
    return path


def send_one_by_one(shop, rows):
    outlets = {outlet.name: outlet for outlet in shop.outlets.all()} | {"": None}
    for row in sorted(rows, key=lambda row: row["paid_at"]):
        customer = Customer.objects.filter(source=shop, external_id=row["customer"]).first()
        if customer is None:
            member = create_member(
                first_name="", last_name="", email=None, phone=None, language="ru", joined_at=row["paid_at"]
            )
            customer = Customer.objects.create(source=shop, external_id=row["customer"], member=member)
        register_paid_order(
            source=shop,
            number=row["number"],
            member=customer.member,
            total_sum=row["total"].quantize(Decimal("0.01")),
            delivery_sum=row["delivery"].quantize(Decimal("0.01")),
            paid_at=row["paid_at"],
            outlet=outlets[row["outlet"]],
        )


def settle_all():
    while ledger.settle_due(at=LATER, limit=500):
        pass


def both_ways(shop, rows, path):
    """The state after the import, and that after the services, from the same beginning."""
    write_file(path, rows)
    with transaction.atomic():
        report = import_orders(path=path, mapping=MAPPING, at=LATER)
        settle_all()
        imported = state()
        transaction.set_rollback(True)
    send_one_by_one(shop, rows)
    settle_all()
    assert report.new_orders == len(rows)
    return imported, state()


def assert_same(imported, sent):
    for name in STATE:
        differing = set(imported[name]) ^ set(sent[name])
        assert sorted(differing)[:6] == [], name
        assert len(imported[name]) == len(sent[name]), name


def people_with_a_past(shop):
    """Members with points, in debt, with points set aside, blocked, above their sums, and inviting."""
    members = [MemberFactory() for _person in range(12)]
    for place, member in enumerate(members):
        Customer.objects.create(source=shop, external_id=f"{place:04d}", member=member)
        at = datetime(2024, 3, 1 + place, 15, tzinfo=MOSCOW)
        order = register_paid_order(
            source=shop, number=f"P-{place}", member=member, total_sum=Decimal(5_000 + place), paid_at=at
        )
        if place in (1, 2):
            points = Order.objects.get(pk=order.pk).earned_points
            register_paid_order(
                source=shop,
                number=f"S-{place}",
                member=member,
                total_sum=Decimal(points),
                points=points,
                paid_at=at + timedelta(hours=1),
            )
            refund_order(
                order=order,
                key=ledger.event_key("back", place),
                refunded_at=at + timedelta(hours=2),
                goods_sum=Decimal(4_000),
            )
        if place in (3, 4):
            place_order(
                source=shop,
                number=f"H-{place}",
                member=member,
                total_sum=Decimal(100),
                points=50,
                placed_at=at + timedelta(days=60 * place),
            )
    ledger.block(account_id=members[5].pk, is_blocked=True)
    for inviter, invited in ((6, 7), (6, 8), (9, 6)):
        attach_inviter(
            inviter=members[inviter],
            invited=members[invited],
            since_at=datetime(2024, 3, 20, tzinfo=MOSCOW),
            how=Referral.How.TILL,
        )


def test_5000_orders_of_800_people_end_as_if_sent_one_by_one(transactional_db, shop, tmp_path):
    publish_edition(*TIERS)

    imported, sent = both_ways(shop, some_orders(5_000, 800), tmp_path / "orders.csv")

    assert_same(imported, sent)


@pytest.mark.parametrize(
    "rules",
    [
        {},
        {"crossing_order_earns_new_tier": False, "rounding": "half_up"},
        {"paid_sum_months": 3, "rounding": "up", "earns_on_delivery": True},
        {"paid_sum_months": 2, "crossing_order_earns_new_tier": False, "tier_lowering": "at_once"},
        {"waiting_days": 14, "life_months": 2, "life_end": "day"},
        {"waiting_days": 25, "life_months": 1, "life_end": "month"},
        {"life_end": "never"},
    ],
    ids=str,
)
def test_every_setting_and_people_with_a_past(shop, tmp_path, rules):
    publish_edition(("Bronze", 0, "0.04"), ("Silver", 2_500, "0.06"))
    people_with_a_past(shop)
    publish_edition(*TIERS, **rules)

    imported, sent = both_ways(shop, some_orders(150, 24, seed=11), tmp_path / "orders.csv")

    assert_same(imported, sent)
