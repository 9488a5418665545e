"""Many orders in one request end as if they had been sent one by one, whatever they are."""

import random
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Member
from loyalty.errors import LoyaltyError, NoRulesInForce, NotEnoughPoints
from loyalty.models import PointsAccount
from loyalty.queries.audit import every_check, findings
from loyalty.queries.rules import rule_set_in_force
from loyalty.services import ledger
from loyalty.services.recount import recount_standings
from loyalty.services.rules import create_draft, publish_rule_set
from loyalty.services.standing import set_floor
from orders.errors import BadSum, LinesDoNotAddUp, NotAMember, OrderDiffers
from orders.models import Order, Outlet, Source
from orders.queries.figures import LineSpec
from orders.services import registering
from orders.services.joining import credit_waiting_orders
from orders.services.orders import cancel_order, place_order, refund_order, register_paid_order
from orders.services.registering import PaidOrder, Registered, register_paid_orders
from referrals.models import Flag, How, Referral, Reward
from referrals.services import attach_inviter, decide_flags, raise_flag
from tests.clock import MOSCOW, NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import publish_edition, tier_spec
from tests.loyalty.points import earn
from tests.loyalty.races import race
from tests.orders.shop import balance_of
from tests.orders.state import assert_same, state

FIRST = datetime(2025, 3, 1, tzinfo=MOSCOW)
DAYS = 100
TIERS = (("Bronze", 0, "0.03"), ("Silver", 3_000, "0.05"), ("Gold", 9_000, "0.075"))
RULES = [
    {},
    {"crossing_order_earns_new_tier": False, "rounding": "half_up", "earns_on_delivery": True},
    {"paid_sum_months": 1, "waiting_days": 14, "life_months": 2, "life_end": "day"},
    {"paid_sum_months": 2, "tier_lowering": "at_once", "rounding": "up", "referral_months": 3},
    {"excluded_categories": ["tobacco"], "referral_orders": 2, "life_end": "never"},
    {"redemption_minimum_points": 20, "redemption_cap_rate": Decimal("0.5"), "waiting_days": 3},
    {
        "welcome_points": 250,
        "welcome_when": "first_order",
        "referral_least_sum": Decimal(500),
        "referral_month_limit_points": 60,
        "referral_waiting_days": 20,
    },
    {
        "welcome_points": 40,
        "welcome_when": "first_order",
        "referral_month_limit_points": 150,
        "referral_orders": 3,
        "waiting_days": 2,
        "paid_sum_months": 1,
    },
]
EMAILS = ["verified@example.com", "unverified@example.com", "nobody@example.com"]
INVITERS_PHONE = "+79161234500"
PHONES = ["+79161234501", "+79161234502", "+79161234503"]


def moment(chance: random.Random, days: int = DAYS) -> datetime:
    return FIRST + timedelta(days=chance.randrange(days), minutes=chance.choice([0, 0, 61, 700]))


def publish(chance: random.Random, effective_at: datetime) -> None:
    specs = [tier_spec(*tier, referral_rate=Decimal(chance.choice(["0", "0.02", "0.1"]))) for tier in TIERS]
    publish_rule_set(
        rule_set=create_draft(tiers=specs, **chance.choice(RULES)),
        effective_at=effective_at,
        published_at=NOON,
        reason="A test",
    )


