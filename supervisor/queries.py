"""The programme as a whole."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import F, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Member
from loyalty.models import LedgerAudit, PointsAccount, RuleSet
from loyalty.queries.audit import every_check
from loyalty.queries.balance import POINT_WORTH_SUM
from loyalty.templatetags.numbers import figures, points, rate


@dataclass(frozen=True)
class Finding:
    """One check of an audit: which promise, in a sentence, and how many rows broke it."""

    promise: str
    sentence: str
    rows_count: int
    found_count: int


@dataclass(frozen=True)
class AuditCard:
    """The last audit of the ledger."""

    ran_at: datetime
    is_clean: bool
    rows_count: int
    duration: timedelta
    findings: list[Finding]


def members_count() -> int:
    """How many members the programme has, without those of sandboxes."""
    return Member.objects.filter(is_sandbox=False).count()


def outstanding_points() -> int:
    """What all members together have, debts taken off; expired points that no job has posted yet included.

    Points of sandboxes are worth nothing and are not counted.
    """
    of_sandboxes = Member.objects.filter(is_sandbox=True).values("pk")
    accounts = PointsAccount.objects.filter(pk__gt=0).exclude(pk__in=of_sandboxes)
    sums = accounts.aggregate(
        total=Sum(F("available_points") + F("pending_points") + F("held_points") - F("debt_points"))
    )
    return sums["total"] or 0


def outstanding_worth_sum(outstanding: int) -> Decimal:
    """What outstanding points are worth in the programme's currency."""
    return outstanding * POINT_WORTH_SUM


def last_audit() -> AuditCard | None:
    """The last run of the ledger's audit, if there was one."""
    audit = LedgerAudit.objects.order_by("-ran_at").first()
    if audit is None:
        return None
    sentences = {check.name: str(check.sentence) for check in every_check()}
    return AuditCard(
        ran_at=audit.ran_at,
        is_clean=audit.is_clean,
        rows_count=audit.rows_count,
        duration=timedelta(seconds=audit.duration_seconds),
        findings=[
            Finding(
                finding["promise"],
                sentences.get(finding["name"], finding["name"]),
                finding["rows_count"],
                finding["found_count"],
            )
            for finding in audit.findings
        ],
    )


def settings_in_words(rule_set: RuleSet) -> list[str]:
    """What an edition sets beside its tiers, one sentence each."""
    sentences = [
        _("Paid orders of all time decide the tier.")
        if rule_set.paid_sum_months is None
        else ngettext(
            "Paid orders of the last %(count)s month decide the tier.",
            "Paid orders of the last %(count)s months decide the tier.",
            rule_set.paid_sum_months,
        )
        % {"count": rule_set.paid_sum_months},
        _("Earned points are rounded %(rounding)s, once per order.")
        % {"rounding": RuleSet.Rounding(rule_set.rounding).label},
        _("Points may pay for up to %(share)s of an order.") % {"share": rate(rule_set.redemption_cap_rate)},
    ]
    if rule_set.redemption_minimum_points:
        sentences.append(
            _("The least that can be spent on an order: %(points)s.")
            % {"points": points(rule_set.redemption_minimum_points)}
        )
    if rule_set.waiting_days:
        sentences.append(
            ngettext(
                "Earned points can be spent after %(count)s day.",
                "Earned points can be spent after %(count)s days.",
                rule_set.waiting_days,
            )
            % {"count": figures(rule_set.waiting_days)}
        )
    else:
        sentences.append(_("Earned points can be spent at once."))
    sentences.append(_life_in_words(rule_set))
    return sentences


def _life_in_words(rule_set: RuleSet) -> str:
    if rule_set.life_end == RuleSet.LifeEnd.NEVER:
        return _("Points never expire.")
    life = ngettext(
        "Points live for %(count)s month, %(end)s.",
        "Points live for %(count)s months, %(end)s.",
        rule_set.life_months,
    )
    return life % {"count": rule_set.life_months, "end": RuleSet.LifeEnd(rule_set.life_end).label}
