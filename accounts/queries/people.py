"""Reads about people that more than one place asks for."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models import Case, Count, Max, Q, QuerySet, When
from django.utils.crypto import constant_time_compare

from accounts.models import Consent, ContactChange, Device, Member, Message, User

MESSAGES_PER_PAGE = 25


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


class ConsentStanding(NamedTuple):
    """One kind of consent: the latest record of it, if there is any."""

    kind: str
    label: str
    latest: Consent | None

    @property
    def is_given(self) -> bool:
        """Whether the consent is in force."""
        return self.latest is not None and self.latest.is_given


def consent_standings(history: list[Consent]) -> list[ConsentStanding]:
    """Each kind of consent, from the records of one person, given newest first."""
    latest = {consent.kind: consent for consent in reversed(history)}
    return [ConsentStanding(kind.value, str(kind.label), latest.get(kind)) for kind in Consent.Kind]


def contact_changes(member: Member) -> QuerySet[ContactChange]:
    """Everything that the member asked to change about their contacts."""
    return ContactChange.objects.filter(member=member)


def open_contact_change(member: Member, *, at: datetime) -> ContactChange | None:
    """The request whose codes the member may still enter."""
    return contact_changes(member).filter(ended_at=None, expires_at__gt=at).first()


def confirming_contact(member: Member, kind: str) -> str:
    """The contact at which the member must allow a change of that kind.

    It is the one in use if it is verified, then the other one, then the address of the login, which
    was verified before the first sign-in.
    """
    own = member.verified_phone if kind == ContactChange.Kind.PHONE else None
    return own or member.letter_address or ""


def language_of_other_owner(*, kind: str, contact: str, member: Member) -> str | None:
    """The language of whoever else has that contact, as a member or as a login; None when nobody has.

    A login that is no member yet is written to in the language of who asks. One that has signed up
    with the address and never proved it does not have it, or anybody could keep it from its owner.
    """
    is_email = kind == ContactChange.Kind.EMAIL
    others = members_by_contact(email=contact) if is_email else members_by_contact(phone=contact)
    language = others.exclude(pk=member.pk).values_list("language", flat=True).first()
    is_others_login = (
        is_email
        and User.objects.exclude(member=member)
        .exclude(pk__in=unproven_logins(contact))
        .filter(Q(email=contact) | Q(emailaddress__email=contact, emailaddress__verified=True))
        .exists()
    )
    return language or (member.language if is_others_login else None)


def unproven_logins(email: str) -> QuerySet[User]:
    """The login, if there is one, that signed up with that address and has proved none; nobody can use it.

    A login with a role is not among them: the first superuser is made in the shell, and whoever made
    it vouches for its address.
    """
    signed_up = User.objects.filter(email=email, member=None, groups=None, is_superuser=False)
    return signed_up.exclude(pk__in=EmailAddress.objects.filter(verified=True).values("user"))


class MessagesPage(NamedTuple):
    """Some messages, newest first, and the ids that the pages beside them begin at, if there are any."""

    messages: list[Message]
    newer_cursor: int | None
    older_cursor: int | None


def messages_page(
    *, member: Member, before: int | None = None, after: int | None = None, limit: int = MESSAGES_PER_PAGE
) -> MessagesPage:
    """A page of a member's messages: the newest, or those next to an id; one query."""
    own = Message.objects.filter(member=member)
    if after is not None:
        found = list(own.filter(pk__gt=after).order_by("pk")[: limit + 1])
        messages, has_newer, has_older = found[:limit][::-1], len(found) > limit, True
    else:
        older = own if before is None else own.filter(pk__lt=before)
        found = list(older.order_by("-pk")[: limit + 1])
        messages, has_newer, has_older = found[:limit], before is not None, len(found) > limit
    return MessagesPage(
        messages=messages,
        newer_cursor=messages[0].pk if messages and has_newer else None,
        older_cursor=messages[-1].pk if messages and has_older else None,
    )


def last_member_id(device_token: UUID | None) -> int | None:
    """The member who used the browser with that token last; None without one."""
    used = (
        Device.objects.filter(token=device_token).order_by("-seen_at")
        if device_token
        else Device.objects.none()
    )
    return used.values_list("member_id", flat=True).first()


@dataclass(frozen=True)
class NewMessages:
    """How many messages a member has not seen yet, and the latest of them."""

    count: int
    latest_id: int | None


def new_messages(member: Member) -> NewMessages:
    """What the member has not seen yet; one query."""
    unseen = Message.objects.filter(member=member, seen_at=None)
    return NewMessages(**unseen.aggregate(count=Count("pk"), latest_id=Max("pk")))


def live_sessions(user: User, *, at: datetime) -> list[UserSession]:
    """Where the user is signed in, last seen first: sessions that have not ended, run out or been voided.

    A session is void once the password has changed. Two queries, however many sessions there are.
    """
    known = {one.session_key: one for one in UserSession.objects.filter(user=user)}
    stored = Session.objects.filter(session_key__in=known, expire_date__gt=at)
    live = [known[session.session_key] for session in stored if _is_session_of(user, session.get_decoded())]
    return sorted(live, key=lambda one: one.last_seen_at, reverse=True)


def _is_session_of(user: User, data: dict[str, str]) -> bool:
    is_valid = constant_time_compare(data.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())
    return data.get(SESSION_KEY) == str(user.pk) and is_valid
