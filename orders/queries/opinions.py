"""Who is asked for their opinion, and when."""

from datetime import datetime, timedelta

from accounts.models import Member
from orders.models import Opinion, Order

MOST_SCORE = 10
ASKED_FROM_ORDER = 3
ASKED_AGAIN_AFTER = timedelta(days=90)


def may_be_asked(member: Member, at: datetime) -> bool:
    """Whether the question may stand on a page: from the third paid order on, and once in 90 days."""
    return (
        not member.is_sandbox
        and not answered_lately(member, at)
        and Order.objects.filter(member=member, paid_at__lte=at)[:ASKED_FROM_ORDER].count()
        == ASKED_FROM_ORDER
    )


def answered_lately(member: Member, at: datetime) -> bool:
    """Whether the member has answered or skipped the question in the last 90 days."""
    return Opinion.objects.filter(member=member, given_at__gt=at - ASKED_AGAIN_AFTER).exists()
