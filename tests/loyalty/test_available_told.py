"""Members are told when pending points become available: with the posting, and never of years gone by."""

from contextlib import suppress
from datetime import date, timedelta
from importlib import import_module

import pytest
from django.core import mail
from django.db import connection, transaction

from accounts.models import LetterPreference, Message, Topic
from accounts.services.waiting_letters import send_waiting_letters
from loyalty.models import Purpose
from loyalty.services import ledger
from loyalty.services.ledger import CreditRow, Note
from tests.clock import NOON, TOMORROW_NOON
from tests.factories import MemberFactory
from tests.loyalty.points import NEW_YEAR, earn, execute, new_key, settle, spend, take_back


def told(member):
    return [
        (message.facts["points"], message.facts["debt_points"], message.happened_at)
        for message in Message.objects.filter(member=member, kind="points_available").order_by("pk")
    ]


def test_maturing_tells_the_member_once(ada):
    ledger.credit(
        key=new_key(),
        account_id=ada.pk,
        points=150,
        at=NOON,
        available_at=TOMORROW_NOON,
        expires_on=NEW_YEAR,
        note=Note(purpose=Purpose.ORDER, order_id=7, explanation={"order": "A-1"}),
    )
    assert told(ada) == []

    settle(TOMORROW_NOON)
    settle(TOMORROW_NOON)

    message = Message.objects.get()
    assert (message.member, message.kind, message.happened_at) == (ada, "points_available", TOMORROW_NOON)
    assert message.wants_letter
    assert message.facts == {
        "points": 150,
        "debt_points": 0,
        "expires_on": NEW_YEAR.isoformat(),
        "purpose": "order",
        "order": "A-1",
    }


def test_whatever_touches_the_account_first_tells(ada):
    earn(ada, 150, available_at=TOMORROW_NOON)

    spend(ada, 100, at=TOMORROW_NOON + timedelta(hours=1))

    assert told(ada) == [(150, 0, TOMORROW_NOON)]


def test_what_is_credited_at_once_tells_nothing_more(ada):
    earn(ada, 150)

    assert not Message.objects.exists()


def test_what_was_taken_back_meanwhile_is_left_out(ada):
    credit_id = earn(ada, 150, available_at=TOMORROW_NOON)
    gone_id = earn(ada, 20, available_at=TOMORROW_NOON)
    take_back(credit_id, 50)
    take_back(gone_id, 20)

    settle(TOMORROW_NOON)

    assert told(ada) == [(100, 0, TOMORROW_NOON)]


@pytest.mark.parametrize(("debt", "expected"), [(40, [(110, 40, TOMORROW_NOON)]), (150, []), (200, [])])
def test_what_settles_a_debt_is_not_available(ada, debt, expected):
    earn(ada, 150, available_at=TOMORROW_NOON)
    ledger.adjust(key=new_key(), account_id=ada.pk, points=-debt, at=NOON, may_owe=True)

    settle(TOMORROW_NOON)

    assert told(ada) == expected


@pytest.mark.parametrize(("days_later", "is_told"), [(0, True), (6, True), (8, False)])
def test_old_news_are_told_to_nobody(ada, days_later, is_told):
    earn(ada, 150, available_at=TOMORROW_NOON)

    settle(TOMORROW_NOON + timedelta(days=days_later))

    assert bool(told(ada)) is is_told


def test_members_of_the_sandbox_are_told_nothing(db):
    member = MemberFactory(is_sandbox=True, user=None)
    earn(member, 150, available_at=TOMORROW_NOON)

    settle(TOMORROW_NOON)

    assert not Message.objects.exists()


def test_nobody_is_told_while_years_gone_by_are_taken_over(ada, ben):
    earn(ada, 150, available_at=TOMORROW_NOON)
    with transaction.atomic(), ledger.nobody_told():
        settle(TOMORROW_NOON)
    earn(ben, 150, available_at=TOMORROW_NOON)
    settle(TOMORROW_NOON)

    assert told(ada) == []
    assert told(ben) == [(150, 0, TOMORROW_NOON)]