def people_with_a_past(shop: Source, chance: random.Random) -> list[Member]:
    """Members with points, in debt, with points set aside, blocked, held by hand, and inviting."""
    members = [MemberFactory(phone=INVITERS_PHONE if person == 6 else None) for person in range(10)]
    members += [
        MemberFactory(email=EMAILS[0], email_verified_at=NOON, phone=PHONES[0], phone_verified_at=None),
        MemberFactory(email=EMAILS[1], phone=PHONES[1], phone_verified_at=NOON),
        MemberFactory(phone=PHONES[2], phone_verified_at=NOON, is_sandbox=True),
    ]
    for place, member in enumerate(members[:8]):
        at = FIRST - timedelta(days=40 - place)
        order = register_paid_order(
            source=shop, number=f"P-{place}", member=member, total_sum=Decimal(5_000 + place), paid_at=at
        )
        match place:
            case 0:
                earn(member, 2_000, at=at)
            case 1:
                register_paid_order(
                    source=shop, number="S", member=member, total_sum=Decimal(150), points=150, paid_at=at
                )
                refund_order(
                    order=order,
                    key=ledger.event_key("back"),
                    refunded_at=at + timedelta(hours=2),
                    goods_sum=Decimal(4_000),
                )
            case 2:
                place_order(
                    source=shop,
                    number="H",
                    member=member,
                    total_sum=Decimal(100),
                    points=50,
                    placed_at=FIRST + timedelta(days=20),
                )
            case 3:
                earn(member, 300, at=at)
                ledger.block(account_id=member.pk, is_blocked=True)
            case 4:
                cancel_order(order=order, cancelled_at=at + timedelta(hours=1))
    set_floor(member=members[5], position=1, actor_id=None, reason="A test", at=FIRST)
    for inviter, invited in ((6, 7), (6, 8), (9, 6), (1, 10), (9, 3), (6, 9)):
        referral = attach_inviter(
            inviter=members[inviter],
            invited=members[invited],
            # Not before what they bought so far; orders of some days came of no invitation.
            since_at=FIRST + timedelta(days=chance.randrange(-30, 20)),
            how=How.TILL,
        )
        if invited in (8, 10):
            raise_flag(referral=referral, kind=Flag.Kind.CHAIN, at=FIRST)
        if invited == 9:
            decide_flags_of(referral, Flag.Decision.ONE_PERSON)
    return members


def decide_flags_of(referral: Referral, decision: Flag.Decision) -> None:
    raise_flag(referral=referral, kind=Flag.Kind.SAME_DEVICE, at=FIRST)
    decide_flags(referral=referral, decision=decision, reason="A test", at=FIRST, actor_id=1)


def some_lines(chance: random.Random) -> list[LineSpec]:
    return [
        LineSpec(
            name=f"Thing {number}",
            category=chance.choice(["", "food", "tobacco"]),
            quantity=Decimal(chance.choice(["1", "2", "0.345"])),
            line_sum=Decimal(chance.randrange(200_000)) / 100,
        )
        for number in range(chance.randrange(4))
    ]


def some_orders(
    shop: Source, members: list[Member], chance: random.Random, *, count: int, is_odd: bool
) -> list[PaidOrder]:
    """Orders in no order of time; with `is_odd` also such as are refused, known, or spend points."""
    outlets = [None, Outlet.objects.create(source=shop, code="main", name="Main Street")]
    orders = []
    for number in range(count):
        lines = some_lines(chance)
        delivery_sum = Decimal(chance.choice(["0", "0", "150", "99.9"]))
        goods_sum = sum((line.line_sum for line in lines), Decimal(0))
        if not lines:
            goods_sum = Decimal(chance.choice([0, 1, 33, 1234, 65_050, 120_099])) / 100
        order = PaidOrder(
            number=f"F-{number}",
            total_sum=goods_sum + delivery_sum,
            delivery_sum=delivery_sum,
            lines=lines,
            paid_at=moment(chance),
            outlet=chance.choice(outlets),
        )
        if chance.random() < 0.75:
            order = replace(order, member=chance.choice(members))
        else:
            order = replace(
                order,
                customer_email=chance.choice([None, *EMAILS]),
                customer_phone=chance.choice([None, *PHONES]),
            )
        orders.append(odd(order, orders, chance) if is_odd and chance.random() < 0.2 else order)
    return orders


def odd(order: PaidOrder, before: list[PaidOrder], chance: random.Random) -> PaidOrder:
    """The order as somebody in haste may send it."""
    earlier = chance.choice(before) if before else order
    return chance.choice(
        [
            replace(order, points=chance.choice([5, 100, 100_000])),
            replace(order, customer_phone="8 (916) 123-45-00"),
            replace(order, total_sum=order.total_sum + Decimal("0.01")),
            replace(order, total_sum=Decimal("1.234"), lines=()),
            replace(order, number="P-0"),
            replace(
                order, number="P-4", member=None, total_sum=Decimal(5_004), delivery_sum=Decimal(0), lines=()
            ),
            replace(order, number="P-5", total_sum=Decimal(5_005), delivery_sum=Decimal(0), lines=()),
            replace(order, number=earlier.number),
            earlier,
            replace(earlier, member=chance.choice([earlier.member, None]), paid_at=moment(chance)),
            replace(order, paid_at=datetime(1899, 1, 1, tzinfo=MOSCOW)),
        ]
    )


