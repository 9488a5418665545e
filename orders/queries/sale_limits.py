"""What keeps a colleague from registering a sale: whom they have invited, and how much staff may sell."""

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from accounts.models import Member, User
from accounts.roles import is_supervisor
from orders.errors import OwnInvitation, SaleTooLarge
from orders.models import Order, OrderStep
from orders.queries.sales import SALES_CODE
from referrals.models import Referral


def refuse_own_friend(*, member: Member, actor_id: int) -> None:
    """Let nobody register a sale that brings their own account a share.

    Raises:
        OwnInvitation: the colleague has invited the member, and shares follow from it.
    """
    if Referral.objects.filter(invited=member, inviter__user_id=actor_id, ended_at=None).exists():
        raise OwnInvitation


def refuse_large_sale(*, total_sum: Decimal, actor_id: int, at: datetime) -> None:
    """Let staff register no more than their limits; a supervisor has none.

    Raises:
        SaleTooLarge: the sum is above what they may register at once, or above what is left today.
    """
    if is_supervisor(User.objects.get(pk=actor_id)):
        return
    sale_sum, day_sum = Decimal(settings.STAFF_SALE_SUM), Decimal(settings.STAFF_SALE_DAY_SUM)
    left_sum = max(day_sum - _sold_today_sum(actor_id, at), Decimal(0))
    if total_sum > min(sale_sum, left_sum):
        raise SaleTooLarge(sale_sum, day_sum, left_sum)


def _sold_today_sum(actor_id: int, at: datetime) -> Decimal:
    """What the colleague has registered since midnight, whatever was returned of it since."""
    midnight = timezone.localtime(at, timezone.get_default_timezone()).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    sales = Order.objects.filter(
        source__code=SALES_CODE,
        placed_at__gte=midnight,
        steps__kind=OrderStep.Kind.PLACED,
        steps__actor_id=actor_id,
    )
    return sales.aggregate(total=Sum("total_sum"))["total"] or Decimal(0)
