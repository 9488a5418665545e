"""What members are told about the security of their account: in the cabinet, and always by letter."""

from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from accounts.models import Device, Member
from accounts.origin import Origin
from accounts.services.messages import Telling, tell


class SecurityKind(StrEnum):
    """The kinds of these messages, by the names of their templates."""

    NEW_SIGN_IN = "new_sign_in"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  (no password)
    EMAIL_CHANGED = "email_changed"
    PHONE_CHANGED = "phone_changed"
    SECOND_FACTOR_CHANGED = "second_factor_changed"


def tell_of_security(
    *, member: Member, kind: SecurityKind, at: datetime, origin: Origin, **facts: object
) -> None:
    """Tell the member what was done to their account, when and from where."""
    when_and_where = {
        "done_at": at.astimezone(UTC).isoformat(),
        "ip": origin.ip,
        "user_agent": origin.user_agent,
    }
    tell(
        Telling(
            member_id=member.pk,
            kind=kind.value,
            happened_at=at,
            facts={**facts, **when_and_where},
        )
    )


def tell_of_new_sign_in(*, member: Member, device_token: UUID | None, at: datetime, origin: Origin) -> None:
    """Tell the member of a sign-in, unless they have used that browser before, or none at all so far."""
    devices = Device.objects.filter(member=member)
    is_known = device_token is not None and devices.filter(token=device_token).exists()
    if not is_known and devices.exists():
        tell_of_security(member=member, kind=SecurityKind.NEW_SIGN_IN, at=at, origin=origin)
