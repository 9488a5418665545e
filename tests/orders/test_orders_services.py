"""An order's life, told in cases; the numbers are those of the collected cases of other systems."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from loyalty import wording
from loyalty.errors import AccountBlocked, NotEnoughPoints
from loyalty.models import Entry, Posting, Standing, TierChange
from loyalty.queries.operations import operations_page
from loyalty.queries.standing import standing_card
from loyalty.services import ledger
from orders.errors import (
    AboveOrder,
    BadSum,
    BelowMinimum,
    ForeignOrder,
    HoldLapsed,
    LinesDoNotAddUp,
    LinesNeeded,
    NotAMember,
    NothingToRefund,
    OrderDiffers,
    WrongStatus,
)
from orders.models import Order, OrderStep
from orders.services.orders import (
    LineSpec,
    add_points,
    cancel_order,
    pay_order,
    place_order,
    refund_order,
)
from tests.clock import AN_HOUR_LATER, NOON, TOMORROW_NOON
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import earn
from tests.orders.shop import balance_of

ONE_PER_MILLE = ("Everyone", 0, "0.001")


def refund(order: Order, goods_sum: int | str, *, delivery_sum: int = 0, **more) -> Order:
    return refund_order(
        order=order,
        key=more.pop("key", None) or uuid4(),
        refunded_at=more.pop("at", AN_HOUR_LATER),
        goods_sum=Decimal(goods_sum),
        delivery_sum=Decimal(delivery_sum),
        **more,
    )


def test_case_1_a_paid_order_earns_by_its_tier(ada, paid):
    publish_edition(ONE_PER_MILLE)

    order = paid(ada, 10_000)

    assert order.earned_points == 10
    assert balance_of(ada).available_points == 10
    assert standing_card(ada, NOON).tier.name == "Everyone"


def test_case_3_one_of_two_units_comes_back(ada, paid):
    publish_edition(ONE_PER_MILLE)
    units = [LineSpec(name="Coffee machine", line_sum=Decimal(20_000), quantity=Decimal(2))]
    order = paid(ada, 20_000, lines=units)
    assert balance_of(ada).available_points == 20

    refund_order(order=order, key=uuid4(), refunded_at=AN_HOUR_LATER, line_sums={1: Decimal(10_000)})

    assert balance_of(ada, AN_HOUR_LATER).available_points == 10
    assert Standing.objects.get(member=ada).paid_sum == 10_000


@pytest.mark.parametrize(("rounding", "points"), [("down", 28), ("half_up", 29), ("up", 29)])
def test_case_12a_points_are_rounded_once_per_order(ada, paid, rounding, points):
    publish_edition(("Everyone", 0, "0.05"), rounding=rounding)
    lines = [LineSpec(name=name, line_sum=Decimal(190)) for name in "abc"]

    assert paid(ada, 570, lines=lines).earned_points == points


def test_case_46a_the_first_order_crosses_a_threshold(ada, ben, paid):
    publish_edition(("None", 0, "0"), ("Small", 100_000, "0.001"), ("Large", 300_000, "0.0012"))

    assert paid(ada, 196_000).earned_points == 196
    assert paid(ben, 20_000).earned_points == 0
    assert Posting.objects.count() == 1


@pytest.mark.parametrize(
    ("case", "before", "total", "tier", "moves"),
    [
        (37, 0, 6_000, "Bronze", []),
        (39, 0, 25_000, "Gold", [("Bronze", "Gold")]),
        (41, 8_000, 3_000, "Silver", [("Bronze", "Silver")]),
        (43, 22_000, 5_000, "Gold", []),
    ],
)
def test_cases_37_to_43_an_order_moves_the_tier_with_one_message(ada, paid, case, before, total, tier, moves):
    publish_edition()
    if before:
        paid(ada, before)
    known = list(TierChange.objects.values_list("pk", flat=True))

    paid(ada, total)

    assert standing_card(ada, NOON).tier.name == tier
    changes = TierChange.objects.exclude(pk__in=known).exclude(cause=TierChange.Cause.JOINED)
    assert [(change.from_tier.name, change.to_tier.name) for change in changes] == moves


def test_case_55_points_of_two_lots_count_the_paid_money_once(ada, paid):
    earn(ada, 100, until=NOON.date() + timedelta(days=40))
    earn(ada, 100, until=NOON.date() + timedelta(days=90))

    paid(ada, 1_000, points=150)

    assert Standing.objects.get(member=ada).paid_sum == 850


def test_case_75_the_cap_of_the_edition_limits_what_is_spent(ada, paid):
    publish_edition(redemption_cap_rate=Decimal("0.5"))
    earn(ada, 10_000)

    order = paid(ada, "10000.00", points=10_000)

    assert order.spent_points == 5_000
    assert balance_of(ada).available_points == 5_000 + order.earned_points


def test_case_77_fewer_points_than_the_minimum_are_refused_by_name(ada, placed):
    publish_edition(redemption_minimum_points=500)
    earn(ada, 1_000)

    with pytest.raises(BelowMinimum) as refusal:
        placed(ada, 5_000, points=400)

    assert "500" in str(refusal.value)
    assert Order.objects.count() == 0
    assert balance_of(ada).available_points == 1_000


@pytest.mark.parametrize(("total", "points"), [(333, 66), (999, 199)])
def test_cases_79_and_83_the_cap_is_the_servers_and_rounded_down(ada, placed, total, points):
    publish_edition(redemption_cap_rate=Decimal("0.2"))
    earn(ada, 1_000)

    assert placed(ada, total, points=1_000).held_points == points


def test_case_81_more_points_than_there_are_move_nothing(ada, placed):
    earn(ada, 200)

    with pytest.raises(NotEnoughPoints) as refusal:
        placed(ada, 5_000, points=500)

    assert refusal.value.limit_points == 200
    assert Order.objects.count() == 0
    assert balance_of(ada).available_points == 200


def test_case_87_two_spendings_on_one_order_are_both_in_its_history(ada, placed):
    earn(ada, 1_000)
    order = placed(ada, 2_000, points=300)
    add_points(order=order, member=ada, points=200, key=uuid4(), at=NOON)

    order = pay_order(order=order, paid_at=AN_HOUR_LATER)

    assert order.spent_points == 500
    assert balance_of(ada, AN_HOUR_LATER).held_points == 0
    captured = Posting.objects.filter(order_id=order.pk, kind=Posting.Kind.CAPTURE)
    assert captured.count() == 2
    assert [step.kind for step in order.steps.all()] == ["placed", "points_added", "paid"]


def test_case_103_points_of_a_cancelled_order_that_are_spent_become_debt(ada, paid):
    publish_edition(("Everyone", 0, "0.15"))
    earning = paid(ada, 1_000)
    ledger.spend(key=uuid4(), account_id=ada.pk, points=100, at=NOON)

    cancel_order(order=earning, cancelled_at=AN_HOUR_LATER)

    after = balance_of(ada, AN_HOUR_LATER)
    assert (after.available_points, after.debt_points) == (0, 100)
    paid(ada, 800, at=TOMORROW_NOON)
    after = balance_of(ada, TOMORROW_NOON)
    assert (after.available_points, after.debt_points) == (20, 0)


def test_case_105_an_order_cancelled_twice_gives_its_points_back_once(ada, paid):
    publish_edition(("Everyone", 0, "0"))
    earn(ada, 1_000)
    order = paid(ada, 2_000, points=300)
    assert balance_of(ada).available_points == 700

    cancel_order(order=order, cancelled_at=AN_HOUR_LATER)
    cancel_order(order=order, cancelled_at=TOMORROW_NOON)

    assert balance_of(ada, TOMORROW_NOON).available_points == 1_000
    assert Posting.objects.filter(kind=Posting.Kind.GIVE_BACK).count() == 1


def test_case_107_a_full_refund_returns_what_was_before(ada, paid):
    publish_edition(("Everyone", 0, "0.07"))
    earn(ada, 200)
    order = paid(ada, 1_150, points=150)
    assert order.earned_points == 70
    assert balance_of(ada).available_points == 120

    refund(order, 1_150)

    assert balance_of(ada, AN_HOUR_LATER).available_points == 200
    assert balance_of(ada, AN_HOUR_LATER).debt_points == 0
    assert Standing.objects.get(member=ada).paid_sum == 0


def test_case_109_half_of_the_goods_takes_half_of_the_points(ada, paid):
    publish_edition(("Everyone", 0, "1.75"))
    order = paid(ada, 40)
    assert order.earned_points == 70

    order = refund(order, 20)

    assert order.taken_back_points == 35
    assert balance_of(ada, AN_HOUR_LATER).available_points == 35


def test_case_111_points_that_another_order_has_spent_become_debt_and_the_page_says_why(
    ada, paid, in_english
):
    publish_edition(("Everyone", 0, "0.15"))
    earning = paid(ada, 1_000, number="A-77")
    paid(ada, 100, points=100)

    cancel_order(order=earning, cancelled_at=AN_HOUR_LATER)

    assert balance_of(ada, AN_HOUR_LATER).debt_points == 100
    page = operations_page(account_id=ada.pk, limit=1)
    (row,) = [wording.row(operation) for operation in page.operations]
    assert row.title == "Taken back: order A-77 was returned"
    assert row.explanation == "100\N{NO-BREAK SPACE}points became a debt"


def test_case_113_paid_cancelled_and_paid_again_earns_once(ada, paid):
    order = paid(ada, 1_000)
    assert balance_of(ada).available_points == 30

    cancel_order(order=order, cancelled_at=AN_HOUR_LATER)
    assert balance_of(ada, AN_HOUR_LATER).available_points == 0
    again = pay_order(order=order, paid_at=TOMORROW_NOON)

    assert again.status == Order.Status.PAID
    assert balance_of(ada, TOMORROW_NOON).available_points == 30
    assert Standing.objects.get(member=ada).paid_sum == 1_000
    refund(again, 1_000, at=TOMORROW_NOON)
    assert balance_of(ada, TOMORROW_NOON).available_points == 0


def test_the_way_from_an_order_to_its_points_is_written_down(ada, paid):
    """4 990 ₽ − delivery 290 ₽ − 200 points = 4 500 ₽ × 5 % = 225."""
    publish_edition(("Silver", 0, "0.05"))
    earn(ada, 200)

    order = paid(ada, 4_990, delivery_sum=Decimal(290), points=200)

    assert order.earned_points == 225
    posting = Posting.objects.get(order_id=order.pk, kind=Posting.Kind.CREDIT)
    said = posting.explanation
    assert (said["total_sum"], said["delivery_sum"], said["points_part_sum"], said["base_sum"]) == (
        "4990.00",
        "290.00",
        "200.00",
        "4500.00",
    )
    assert (said["tier"], said["coefficient"], said["rounding"]) == ("Silver", "0.0500", "down")
    assert posting.rule_set_id == order.rule_set_id


def test_excluded_categories_earn_nothing_and_share_the_points_paid(ada, paid):
    publish_edition(("Everyone", 0, "0.1"), excluded_categories=["gift cards"])
    earn(ada, 100)
    lines = [
        LineSpec(name="Beans", line_sum=Decimal(500)),
        LineSpec(name="Card", line_sum=Decimal(500), category="gift cards"),
    ]

    order = paid(ada, 1_000, lines=lines, points=100)

    assert order.earned_points == 45


def test_delivery_earns_where_the_edition_says_so(ada, paid):
    publish_edition(("Everyone", 0, "0.1"), earns_on_delivery=True)

    assert paid(ada, 1_000, delivery_sum=Decimal(200)).earned_points == 100


def test_past_orders_keep_their_edition(ada, paid):
    order = paid(ada, 1_000)
    publish_edition(("Everyone", 0, "0.5"), effective_at=AN_HOUR_LATER)

    refund(order, 500, at=TOMORROW_NOON)

    assert balance_of(ada, TOMORROW_NOON).available_points == 15
    assert paid(ada, 1_000, at=TOMORROW_NOON).earned_points == 500


@pytest.mark.parametrize("again", [1, 2, 5])
def test_every_step_may_be_sent_again(ada, shop, again):
    earn(ada, 500)
    key = uuid4()
    for _ in range(again):
        order = place_order(
            source=shop, number="7", member=ada, total_sum=Decimal(1_000), placed_at=NOON, points=100
        )
        order = pay_order(order=order, paid_at=NOON)
        order = refund(order, 100, key=key)

    after = balance_of(ada, AN_HOUR_LATER)
    assert after.available_points == 500 - 100 + 10 + 24
    assert OrderStep.objects.count() == 3


def test_a_repeat_with_other_content_is_refused(ada, shop, placed):
    order = placed(ada, 1_000, number="7")
    key = uuid4()
    pay_order(order=order, paid_at=NOON)
    refund(order, 100, key=key)

    with pytest.raises(OrderDiffers):
        placed(ada, 1_001, number="7")
    with pytest.raises(OrderDiffers):
        refund(order, 200, key=key)

    order.refresh_from_db()
    assert order.refunded_sum == 100


def test_a_sum_written_otherwise_is_the_same_content(ada, placed):
    order = placed(ada, "1000", number="7", delivery_sum=Decimal(5))

    assert placed(ada, "1000.00", number="7", delivery_sum=Decimal("5.0")) == order


def test_the_same_number_of_another_source_is_another_order(ada, shop, placed):
    placed(ada, 1_000, number="7")
    shop.pk, shop.code = None, "other"
    shop.save()

    assert place_order(source=shop, number="7", member=ada, total_sum=Decimal(5), placed_at=NOON).pk


def test_points_set_aside_come_free_when_an_order_is_not_paid_in_time(ada, ben, placed):
    earn(ada, 500)
    order = placed(ada, 1_000, points=400)
    assert balance_of(ada).available_points == 100

    late = NOON + timedelta(hours=25)
    assert balance_of(ada, late).available_points == 500

    paid_late = pay_order(order=order, paid_at=late)
    assert paid_late.spent_points == 400
    assert balance_of(ada, late).available_points == 100 + paid_late.earned_points


def test_a_late_payment_is_refused_when_its_points_are_gone(ada, placed):
    earn(ada, 500)
    order = placed(ada, 1_000, points=400)
    late = NOON + timedelta(hours=25)
    ledger.spend(key=uuid4(), account_id=ada.pk, points=300, at=late)

    with pytest.raises(HoldLapsed) as refusal:
        pay_order(order=order, paid_at=late)

    assert refusal.value.available_points == 200
    order.refresh_from_db()
    assert order.status == Order.Status.NEW
    assert balance_of(ada, late).available_points == 200


def test_a_cancelled_order_sets_its_points_free(ada, placed):
    earn(ada, 500)
    order = placed(ada, 1_000, points=400)

    cancel_order(order=order, cancelled_at=AN_HOUR_LATER)
    cancel_order(order=order, cancelled_at=AN_HOUR_LATER)

    assert balance_of(ada, AN_HOUR_LATER).available_points == 500
    with pytest.raises(WrongStatus):
        refund(order, 1)


def test_points_already_set_aside_cannot_be_spent_twice(ada, placed):
    earn(ada, 500)
    placed(ada, 1_000, points=400)

    with pytest.raises(NotEnoughPoints) as refusal:
        placed(ada, 1_000, points=400)

    assert refusal.value.limit_points == 100


def test_another_members_points_cannot_pay(ada, ben, placed):
    earn(ben, 500)
    order = placed(ada, 1_000)

    with pytest.raises(ForeignOrder):
        add_points(order=order, member=ben, points=100, key=uuid4(), at=NOON)

    assert balance_of(ben).available_points == 500


def test_nobodys_order_cannot_be_paid_with_points(placed):
    with pytest.raises(NotAMember):
        placed(None, 1_000, points=100)


def test_a_blocked_member_earns_but_does_not_spend(ada, paid, placed):
    paid(ada, 1_000)
    ledger.block(account_id=ada.pk, is_blocked=True)

    with pytest.raises(AccountBlocked):
        placed(ada, 1_000, points=10)

    paid(ada, 1_000)
    assert balance_of(ada).available_points == 60


@pytest.mark.parametrize("total", ["-1", "0.001", "1000000000", "NaN", "Infinity"])
def test_impossible_sums_are_refused(ada, placed, total):
    with pytest.raises(BadSum) as refusal:
        placed(ada, total)

    assert refusal.value.field == "total_sum"
    assert Order.objects.count() == 0


def test_lines_have_to_make_the_total(ada, placed):
    with pytest.raises(LinesDoNotAddUp):
        placed(ada, 100, lines=[LineSpec(name="a", line_sum=Decimal(99))])


def test_an_order_of_nothing_earns_nothing(ada, paid):
    order = paid(ada, 0)

    assert order.status == Order.Status.PAID
    assert Entry.objects.count() == 0


def test_no_more_is_refunded_than_was_paid(ada, paid):
    order = paid(ada, 1_000, delivery_sum=Decimal(100))
    refund(order, 500)

    with pytest.raises(AboveOrder) as refusal:
        refund(order, 401)
    assert refusal.value.left_sum == 400
    with pytest.raises(AboveOrder):
        refund(order, 0, delivery_sum=101)
    with pytest.raises(NothingToRefund):
        refund(order, 0)
    with pytest.raises(LinesNeeded):
        refund_order(order=order, key=uuid4(), refunded_at=NOON, line_sums={1: Decimal(1)})
    with pytest.raises(BadSum):
        refund(order, -5)

    assert refund(order, 400, delivery_sum=100).status == Order.Status.REFUNDED
    with pytest.raises(WrongStatus):
        refund(order, 1)
    with pytest.raises(WrongStatus):
        pay_order(order=order, paid_at=NOON, key=uuid4())


def test_an_unpaid_order_cannot_be_refunded(ada, placed):
    with pytest.raises(WrongStatus):
        refund(placed(ada, 100), 10)


def test_what_is_given_back_lives_for_thirty_days_at_least(ada, paid):
    earn(ada, 100, until=NOON.date() + timedelta(days=3))
    publish_edition(("Everyone", 0, "0"))
    order = paid(ada, 1_000, points=100)

    refund(order, 1_000, at=NOON + timedelta(days=10))

    (lot,) = balance_of(ada, NOON + timedelta(days=10)).expiries
    assert (lot.points, lot.expires_on) == (100, NOON.date() + timedelta(days=40))
