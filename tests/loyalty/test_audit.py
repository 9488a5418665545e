"""The audit finds what breaks a promise, and nothing else."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from loyalty.models import LedgerAudit, Standing, Tier
from loyalty.queries.audit import CHECKS, SHOWN_ROWS, Check, every_check, findings
from loyalty.queries.audit.guards import WRITTEN_TABLES
from loyalty.services import ledger
from loyalty.services.audit import run_audit
from loyalty.services.transfers import reverse_transfer
from tests.clock import NOON, TOMORROW_NOON
from tests.factories import MemberFactory
from tests.loyalty.points import TODAY, earn, execute, fetch, give, give_back, hold, new_key, spend, take_back
from tests.loyalty.transfers.giving import transfer as give_points

# What somebody with all rights could do to each promise. `ada` and `ben` are account ids.
SABOTAGE = {
    "posting_sums_to_zero": "update loyalty_entry set points = points + 1 where account_id = -1",
    "posting_has_entries": """delete from loyalty_entry
        where posting_id = (select min(posting_id) from loyalty_entry)""",
    "posting_names_its_origin": "update loyalty_posting set origin_id = null where kind = 'capture'",
    "guards_are_in_place": "alter table loyalty_entry disable trigger sums_to_zero",
    "nobody_else_may_write": "grant update on loyalty_lot to public",
    "account_equals_entries": """update loyalty_points_account set available_points = available_points + 1
        where id = {ada}""",
    "account_equals_lots": "update loyalty_lot set points = points + 1 where account_id = {ada}",
    "lot_equals_entries": "update loyalty_lot set held_points = points",
    "entry_names_its_own_lot": """update loyalty_entry set lot_id = (
        select min(id) from loyalty_lot where account_id = {ben})
        where account_id = {ada} and lot_id is not null""",
    "pending_equals_credits": "update loyalty_credit set matured_at = now()",
    "held_equals_holds": "update loyalty_hold set released_points = points - captured_points",
    "account_is_somebodys": "update loyalty_points_account set id = 999999999 where id = {ada}",
    "issued_is_somewhere": "update loyalty_entry set points = points - 1 where account_id = -1",
    "never_below_zero": "update loyalty_entry set debt_after_points = 5 where account_id = {ada}",
    "limits_are_in_place": "alter table loyalty_lot drop constraint lot_holds_what_it_has",
    "hold_is_settled_once": "update loyalty_hold set captured_points = captured_points + 1",
    "spending_is_given_back_once": "update loyalty_spending set given_back_points = given_back_points + 1",
    "credit_is_taken_back_once": "update loyalty_credit set taken_back_points = taken_back_points + 1",
    "operation_has_its_record": "delete from loyalty_spending",
    "request_has_one_effect": "delete from loyalty_request",
    "nothing_leaves_after_its_last_day": """update loyalty_lot set expires_on = '2026-01-01'
        where account_id = {ada}""",
    "nothing_expires_on_its_last_day": """update loyalty_posting set effective_at = '2026-01-01'
        where kind = 'expire'""",
    "credit_keeps_its_life": """update loyalty_lot set expires_on = '2030-01-01'
        where account_id = {ada} and id = (select max(id) from loyalty_lot
        where account_id = {ada})""",
    "transfer_keeps_days_and_funds": "update loyalty_lot set fund = 'partners' where account_id = {ben}",
    "given_back_points_live_on": """update loyalty_posting set effective_at = '2027-01-01'
        where kind = 'give_back'""",
    "earning_explains_itself": "update loyalty_posting set purpose = 'order' where kind = 'credit'",
    "nobody_is_counted_by_withdrawn_rules": """update loyalty_rule_set
        set effective_at = now(), withdrawn_at = published_at""",
    "versions_have_no_gap": """update loyalty_entry set version = version + 1000
        where account_id = {ada} and version > 2""",
    "balance_after_adds_up": """update loyalty_entry set held_after_points = held_after_points + 1
        where account_id = {ada} and version > 2""",
    "time_goes_forward": """update loyalty_entry set recorded_at = recorded_at - interval '1 day'
        where account_id = {ada} and version = 3""",
    "paid_sum_equals_its_steps": "update loyalty_standing set paid_sum = 1000",
    "transfer_equals_its_posting": "update loyalty_transfer set points = points + 1",
    "transfer_equals_its_reversal": """update loyalty_transfer set ended_actor_id = 5
        where taken_back_at is not null""",
    "transfer_is_between_members": "update loyalty_transfer_intent set recipient_id = 999999999",
    "transfer_comes_from_one_intent": "update loyalty_transfer set proof = 'code'",
}


@pytest.fixture
def busy_ledger(ada, ben):
    """Every kind of operation has happened, and a tier has been reached."""
    credit_id = earn(ada, 100)
    earn(ada, 10, available_at=TOMORROW_NOON)
    earn(ada, 10, available_at=NOON + timedelta(hours=1))
    earn(ben, 5, until=TODAY)
    spending_id = spend(ada, 20)
    give_back(spending_id, 5)
    hold_id = hold(ada, 20)
    ledger.capture(key=new_key(), hold_id=hold_id, points=5, at=NOON)
    ledger.release(key=new_key(), hold_id=hold_id, points=5, at=NOON)
    take_back(credit_id, 10)
    give(ada, ben, 10)
    ledger.adjust(key=new_key(), account_id=ben.pk, points=-500, at=NOON, may_owe=True)
    give(ada, ben, 10)
    undone = give(ada, cid := MemberFactory(), 10)
    ledger.reverse(key=new_key(), posting_id=undone, at=NOON, least_expires_on=TODAY)
    give_points(ada, ben, 1)
    reverse_transfer(transfer=give_points(ada, cid, 10), reason="A test", at=NOON, actor_id=ada.user_id)
    earn(cid, 7, until=TODAY)
    ledger.settle_due(at=TOMORROW_NOON - timedelta(hours=1), limit=100)
    Standing.objects.create(member=ada, tier=Tier.objects.order_by("position")[0], since_at=NOON)


def broken(checks=CHECKS):
    return {finding.check.name for finding in findings(checks) if finding.found_count}


def test_audit_of_a_busy_ledger_finds_nothing(busy_ledger):
    kinds = {kind for (kind,) in fetch("select distinct kind from loyalty_posting")}
    assert len(kinds) == 12

    assert broken() == set()


def test_every_check_has_its_sabotage():
    assert sorted(check.name for check in CHECKS) == sorted(SABOTAGE)


@pytest.mark.parametrize("name", SABOTAGE)
def test_audit_finds_what_breaks_the_promise(busy_ledger, ada, ben, name):
    for statement in (
        # Somebody who owns the tables: no trigger stops them, and no constraint.
        *(
            f"alter table {table} disable trigger user"
            for table in (*WRITTEN_TABLES, "loyalty_transfer", "loyalty_rule_set")
        ),
        "alter table loyalty_hold drop constraint hold_is_settled_once",
        "alter table loyalty_spending drop constraint spending_is_given_back_once",
        SABOTAGE[name].format(ada=ada.pk, ben=ben.pk),
    ):
        execute(statement)

    assert name in broken()


def test_audit_finds_a_trigger_that_is_gone(busy_ledger):
    execute("drop trigger only_added_to on loyalty_entry")
    assert broken() == {"guards_are_in_place"}


def test_audit_shows_the_first_rows_and_counts_all(db):
    many = Check(
        promise="L0",
        name="many",
        sentence="Many.",
        looks_at="generate_series(1, 7)",
        broken="select n as id, 'x' as word from generate_series(1, 1000) as n",
    )

    (finding,) = findings([many])

    assert (finding.rows_count, finding.found_count, len(finding.found_rows)) == (7, 1000, SHOWN_ROWS)
    assert finding.found_rows[0] == {"id": "1", "word": "x"}


def test_checks_of_other_apps_are_found():
    names = [check.name for check in every_check()]
    assert set(SABOTAGE) <= set(names)
    assert len(names) == len(set(names))


@pytest.mark.django_db(transaction=True)
def test_run_audit_keeps_what_it_found(ada):
    earn(ada, 100)
    execute("grant update on loyalty_lot to public")
    try:
        audit = run_audit(at=NOON, checks=CHECKS)
    finally:
        execute("revoke update on loyalty_lot from public")

    kept = LedgerAudit.objects.get()
    assert (kept.pk, kept.ran_at, kept.is_clean) == (audit.pk, NOON, False)
    (found,) = [finding for finding in kept.findings if finding["found_count"]]
    assert found["promise"] == "L1"
    assert found["name"] == "nobody_else_may_write"
    assert found["found_rows"] == [{"relname": "loyalty_lot", "grantee": "-", "privilege_type": "UPDATE"}]
    assert kept.rows_count == sum(finding["rows_count"] for finding in kept.findings)


@pytest.mark.django_db(transaction=True)
def test_command_prints_a_line_per_check_and_fails_when_one_is_broken(ada, in_english):
    earn(ada, 100)
    output = StringIO()
    call_command("audit_ledger", stdout=output, no_color=True)
    lines = output.getvalue().splitlines()
    assert len(lines) == len(every_check()) + 2
    assert lines[-1] == "Every promise holds."

    execute("grant delete on loyalty_entry to public")
    try:
        with pytest.raises(CommandError, match="1 promise is broken") as failure:
            call_command("audit_ledger", stdout=output, no_color=True)
    finally:
        execute("revoke delete on loyalty_entry from public")
    assert failure.value.returncode == 1
    assert "relname loyalty_entry, grantee -, privilege_type DELETE" in output.getvalue()
