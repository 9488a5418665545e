"""Points from member to member over the API: make, read, take back, and what is refused."""

from datetime import date, timedelta

import pytest
import time_machine

from loyalty.models import Posting, Transfer
from loyalty.services.transfers import reverse_transfer
from loyalty.services.transfers.proving import SANDBOX_CODE
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.loyalty.points import NEW_YEAR, balance, earn
from tests.orders.api.calls import NO_CHECK, NO_MEMBER, OF_A_TRANSFER
from tests.orders.api.giving import block, check, give, other_than, send_code, switch_off, wanted
from tests.orders.api.shops import assert_refused
from tests.orders.api.test_hostile import NO_POINTS, NO_TEXT, refuse_all
from tests.orders.api.traces import traces
from tests.supervisor.given import gift

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]

NO_ID = [
    *("", " ", "1", "none", NO_CHECK.upper(), NO_CHECK.replace("-", ""), f"{{{NO_CHECK}}}", f"{NO_CHECK}\n"),
    *(f"urn:uuid:{NO_CHECK}", f" {NO_CHECK}", 5, True, None, [], {}),
]
NO_CODE = ["", " ", "12345", "1234567", "12345a", " 123456", "123456\n", "١٢٣٤٥٦", 123456, True, [], {}]


class TestTransfer:
    def test_moves_the_points_and_says_what_the_check_said(self, noon, ann, cleo, cooling):
        spring = date(2026, 4, 30)
        earn(ann, 200, until=spring)
        earn(ann, 300)
        made = give(noon, ann, cleo, 250)
        assert made == {
            "number": made["number"],
            "status": "made",
            "sender": ann.number,
            "recipient": "Клео З.",
            "points": 250,
            "expiries": [
                {"points": 200, "expires_on": spring.isoformat()},
                {"points": 50, "expires_on": NEW_YEAR.isoformat()},
            ],
            "made_at": "2026-03-10T12:00:00+03:00",
            "take_back_until_at": "2026-03-11T12:00:00+03:00",
            "taken_back_at": None,
            "taken_back_by": None,
            "reason": None,
        }
        assert (balance(ann).available, balance(cleo).available) == (250, 250)
        assert noon.get(f"/transfers/{made['number']}").json() == made

    def test_says_which_shop_asked(self, noon, ann, cleo):
        earn(ann, 100)
        give(noon, ann, cleo, 10)
        transfer = Transfer.objects.get()
        assert (transfer.how, transfer.actor_id) == (Transfer.How.SHOP, None)
        assert Posting.objects.get(pk=transfer.posting_id).explanation["source"] == "noon"

    def test_a_check_becomes_one_transfer(self, noon, ann, cleo):
        earn(ann, 100)
        give(noon, ann, cleo, 10)
        checked = check(noon, ann, cleo, 20)
        first = noon.write("/transfers", {"check": checked["id"]})
        again = noon.write("/transfers", {"check": checked["id"]})
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()
        assert balance(ann).available == 70

    @pytest.mark.parametrize("stop", [block, switch_off])
    def test_of_a_sender_who_was_stopped_there_is_none(self, stop, noon, ann, cleo):
        earn(ann, 100)
        give(noon, ann, cleo, 10)
        checked = check(noon, ann, cleo, 20)
        stop(ann)
        assert_refused(noon.write("/transfers", {"check": checked["id"]}), 409, "account_blocked")
        assert_refused(noon.write("/transfer-checks", wanted(ann, cleo, 30)), 409, "account_blocked")
        assert balance(ann).available == 90

    def test_of_a_check_that_is_too_old_there_is_none(self, noon, ann, cleo):
        earn(ann, 100)
        give(noon, ann, cleo, 10)
        checked = check(noon, ann, cleo, 20)
        with time_machine.travel(NOON + timedelta(hours=1), tick=False):
            assert_refused(noon.write("/transfers", {"check": checked["id"]}), 409, "check_over")

    def test_of_points_that_are_gone_there_is_none_and_the_next_check_is_a_new_one(self, noon, ann, cleo):
        earn(ann, 100)
        give(noon, ann, cleo, 10)
        checked = check(noon, ann, cleo, 80)
        noon.sell("A-1", ann, "50", points=50)
        refused = noon.write("/transfers", {"check": checked["id"]})
        problem = assert_refused(refused, 409, "not_enough_points", "points")
        assert problem["limit_points"] == balance(ann).available
        earn(ann, 100)
        assert give(noon, ann, cleo, 80)["points"] == 80

    def test_both_sides_read_of_the_other_in_the_feed_by_initial_only(self, noon, ann, cleo):
        earn(ann, 100)
        give(noon, ann, cleo, 10)
        for member, other, surname in ((ann, "Клео З.", "Зуева"), (cleo, "Анна И.", "Ильина")):
            told = noon.get(f"/members/{member.number}/operations", limit=10)
            assert other in told.json()["operations"][-1]["title"]
            text = told.content.decode()
            assert surname not in text
            assert "example.com" not in text


