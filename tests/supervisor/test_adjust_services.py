"""Balances that colleagues correct by hand: alone within limits, beyond them with a second person."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from accounts import services as accounts_services
from accounts.models import AuditRecord, Message
from accounts.roles import Role
from loyalty.errors import NotEnoughPoints
from loyalty.models import Cause, Posting, Purpose
from loyalty.services import ledger
from supervisor.errors import (
    AdjustmentDiffers,
    NothingToAdjust,
    OwnAccount,
    SecondPersonNeeded,
    WordsNeeded,
)
from supervisor.models import Approval
from supervisor.queries.adjustments import effect_of, limits_of, supervisors_for
from supervisor.services.adjustments import Adjusted, adjust_points
from supervisor.services.approvals import decide, withdraw_approval
from tests.clock import NOON, TOMORROW_NOON
from tests.factories import UserFactory
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import Balance, balance, earn, every_row, lots, new_key
from tests.loyalty.races import race


@pytest.fixture(autouse=True)
def limits(settings):
    """Small limits, easy to count with."""
    settings.STAFF_ADJUSTMENT_POINTS = 100
    settings.STAFF_ADJUSTMENT_DAY_POINTS = 250
    settings.SUPERVISOR_ADJUSTMENT_POINTS = 1_000
    settings.SUPERVISOR_ADJUSTMENT_DAY_POINTS = 2_500


def left_today(user, *, at=NOON) -> int:
    return limits_of(by=user, at=at).left_today_points


@pytest.fixture
def correct(ada, stan):
    """Stan corrects Ada's balance."""

    def adjusted(points: int, *, key: UUID | None = None, **more) -> Adjusted:
        facts = {
            "member": ada,
            "cause": Cause.GOODWILL,
            "text": "The parcel came late",
            "at": NOON,
            "by": stan,
        }
        return adjust_points(points=points, key=key or uuid4(), **{**facts, **more})

    return adjusted


def recorded() -> list[AuditRecord]:
    return list(AuditRecord.objects.filter(action="points_adjusted"))


# Alone


def test_points_given_live_as_the_edition_has_it(ada, stan, correct):
    publish_edition(life_months=6, life_end="day")

    adjusted = correct(50)

    posting = Posting.objects.get(pk=adjusted.posting_id)
    assert (posting.kind, posting.purpose, posting.actor_id) == ("adjust", Purpose.CORRECTION, stan.pk)
    assert posting.explanation == {"cause": "goodwill", "text": "The parcel came late"}
    assert lots(ada) == {NOON.date().replace(month=9) - timedelta(days=1): (50, 0)}
    assert adjusted.approval is None


def test_points_are_taken_away_too(ada, correct):
    earn(ada, 80)

    correct(-50)

    assert balance(ada).available == 30


def test_nobody_is_taken_below_zero(ada, correct):
    earn(ada, 30)
    before = every_row()

    with pytest.raises(NotEnoughPoints):
        correct(-50)

    assert every_row() == before
    assert recorded() == []
    assert not Message.objects.exists()


def test_refused_form_may_be_sent_again_once_there_is_enough(ada, correct):
    key = uuid4()
    with pytest.raises(NotEnoughPoints):
        correct(-50, key=key)
    earn(ada, 50)

    correct(-50, key=key)

    assert balance(ada).available == 0


def test_points_given_settle_a_debt_first(ada, correct):
    ledger.adjust(key=new_key(), account_id=ada.pk, points=-30, at=NOON, may_owe=True)
    foreseen = effect_of(member=ada, points=50, at=NOON)

    correct(50)

    assert balance(ada) == Balance(available=20)
    assert (foreseen.available_after_points, foreseen.debt_after_points) == (20, 0)


def test_it_is_written_down_without_the_words(ada, stan, correct):
    adjusted = correct(50)

    (kept,) = recorded()
    assert (kept.member, kept.actor_id, kept.actor_role) == (ada, stan.pk, "staff")
    assert kept.facts == {"points": 50, "cause": "goodwill", "posting": adjusted.posting_id}


