"""The programme as a whole."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import F, Sum

from accounts.models import Member
from loyalty.models import LedgerAudit, PointsAccount
from loyalty.queries.audit import every_check
from loyalty.queries.balance import POINT_WORTH_SUM


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
