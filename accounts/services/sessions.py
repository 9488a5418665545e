"""The places where somebody is signed in: when and in which browser each was last used, and ending them."""

from datetime import datetime
from uuid import UUID

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest

from accounts.models import Device, Member, User


def note_seen(*, request: HttpRequest, seen_at: datetime) -> None:
    """Note that the request's session is in use, from where and by which browser."""
    is_known = UserSession.objects.filter(session_key=request.session.session_key, user=request.user).update(
        last_seen_at=seen_at,
        ip=get_adapter(request).get_client_ip(request),
        user_agent=_user_agent(request),
    )
    if not is_known:
        UserSession.objects.create_from_request(request)


def note_device(*, member: Member, token: UUID, seen_at: datetime) -> None:
    """Note that the member uses the browser with that token."""
    Device.objects.bulk_create(
        [Device(member=member, token=token, seen_at=seen_at)],
        update_conflicts=True,
        unique_fields=["member", "token"],
        update_fields=["seen_at"],
    )


@transaction.atomic
def end_sessions(*, user: User, session_keys: list[str]) -> int:
    """Sign the user out of those sessions that are theirs; how many were still there."""
    own = UserSession.objects.filter(user=user, session_key__in=session_keys)
    ended_count, _ended = Session.objects.filter(session_key__in=own.values("session_key")).delete()
    own.delete()
    return ended_count


def end_other_sessions(*, user: User, kept_session_key: str | None) -> int:
    """Sign the user out everywhere but in that session; how many were ended."""
    others = UserSession.objects.filter(user=user).exclude(session_key=kept_session_key or "")
    return end_sessions(user=user, session_keys=list(others.values_list("session_key", flat=True)))


def _user_agent(request: HttpRequest) -> str:
    longest = UserSession._meta.get_field("user_agent").max_length
    return request.headers.get("User-Agent", "")[:longest]
