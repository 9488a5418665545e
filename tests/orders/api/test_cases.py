"""The collected cases, brought about over HTTP; the names carry their numbers."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
import time_machine

from accounts.models import Member
from loyalty.models import Entry, Lot
from loyalty.services.rules import create_draft, publish_rule_set
from orders.services.joining import join_programme
from referrals.models import How
from referrals.services import attach_inviter
from tests.clock import AN_HOUR_LATER, NOON, TOMORROW_NOON
from tests.factories import UserFactory
from tests.loyalty.editions import BRONZE_SILVER_GOLD, LONG_AGO, publish_edition, tier_spec
from tests.loyalty.points import earn, lots
from tests.orders.api.calls import sale
from tests.orders.api.shops import Shop, assert_refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]


def available(shop: Shop, member: Member | str) -> int:
    """What the API says may be spent now."""
    return int(shop.balance(member)["available_points"])


def tier(shop: Shop, member: Member | str) -> tuple[str, str]:
    """The tier and the paid sum, as the API says them."""
    told = shop.balance(member)["tier"]
    return told["name"], told["paid_sum"]


class TestEarning:
    def test_case_1_a_tier_from_0_at_a_tenth_of_a_percent(self, noon, ada):
        publish_edition(("Basic", 0, "0.001"))
        assert noon.sell("A-1", ada, "10000")["earned_points"] == 10
        assert available(noon, ada) == 10
        assert tier(noon, ada) == ("Basic", "10000.00")

    def test_case_3_one_of_two_units_is_returned(self, noon, ada):
        publish_edition(("Basic", 0, "0.001"))
        line = {"name": "Чайник", "line_sum": "20000", "quantity": "2"}
        assert noon.sell("A-1", ada, "20000", lines=[line])["earned_points"] == 20
        noon.step("A-1", "refund", lines=[{"position": 1, "line_sum": "10000"}])
        assert available(noon, ada) == 10
        assert tier(noon, ada) == ("Basic", "10000.00")

    def test_case_5_three_hundred_percent(self, noon, ada):
        publish_edition(("Basic", 0, "3"))
        assert noon.sell("A-1", ada, "40.00")["earned_points"] == 120

    @pytest.mark.parametrize(("rounding", "points"), [("down", 28), ("half_up", 29), ("up", 29)])
    def test_case_12a_twenty_eight_and_a_half(self, rounding, points, noon, ada):
        publish_edition(("Basic", 0, "0.05"), rounding=rounding)
        assert noon.ask("/quotes", member=ada.number, total_sum="570").json()["earned_points"] == points
        assert noon.sell("A-1", ada, "570")["earned_points"] == points

    def test_case_19_the_order_of_somebody_who_joins_later(self, noon):
        sold = noon.sell("A-1", None, "1000", email=" EVE@example.com ")
        assert (sold["member"], sold["earned_points"]) == (None, 0)
        assert not Entry.objects.exists()
        user = UserFactory(email="eve@example.com")
        with time_machine.travel(TOMORROW_NOON, tick=False):
            for _again in range(2):
                eve = join_programme(
                    user=user, verified_email="eve@example.com", joined_at=TOMORROW_NOON, language="ru"
                )
            found = noon.get("/orders/A-1").json()
            assert (found["member"], found["earned_points"]) == (eve.number, 30)
            assert available(noon, eve) == 30
            noon.step("A-1", "refund", is_whole=True)
            assert available(noon, eve) == 0

    def test_case_19_a_contact_that_a_shop_has_told_is_not_yet_the_person_s(self, noon):
        noon.sell("A-1", None, "1000", email="eve@example.com")
        eve = noon.register("Ева", email="eve@example.com")
        assert available(noon, eve) == 0
        assert noon.get("/orders/A-1").json()["member"] is None

    def test_case_46a_a_first_order_that_crosses_a_threshold(self, noon, ada, ben):
        publish_edition(("None", 0, "0"), ("First", 100_000, "0.001"), ("Second", 300_000, "0.0011"))
        assert noon.sell("A-1", ada, "196000")["earned_points"] == 196
        assert noon.sell("A-2", ben, "20000")["earned_points"] == 0


class TestTiers:
    @pytest.mark.parametrize(
        ("before", "order", "expected"),
        [
            pytest.param("0", "6000", ("Bronze", "6000.00"), id="case 37"),
            pytest.param("0", "25000", ("Gold", "25000.00"), id="case 39"),
            pytest.param("8000", "3000", ("Silver", "11000.00"), id="case 41"),
            pytest.param("22000", "5000", ("Gold", "27000.00"), id="case 43"),
        ],
    )
    def test_an_order_moves_the_tier(self, before, order, expected, noon, ada):
        publish_edition(*BRONZE_SILVER_GOLD)
        noon.sell("A-1", ada, before)
        quoted = noon.ask("/quotes", member=ada.number, total_sum=order).json()
        noon.sell("A-2", ada, order)
        assert tier(noon, ada) == expected
        assert quoted["tier_after"] == expected[0]

    def test_case_47_a_new_member(self, noon):
        publish_edition(*BRONZE_SILVER_GOLD)
        assert tier(noon, noon.register("Яна")) == ("Bronze", "0.00")

    def test_case_55_an_order_paid_with_points_out_of_two_lots(self, noon, ada):
        publish_edition(*BRONZE_SILVER_GOLD)
        earn(ada, 100)
        earn(ada, 100, until=NOON.date() + timedelta(days=30))
        noon.sell("A-1", ada, "1000", points=150)
        assert tier(noon, ada) == ("Bronze", "850.00")


class TestBalance:
    def test_case_57_and_59_points_leave_soonest_expiring_first(self, noon, ada):
        june, january = NOON.date() + timedelta(days=400), NOON.date() + timedelta(days=100)
        publish_edition(("Basic", 0, "0"))
        earn(ada, 100, until=june)
        assert available(noon, ada) == 100
        earn(ada, 100, until=january)
        noon.sell("A-1", ada, "1000", points=100)
        assert noon.balance(ada)["expiries"] == [{"points": 100, "expires_on": june.isoformat()}]

    def test_case_61_a_spending_out_of_two_lots(self, noon, ada):
        february = NOON.date() + timedelta(days=60)
        publish_edition(("Basic", 0, "0"))
        earn(ada, 50, until=NOON.date() + timedelta(days=30))
        earn(ada, 50, until=february)
        noon.sell("A-1", ada, "1000", points=70)
        assert noon.balance(ada)["expiries"] == [{"points": 30, "expires_on": february.isoformat()}]

    def test_case_63_a_debt_is_settled_before_anything_can_be_spent(self, noon, ada):
        """50 more than there are are taken back; the next 100 leave 70."""
        publish_edition(("Basic", 0, "0.1"))
        noon.sell("A-1", ada, "800")
        noon.sell("A-2", None, "1")
        noon.sell("A-3", ada, "30", points=30)
        noon.step("A-1", "refund", is_whole=True)
        assert (available(noon, ada), noon.balance(ada)["debt_points"]) == (0, 30)
        noon.sell("A-4", ada, "1000")
        assert (available(noon, ada), noon.balance(ada)["debt_points"]) == (70, 0)

    def test_case_65_and_81_more_than_there_is(self, noon, ada):
        earn(ada, 100)
        noon.sell("A-1", ada, "10", points=10)
        placing = {"number": "A-2", "member": ada.number, "total_sum": "1000", "points": 100}
        problem = assert_refused(noon.write("/orders", placing), 409, "not_enough_points")
        assert problem["limit_points"] == 90
        assert available(noon, ada) == 90
        assert_refused(noon.get("/orders/A-2"), 404, "order_not_found")

    def test_case_67_what_is_left_expires_with_the_later_lot(self, noon, ada):
        later = NOON.date() + timedelta(days=90)
        publish_edition(("Basic", 0, "0"))
        earn(ada, 100, until=NOON.date() + timedelta(days=30))
        earn(ada, 200, until=later)
        noon.sell("A-1", ada, "1000", points=180)
        assert noon.balance(ada)["expiries"] == [{"points": 120, "expires_on": later.isoformat()}]
        with time_machine.travel(NOON + timedelta(days=31), tick=False):
            assert available(noon, ada) == 120
        with time_machine.travel(NOON + timedelta(days=91), tick=False):
            assert available(noon, ada) == 0

    def test_case_69_two_lots_of_three_months(self, noon, ada):
        publish_edition(("Basic", 0, "1"), life_months=3, life_end="day")
        noon.sell("A-1", ada, "575")
        noon.sell("A-2", ada, "500", points=500)
        assert available(noon, ada) == 75
        with time_machine.travel(NOON + timedelta(days=60), tick=False):
            noon.sell("A-3", ada, "805")
            noon.sell("A-4", ada, "500", points=500)
            assert available(noon, ada) == 380
        with time_machine.travel(NOON + timedelta(days=60 + 92), tick=False):
            assert available(noon, ada) == 0

    def test_case_71_two_draws_from_two_lots(self, noon, ada):
        publish_edition(("Basic", 0, "0"))
        first, second = NOON.date() + timedelta(days=30), NOON.date() + timedelta(days=60)
        earn(ada, 100, until=first)
        earn(ada, 50, until=second)
        noon.sell("A-1", ada, "1000", points=30)
        noon.sell("A-2", ada, "1000", points=80)
        assert lots(ada) == {first: (0, 0), second: (40, 0)}
        assert available(noon, ada) == 40

    def test_case_119_a_lot_past_its_day_that_no_sweep_has_swept(self, noon, ada):
        earn(ada, 150, until=NOON.date() - timedelta(days=1), at=NOON - timedelta(days=5))
        assert Lot.objects.get(account_id=ada.pk).points == 150
        placing = {"number": "A-1", "member": ada.number, "total_sum": "1000", "points": 1}
        assert_refused(noon.write("/orders", placing), 409, "not_enough_points")


class TestSpending:
    def test_case_75_the_cap_of_half_an_order(self, noon, ada):
        publish_one_tier(redemption_cap_rate=Decimal("0.5"))
        earn(ada, 10_000)
        quoted = noon.ask("/quotes", member=ada.number, total_sum="10000.00", points=10_000).json()
        assert (quoted["spendable_points"], quoted["limited_by"]) == (5_000, "cap")
        placed = noon.place("A-1", ada, "10000.00", points=10_000)
        assert (placed["held_points"], placed["to_pay_sum"]) == (5_000, "5000.00")

    def test_case_77_fewer_than_the_minimum(self, noon, ada):
        publish_edition(redemption_minimum_points=500)
        earn(ada, 1_000)
        placing = {"number": "A-1", "member": ada.number, "total_sum": "1000", "points": 400}
        problem = assert_refused(noon.write("/orders", placing), 422, "below_minimum", "points")
        assert "500" in problem["detail"]

    @pytest.mark.parametrize(("total", "cap"), [("333", 66), ("999", 199)])
    def test_case_79_a_cap_is_rounded_down(self, total, cap, noon, ada):
        publish_one_tier(redemption_cap_rate=Decimal("0.2"))
        earn(ada, 1_000)
        assert noon.ask("/quotes", member=ada.number, total_sum=total).json()["cap_points"] == cap
        assert noon.place("A-1", ada, total, points=1_000)["held_points"] == cap

    def test_case_83_the_server_s_cap_counts(self, noon, ada):
        earn(ada, 1_000)
        for field in ("cap_points", "cap_rate", "earned_points", "to_pay_sum", "held_points"):
            placing = {"number": "A-1", "member": ada.number, "total_sum": "1000", field: "1"}
            assert_refused(noon.write("/orders", placing), 422, "invalid_request", field)

    def test_case_87_two_spendings_of_one_order(self, noon, ada, client_of):
        """Some points come from the shop, and more from the member's own page."""
        earn(ada, 500)
        placed = noon.place("A-1", ada, "1000", points=100)
        order_id = noon.source.orders.get(number=placed["number"]).pk
        client_of(ada).post(f"/orders/{order_id}/points/", {"points": 200, "key": uuid4()})
        assert noon.step("A-1", "pay")["spent_points"] == 300
        assert available(noon, ada) == 200 + 21

    def test_case_105_cancelled_twice(self, noon, ada):
        earn(ada, 1_000)
        noon.sell("A-1", ada, "1000", points=300)
        for _again in range(2):
            cancelled = noon.step("A-1", "cancel")
        assert cancelled["given_back_points"] == 300
        assert available(noon, ada) == 1_000
        kinds = [step["kind"] for step in cancelled["steps"]]
        assert kinds == ["placed", "paid", "cancelled"]

    def test_case_131_spent_and_held(self, noon, ada):
        publish_edition(("Basic", 0, "0"))
        earn(ada, 100)
        noon.sell("A-1", ada, "10", points=10)
        noon.place("A-2", ada, "15", points=15)
        assert (available(noon, ada), noon.balance(ada)["held_points"]) == (75, 15)
        placing = {"number": "A-3", "member": ada.number, "total_sum": "100", "points": 76}
        assert_refused(noon.write("/orders", placing), 409, "not_enough_points")
        noon.step("A-2", "cancel")
        assert (available(noon, ada), noon.balance(ada)["held_points"]) == (90, 0)


