"""Crediting many rows at once is the same as crediting them one by one."""

import random
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from loyalty.errors import KeyReused, NoSuchAccount
from loyalty.models import Purpose
from loyalty.queries.audit import CHECKS, findings
from loyalty.services import ledger
from loyalty.services.ledger import CreditRow, Note
from tests.clock import NOON, TOMORROW_NOON
from tests.factories import MemberFactory
from tests.loyalty.points import TODAY, Balance, balance, fetch, new_key, settle

ROWS = 300


def random_rows(members, seed):
    dice = random.Random(seed)
    rows = [
        CreditRow(
            key=new_key(),
            account_id=dice.choice(members).pk,
            points=dice.randint(1, 100),
            at=NOON,
            available_at=NOON + timedelta(days=dice.choice([0, 0, 1, 14])),
            expires_on=dice.choice([None, *(TODAY + timedelta(days=days) for days in range(1, 6))]),
            note=Note(purpose=Purpose.ORDER, order_id=number, rule_set_id=1, explanation={"row": number}),
        )
        for number in range(ROWS)
    ]
    # Some rows come again, next to themselves or far away.
    return rows + dice.sample(rows, 20) + rows[:3] * 2


def one_by_one(rows):
    return sum(not ledger.credit(**vars(row)).is_repeat for row in rows)


def debtors_and_others():
    """Members of whom some owe, some have points, some have something due, and some are new."""
    members = [MemberFactory() for _ in range(12)]
    for number, member in enumerate(members):
        if number % 3 == 0:
            ledger.adjust(key=new_key(), account_id=member.pk, points=-150, at=NOON, may_owe=True)
        if number % 4 == 0:
            ledger.credit(
                key=new_key(),
                account_id=member.pk,
                points=40,
                at=NOON - timedelta(days=3),
                available_at=NOON - timedelta(hours=1),
                expires_on=TODAY - timedelta(days=number % 8 == 0),
            )
    return members


def what_came_of_it(members):
    """Everything but ids and moments of recording, with members by their place in the list."""
    place = {member.pk: number for number, member in enumerate(members)}
    ids = list(place)
    lots = fetch(
        """select account_id, expires_on, fund, points, held_points
             from loyalty_lot where account_id = any(%s)""",
        ids,
    )
    credited = fetch(
        """select account_id, points, fund, available_at, expires_on, matured_at
             from loyalty_credit where account_id = any(%s)""",
        ids,
    )
    postings = fetch(
        """select entry.account_id, posting.kind, posting.purpose, posting.order_id,
                  posting.explanation::text, entry.bucket, entry.points
             from loyalty_posting posting join loyalty_entry entry on entry.posting_id = posting.id
            where entry.account_id = any(%s)""",
        ids,
    )
    return [
        [balance(member, at=NOON + timedelta(days=days)) for member in members for days in (0, 1, 4, 20)],
        *(sorted((place[row[0]], *map(str, row[1:])) for row in rows) for rows in (lots, credited, postings)),
    ]


def rows_of_years(members, seed):
    """Orders of more than a year, in the order of time but for two members' whose files are mixed up."""
    dice = random.Random(seed)
    rows = []
    for number in range(ROWS):
        at = NOON - timedelta(days=400) + timedelta(days=dice.randint(0, 400), minutes=dice.randint(0, 900))
        available_at = at + timedelta(days=dice.choice([0, 0, 3, 14]))
        rows.append(
            CreditRow(
                key=new_key(),
                account_id=dice.choice(members).pk,
                points=dice.randint(1, 100),
                at=at,
                available_at=available_at,
                expires_on=dice.choice([None, (at + timedelta(days=dice.randint(2, 40))).date(), TODAY]),
                note=Note(purpose=Purpose.ORDER, order_id=number, rule_set_id=1, explanation={"row": number}),
            )
        )
    mixed_up = {members[1].pk, members[5].pk}
    in_time = iter(sorted((row for row in rows if row.account_id not in mixed_up), key=lambda row: row.at))
    return [row if row.account_id in mixed_up else next(in_time) for row in rows]


def statements(members):
    """Every member's entries one after the other, each with its moment and the balance after it."""
    return [
        fetch(
            """select posting.kind, posting.effective_at, entry.bucket, entry.points, lot.expires_on,
                      available_after_points, pending_after_points, held_after_points, debt_after_points
                 from loyalty_entry entry
                 join loyalty_posting posting on posting.id = entry.posting_id
                 left join loyalty_lot lot on lot.id = entry.lot_id
                where entry.account_id = %s order by version""",
            member.pk,
        )
        for member in members
    ]


def both_ways(make_members, make_rows, one_way, other_way):
    """What comes of the same rows by each way: (results, everything written, statements)."""
    results = []
    for way in (one_way, other_way):
        with transaction.atomic():
            members = make_members()
            counts = way(make_rows(members))
            assert [found.check.name for found in findings(CHECKS) if found.found_count] == []
            results.append((counts, what_came_of_it(members), statements(members)))
            transaction.set_rollback(True)
    return results


@pytest.mark.parametrize("seed", range(3))
def test_credit_many_is_credit_one_by_one(db, seed):
    one, many = both_ways(
        debtors_and_others,
        lambda members: random_rows(members, seed),
        lambda rows: (one_by_one(rows), one_by_one(rows), settle(NOON))[:2],
        lambda rows: (ledger.credit_many(rows=rows), ledger.credit_many(rows=rows), settle(NOON))[:2],
    )

    assert one[0] == (ROWS, 0)
    assert many == one


@pytest.mark.parametrize("seed", range(4))
def test_credit_many_of_years_gone_by_reads_as_if_they_had_been_lived_through(db, seed):
    one, many = both_ways(
        debtors_and_others,
        lambda members: rows_of_years(members, seed),
        lambda rows: (one_by_one(rows), settle(NOON))[0],
        lambda rows: ledger.credit_many(rows=rows, settle_until=NOON),
    )

    assert one[0] == ROWS
    assert many == one


def test_credit_many_of_a_key_with_other_content_credits_nothing(ada, ben):
    key = new_key()
    row = CreditRow(key, ada.pk, 10, NOON, NOON, None, ledger.NO_NOTE)
    other = CreditRow(key, ben.pk, 10, NOON, NOON, None, ledger.NO_NOTE)

    with pytest.raises(KeyReused), transaction.atomic():
        ledger.credit_many(rows=[row, other])
    assert balance(ada) == Balance()

    ledger.credit_many(rows=[row])
    with pytest.raises(KeyReused), transaction.atomic():
        ledger.credit_many(rows=[other])
    assert (balance(ada), balance(ben)) == (Balance(available=10), Balance())


def test_credit_many_with_a_bad_row_credits_nothing(ada):
    good = CreditRow(new_key(), ada.pk, 10, NOON, TOMORROW_NOON, None, ledger.NO_NOTE)
    nobody = CreditRow(new_key(), 2**40, 10, NOON, NOON, None, ledger.NO_NOTE)
    nothing = CreditRow(new_key(), ada.pk, 0, NOON, NOON, None, ledger.NO_NOTE)

    for bad, refusal in ((nobody, NoSuchAccount), (nothing, IntegrityError)):
        with pytest.raises(refusal), transaction.atomic():
            ledger.credit_many(rows=[good, bad])

    assert balance(ada) == Balance()


def test_credit_many_of_nothing_is_nothing(db):
    assert ledger.credit_many(rows=[]) == 0
