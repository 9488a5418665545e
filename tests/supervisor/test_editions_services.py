"""A draft becomes an edition in the console: checks, a second person, the journal, races."""

from datetime import timedelta

import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import AuditRecord
from accounts.roles import Role
from accounts.services import assign_role
from loyalty.errors import (
    AlreadyInForce,
    AlreadyPublished,
    AlreadyWithdrawn,
    DraftKept,
    EffectiveTooEarly,
    ReasonMissing,
    ReasonNeeded,
)
from loyalty.models import RuleSet
from loyalty.queries.rules import rule_set_in_force
from loyalty.services.rules import copy_edition, delete_draft, specs_of, update_draft
from supervisor.errors import (
    ApprovalOver,
    ApprovalWaiting,
    EffectiveInThePast,
    NotYours,
    PreviewNotReady,
    PreviewOutdated,
    SecondPersonNeeded,
    SupervisorNeeded,
)
from supervisor.models import JobRun
from supervisor.queries.approvals import open_approvals, open_approvals_count
from supervisor.services.approvals import decide, withdraw_approval
from supervisor.services.editions import ask_publication, needs_second_person, withdraw_edition
from supervisor.services.job_runs import CARRY_OUT_TASK
from tests.clock import AN_HOUR_LATER, NOON, TOMORROW_NOON
from tests.factories import UserFactory
from tests.loyalty.editions import draft_edition, publish_edition
from tests.loyalty.races import race
from tests.supervisor.publishing import previewed

Action = AuditRecord.Action


@pytest.fixture
def sam(db):
    """Another supervisor."""
    user = UserFactory(first_name="Сэм", email="sam@example.com")
    assign_role(user=user, role=Role.SUPERVISOR)
    return user


def publish(preview, by, *, effective_at=None, reason="Spring", at=NOON):
    return ask_publication(preview=preview, effective_at=effective_at, reason=reason, at=at, by=by)


def agree(approval, by, *, at=AN_HOUR_LATER):
    return decide(approval=approval, is_approved=True, reason="", at=at, by=by)


def journal(action):
    return [
        (record.actor_id, record.actor_role, record.facts)
        for record in AuditRecord.objects.filter(action=action).order_by("pk")
    ]


def test_publishing_at_once_puts_the_edition_into_force_with_its_recount_and_a_record(sue):
    preview = previewed(sue, falling=5)

    done = publish(preview, sue, reason=" Spring ")

    edition = rule_set_in_force(NOON)
    assert (done.rule_set, done.approval) == (edition, None)
    assert (edition.number, edition.reason, edition.published_by) == (2, "Spring", sue)
    assert (done.job_run.kind, done.job_run.facts, done.job_run.begins_at) == (
        JobRun.Kind.RECOUNT,
        {"rule_set_id": edition.pk, "edition": 2},
        NOON,
    )
    job = ProcrastinateJob.objects.get(task_name="supervisor.jobs.carry_out")
    assert (job.args, job.scheduled_at) == ({"job_run_id": done.job_run.pk}, None)
    assert journal(Action.RULES_PUBLISHED) == [
        (
            sue.pk,
            "supervisor",
            {
                "edition": 2,
                "effective_at": NOON.isoformat(),
                "reason": "Spring",
                "preview": preview.pk,
                "members_count": 100,
                "rising_count": 7,
                "falling_count": 5,
                "worse_off_count": 0,
            },
        )
    ]


def test_publishing_for_a_moment_recounts_from_then_on(sue):
    done = publish(previewed(sue), sue, effective_at=TOMORROW_NOON)

    assert rule_set_in_force(AN_HOUR_LATER).number == 1
    assert rule_set_in_force(TOMORROW_NOON) == done.rule_set
    assert done.job_run.begins_at == TOMORROW_NOON
    recount = ProcrastinateJob.objects.get(task_name=CARRY_OUT_TASK)
    assert recount.scheduled_at == TOMORROW_NOON


def test_publishing_refuses_what_nobody_has_seen_as_it_is_now(sue):
    waiting = previewed(sue, draft_edition())
    JobRun.objects.filter(pk=waiting.job_run_id).update(outcome="", finished_at=None)
    failed = previewed(sue, outcome=JobRun.Outcome.FAILED)
    for preview in (waiting, failed):
        with pytest.raises(PreviewNotReady):
            publish(preview, sue)

    changed = previewed(sue)
    update_draft(
        draft=changed.draft, revision=1, tiers=specs_of(changed.draft), settings={}, at=NOON, actor_id=sue.pk
    )
    beside_older_rules = previewed(sue)
    publish(previewed(sue), sue)
    old = previewed(sue, at=NOON - timedelta(hours=24, seconds=1))
    for preview in (changed, beside_older_rules, old):
        with pytest.raises(PreviewOutdated):
            publish(preview, sue)
    assert RuleSet.objects.filter(number__isnull=False).count() == 2

    # A day is long enough to sleep on it.
    assert publish(previewed(sue, at=NOON - timedelta(hours=24)), sue).rule_set.number == 3