class TestReturns:
    def test_case_103_and_111_the_earning_order_is_cancelled_after_its_points_were_spent(self, noon, ada):
        publish_edition(("Basic", 0, "0.1"))
        noon.sell("A-1", ada, "1500")
        noon.sell("A-2", ada, "100", points=100)
        noon.step("A-1", "cancel")
        told = noon.balance(ada)
        assert (told["available_points"], told["debt_points"]) == (0, 100)
        noon.sell("A-3", ada, "1200")
        assert available(noon, ada) == 20
        taken = noon.get(f"/members/{ada.number}/operations").json()["operations"]
        [why] = [one for one in taken if one["debt_points"] < 0]
        assert why["order_number"] == "A-1"
        assert why["explanation"]

    def test_case_107_an_order_that_was_paid_with_points_and_earned_is_refunded(self, noon, ada):
        publish_edition(("Basic", 0, "0.1"))
        earn(ada, 200)
        sold = noon.sell("A-1", ada, "850", points=150)
        assert (sold["earned_points"], available(noon, ada)) == (70, 120)
        noon.step("A-1", "refund", is_whole=True)
        assert available(noon, ada) == 200

    def test_case_109_half_is_returned(self, noon, ada):
        publish_edition(("Basic", 0, "1.75"))
        assert noon.sell("A-1", ada, "40")["earned_points"] == 70
        assert noon.step("A-1", "refund", goods_sum="20")["taken_back_points"] == 35
        assert available(noon, ada) == 35

    def test_case_113_paid_cancelled_and_paid_again(self, noon, ada):
        noon.sell("A-1", ada, "1000")
        noon.step("A-1", "cancel")
        assert available(noon, ada) == 0
        again = noon.step("A-1", "pay")
        assert (again["status"], again["earned_points"], available(noon, ada)) == ("paid", 30, 30)
        noon.step("A-1", "pay")
        assert available(noon, ada) == 30


