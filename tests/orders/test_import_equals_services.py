"""A file imported whole leaves behind what its orders would have, sent one by one."""

import csv
import random
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from accounts.services import create_member
from loyalty.services import ledger
from orders.imports.mapping import ColumnMapping
from orders.models import Customer, Order, Outlet, Source
from orders.services.importing.orders import import_orders
from orders.services.orders import place_order, refund_order, register_paid_order
from referrals.models import How
from referrals.services import attach_inviter
from tests.clock import MOSCOW, NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import publish_edition
from tests.orders.state import assert_same, state

MAPPING = ColumnMapping(
    source="noon",
    columns={name: name for name in ("number", "customer", "paid_at", "total", "delivery", "outlet")},
)
LATER = NOON + timedelta(days=200)
TIERS = (("Bronze", 0, "0.03"), ("Silver", 3_000, "0.05"), ("Gold", 9_000, "0.075"))


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
    """The state after the import, and that after the services, from the same beginning.

    An import tells nobody of what happened years ago, so the messages stay as they were.
    """
    write_file(path, rows)
    told_before = state()["messages"]
    with transaction.atomic():
        report = import_orders(path=path, mapping=MAPPING, at=LATER)
        settle_all()
        imported = state()
        transaction.set_rollback(True)
    send_one_by_one(shop, rows)
    settle_all()
    assert report.new_orders == len(rows)
    assert imported["messages"] == told_before
    return imported, state()


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
            how=How.TILL,
        )


def test_5000_orders_of_800_people_end_as_if_sent_one_by_one(transactional_db, shop, tmp_path):
    publish_edition(*TIERS)

    imported, sent = both_ways(shop, some_orders(5_000, 800), tmp_path / "orders.csv")

    assert_same(imported, sent, but=["messages"])


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
        {
            "welcome_points": 50,
            "welcome_when": "first_order",
            "referral_month_limit_points": 30,
            "referral_waiting_days": 5,
        },
    ],
    ids=str,
)
def test_every_setting_and_people_with_a_past(shop, tmp_path, rules):
    publish_edition(("Bronze", 0, "0.04"), ("Silver", 2_500, "0.06"))
    people_with_a_past(shop)
    publish_edition(*TIERS, **rules)

    imported, sent = both_ways(shop, some_orders(150, 24, seed=11), tmp_path / "orders.csv")

    assert_same(imported, sent, but=["messages"])