def test_member_is_told_with_the_words(ada, correct):
    earn(ada, 80)
    adjusted = correct(-50, cause=Cause.MISTAKE, text="Counted twice")

    message = Message.objects.get(member=ada)
    assert (message.kind, message.wants_letter) == ("points_adjusted", True)
    assert message.facts == {
        "points": 50,
        "is_given": False,
        "cause": "mistake",
        "text": "Counted twice",
        "expires_on": None,
        "posting_id": adjusted.posting_id,
    }


def test_how_many_and_why_are_needed(correct):
    with pytest.raises(NothingToAdjust):
        correct(0)
    with pytest.raises(WordsNeeded):
        correct(50, text="  ")


def test_nobody_corrects_their_own_balance(ada, correct):
    accounts_services.assign_role(user=ada.user, role=Role.STAFF)

    with pytest.raises(OwnAccount):
        correct(50, by=ada.user)

    assert balance(ada).available == 0


# Once


def test_same_form_sent_again_does_nothing_more(ada, correct):
    key = uuid4()

    first, second = correct(50, key=key), correct(50, key=key)

    assert first == second
    assert balance(ada).available == 50
    assert len(recorded()) == 1
    assert Message.objects.count() == 1


def test_same_form_sent_again_is_known_when_the_day_is_used_up(ada, stan, correct):
    key = uuid4()
    first = correct(100, key=key)
    correct(100), correct(50)

    assert correct(100, key=key) == first
    assert not Approval.objects.exists()
    assert balance(ada).available == 250


def test_same_key_with_other_content_is_refused(ada, ben, correct):
    key, asked_key = uuid4(), uuid4()
    correct(50, key=key)
    correct(500, key=asked_key)

    for used, points, member in [
        (key, 40, ada),
        (key, -50, ada),
        (key, 50, ben),
        (asked_key, 501, ada),
        (asked_key, 500, ben),
    ]:
        with pytest.raises(AdjustmentDiffers):
            correct(points, key=used, member=member)

    assert (balance(ada).available, balance(ben).available) == (50, 0)


def test_key_of_one_colleague_is_not_that_of_another(ada, sue, correct):
    key = uuid4()
    correct(50, key=key)

    correct(50, key=key, by=sue)

    assert balance(ada).available == 100


# Limits


def test_more_than_the_limit_waits_for_a_second_person(ada, stan, correct):
    adjusted = correct(101)

    approval = Approval.objects.get()
    assert adjusted == Adjusted(None, approval)
    assert (approval.kind, approval.member, approval.points) == ("adjustment", ada, 101)
    assert (approval.asked_by, approval.cause, approval.reason) == (stan, "goodwill", "The parcel came late")
    assert balance(ada).available == 0
    assert recorded() == []
    assert not Message.objects.exists()
    asked = AuditRecord.objects.get(action="approval_asked")
    assert (asked.member, asked.actor_id) == (ada, stan.pk)
    assert asked.facts == {"approval": approval.pk, "kind": "adjustment", "points": 101}


def test_limit_is_that_of_the_role(ada, stan, sue, correct):
    assert correct(1_000, by=sue).approval is None
    assert correct(1_001, by=sue).approval is not None
    assert (limits_of(by=stan, at=NOON).act_points, limits_of(by=sue, at=NOON).act_points) == (100, 1_000)


def test_day_counts_what_is_given_and_taken(ada, stan, ben, correct):
    correct(100)
    correct(-50)
    correct(100, member=ben)
    assert left_today(stan) == 0

    assert correct(1).approval is not None
    assert left_today(stan, at=TOMORROW_NOON) == 250
    assert correct(100, at=TOMORROW_NOON).approval is None


def test_day_begins_at_midnight_of_the_programme(stan, correct):
    midnight = NOON.replace(hour=0)
    correct(100, at=midnight - timedelta(seconds=1))

    assert left_today(stan, at=midnight) == 250
    correct(100, at=midnight)
    assert left_today(stan) == 150


def test_nobody_is_asked_for_what_cannot_be(ada, correct):
    earn(ada, 100)

    with pytest.raises(NotEnoughPoints):
        correct(-101)

    assert not Approval.objects.exists()