def send_one_by_one(shop: Source, orders: list[PaidOrder]) -> list[Registered]:
    """What `register_paid_orders` says it does, word by word."""
    outcomes = {}
    for turn in sorted(range(len(orders)), key=lambda turn: orders[turn].paid_at):
        order = orders[turn]
        is_known = Order.objects.filter(source=shop, number=order.number).exists()
        try:
            registered = register_paid_order(source=shop, actor_id=77, **vars(order))
        except LoyaltyError as refusal:
            outcomes[turn] = Registered(None, is_new=False, refusal=refusal)
        else:
            outcomes[turn] = Registered(registered, is_new=not is_known, refusal=None)
    return [outcomes[turn] for turn in range(len(orders))]


def said(outcomes: list[Registered]) -> list[tuple[object, ...]]:
    """Outcomes in words that two ways of sending can share."""
    return [
        (
            outcome.is_new,
            type(outcome.refusal),
            outcome.refusal and outcome.refusal.args,
            outcome.order
            and (
                outcome.order.number,
                outcome.order.status,
                outcome.order.earned_points,
                outcome.order.spent_points,
                outcome.order.member,
                outcome.order.outlet,
                outcome.order.tier,
                outcome.order.total_sum,
            ),
        )
        for outcome in outcomes
    ]


def assert_equal_both_ways(shop: Source, orders: list[PaidOrder]) -> list[Registered]:
    """Send the orders at once and one by one, from the same beginning, and compare everything."""
    with transaction.atomic():
        outcomes = register_paid_orders(source=shop, orders=orders, actor_id=77)
        together, outcomes_together = state(), said(outcomes)
        assert {finding.check.name for finding in findings(every_check()) if finding.found_count} == set()
        transaction.set_rollback(True)
    one_by_one = send_one_by_one(shop, orders)
    assert outcomes_together == said(one_by_one)
    assert_same(together, state())
    return one_by_one


@pytest.mark.parametrize("seed", range(6))
def test_any_orders_of_anybody_end_as_if_sent_one_by_one(shop, seed):
    chance = random.Random(seed)
    publish_edition(("Bronze", 0, "0.04"), ("Silver", 2_500, "0.06"))
    members = people_with_a_past(shop, chance)
    for day in sorted(chance.sample(range(-5, DAYS + 50), chance.choice([1, 2]))):
        publish(chance, FIRST + timedelta(days=day))
    if seed % 3 == 0:
        later = FIRST + timedelta(days=DAYS + 50)
        recount_standings(rule_set=rule_set_in_force(later), at=later)
    orders = some_orders(shop, members, chance, count=60, is_odd=seed % 2 == 0)

    outcomes = assert_equal_both_ways(shop, orders)

    assert sum(outcome.is_new for outcome in outcomes) > 25


def publish_one_after_another(*editions: tuple[datetime, dict[str, object]]) -> None:
    """Editions with a tier that only every other one has, and shares for those who invited somebody."""
    tiers = [tier_spec(*tier, referral_rate=Decimal("0.02") + tier[1] / Decimal(10**6)) for tier in TIERS]
    amber = tier_spec("Amber", 6_000, "0.06", referral_rate=Decimal("0.1"))
    for place, (effective_at, rules) in enumerate(editions):
        specs = [*tiers[:2], amber, *tiers[2:]] if place % 2 else tiers
        publish_rule_set(
            rule_set=create_draft(tiers=specs, **rules),
            effective_at=effective_at,
            published_at=NOON,
            reason="A test",
        )


def fail(*arguments: object) -> None:
    raise AssertionError("An ordinary order was registered alone.")


@pytest.fixture
def only_in_sets(monkeypatch):
    """Ordinary orders are not registered one by one."""
    monkeypatch.setattr(registering.orders, "_register_one", fail)


@pytest.mark.usefixtures("only_in_sets")
@pytest.mark.parametrize("rules", RULES, ids=str)
def test_ordinary_orders_of_people_who_invite_each_other_go_in_sets(shop, rules):
    publish_edition(("Bronze", 0, "0.04"), ("Silver", 2_500, "0.06"))
    chance = random.Random(str(rules))
    members = people_with_a_past(shop, chance)
    publish_one_after_another((FIRST, rules))

    assert_equal_both_ways(shop, some_orders(shop, members, chance, count=60, is_odd=False))

    kinds = set(Reward.objects.filter(rewarded_at__gte=FIRST).values_list("kind", "is_held"))
    welcome = {("welcome", False)} if "welcome_points" in rules else set()
    assert kinds >= {("share", False)} | welcome
    assert ("share", True) in kinds or ("welcome", True) in kinds
    assert Referral.objects.filter(orders_count__gt=1).count() > 2


