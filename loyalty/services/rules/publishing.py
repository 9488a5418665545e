"""A draft becomes an edition, or an edition that has not taken effect is withdrawn."""

from datetime import datetime, timedelta

from django.db import connection, models, transaction

from accounts.models import User
from loyalty.errors import (
    AlreadyInForce,
    AlreadyPublished,
    AlreadyWithdrawn,
    EffectiveTooEarly,
    ReasonMissing,
)
from loyalty.models import RuleSet, Standing
from loyalty.queries.rules import editions, tiers_of
from loyalty.services.rules.problems import rule_problems

# One number at a time is given away, under this key of PostgreSQL's advisory locks.
PUBLISHING_LOCK = 20_260_310
# An order that is paid while an edition is being withdrawn must not find it in force.
WITHDRAWING_TAKES = timedelta(seconds=5)


def lock_publishing() -> timedelta:
    """Let nobody else publish or withdraw rules until the caller's transaction is over.

    Returns how long others have kept it waiting: so much later it is than the caller thinks.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s), clock_timestamp() - statement_timestamp()", [PUBLISHING_LOCK]
        )
        waited: timedelta = cursor.fetchone()[1]
    return waited


@transaction.atomic
def publish_rule_set(
    *,
    rule_set: RuleSet,
    effective_at: datetime,
    published_at: datetime,
    reason: str,
    published_by: User | None = None,
) -> RuleSet:
    """Make a draft the next edition, in force from `effective_at` on; it never changes again.

    A moment in the past is for taking over history: orders that were paid keep their edition.
    Tiers of members are recounted apart, by `recount_standings`, once the edition is in force.

    Raises:
        AlreadyPublished: it is no draft any more.
        EffectiveTooEarly: it would take effect before the edition that it follows.
        ReasonMissing: `reason` is empty.
        RulesRefused: the first of `rule_problems`.
    """
    lock_publishing()
    draft = RuleSet.objects.select_for_update().filter(pk=rule_set.pk, number=None).first()
    if draft is None:
        raise AlreadyPublished
    if not reason.strip():
        raise ReasonMissing("reason")
    for problem in rule_problems(draft, tiers_of(draft)):
        raise problem
    previous = editions().first()
    if previous and previous.effective_at and effective_at < previous.effective_at:
        raise EffectiveTooEarly(previous.effective_at)
    # A withdrawn edition keeps its number, too.
    draft.number = (RuleSet.objects.aggregate(last=models.Max("number"))["last"] or 0) + 1
    draft.effective_at = effective_at
    draft.published_at = published_at
    draft.published_by = published_by
    draft.reason = reason.strip()
    draft.save()
    return draft


@transaction.atomic
def withdraw_rule_set(*, rule_set: RuleSet, at: datetime, by: User) -> RuleSet:
    """Withdraw an edition before it takes effect: it never does, and keeps its number.

    Editions that are to take effect later stay as they are.

    Raises:
        AlreadyInForce: its moment has come or is seconds away, or a member is counted by it already.
        AlreadyWithdrawn: somebody was quicker.
    """
    waited = lock_publishing()
    edition = RuleSet.objects.select_for_update().get(pk=rule_set.pk, number__isnull=False)
    if edition.withdrawn_at is not None:
        raise AlreadyWithdrawn
    done_at = at + waited + WITHDRAWING_TAKES
    if edition.effective_at is not None and edition.effective_at <= done_at:
        raise AlreadyInForce
    # Another server's clock may run ahead of this one's.
    if Standing.objects.filter(tier__rule_set=edition).exists():
        raise AlreadyInForce
    edition.withdrawn_at, edition.withdrawn_by = at, by
    edition.save(update_fields=["withdrawn_at", "withdrawn_by"])
    return edition