def test_who_may_approve(ada, stan, sue):
    other = UserFactory(first_name="Анна", last_name="А")
    gone = UserFactory(is_active=False)
    for user in (other, gone, ada.user):
        accounts_services.assign_role(user=user, role=Role.SUPERVISOR)

    assert supervisors_for(member=ada, asked_by=stan) == [other, sue]
    assert supervisors_for(member=ada, asked_by=sue) == [other]


# A second person


def test_approved_correction_is_made_in_the_name_of_who_asked(ada, stan, sue, correct):
    approval = correct(500).approval

    decide(approval=approval, is_approved=True, reason="", at=NOON, by=sue)

    assert balance(ada).available == 500
    assert Posting.objects.get(kind="adjust").actor_id == stan.pk
    (kept,) = recorded()
    assert kept.actor_id == stan.pk
    assert (kept.facts["approval"], kept.facts["approved_by"]) == (approval.pk, sue.pk)
    assert Message.objects.get(member=ada).kind == "points_adjusted"


def test_approved_correction_uses_up_nobodys_day(ada, stan, sue, correct):
    decide(approval=correct(500).approval, is_approved=True, reason="", at=NOON, by=sue)

    assert (left_today(stan), left_today(sue)) == (250, 2_500)


def test_who_asked_cannot_approve(ada, sue, correct):
    approval = correct(5_000, by=sue).approval

    with pytest.raises(SecondPersonNeeded):
        decide(approval=approval, is_approved=True, reason="", at=NOON, by=sue)

    assert balance(ada).available == 0


def test_nobody_approves_for_their_own_account(ada, correct):
    accounts_services.assign_role(user=ada.user, role=Role.SUPERVISOR)
    approval = correct(500).approval

    with pytest.raises(OwnAccount):
        decide(approval=approval, is_approved=True, reason="", at=NOON, by=ada.user)

    assert balance(ada).available == 0


def test_approval_of_what_cannot_be_any_more_stays_open(ada, sue, correct):
    earn(ada, 200)
    approval = correct(-200).approval
    ledger.spend(key=new_key(), account_id=ada.pk, points=1, at=NOON)

    with pytest.raises(NotEnoughPoints):
        decide(approval=approval, is_approved=True, reason="", at=NOON, by=sue)

    approval.refresh_from_db()
    assert approval.decided_at is None
    earn(ada, 1)
    decide(approval=approval, is_approved=True, reason="", at=NOON, by=sue)
    assert balance(ada).available == 0


def test_withdrawn_and_declined_move_nothing(ada, stan, sue, correct):
    withdraw_approval(approval=correct(500).approval, at=NOON, by=stan)
    decide(approval=correct(500).approval, is_approved=False, reason="Too much", at=NOON, by=sue)

    assert balance(ada).available == 0
    assert recorded() == []


# At the same moment


@pytest.mark.django_db(transaction=True)
def test_limit_of_the_day_holds_when_ten_are_sent_at_once(ada, correct):
    outcomes = race(*[lambda: correct(100) for _ in range(10)])

    made = [outcome for outcome in outcomes if outcome.posting_id]
    assert len(made) == 2
    assert balance(ada).available == 200
    assert Approval.objects.count() == 8


@pytest.mark.django_db(transaction=True)
def test_limit_of_the_day_holds_over_different_members(ada, ben, correct):
    outcomes = race(*[lambda member=member: correct(100, member=member) for member in (ada, ben) * 4])

    assert sum(outcome.posting_id is not None for outcome in outcomes) == 2
    assert balance(ada).available + balance(ben).available == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("points", [50, 500])
def test_same_form_sent_ten_times_at_once_is_done_once(ada, correct, points):
    key = uuid4()

    outcomes = race(*[lambda: correct(points, key=key)] * 10)

    assert len({outcome.posting_id for outcome in outcomes}) == 1
    assert Posting.objects.filter(kind="adjust").count() + Approval.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_approved_by_two_at_once_it_is_made_once(ada, sue, correct):
    other = UserFactory()
    accounts_services.assign_role(user=other, role=Role.SUPERVISOR)
    approval = correct(500).approval

    race(
        *[
            lambda by=by: decide(approval=approval, is_approved=True, reason="", at=NOON, by=by)
            for by in (sue, other) * 3
        ]
    )

    assert balance(ada).available == 500
