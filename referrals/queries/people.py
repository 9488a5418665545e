"""Who invited whom, and whether two members look like one."""

from datetime import datetime, timedelta

from accounts.models import ContactChange, Member
from loyalty.models import PaidSumEntry
from referrals.models import Referral

TILL_DAYS = timedelta(days=7)


def inviter_id_of(member_id: int) -> int | None:
    """The member who invited this one, by id."""
    return Referral.objects.filter(invited_id=member_id).values_list("inviter_id", flat=True).first()


def referral_of(member: Member) -> Referral | None:
    """How a member was invited, with the inviter at hand."""
    referral = Referral.objects.select_related("inviter").filter(invited=member).first()
    if referral is not None:
        referral.invited = member
    return referral


def may_be_noted_at_till(member: Member, at: datetime) -> bool:
    """Whether the member is still new enough for staff to note who invited them."""
    return at - member.joined_at <= TILL_DAYS


def first_moment_uncounted(member: Member, at: datetime) -> datetime:
    """The first moment, from `at` on, after all orders that were counted for the member so far.

    An order may have been paid a moment later than a clock was read, and be counted before the
    member's account was locked; or at a till whose clock runs ahead.
    """
    entries = PaidSumEntry.objects.filter(member=member, counted_at__gte=at).order_by("-counted_at")
    last_at = entries.values_list("counted_at", flat=True).first()
    return at if last_at is None else last_at + timedelta(microseconds=1)


def mailbox(email: str) -> str:
    """The mailbox behind an address: dots before the @ and what follows a plus make no other one."""
    local, _at, domain = email.strip().lower().rpartition("@")
    return f"{local.partition('+')[0].replace('.', '')}@{domain}"


def mailboxes_of(member: Member) -> set[str]:
    """The mailboxes that a member has or had: in the programme, as a login, before a change."""
    emails = {member.email, member.user.email if member.user else None}
    emails |= _contacts_of(member, ContactChange.Kind.EMAIL)
    return {mailbox(email) for email in emails if email}


def phones_of(member: Member) -> set[str]:
    """The phones that a member has or had, in E.164."""
    phones = _contacts_of(member, ContactChange.Kind.PHONE)
    return phones | {str(member.phone)} if member.phone else phones


def _contacts_of(member: Member, kind: ContactChange.Kind) -> set[str]:
    """The contacts that a member had and then got by a change that was confirmed."""
    changes = member.contact_changes.filter(kind=kind, outcome=ContactChange.Outcome.CONFIRMED)
    return {contact for pair in changes.values_list("current_contact", "new_contact") for contact in pair}