@pytest.mark.usefixtures("only_in_sets")
@pytest.mark.parametrize(
    "months", [(None, None, None), (None, 1, None), (2, None, 1), (None, None, 2)], ids=str
)
def test_orders_from_the_time_of_several_editions_go_in_sets(shop, months):
    publish_edition(("Bronze", 0, "0.04"), ("Silver", 2_500, "0.06"))
    chance = random.Random(str(months))
    members = people_with_a_past(shop, chance)
    publish_one_after_another(
        *(
            (FIRST + timedelta(days=35 * place), {"paid_sum_months": period})
            for place, period in enumerate(months)
        )
    )

    assert_equal_both_ways(shop, some_orders(shop, members, chance, count=60, is_odd=False))


@pytest.mark.usefixtures("only_in_sets")
@pytest.mark.parametrize("months", [(None, None), (None, 2), (1, None), (2, 1)], ids=str)
def test_orders_that_come_late_go_in_sets_and_leave_people_with_newer_rules(shop, months):
    publish_edition(("Bronze", 0, "0.04"), ("Silver", 2_500, "0.06"))
    chance = random.Random(str(months))
    members = people_with_a_past(shop, chance)
    later = FIRST + timedelta(days=DAYS + 10)
    publish_one_after_another(
        (FIRST, {"paid_sum_months": months[0]}), (later, {"paid_sum_months": months[1]})
    )
    recount_standings(rule_set=rule_set_in_force(later), at=later)

    assert_equal_both_ways(shop, some_orders(shop, members, chance, count=60, is_odd=False))


def test_a_refused_order_changes_nothing_and_does_not_disturb_the_others(shop, ada, ben, paid):
    earn(ben, 50)
    paid(ada, 100, number="known")
    before = state()
    refused = [
        (order("a", ada, "1.234"), BadSum),
        (order("b", ada, 100, lines=[LineSpec(name="Tea", line_sum=Decimal(99))]), LinesDoNotAddUp),
        (order("known", ada, 101), OrderDiffers),
        (order("d", ben, 1_000, points=51), NotEnoughPoints),
        (order("e", None, 1_000, points=10), NotAMember),
        (order("f", ada, 1_000, paid_at=datetime(1969, 1, 1, tzinfo=MOSCOW)), NoRulesInForce),
    ]

    outcomes = register_paid_orders(source=shop, orders=[refusal[0] for refusal in refused])

    assert [type(outcome.refusal) for outcome in outcomes] == [refusal for _order, refusal in refused]
    assert_same(before, state())

    good = [order(f"G-{number}", member, 1_000) for number, member in enumerate((ada, ben, None))]
    sent = [good[0], *(refusal[0] for refusal in refused), *good[1:]]
    outcomes = register_paid_orders(source=shop, orders=sent)

    assert [outcome.order.number for outcome in outcomes if outcome.order] == ["G-0", "G-1", "G-2"]
    assert [outcome.is_new for outcome in outcomes] == [True, *[False] * 6, True, True]
    assert balance_of(ada).available_points == 3 + 30


def test_the_same_orders_again_are_known_and_change_nothing(shop, ada, ben):
    orders = [order(str(number), [ada, ben, None][number % 3], 100 + number) for number in range(30)]
    first = register_paid_orders(source=shop, orders=orders)
    before = state()

    again = register_paid_orders(source=shop, orders=orders)

    assert [outcome.order for outcome in again] == [outcome.order for outcome in first]
    assert {outcome.is_new for outcome in first} == {True}
    assert {outcome.is_new for outcome in again} == {False}
    assert_same(before, state())


def test_the_same_number_twice_is_one_order_or_a_mistake(shop, ada):
    twice, other = order("A", ada, 100), order("A", ada, 200, paid_at=NOON - timedelta(hours=1))

    outcomes = register_paid_orders(source=shop, orders=[twice, twice, other])

    # The earliest of them is the order, whatever was sent first.
    assert [outcome.is_new for outcome in outcomes] == [False, False, True]
    assert [type(outcome.refusal) for outcome in outcomes] == [OrderDiffers, OrderDiffers, type(None)]
    assert Order.objects.get().total_sum == 200


def test_points_of_an_order_pay_for_a_later_one(shop, ada):
    earned = order("A", ada, 10_000, paid_at=NOON - timedelta(hours=1))
    spent = order("B", ada, 300, points=300)

    outcomes = register_paid_orders(source=shop, orders=[spent, earned])

    assert [outcome.refusal for outcome in outcomes] == [None, None]
    assert outcomes[0].order.spent_points == 300
    assert balance_of(ada).available_points == 0