class TestTakeBack:
    def test_brings_the_points_back_with_their_days(self, noon, ann, cleo, cooling):
        earn(ann, 100)
        made = give(noon, ann, cleo, 40)
        with time_machine.travel(NOON + timedelta(hours=23), tick=False):
            ended = noon.write(f"/transfers/{made['number']}/take-back")
        assert ended.status_code == 200
        assert ended.json() == {
            **made,
            "status": "taken_back",
            "taken_back_at": "2026-03-11T11:00:00+03:00",
            "taken_back_by": "sender",
        }
        assert noon.get(f"/transfers/{made['number']}").json() == ended.json()
        assert (balance(ann).available, balance(cleo).available) == (100, 0)
        reversal = Posting.objects.get(pk=Transfer.objects.get().reversal_id)
        assert reversal.explanation["source"] == "noon"

    def test_is_done_once(self, noon, ann, cleo, cooling):
        earn(ann, 100)
        made = give(noon, ann, cleo, 40)
        answers = [noon.write(f"/transfers/{made['number']}/take-back") for _again in range(2)]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].content == answers[1].content
        assert balance(ann).available == 100

    def test_is_not_done_when_the_programme_has_done_it(self, noon, ann, cleo, sue):
        earn(ann, 100)
        made = give(noon, ann, cleo, 40)
        reverse_transfer(transfer=Transfer.objects.get(), reason="A mistake", at=NOON, actor_id=sue.pk)
        assert_refused(noon.write(f"/transfers/{made['number']}/take-back"), 409, "transfer_ended")
        told = noon.get(f"/transfers/{made['number']}").json()
        assert (told["taken_back_by"], told["reason"]) == ("staff", "A mistake")

    def test_is_not_done_when_the_points_have_moved_on(self, noon, ann, cleo, cooling):
        earn(ann, 100)
        made = give(noon, ann, cleo, 40)
        noon.sell("A-1", cleo, "100", points=20)
        refused = noon.write(f"/transfers/{made['number']}/take-back")
        assert_refused(refused, 409, "points_moved_on")
        assert noon.get(f"/transfers/{made['number']}").json() == made

    def test_is_not_done_when_others_fill_their_place(self, noon, ann, cleo, cooling):
        earn(ann, 100)
        made = give(noon, ann, cleo, 40)
        noon.sell("A-1", cleo, "100", points=20)
        earn(cleo, 100)
        assert_refused(noon.write(f"/transfers/{made['number']}/take-back"), 409, "points_moved_on")

    @pytest.mark.parametrize("stop", [block, switch_off])
    def test_is_not_done_for_a_sender_who_was_stopped(self, stop, noon, ann, cleo, cooling):
        earn(ann, 100)
        made = give(noon, ann, cleo, 40)
        stop(ann)
        assert_refused(noon.write(f"/transfers/{made['number']}/take-back"), 409, "account_blocked")
        assert noon.get(f"/transfers/{made['number']}").json() == made

    def test_is_not_done_when_its_time_is_over(self, noon, ann, cleo, cooling):
        earn(ann, 100)
        made = give(noon, ann, cleo, 40)
        with time_machine.travel(NOON + timedelta(hours=25), tick=False):
            refused = noon.write(f"/transfers/{made['number']}/take-back")
        assert_refused(refused, 409, "take_back_over")


class TestField:
    def test_those_of_a_check(self, world, noon):
        call = world["check_transfer"]
        for name in ("sender", "recipient"):
            refuse_all(noon, call, (name,), [*NO_TEXT, "x" * 201])
        refuse_all(noon, call, ("points",), [*NO_POINTS, 0, None])

    def test_those_of_a_transfer(self, world, noon):
        call = world["make_transfer"]
        refuse_all(noon, call, ("check",), NO_ID)
        refuse_all(noon, call, ("code",), NO_CODE)

    def test_an_id_in_an_address(self, world, noon):
        call = world["send_transfer_code"]
        before = traces(without=("orders_api_request",))
        for strange in ("%00", "1", NO_CHECK.upper(), NO_CHECK.replace("-", ""), f"{NO_CHECK}%0A", "x" * 500):
            answer = call.by(noon, path=f"/transfer-checks/{strange}/code")
            assert_refused(answer, 422, "invalid_request", "check")
        answer = call.by(noon, path=f"/transfer-checks/{NO_CHECK}/code")
        assert_refused(answer, 404, "check_not_found", "check")
        assert traces(without=("orders_api_request",)) == before

    @pytest.mark.parametrize("name", OF_A_TRANSFER)
    def test_a_number_that_nothing_can_have(self, name, world, noon):
        call = world[name]
        number = call.path.split("/")[2]
        before = traces(without=("orders_api_request",))
        for strange in ("%00", f"{number}%00", "%1b", "x" * 51, "%7F"):
            answer = call.by(noon, path=call.path.replace(number, strange))
            assert_refused(answer, 422, "invalid_request", "number")
        for turn, strange in enumerate(("%ff", "'%20or%201=1--", "%3Cscript%3E", "Ч", "%2e%2e", "0")):
            answer = call.by(noon, path=call.path.replace(number, strange), once=f"strange-{turn}")
            assert_refused(answer, 404, "transfer_not_found")
        assert traces(without=("orders_api_request",)) == before

    @pytest.mark.parametrize("recipient", ["@", "a@", "12", "Клео З.", "248190736515", "<script>", "0" * 200])
    def test_a_recipient_that_nobody_can_be_asks_no_question(self, recipient, world, noon, ann):
        before = traces(without=("orders_api_request",))
        answer = noon.write("/transfer-checks", wanted(ann, recipient, 10))
        assert_refused(answer, 422, "recipient_unreadable", "recipient")
        assert traces(without=("orders_api_request",)) == before


