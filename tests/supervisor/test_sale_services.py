"""Sales that staff register: one transaction, once, against the member's code."""

from decimal import Decimal
from functools import partial
from uuid import UUID, uuid4

import pytest

from accounts.models import AuditRecord, Message
from loyalty.errors import (
    AccountBlocked,
    NotEnoughPoints,
    TillCodeNeeded,
    TillCodeOver,
    TillCodeWrong,
)
from loyalty.models import PaidSumEntry, Standing, TillCode
from loyalty.services.blocking import block_member
from loyalty.services.till_codes import make_till_code, open_till_code
from orders.errors import (
    BadSum,
    BelowMinimum,
    OutletClosed,
    OwnInvitation,
    PointsChanged,
    ReceiptSent,
    SaleDiffers,
    SaleNumberTaken,
    SaleTooLarge,
)
from orders.models import Order, OrderStep, Outlet, Source
from orders.services.sales import register_sale, till_source
from referrals.models import How, Referral
from referrals.services import attach_inviter
from tests.clock import NOON, TOMORROW_NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import TODAY, balance, earn, every_row
from tests.loyalty.races import race
from tests.loyalty.test_till_codes import another

NEXT_YEAR = TODAY.replace(year=TODAY.year + 1)


@pytest.fixture
def corner(shop) -> Outlet:
    """An outlet."""
    return Outlet.objects.create(source=shop, code="corner", name="На углу")


@pytest.fixture
def sell(ada, stan):
    """Stan registers a sale for Ada, with her code where points are taken."""

    def sale(total: str, points: int = 0, *, key: UUID | None = None, **more) -> Order:
        more.setdefault("member", ada)
        if points and "code" not in more:
            more["code"] = make_till_code(member=more["member"], at=NOON).code
        return register_sale(
            **{"outlet": None, "number": "", "at": NOON, "actor_id": stan.pk, **more},
            total_sum=Decimal(total),
            points=points,
            key=key or uuid4(),
        )

    return sale


# What a sale is


def test_sale_is_an_order_that_is_placed_paid_and_earns(ada, stan, corner, sell):
    publish_edition(("Bronze", 0, "0.05"))

    order = sell("1000.00", outlet=corner)

    order.refresh_from_db()
    assert (order.status, order.earned_points, order.spent_points) == ("paid", 50, 0)
    assert (order.source.code, order.outlet, order.member) == ("till", corner, ada)
    assert [(step.kind, step.actor_id) for step in order.steps.all()] == [
        ("placed", stan.pk),
        ("paid", stan.pk),
    ]
    assert balance(ada).available == 50
    assert [message.kind for message in Message.objects.filter(member=ada)] == ["points_earned"]


def test_sale_is_written_down_in_the_journal(ada, stan, corner, sell):
    publish_edition(("Bronze", 0, "0.05"))
    earn(ada, 300)

    order = sell("1000.00", 200, outlet=corner)

    kept = AuditRecord.objects.get(action="sale_registered")
    assert (kept.member, kept.actor_id, kept.actor_role) == (ada, stan.pk, "staff")
    assert kept.facts == {"order": order.number, "points": 200, "outlet": "corner"}


def test_sale_without_a_number_gets_one_of_eight_digits(sell):
    first, second = sell("10.00"), sell("10.00")

    assert len(first.number) == 8
    assert first.number.isdigit()
    assert first.number != second.number


def test_source_of_sales_is_made_once(sell):
    sell("10.00")
    sell("10.00")

    assert Source.objects.filter(code="till").count() == 1


def test_closed_outlet_takes_no_sale(corner, sell):
    Outlet.objects.update(closed_at=NOON)

    with pytest.raises(OutletClosed):
        sell("10.00", outlet=corner)

    assert not Order.objects.exists()


def test_sum_that_cannot_be_is_refused(sell):
    with pytest.raises(BadSum):
        sell("10.001")


# What staff may not


def test_nobody_registers_a_sale_that_brings_their_own_account_a_share(ada, ben, stan, sell):
    inviter = MemberFactory(user=stan)
    attach_inviter(inviter=inviter, invited=ada, since_at=NOON, how=How.LINK)

    with pytest.raises(OwnInvitation):
        sell("1000.00")

    assert not Order.objects.exists()
    assert sell("1000.00", member=ben).status == "paid"
    # An invitation that has ended brings nobody anything.
    Referral.objects.update(ended_at=NOON)
    assert sell("1000.00").status == "paid"