def test_publishing_refuses_no_reason_and_a_moment_that_has_passed(sue):
    preview = previewed(sue)

    with pytest.raises(ReasonMissing) as refusal:
        publish(preview, sue, reason=" ")
    assert refusal.value.field == "reason"
    with pytest.raises(EffectiveInThePast) as refusal:
        publish(preview, sue, effective_at=NOON - timedelta(seconds=1))
    assert refusal.value.field == "effective_at"

    publish(preview, sue, effective_at=TOMORROW_NOON)
    with pytest.raises(EffectiveTooEarly):
        publish(previewed(sue), sue)
    assert JobRun.objects.filter(kind=JobRun.Kind.RECOUNT).count() == 1
    assert len(journal(Action.RULES_PUBLISHED)) == 1


def test_publishing_a_second_time_says_that_it_is_done(sue):
    preview = previewed(sue)
    publish(preview, sue)

    with pytest.raises(AlreadyPublished):
        publish(preview, sue)

    preview.draft.refresh_from_db()
    assert preview.draft.number == 2


@pytest.mark.parametrize(
    ("members", "falling", "expected"),
    [(100, 5, False), (100, 6, True), (101, 5, False), (119, 6, True), (0, 0, False), (1, 1, True)],
)
def test_more_than_5_percent_falling_or_worse_off_needs_a_second_person(sue, members, falling, expected):
    assert needs_second_person(previewed(sue, members=members, falling=falling)) is expected
    assert needs_second_person(previewed(sue, members=members, worse_off=falling)) is expected


def test_a_great_fall_is_published_once_a_second_supervisor_agrees(sue, sam, stan):
    preview = previewed(sue, falling=6)

    asked = publish(preview, sue, effective_at=TOMORROW_NOON)

    approval = asked.approval
    assert (asked.job_run, asked.rule_set.number) == (None, None)
    assert (list(open_approvals()), open_approvals_count()) == ([approval], 1)
    assert [facts for _actor, _role, facts in journal(Action.APPROVAL_ASKED)] == [
        {
            "approval": approval.pk,
            "kind": "publication",
            "draft": preview.draft_id,
            "preview": preview.pk,
            "members_count": 100,
            "falling_count": 6,
            "worse_off_count": 0,
        }
    ]
    with pytest.raises(SecondPersonNeeded):
        agree(approval, sue)
    with pytest.raises(SupervisorNeeded):
        agree(approval, stan)
    with pytest.raises(ApprovalWaiting):
        publish(preview, sam)

    decided = agree(approval, sam)

    assert (decided.decision, decided.decided_by, decided.decided_at) == ("approved", sam, AN_HOUR_LATER)
    edition = RuleSet.objects.get(number=2)
    assert (edition.published_by, edition.effective_at, edition.reason) == (sue, TOMORROW_NOON, "Spring")
    assert JobRun.objects.get(kind=JobRun.Kind.RECOUNT).begins_at == TOMORROW_NOON
    [(actor_id, _role, facts)] = journal(Action.RULES_PUBLISHED)
    assert (actor_id, facts["approved_by"], facts["falling_count"]) == (sue.pk, sam.pk, 6)
    assert journal(Action.APPROVAL_DECIDED) == [
        (
            sam.pk,
            "supervisor",
            {
                "approval": approval.pk,
                "kind": "publication",
                "decision": "approved",
                "asked_by": sue.pk,
            },
        )
    ]
    with pytest.raises(ApprovalOver):
        agree(approval, sam)


def test_agreeing_checks_everything_again_and_leaves_the_question_open(sue, sam):
    approval = publish(previewed(sue, falling=6), sue, effective_at=AN_HOUR_LATER).approval

    with pytest.raises(EffectiveInThePast):
        agree(approval, sam, at=AN_HOUR_LATER + timedelta(seconds=1))
    with pytest.raises(PreviewOutdated):
        agree(approval, sam, at=TOMORROW_NOON + timedelta(seconds=1))
    publish_edition(effective_at=NOON)
    with pytest.raises(PreviewOutdated):
        agree(approval, sam)

    assert list(open_approvals()) == [approval]
    assert RuleSet.objects.filter(number=3).count() == 0