class TestOthers:
    def test_the_sandbox_reaches_nothing_live_and_the_other_way_round(self, world, noon, sandbox, ann, cleo):
        before = traces(without=("orders_api_request",))
        answer = sandbox.write("/transfer-checks", wanted(ann, cleo, 10))
        assert_refused(answer, 404, "member_not_found", "sender")
        for name in ("send_transfer_code", "make_transfer"):
            assert_refused(world[name].by(sandbox, once=name), 404, "check_not_found")
        for name in OF_A_TRANSFER:
            assert_refused(world[name].by(sandbox, once=name), 404, "transfer_not_found")
        assert traces(without=("orders_api_request",)) == before

        # A recipient of the other world is as good as none, however they are named.
        tester = sandbox.register("Тест", email="test@example.com", phone="+7 916 123-45-67")
        sandbox.sell("S-1", tester, "10000")
        for recipient in (cleo.number, "cleo@example.com", "+7 926 111-22-33"):
            answer = sandbox.write("/transfer-checks", wanted(tester, recipient, 10))
            assert_refused(answer, 409, "recipient_unavailable", "recipient")
        for recipient in (tester, "test@example.com", "+7 916 123-45-67"):
            answer = noon.write("/transfer-checks", wanted(ann, recipient, 10))
            assert_refused(answer, 409, "recipient_unavailable", "recipient")

    def test_in_the_sandbox_no_code_is_sent_and_every_one_is_the_same(self, sandbox, mailoutbox):
        giver = sandbox.register("Даша", email="dasha@example.com")
        taker = sandbox.register("Тест", email="cleo@example.com")
        sandbox.sell("S-1", giver, "10000")
        checked = check(sandbox, giver, "cleo@example.com", 10)
        assert checked["recipient"] == "Тест"
        assert sandbox.write(f"/transfer-checks/{checked['id']}/code").status_code == 202
        assert mailoutbox == []
        wrong = sandbox.write("/transfers", {"check": checked["id"], "code": "111111"})
        assert_refused(wrong, 409, "wrong_proof")
        answer = sandbox.write("/transfers", {"check": checked["id"], "code": SANDBOX_CODE})
        assert answer.status_code == 201
        assert sandbox.balance(taker)["available_points"] == 10

    def test_the_sandbox_s_code_opens_nothing_live(self, noon, ann, cleo):
        earn(ann, 100)
        checked = check(noon, ann, cleo, 10)
        assert other_than(send_code(noon, checked)) != SANDBOX_CODE
        answer = noon.write("/transfers", {"check": checked["id"], "code": SANDBOX_CODE})
        assert_refused(answer, 409, "wrong_proof")

    @pytest.mark.parametrize("name", OF_A_TRANSFER)
    def test_a_transfer_of_another_shop_is_none(self, name, world, noon, dusk, ann, cleo):
        made_there = give(dusk, ann, cleo, 10)
        before = traces(without=("orders_api_request",))
        assert_refused(world[name].by(dusk, once=name), 404, "transfer_not_found")
        path = world[name].path.replace(Transfer.objects.earliest("pk").number, made_there["number"])
        assert_refused(world[name].by(noon, path=path, once=name), 404, "transfer_not_found")
        assert traces(without=("orders_api_request",)) == before
        assert world[name].by(dusk, path=path, once=f"own-{name}").status_code == 200

    @pytest.mark.parametrize("name", OF_A_TRANSFER)
    def test_a_transfer_of_the_cabinet_is_none(self, name, world, noon, ann, cleo):
        path = world[name].path.replace(Transfer.objects.get().number, gift(ann, cleo, 10).number)
        before = traces(without=("orders_api_request",))
        assert_refused(world[name].by(noon, path=path, once=name), 404, "transfer_not_found")
        assert traces(without=("orders_api_request",)) == before

    def test_a_stranger_is_no_sender(self, noon, cleo):
        MemberFactory()
        for sender in (NO_MEMBER, "1", "cleo@example.com"):
            answer = noon.write("/transfer-checks", wanted(sender, cleo, 10))
            assert_refused(answer, 404, "member_not_found", "sender")
