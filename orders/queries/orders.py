"""Orders with what belongs to them in the ledger."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from accounts.models import Member
from accounts.queries import members_by_contact
from loyalty.models import Credit, Hold, Posting, Purpose, Spending
from orders.models import Order


def member_of_contact(*, email: str | None, phone: str | None, is_sandbox: bool = False) -> Member | None:
    """The member who has proved that this e-mail or phone is theirs."""
    for member in members_by_contact(email=email, phone=phone, is_sandbox=is_sandbox):
        if email and member.email == email and member.email_verified_at:
            return member
        if phone and member.phone == phone and member.phone_verified_at:
            return member
    return None


def open_holds(order: Order) -> Iterable[Hold]:
    """What is set aside for an order, in the order in which it was."""
    return Hold.objects.filter(posting_id__in=_postings(order), is_open=True).order_by("posting_id")


def open_spendings(order: Order) -> list[Spending]:
    """What was spent on an order and not given back, the latest first."""
    spendings = Spending.objects.filter(posting_id__in=_postings(order)).order_by("-posting_id")
    return [spending for spending in spendings if spending.points > spending.given_back_points]


def open_credits(order: Order) -> list[Credit]:
    """What an order earned its member and was not taken back, the latest first."""
    earned = _postings(order).filter(purpose=Purpose.ORDER)
    credited = Credit.objects.filter(posting_id__in=earned).order_by("-posting_id")
    return [credit for credit in credited if credit.points > credit.taken_back_points]


def _postings(order: Order) -> QuerySet[Posting]:
    return Posting.objects.filter(order_id=order.pk).only("pk")


def waiting_orders(member: Member) -> QuerySet[Order]:
    """Orders of nobody yet, sent with a contact that this member has verified; oldest first."""
    contacts = Q()
    if member.email and member.email_verified_at:
        contacts |= Q(customer_email=member.email)
    if member.phone and member.phone_verified_at:
        contacts |= Q(customer_phone=member.phone)
    if not contacts:
        return Order.objects.none()
    waiting = Order.objects.filter(contacts, member=None, source__is_sandbox=member.is_sandbox)
    return waiting.order_by("placed_at", "pk")
