"""Points from member to member over the API: the check, and the code that proves who asks."""

import json
from datetime import date, timedelta

import pytest
import time_machine

from accounts.models import AuditRecord
from accounts.numbers import new_member_number
from loyalty.models import Transfer, TransferIntent
from loyalty.services import ledger
from orders.models import ApiRequest
from tests.clock import NOON
from tests.loyalty.points import NEW_YEAR, balance, earn
from tests.orders.api.giving import check, give, other_than, publish_alike, records, send_code, wanted
from tests.orders.api.shops import assert_refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]


class TestCheck:
    def test_shows_what_would_move_and_moves_nothing(self, noon, ann, cleo):
        spring = date(2026, 4, 30)
        earn(ann, 200, until=spring)
        earn(ann, 300)
        before = balance(ann)
        checked = check(noon, ann, cleo, 250)
        assert checked == {
            "id": checked["id"],
            "sender": ann.number,
            "recipient": "Клео З.",
            "points": 250,
            "available_after_points": 250,
            "expiries": [
                {"points": 200, "expires_on": spring.isoformat()},
                {"points": 50, "expires_on": NEW_YEAR.isoformat()},
            ],
            "expires_at": "2026-03-10T12:30:00+03:00",
            "needs_code": True,
            "same_before": None,
        }
        assert balance(ann) == before
        assert not Transfer.objects.exists()

    @pytest.mark.parametrize(
        "typed", ["number", "CLEO@Example.com", "+79261112233", "8 (926) 111-22-33", "grouped number"]
    )
    def test_finds_the_recipient_however_they_are_written(self, typed, noon, ann, cleo):
        earn(ann, 100)
        number = cleo.number
        said = {"number": number, "grouped number": f"{number[:4]} {number[4:8]} {number[8:]}"}
        checked = check(noon, ann, said.get(typed, typed), 10)
        assert checked["recipient"] == "Клео З."
        assert "cleo" not in json.dumps(checked)
        assert TransferIntent.objects.get().recipient == cleo

    def test_the_sender_s_number_may_be_grouped_too(self, noon, ann, cleo):
        earn(ann, 100)
        grouped = f"{ann.number[:4]} {ann.number[4:8]} {ann.number[8:]}"
        assert check(noon, grouped, cleo, 10)["sender"] == ann.number

    def test_an_equal_one_is_the_same_check(self, noon, ann, cleo):
        earn(ann, 100)
        assert check(noon, ann, cleo, 10)["id"] == check(noon, ann, cleo, 10)["id"]
        assert check(noon, ann, cleo, 11)["id"] != check(noon, ann, cleo, 10)["id"]

    def test_an_equal_transfer_a_moment_ago_is_named(self, noon, ann, cleo):
        earn(ann, 100)
        made = give(noon, ann, cleo, 10)
        again = check(noon, ann, cleo, 10)
        assert (again["same_before"], again["needs_code"]) == (made["number"], False)
        assert check(noon, ann, cleo, 11)["same_before"] is None

    def test_whoever_cannot_get_points_is_refused_in_the_same_words(self, noon, ann, cleo):
        earn(ann, 100)
        ledger.block(account_id=cleo.pk, is_blocked=True)
        refused = {
            noon.write("/transfer-checks", wanted(ann, recipient, 10)).content
            for recipient in (cleo, new_member_number(), "nobody@example.com", "+7 999 000-00-00")
        }
        assert len(refused) == 1
        assert json.loads(refused.pop())["code"] == "recipient_unavailable"

    def test_twenty_are_looked_for_within_an_hour_and_all_are_counted(self, noon, ann, cleo):
        earn(ann, 100)
        for turn in range(20):
            answer = noon.write("/transfer-checks", wanted(ann, f"guess{turn}@example.com", 10))
            assert_refused(answer, 409, "recipient_unavailable", "recipient")
        asked = wanted(ann, cleo, 10)
        refused = noon.write("/transfer-checks", asked, once="late")
        problem = assert_refused(refused, 429, "too_many_questions", "recipient")
        assert 1 <= int(refused["Retry-After"]) <= 3600
        assert problem["allowed_at"]
        counted = records(AuditRecord.Action.RECIPIENT_ASKED)
        assert [record.member for record in counted] == [ann] * 21
        assert [record.facts["outcome"] for record in counted] == ["unavailable"] * 20 + ["too_many"]
        assert {(record.actor_id, record.facts["source"]) for record in counted} == {(None, "noon")}
        # Whoever waits as long as they were told gets an answer, under the same key.
        with time_machine.travel(NOON + timedelta(seconds=int(refused["Retry-After"])), tick=False):
            assert noon.write("/transfer-checks", asked, once="late").status_code == 201

    def test_a_question_sent_again_is_not_counted_again(self, noon, ann):
        earn(ann, 100)
        for _again in range(3):
            answer = noon.write("/transfer-checks", wanted(ann, "guess@example.com", 10), once="one")
            assert_refused(answer, 409, "recipient_unavailable")
        assert len(records(AuditRecord.Action.RECIPIENT_ASKED)) == 1
        noon.write("/transfer-checks", wanted(ann, "guess@example.com", 10))
        assert len(records(AuditRecord.Action.RECIPIENT_ASKED)) == 2

    def test_what_is_left_of_a_limit_is_said_as_a_number(self, noon, ann, cleo):
        publish_alike(
            transfer_minimum_points=10,
            transfer_limit_points=60,
            transfer_day_limit_points=80,
            transfer_month_limit_points=90,
        )
        earn(ann, 500)
        give(noon, ann, cleo, 60)
        for points, status, code, name, value in (
            (9, 422, "too_few_to_transfer", "least_points", 10),
            (61, 422, "too_many_at_once", "limit_points", 60),
            (21, 409, "day_limit_reached", "limit_points", 20),
        ):
            answer = noon.write("/transfer-checks", wanted(ann, cleo, points))
            assert assert_refused(answer, status, code, "points")[name] == value


