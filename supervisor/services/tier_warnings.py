"""Members are told before they fall by an edition that is yet to take effect."""

from collections.abc import Iterator
from datetime import datetime

from procrastinate.contrib.django import app

from accounts.services.messages import Telling
from loyalty.models import RuleSet, Tier
from loyalty.queries.rules import missing_sum, rule_set_in_force, scheduled, successions, tiers_of
from loyalty.services.telling import Why
from loyalty.services.tier_warnings import at_risk, tell_in_batches, warned_until_at
from supervisor.queries.what_if import ChangedMember, Example, changed_members

# The job is called by name: jobs call services, and not the other way round.
TELL_FALLS_TASK = "supervisor.jobs.tell_falls"


def tell_falls(*, at: datetime) -> int:
    """Tell members who fall by an edition that takes effect within BALLADA_TIER_WARNING_DAYS.

    Each is told once for the edition, as things are when they are told. Returns how many fall.
    """
    live = rule_set_in_force(at)
    coming = scheduled(at).filter(effective_at__lte=warned_until_at(at))
    return sum(tell_in_batches(_falls(edition, live, at)) for edition in coming)


def tell_falls_soon() -> None:
    """Have the worker tell whoever falls by what was just published, if the caller commits."""
    app.configure_task(TELL_FALLS_TASK).defer(timestamp=0)


def fall_telling(
    *,
    member: ChangedMember | Example,
    from_tier: Tier,
    same: Tier | None,
    to_tier: Tier,
    until_at: datetime,
    at: datetime,
) -> Telling:
    """What a member is told who falls to a tier by its edition; `same` is what their own becomes in it."""
    number = to_tier.rule_set.number
    return at_risk(
        member_id=member.member_id,
        tier=from_tier,
        to_tier=to_tier,
        until_at=until_at,
        to_keep_sum=missing_sum(same, to_tier, member.paid_sum),
        why=Why.RULES,
        key=f"tier_at_risk:edition:{number}",
        at=at,
        edition=number,
    )


def _falls(edition: RuleSet, live: RuleSet, at: datetime) -> Iterator[Telling]:
    become = successions(tiers_of(live), tiers_of(edition))
    now = {tier.name: tier for tier in tiers_of(live)}
    then = {tier.name: tier for tier in tiers_of(edition)}
    for member in changed_members(draft=edition, live=live, at=at):
        if member.is_rise or edition.effective_at is None:
            continue
        yield fall_telling(
            member=member,
            from_tier=now[member.from_name],
            same=become[member.from_name].same,
            to_tier=then[member.to_name],
            until_at=edition.effective_at,
            at=at,
        )
