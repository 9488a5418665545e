"""Reads about people that more than one place asks for."""

from django.db.models import Case, Q, QuerySet, When

from accounts.models import Consent, Member, User


def members_by_contact(
    *, email: str | None = None, phone: str | None = None, is_sandbox: bool = False
) -> QuerySet[Member]:
    """The members with that e-mail or that phone: none, one, or two if they belong to two people.

    Both are expected as `accounts.contacts` writes them. Whoever has the e-mail comes first.
    Members of the sandbox are found only when they are asked for, and then nobody else is.
    """
    has_contact = Q(pk=None)
    if email:
        has_contact |= Q(email=email)
    if phone:
        has_contact |= Q(phone=phone)
    return Member.objects.filter(has_contact, is_sandbox=is_sandbox).order_by(
        Case(When(email=email, then=0), default=1), "pk"
    )


def consents(*, user: User | None = None, member: Member | None = None) -> QuerySet[Consent]:
    """Everything the person agreed to or took back, newest first.

    A member's consents include those of the login behind it, and a login's those of its member.
    """
    is_theirs = Q(pk=None)
    if user is not None:
        is_theirs |= Q(user=user) | Q(member__user=user)
    if member is not None:
        is_theirs |= Q(member=member)
        if member.user_id is not None:
            is_theirs |= Q(user=member.user_id)
    return Consent.objects.filter(is_theirs).order_by("-recorded_at", "-pk")


def consents_in_force(*, user: User | None = None, member: Member | None = None) -> QuerySet[Consent]:
    """The last consent of each kind, unless it was the one that took it back."""
    last_of_each_kind = (
        consents(user=user, member=member).order_by("kind", "-recorded_at", "-pk").distinct("kind")
    )
    return Consent.objects.filter(pk__in=last_of_each_kind.values("pk"), is_given=True).order_by("kind")
