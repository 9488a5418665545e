"""Drafts of an edition: made, changed by one colleague at a time, deleted."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Unpack

from django.db import transaction
from django.db.models import ProtectedError

from accounts.models import User
from loyalty.errors import AlreadyPublished, DraftChanged, DraftKept, RulesRefused
from loyalty.models import RuleSet, Tier
from loyalty.services.rules.problems import rule_problems
from loyalty.services.rules.specs import RuleSettings, TierSpec, settings_of, specs_of, tier_in_place


@transaction.atomic
def create_draft(
    *,
    tiers: Sequence[TierSpec] | None = None,
    copy_of: RuleSet | None = None,
    drafted_by: User | None = None,
    at: datetime | None = None,
    **settings: Unpack[RuleSettings],
) -> RuleSet:
    """A new draft: the given tiers, lowest first, and settings; what is not given is as in `copy_of`.

    `drafted_by` and `at` say who made it and when, where somebody did in the console.

    Raises:
        RulesRefused: the first of `rule_problems`; nothing is kept.
    """
    copied = settings_of(copy_of) if copy_of else {}
    draft = RuleSet(**{**copied, **settings}, copied_from=copy_of, drafted_by=drafted_by, drafted_at=at)
    if tiers is None:
        tiers = specs_of(copy_of) if copy_of else []
    steps = [tier_in_place(spec, position) for position, spec in enumerate(tiers)]
    for problem in rule_problems(draft, steps):
        raise problem
    draft.save()
    _put(draft, steps)
    return draft


def copy_edition(*, copy_of: RuleSet, at: datetime, drafted_by: User) -> RuleSet:
    """A draft with everything as it is in that edition: to change it, or to go back to it."""
    return create_draft(copy_of=copy_of, drafted_by=drafted_by, at=at)


def draft_problems(
    *, draft: RuleSet, tiers: Sequence[TierSpec], settings: RuleSettings
) -> list[RulesRefused]:
    """Everything that would be wrong with the draft if it were changed so, all at once.

    `tier_position` of a problem is the tier's place among the given `tiers`, whatever their order;
    settings that are not given stay as the draft has them. Nothing is written.
    """
    order = _by_threshold(tiers)
    changed = RuleSet(**{**settings_of(draft), **settings})
    steps = [tier_in_place(tiers[given], position) for position, given in enumerate(order)]
    problems = rule_problems(changed, steps)
    for problem in problems:
        if problem.tier_position is not None:
            problem.tier_position = order[problem.tier_position]
    return problems


@transaction.atomic
def update_draft(
    *,
    draft: RuleSet,
    revision: int,
    tiers: Sequence[TierSpec],
    settings: RuleSettings,
    at: datetime,
    actor_id: int | None,
) -> RuleSet:
    """Change a draft that was read at that revision; its tiers are put in the order of their thresholds.

    The draft has a new revision then, also where nothing differs. `actor_id` and `at` are kept as who
    worked on it last, and when.

    Raises:
        AlreadyPublished: it is no draft any more, or was deleted.
        DraftChanged: somebody has saved it since.
        RulesRefused: the first of `draft_problems`; nothing is kept.
    """
    current = _locked(draft)
    if current.revision != revision:
        raise DraftChanged
    for problem in draft_problems(draft=current, tiers=tiers, settings=settings):
        raise problem
    for name, value in settings.items():
        setattr(current, name, value)
    current.revision += 1
    current.drafted_at, current.drafted_by_id = at, actor_id
    current.save()
    current.tiers.all().delete()
    _put(current, [tier_in_place(tiers[given], place) for place, given in enumerate(_by_threshold(tiers))])
    return current


@transaction.atomic
def delete_draft(*, draft: RuleSet) -> None:
    """Delete a draft, with what was computed of it.

    Raises:
        AlreadyPublished: it is no draft any more, or was deleted.
        DraftKept: a second person was asked about it.
    """
    try:
        _locked(draft).delete()
    except ProtectedError as error:
        raise DraftKept from error


def _locked(draft: RuleSet) -> RuleSet:
    current = RuleSet.objects.select_for_update().filter(pk=draft.pk, number=None).first()
    if current is None:
        raise AlreadyPublished
    return current


def _put(draft: RuleSet, steps: Sequence[Tier]) -> None:
    for step in steps:
        step.rule_set = draft
    Tier.objects.bulk_create(steps)


def _by_threshold(tiers: Sequence[TierSpec]) -> list[int]:
    """The places of the given tiers, lowest threshold first; thresholds that are no number come last."""

    def threshold(place: int) -> tuple[bool, Decimal]:
        value = tiers[place].threshold_sum
        return (False, value) if value.is_finite() else (True, Decimal(0))

    return sorted(range(len(tiers)), key=threshold)