class TestInput:
    @pytest.mark.parametrize("given", ["1,500", "1e3", "١٢", "-5", "1 500", "1\u00a0500"])
    def test_case_133_a_sum_is_written_in_one_way(self, given, noon):
        answer = noon.write("/orders", {"number": "A-1", "total_sum": given})
        assert_refused(answer, 422, "invalid_request", "total_sum")

    def test_case_135_the_same_batch_twice(self, noon, ada):
        orders = [sale(f"B-{turn}", member=ada.number) for turn in range(5)]
        for once in (None, None, "one", "one"):
            noon.write("/order-batches", {"orders": orders}, once=once)
        assert available(noon, ada) == 15

    def test_case_143_the_inviter_earns_on_every_order_of_the_invited(self, noon, ada, ben):
        publish_one_tier(referral_rate=Decimal("0.1"))
        attach_inviter(inviter=ada, invited=ben, since_at=NOON, how=How.LINK)
        for turn, expected in ((1, 100), (2, 200)):
            noon.sell(f"A-{turn}", ben, "1000")
            assert available(noon, ada) == expected
        with time_machine.travel(AN_HOUR_LATER, tick=False):
            noon.step("A-2", "refund", is_whole=True)
            assert available(noon, ada) == 100
            told = noon.get(f"/members/{ada.number}/operations").content.decode()
        assert "Смирнов" not in told
        assert "A-1" not in told


def publish_one_tier(**fields: Decimal) -> None:
    """An edition of one tier, under which an order itself earns nothing."""
    publish_rule_set(
        rule_set=create_draft(tiers=[tier_spec("Basic", 0, "0", **fields)]),
        effective_at=LONG_AGO,
        published_at=NOON,
        reason="A test",
    )