def test_kernel_that_still_tells_may_do_so_when_its_migration_is_taken_back(ada):
    migration = import_module("loyalty.migrations.0008_kernel_tells").Migration
    with connection.schema_editor() as editor:
        for operation in reversed(migration.operations):
            operation.database_backwards("loyalty", editor, None, None)
    earn(ada, 150, available_at=TOMORROW_NOON)

    settle(TOMORROW_NOON)

    assert told(ada) == [(150, 0, TOMORROW_NOON)]


def test_telling_goes_on_after_an_error_that_is_caught(ada):
    earn(ada, 150, available_at=TOMORROW_NOON)
    with transaction.atomic():
        with suppress(ValueError), ledger.nobody_told():
            raise ValueError
        settle(TOMORROW_NOON)

    assert told(ada) == [(150, 0, TOMORROW_NOON)]


def test_nobody_is_told_within_until_the_outer_end(ada):
    earn(ada, 150, available_at=TOMORROW_NOON)
    with transaction.atomic(), ledger.nobody_told():
        with ledger.nobody_told():
            pass
        settle(TOMORROW_NOON)

    assert told(ada) == []


def test_many_credits_at_once_tell_as_one_by_one_do(ada, ben):
    def rows(member, key_of):
        moments = [NOON + timedelta(days=day) for day in (0, 0, 3, 20, 21)]
        return [
            CreditRow(
                key=key_of(),
                account_id=member.pk,
                points=10 + turn,
                at=at,
                available_at=at + timedelta(days=2),
                expires_on=date(2028, 1, 1),
                note=Note(purpose=Purpose.ORDER, order_id=turn, explanation={"order": f"A-{turn}"}),
            )
            for turn, at in enumerate(moments)
        ]

    ledger.credit_many(rows=rows(ada, new_key))
    for row in rows(ben, new_key):
        ledger.credit(**vars(row))

    # The first two became news with the credit three days later; the third was old by the fourth.
    assert told(ada) == told(ben) == [(10, 0, NOON + timedelta(days=2)), (11, 0, NOON + timedelta(days=2))]


def test_message_and_posting_come_and_go_together(transactional_db):
    member = MemberFactory()
    earn(member, 150, available_at=TOMORROW_NOON)
    execute(
        """create function cut_at_message() returns trigger language plpgsql as $$
           begin raise exception 'cut here'; end $$;
           create trigger cut_at_message after insert on accounts_message
               for each row execute function cut_at_message()"""
    )
    try:
        with pytest.raises(Exception, match="cut here"):
            settle(TOMORROW_NOON)
    finally:
        execute("drop function cut_at_message cascade")
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from loyalty_posting where kind = 'mature'")
        assert cursor.fetchone() == (0,)

    settle(TOMORROW_NOON)

    assert told(member) == [(150, 0, TOMORROW_NOON)]


def test_letter_goes_to_who_wants_it_and_counts_what_is_left(ada):
    LetterPreference.objects.create(member=ada, topic=Topic.AVAILABLE, is_wanted=True, changed_at=NOON)
    earn(ada, 150, available_at=TOMORROW_NOON)
    settle(TOMORROW_NOON)
    spend(ada, 100, at=TOMORROW_NOON)

    send_waiting_letters(at=TOMORROW_NOON)

    (letter,) = mail.outbox
    assert "50\u00a0" in letter.subject
    assert "150" not in letter.body


def test_letter_is_not_sent_once_all_is_spent(ada):
    LetterPreference.objects.create(member=ada, topic=Topic.AVAILABLE, is_wanted=True, changed_at=NOON)
    earn(ada, 150, available_at=TOMORROW_NOON)
    settle(TOMORROW_NOON)
    spend(ada, 150, at=TOMORROW_NOON)

    send_waiting_letters(at=TOMORROW_NOON)

    assert mail.outbox == []
    assert Message.objects.get().letter_outcome == "outdated"
