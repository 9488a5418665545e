"""The first steps of a member, ticked off from what really happened.

Other apps add theirs in a module of the same name: `every_step` collects the `STEPS` of every installed
app's `queries/steps`, so that loyalty knows nobody above it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from django.db.models import BigIntegerField, Exists, OuterRef
from django.db.models.expressions import RawSQL

from accounts.collected import collected
from accounts.models import Member
from loyalty.models import RuleSet, Transfer
from loyalty.queries.rules import rule_set_in_force, tiers_of

SHOWN_STEPS = 3


@dataclass(frozen=True, kw_only=True)
class StepKind:
    """Something that a new member does for the first time.

    `is_done` gives the condition for a row of Member, by a moment. `is_possible` says whether the
    edition lets anybody do it. Of all that are possible, the first three in their `place` are shown.
    """

    name: str
    place: int
    is_done: Callable[[datetime], Exists]
    is_possible: Callable[[RuleSet], bool]


@dataclass(frozen=True)
class Step:
    """One of the steps, and whether it is done."""

    name: str
    is_done: bool

    @property
    def template(self) -> str:
        """What the page draws it with."""
        return f"loyalty/balance/steps/{self.name}.html"


@dataclass(frozen=True)
class FirstSteps:
    """The steps that the edition in force allows, and what the member was given for joining."""

    steps: Sequence[Step]
    is_shown: bool
    welcome_points: int = 0

    @property
    def done_count(self) -> int:
        """How many of them are done."""
        return sum(step.is_done for step in self.steps)


# Welcome points come with the first movements of an account: no more of it is read.
WELCOME_POINTS = """
    (select coalesce(sum(entry.points), 0)::bigint
       from loyalty_entry entry join loyalty_posting posting on posting.id = entry.posting_id
      where entry.account_id = accounts_member.id and entry.version <= 10
        and posting.kind = 'credit' and posting.purpose = 'welcome')
"""


def first_steps(member: Member, at: datetime, *, rule_set: RuleSet | None = None) -> FirstSteps:
    """What a new member may do first, and what of it was done by `at`; no query once it was put away.

    Else it takes one, and one more where the edition in force is not given.

    They are shown until all of them are done or the member has put them away.

    Raises:
        NoRulesInForce: the moment lies before the first edition.
    """
    if member.steps_hidden_at is not None:
        return FirstSteps(steps=[], is_shown=False)
    rule_set = rule_set or rule_set_in_force(at)
    kinds = [kind for kind in every_step() if kind.is_possible(rule_set)][:SHOWN_STEPS]
    facts = (
        Member.objects.filter(pk=member.pk)
        .annotate(
            welcome_points=RawSQL(WELCOME_POINTS, (), output_field=BigIntegerField()),  # noqa: S611, our own
            **{f"did_{kind.name}": kind.is_done(at) for kind in kinds},
        )
        .values("welcome_points", *(f"did_{kind.name}" for kind in kinds))
        .get()
    )
    steps = [Step(kind.name, facts[f"did_{kind.name}"]) for kind in kinds]
    return FirstSteps(
        steps=steps,
        is_shown=not all(step.is_done for step in steps),
        welcome_points=facts["welcome_points"],
    )


def every_step() -> list[StepKind]:
    """The steps of all installed apps, in the order in which they are offered."""
    kinds: Iterable[StepKind] = chain.from_iterable(collected("queries.steps", "STEPS"))
    return sorted(kinds, key=lambda kind: kind.place)


def _gave_points(at: datetime) -> Exists:
    return Exists(Transfer.objects.filter(sender=OuterRef("pk"), made_at__lte=at))


STEPS = (
    StepKind(
        name="transfer",
        place=4,
        is_done=_gave_points,
        is_possible=lambda rule_set: rule_set.transfers_allowed,
    ),
)


def lets_spend(rule_set: RuleSet) -> bool:
    """Whether points may pay a part of anybody's order."""
    caps = [tier.redemption_cap_rate for tier in tiers_of(rule_set)]
    return any(rule_set.redemption_cap_rate if cap is None else cap for cap in caps)


def rewards_friends(rule_set: RuleSet) -> bool:
    """Whether an invitation brings points to anybody: to the one who invites, or to the friend."""
    return rule_set.welcome_points > 0 or any(tier.referral_rate for tier in tiers_of(rule_set))