def test_declining_takes_a_reason_and_leaves_the_draft(sue, sam):
    preview = previewed(sue, falling=6)
    approval = publish(preview, sue).approval

    with pytest.raises(ReasonNeeded) as refusal:
        decide(approval=approval, is_approved=False, reason=" ", at=NOON, by=sam)
    assert refusal.value.field == "reason"
    decide(approval=approval, is_approved=False, reason="Too hard", at=NOON, by=sam)

    approval.refresh_from_db()
    assert (approval.decision, approval.decision_reason) == ("declined", "Too hard")
    assert RuleSet.objects.get(pk=preview.draft_id).number is None
    # The record of it stays, and so does the draft; asking again is a new question.
    with pytest.raises(DraftKept):
        delete_draft(draft=preview.draft)
    assert publish(preview, sue).approval.pk != approval.pk


def test_whoever_asked_may_withdraw_it_and_nobody_else(sue, sam):
    approval = publish(previewed(sue, falling=6), sue).approval

    with pytest.raises(NotYours):
        withdraw_approval(approval=approval, at=NOON, by=sam)
    withdraw_approval(approval=approval, at=NOON, by=sue)

    assert open_approvals_count() == 0
    with pytest.raises(ApprovalOver):
        agree(approval, sam)
    assert [facts["decision"] for _actor, _role, facts in journal(Action.APPROVAL_DECIDED)] == ["withdrawn"]


def test_withdrawing_an_edition_calls_its_recount_off(sue, sam):
    done = publish(previewed(sue), sue, effective_at=TOMORROW_NOON)

    withdraw_edition(rule_set=done.rule_set, at=AN_HOUR_LATER, by=sam)

    done.job_run.refresh_from_db()
    assert (done.job_run.outcome, done.job_run.cancel_asked_by) == (JobRun.Outcome.CANCELLED, sam)
    assert journal(Action.RULES_WITHDRAWN) == [(sam.pk, "supervisor", {"edition": 2})]
    with pytest.raises(AlreadyWithdrawn):
        withdraw_edition(rule_set=done.rule_set, at=AN_HOUR_LATER, by=sam)
    in_force = publish(previewed(sue), sue)
    with pytest.raises(AlreadyInForce):
        withdraw_edition(rule_set=in_force.rule_set, at=NOON, by=sue)
    in_force.job_run.refresh_from_db()
    assert not in_force.job_run.is_over


def test_going_back_publishes_an_old_edition_as_a_new_one(sue):
    first = rule_set_in_force(NOON)
    publish(previewed(sue), sue)

    back = copy_edition(copy_of=first, at=NOON, drafted_by=sue)
    done = publish(previewed(sue, back), sue, reason="The new rules were not understood")

    assert (done.rule_set.number, done.rule_set.copied_from) == (3, first)
    assert specs_of(done.rule_set) == specs_of(first)
    assert RuleSet.objects.filter(number__isnull=False).count() == 3


@pytest.mark.django_db(transaction=True)
def test_confirmations_at_once_publish_once(sue, sam):
    previews = [previewed(sue), previewed(sue)]

    outcomes = race(
        *(
            lambda preview=preview, by=by: publish(preview, by)
            for preview in previews
            for by in (sue, sam, sue)
        )
    )

    # Of one draft the second confirmation finds an edition; of the other one, rules that have changed.
    names = sorted(type(outcome).__name__ for outcome in outcomes)
    assert names == ["AlreadyPublished"] * 2 + ["PreviewOutdated"] * 3 + ["Publication"]
    assert RuleSet.objects.filter(number__isnull=False).count() == 2
    assert JobRun.objects.filter(kind=JobRun.Kind.RECOUNT).count() == 1
    assert len(journal(Action.RULES_PUBLISHED)) == 1


@pytest.mark.django_db(transaction=True)
def test_second_persons_at_once_publish_once(sue, sam):
    others = [sam]
    for number in range(3):
        other = UserFactory(email=f"other{number}@example.com")
        assign_role(user=other, role=Role.SUPERVISOR)
        others.append(other)
    approval = publish(previewed(sue, falling=50), sue).approval

    outcomes = race(
        *(lambda by=by: agree(approval, by, at=NOON) for by in others),
        lambda: withdraw_approval(approval=approval, at=NOON, by=sue),
    )

    names = sorted(type(outcome).__name__ for outcome in outcomes)
    assert names == ["Approval"] + ["ApprovalOver"] * 4
    approval.refresh_from_db()
    published = RuleSet.objects.filter(number=2).count()
    assert published == (1 if approval.decision == "approved" else 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(5))
def test_a_draft_saved_while_it_is_published_is_published_as_previewed_or_not_at_all(turn, sue):
    preview = previewed(sue)
    draft = preview.draft

    def save():
        return update_draft(
            draft=draft, revision=1, tiers=specs_of(draft)[:1], settings={}, at=NOON, actor_id=sue.pk
        )

    outcomes = race(lambda: publish(preview, sue), save)

    draft.refresh_from_db()
    assert (draft.number is not None) == (draft.tiers.count() == 3)
    assert sum(isinstance(outcome, Exception) for outcome in outcomes) == 1
    connection.close()