def test_staff_sell_within_their_limits_and_a_supervisor_beyond(stan, sue, sell, settings, in_english):
    settings.STAFF_SALE_SUM, settings.STAFF_SALE_DAY_SUM = 1_000, 1_500
    key = uuid4()

    with pytest.raises(SaleTooLarge, match="1,000\xa0₽ at once and 1,500\xa0₽ a day, of which 1,500\xa0₽"):
        sell("1000.01")
    sell("1000.00", key=key)
    with pytest.raises(SaleTooLarge, match="of which 500\xa0₽ is left today") as refusal:
        sell("500.01")

    assert (refusal.value.field, refusal.value.left_sum) == ("total", 500)
    assert sell("1000.00", key=key) == Order.objects.get()
    sell("500.00")
    sell("5000.00", actor_id=sue.pk)
    sell("1000.00", at=TOMORROW_NOON)


@pytest.mark.django_db(transaction=True)
def test_sales_at_once_keep_to_the_limit_of_the_day(stan, sell, settings):
    settings.STAFF_SALE_DAY_SUM = 250
    buyers = MemberFactory.create_batch(5)
    till_source()

    outcomes = race(*[partial(sell, "100.00", member=buyer) for buyer in buyers])

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Order"] * 2 + ["SaleTooLarge"] * 3


# Points


def test_case_55_points_out_of_two_lots_let_the_tier_sum_grow_by_the_money_once(ada, sell):
    publish_edition(("Bronze", 0, "0.05"), ("Silver", 500, "0.10"))
    earn(ada, 100, until=TODAY)
    earn(ada, 200, until=NEXT_YEAR)

    order = sell("1000.00", 250)

    assert (order.spent_points, order.total_sum) == (250, 1000)
    assert [entry.paid_sum for entry in PaidSumEntry.objects.filter(member=ada)] == [Decimal("750.00")]
    standing = Standing.objects.get(member=ada)
    assert (standing.paid_sum, standing.tier.name) == (Decimal("750.00"), "Silver")
    assert balance(ada).available == 50 + order.earned_points


def test_case_75_no_more_points_than_the_cap_lets_pay(ada, sell):
    publish_edition(redemption_cap_rate=Decimal("0.5"))
    earn(ada, 10_000)

    with pytest.raises(PointsChanged) as refusal:
        sell("10000.00", 10_000)
    order = sell("10000.00", 5_000)

    assert refusal.value.most_points == 5_000
    assert order.spent_points == 5_000
    assert balance(ada).available == 5_000 + order.earned_points
    assert Order.objects.count() == 1


def test_case_77_too_few_are_refused_with_the_minimum(ada, sell, in_english):
    publish_edition(redemption_minimum_points=500)
    earn(ada, 1_000)

    with pytest.raises(BelowMinimum, match="500"):
        sell("10000.00", 400)

    assert balance(ada).available == 1_000


@pytest.mark.parametrize(("total", "most"), [("333.00", 66), ("999.00", 199)])
def test_case_79_cap_of_an_odd_sum(ada, sell, total, most):
    publish_edition(redemption_cap_rate=Decimal("0.2"))
    earn(ada, 1_000)

    with pytest.raises(PointsChanged):
        sell(total, most + 1)

    assert sell(total, most).spent_points == most


def test_case_81_not_enough_moves_nothing_and_leaves_the_code(ada, sell):
    earn(ada, 200)
    code = make_till_code(member=ada, at=NOON).code
    before = every_row()

    with pytest.raises(NotEnoughPoints):
        sell("1000.00", 500, code=code)

    assert every_row() == before
    assert not Order.objects.exists()
    assert not AuditRecord.objects.filter(action="sale_registered").exists()
    assert open_till_code(member=ada, at=NOON).code == code


def test_blocked_account_gives_no_points_but_earns(ada, sell):
    publish_edition(("Bronze", 0, "0.05"))
    earn(ada, 200)
    code = make_till_code(member=ada, at=NOON).code
    block_member(member=ada, at=NOON, actor_id=None, reason="Asked for it")

    with pytest.raises(AccountBlocked):
        sell("1000.00", 100, code=code)

    assert sell("1000.00").earned_points == 50


# The code


def test_points_need_the_code(ada, sell):
    earn(ada, 200)

    with pytest.raises(TillCodeOver):
        sell("1000.00", 100, code="123456")
    make_till_code(member=ada, at=NOON)
    with pytest.raises(TillCodeNeeded):
        sell("1000.00", 100, code="")

    assert not Order.objects.exists()
    assert balance(ada).available == 200