def test_an_order_that_was_placed_before_is_paid(shop, ada, placed):
    waiting = placed(ada, 1_000, number="A")

    (outcome,) = register_paid_orders(source=shop, orders=[order("A", ada, 1_000)])

    assert (outcome.is_new, outcome.order) == (False, waiting)
    assert outcome.order.status == Order.Status.PAID
    assert balance_of(ada).available_points == 30


@pytest.mark.parametrize("is_sandbox", [False, True])
def test_contacts_find_members_of_their_own_world(shop, is_sandbox):
    contact = {"email": "eve@example.com", "email_verified_at": NOON}
    eve, made_up = MemberFactory(**contact), MemberFactory(**contact, is_sandbox=True)
    shop.is_sandbox = is_sandbox
    shop.save()
    sent = order("A", None, 1_000, customer_email="eve@example.com")

    (outcome,) = register_paid_orders(source=shop, orders=[sent])

    assert outcome.order.member == (made_up if is_sandbox else eve)
    assert balance_of(outcome.order.member).available_points == 30


def test_orders_with_the_inviters_phone_are_noticed_and_what_they_bring_waits(shop, ada, ben):
    publish_one_after_another((FIRST, {"welcome_points": 50, "welcome_when": "first_order"}))
    Member.objects.filter(pk=ada.pk).update(phone=INVITERS_PHONE)
    eve = MemberFactory()
    for friend in (ben, eve):
        attach_inviter(inviter=ada, invited=friend, since_at=FIRST, how=How.LINK)
    sent = [
        order("A", ben, 1_000, customer_phone="8 916 123-45-00"),
        order("B", ben, 2_000, customer_phone=PHONES[0]),
        order("C", eve, 3_000, customer_phone=PHONES[1]),
    ]

    assert_equal_both_ways(shop, sent)

    assert Flag.objects.get().referral.invited == ben
    assert {reward.referral.invited for reward in Reward.objects.filter(is_held=True)} == {ben}
    assert {reward.referral.invited for reward in Reward.objects.filter(is_held=False)} == {eve}


def test_a_thousand_orders_take_no_more_statements_than_ten(shop):
    members = [MemberFactory() for _person in range(40)]
    attach_inviter(inviter=members[0], invited=members[1], since_at=FIRST, how=How.TILL)
    lines = [LineSpec(name="Tea", line_sum=Decimal(60)), LineSpec(name="Cake", line_sum=Decimal(40))]

    def statements(numbers: range) -> int:
        sent = [order(str(number), members[number % 40], 100, lines=lines) for number in numbers]
        with CaptureQueriesContext(connection) as captured:
            outcomes = register_paid_orders(source=shop, orders=sent)
        assert all(outcome.is_new for outcome in outcomes)
        return len(captured)

    # The edition is read once for all.
    rule_set_in_force(NOON)
    assert statements(range(10)) == statements(range(10, 1_010)) <= 28


def test_all_or_nothing_when_the_server_fails(shop, ada, monkeypatch):
    monkeypatch.setattr(ledger, "credit_many", break_down)

    with pytest.raises(ZeroDivisionError):
        register_paid_orders(source=shop, orders=[order("A", ada, 100), order("B", None, 100)])

    assert not Order.objects.exists()


def break_down(**named: object) -> None:
    raise ZeroDivisionError


def order(
    number: str,
    member: Member | None,
    total: int | str,
    *,
    paid_at: datetime = NOON,
    **more: object,
) -> PaidOrder:
    return PaidOrder(number=number, member=member, total_sum=Decimal(total), paid_at=paid_at, **more)


def meanwhile(act):
    """Let something happen in a connection of its own, as another request would have it."""
    (outcome,) = race(act)
    return outcome


def before_each_call(monkeypatch, module, name: str, *acts) -> None:
    """Let each of these acts happen right before one call of a function, the first at the first."""
    called, left = getattr(module, name), list(acts)

    def act_and_call(*arguments: object, **named: object) -> object:
        if left:
            # Taken off first, since what happens meanwhile may come through here itself.
            meanwhile(left.pop(0))
        return called(*arguments, **named)

    monkeypatch.setattr(module, name, act_and_call)


@pytest.fixture
def noon(transactional_db) -> Source:
    return Source.objects.create(code="noon", name="Полдень")