class TestCode:
    def test_goes_to_the_sender_and_to_nobody_else(self, noon, ann, cleo, mailoutbox):
        earn(ann, 100)
        checked = check(noon, ann, cleo, 10)
        answer = noon.write(f"/transfer-checks/{checked['id']}/code")
        assert answer.status_code == 202
        assert answer.json()["check"] == checked["id"]
        assert "ann@" not in answer.json()["sent_to"]
        assert answer.json()["sent_to"].endswith("@example.com")
        [letter] = mailoutbox
        assert letter.to == ["ann@example.com"]

    def test_is_in_no_answer(self, noon, ann, cleo):
        earn(ann, 100)
        checked = check(noon, ann, cleo, 10)
        code = send_code(noon, checked)
        noon.write("/transfers", {"check": checked["id"], "code": code})
        assert [kept for kept in ApiRequest.objects.all() if code in kept.answer] == []

    def test_sent_again_under_the_same_key_is_one_letter(self, noon, ann, cleo, mailoutbox):
        earn(ann, 100)
        checked = check(noon, ann, cleo, 10)
        for _again in range(3):
            assert noon.write(f"/transfer-checks/{checked['id']}/code", once="one").status_code == 202
        assert len(mailoutbox) == 1

    def test_a_transfer_without_the_one_it_needs_moves_nothing(self, noon, ann, cleo):
        earn(ann, 100)
        checked = check(noon, ann, cleo, 10)
        answer = noon.write("/transfers", {"check": checked["id"]})
        assert_refused(answer, 409, "proof_needed", "code")
        assert balance(ann).available == 100

    def test_a_wrong_one_is_counted_once_though_its_answer_is_kept(self, noon, ann, cleo):
        earn(ann, 100)
        checked = check(noon, ann, cleo, 10)
        code = send_code(noon, checked)
        wrong = {"check": checked["id"], "code": other_than(code)}
        first = noon.write("/transfers", wrong, once="one")
        assert assert_refused(first, 409, "wrong_proof", "code")["tries_left"] == 4
        for _again in range(3):
            again = noon.write("/transfers", wrong, once="one")
            assert (again.status_code, again.content) == (409, first.content)
            assert again["Idempotency-Replayed"] == "true"
        assert TransferIntent.objects.get().wrong_proofs == 1
        [failed] = records(AuditRecord.Action.PROOF_FAILED)
        assert (failed.member, failed.actor_id, failed.facts["source"]) == (ann, None, "noon")
        second = noon.write("/transfers", wrong)
        assert assert_refused(second, 409, "wrong_proof", "code")["tries_left"] == 3
        assert len(records(AuditRecord.Action.PROOF_FAILED)) == 2
        # The right one under the key of the wrong one is other content, and needs a key of its own.
        right = {"check": checked["id"], "code": code}
        assert_refused(noon.write("/transfers", right, once="one"), 422, "idempotency_key_reused")
        assert noon.write("/transfers", right).status_code == 201

    def test_after_five_wrong_ones_the_right_one_is_too_late(self, noon, ann, cleo):
        earn(ann, 100)
        checked = check(noon, ann, cleo, 10)
        code = send_code(noon, checked)
        wrong = {"check": checked["id"], "code": other_than(code)}
        codes = [noon.write("/transfers", wrong).json()["code"] for _turn in range(8)]
        assert codes == ["wrong_proof"] * 4 + ["check_over"] * 4
        assert len(records(AuditRecord.Action.PROOF_FAILED)) == 5
        late = noon.write("/transfers", {"check": checked["id"], "code": code})
        assert_refused(late, 409, "check_over")
        assert balance(ann).available == 100
        assert check(noon, ann, cleo, 10)["id"] != checked["id"]

    def test_after_ten_wrong_ones_an_hour_has_to_pass(self, noon, ann, cleo):
        earn(ann, 100)
        for _turn in range(2):
            checked = check(noon, ann, cleo, 10)
            wrong = {"check": checked["id"], "code": other_than(send_code(noon, checked))}
            for _try in range(5):
                assert noon.write("/transfers", wrong).status_code == 409
        checked = check(noon, ann, cleo, 10)
        refused = noon.write("/transfers", {"check": checked["id"], "code": "123456"}, once="one")
        assert_refused(refused, 429, "too_many_wrong_proofs", "code")
        assert int(refused["Retry-After"]) == 3600
        assert len(records(AuditRecord.Action.PROOF_FAILED)) == 10

    def test_a_refusal_for_now_is_not_kept(self, noon, ann, cleo):
        earn(ann, 100)
        checked = check(noon, ann, cleo, 10)
        path = f"/transfer-checks/{checked['id']}/code"
        refused = next(answer for _turn in range(20) if (answer := noon.write(path)).status_code != 202)
        assert_refused(refused, 429, "code_sent_too_often", "code")
        kept = ApiRequest.objects.count()
        refused = noon.write(path, once="later")
        assert ApiRequest.objects.count() == kept
        with time_machine.travel(NOON + timedelta(seconds=int(refused["Retry-After"])), tick=False):
            assert noon.write(path, once="later").status_code in (202, 409)

    def test_a_password_is_nothing_for_a_shop_to_ask(self, noon, ann, cleo):
        earn(ann, 100)
        checked = check(noon, ann, cleo, 10)
        answer = noon.write("/transfers", {"check": checked["id"], "password": "secret"})
        assert_refused(answer, 422, "invalid_request", "password")