def test_wrong_code_is_counted_although_nothing_is_registered(ada, sell):
    earn(ada, 200)
    code = make_till_code(member=ada, at=NOON).code

    with pytest.raises(TillCodeWrong):
        sell("1000.00", 100, code=another(code))

    assert TillCode.objects.get().wrong_tries == 1
    assert not Order.objects.exists()
    assert sell("1000.00", 100, code=code).spent_points == 100


def test_used_code_never_pays_twice(ada, sell):
    earn(ada, 200)
    code = make_till_code(member=ada, at=NOON).code
    sell("1000.00", 100, code=code)

    with pytest.raises(TillCodeOver):
        sell("1000.00", 100, code=code)

    assert balance(ada).available >= 100
    assert Order.objects.count() == 1


# Once


def test_sale_sent_again_is_the_same_one(ada, sell):
    earn(ada, 200)
    key, code = uuid4(), make_till_code(member=ada, at=NOON).code

    first = sell("1000.00", 100, key=key, code=code)
    second = sell("1000.00", 100, key=key, code=code)

    assert first == second
    assert Order.objects.count() == 1
    assert OrderStep.objects.count() == 2
    assert AuditRecord.objects.filter(action="sale_registered").count() == 1


def test_same_key_with_other_figures_is_refused(sell):
    key = uuid4()
    sell("1000.00", key=key)

    with pytest.raises(SaleDiffers):
        sell("1001.00", key=key)
    with pytest.raises(SaleDiffers):
        sell("1000.00", key=key, number="77")

    assert Order.objects.count() == 1


def test_key_of_one_member_is_not_that_of_another(ada, ben, sell):
    key = uuid4()

    assert sell("1000.00", key=key) != sell("1000.00", key=key, member=ben)


def test_receipt_is_registered_once_whoever_sends_it(ada, ben, sell):
    sell("1000.00", number="77")

    with pytest.raises(SaleNumberTaken, match="77"):
        sell("1000.00", number="77")
    with pytest.raises(SaleNumberTaken):
        sell("500.00", number=" 77 ", member=ben)

    assert Order.objects.count() == 1


def test_receipt_that_the_shop_has_sent_is_no_sale_of_its_outlet(ben, shop, corner, paid, sell):
    market = Outlet.objects.create(source=shop, code="market", name="Рынок")
    elsewhere = Outlet.objects.create(
        source=Source.objects.create(code="other", name="Другой"), code="far", name="Далеко"
    )
    paid(ben, 500, number="A-17", outlet=corner)

    for outlet in (corner, market):
        with pytest.raises(ReceiptSent, match="A-17 is here already, from “Полдень”"):
            sell("1000.00", number=" a-17", outlet=outlet)
    assert sell("1000.00", number="A-17", outlet=elsewhere).number == "A-17"


def test_receipt_of_a_sandbox_keeps_no_sale_away(shop, corner, ben, paid, sell):
    paid(ben, 500, number="A-17", outlet=corner)
    Source.objects.filter(pk=shop.pk).update(is_sandbox=True)

    assert sell("1000.00", number="A-17", outlet=corner).number == "A-17"


# At the same moment


@pytest.mark.django_db(transaction=True)
def test_of_ten_same_forms_at_once_one_sale_is_made_and_all_get_it(ada, sell):
    earn(ada, 1_000)
    key, code = uuid4(), make_till_code(member=ada, at=NOON).code

    outcomes = race(*[lambda: sell("1000.00", 100, key=key, code=code)] * 10)

    assert {getattr(outcome, "pk", outcome) for outcome in outcomes} == {Order.objects.get().pk}
    assert Order.objects.get().spent_points == 100


@pytest.mark.django_db(transaction=True)
def test_of_ten_forms_at_once_with_one_code_one_is_paid(ada, sell):
    earn(ada, 10_000)
    code = make_till_code(member=ada, at=NOON).code

    outcomes = race(*[lambda: sell("1000.00", 100, code=code)] * 10)

    assert sum(isinstance(outcome, Order) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, TillCodeOver) for outcome in outcomes) == 9
    assert Order.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_receipt_of_two_members_at_once_is_one_of_them(ada, ben, sell):
    sell("1.00")

    outcomes = race(
        *[lambda member=member: sell("1000.00", number="77", member=member) for member in (ada, ben)] * 3
    )

    assert sum(isinstance(outcome, Order) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, SaleNumberTaken) for outcome in outcomes) == 5
    assert Order.objects.filter(number="77").count() == 1