def test_a_number_that_is_taken_at_the_same_moment_is_known_or_differs(noon, monkeypatch):
    member = MemberFactory()
    orders = [order("A", member, 1_000), order("B", None, 100), order("C", None, 100)]
    before_each_call(
        monkeypatch,
        registering.orders,
        "write_in_sets",
        lambda: register_paid_orders(source=noon, orders=[order("B", None, 100)]),
        lambda: register_paid_orders(source=noon, orders=[order("C", None, 101)]),
    )

    outcomes = register_paid_orders(source=noon, orders=orders)

    assert [outcome.is_new for outcome in outcomes] == [True, False, False]
    assert [type(outcome.refusal) for outcome in outcomes] == [type(None), type(None), OrderDiffers]
    assert balance_of(member).available_points == 30


def test_numbers_that_are_taken_again_and_again_end_it_one_by_one(noon, monkeypatch):
    orders = [order(str(number), None, 100) for number in range(8)]
    others = [lambda one=one: register_paid_order(source=noon, **vars(one)) for one in orders[:4]]
    before_each_call(monkeypatch, registering.orders, "write_in_sets", *others)

    outcomes = register_paid_orders(source=noon, orders=orders)

    assert [outcome.is_new for outcome in outcomes] == [*[False] * 4, *[True] * 4]
    assert Order.objects.count() == 8


def test_an_order_is_nobodys_no_more_when_its_member_is_there_by_the_end(noon, monkeypatch):
    eve = MemberFactory(email="eve@example.com")

    def join() -> None:
        Member.objects.filter(pk=eve.pk).update(email_verified_at=NOON)
        credit_waiting_orders(member=Member.objects.get(pk=eve.pk), at=NOON)

    before_each_call(monkeypatch, registering.orders, "write_in_sets", join)

    (outcome,) = register_paid_orders(
        source=noon, orders=[order("A", None, 1_000, customer_email="eve@example.com")]
    )

    assert outcome.order.member == eve
    assert balance_of(eve).available_points == 30


def test_a_waiting_order_may_get_its_member_while_its_repeat_waits(noon, monkeypatch):
    eve, other = MemberFactory(email="eve@example.com"), MemberFactory()
    waiting = order("W", None, 1_000, customer_email="eve@example.com")
    register_paid_order(source=noon, **vars(waiting))
    locked = []

    def join() -> None:
        Member.objects.filter(pk=eve.pk).update(email_verified_at=NOON)
        credit_waiting_orders(member=Member.objects.get(pk=eve.pk), at=NOON)

    def lock(*account_ids: int) -> None:
        locked.append(account_ids)
        lock_accounts(*account_ids)
        if len(locked) == 1:
            meanwhile(join)

    lock_accounts = ledger.lock_accounts
    monkeypatch.setattr(registering.orders, "ledger", SimpleNamespace(lock_accounts=lock))

    outcomes = register_paid_orders(source=noon, orders=[waiting, order("B", other, 100)])

    assert [set(account_ids) for account_ids in locked] == [{other.pk}, {eve.pk, other.pk}]
    assert [outcome.is_new for outcome in outcomes] == [False, True]
    assert outcomes[0].order.member == eve
    assert balance_of(eve).available_points == 30


def test_overlapping_requests_at_once_count_every_order_once(noon):
    members = [MemberFactory() for _person in range(6)]
    chance = random.Random(5)
    for turn in range(10):
        orders = [
            order(f"{turn}-{number}", chance.choice([*members, None]), 100, paid_at=moment(chance))
            for number in range(30)
        ]
        some, others = orders[:20], orders[10:]
        chance.shuffle(others)
        answers = race(
            lambda some=some: register_paid_orders(source=noon, orders=some),
            lambda others=others: register_paid_orders(source=noon, orders=others),
            lambda one=orders[15]: register_paid_order(source=noon, **vars(one)),
        )
        assert not [answer for answer in answers if isinstance(answer, Exception)]
        outcomes = [outcome for answer in answers if isinstance(answer, list) for outcome in answer]
        assert all(outcome.refusal is None for outcome in outcomes)
        assert sum(outcome.is_new for outcome in outcomes) in (29, 30)
    assert Order.objects.count() == 300
    earned_points = sum(Order.objects.values_list("earned_points", flat=True))
    assert sum(PointsAccount.objects.values_list("available_points", flat=True)) == earned_points
    assert {finding.check.name for finding in findings(every_check()) if finding.found_count} == set()
