"""What supervisors do with the keys of the API: written down each time."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import AuditRecord, User
from accounts.services.audit import record
from orders.models import ApiKey, Source
from orders.services.api_keys import NewKey, create_key, revoke_key, rotate_key


@transaction.atomic
def make_key(
    *,
    source: Source,
    name: str,
    scopes: Iterable[str],
    requests_a_minute: int | None,
    public_id: str,
    at: datetime,
    by: User,
) -> NewKey:
    """A new key of a source.

    Raises:
        ApiKeyRefused: as `orders.services.api_keys.create_key` says.
    """
    new = create_key(
        source=source,
        name=name,
        scopes=scopes,
        requests_a_minute=requests_a_minute,
        public_id=public_id,
        created_by=by,
        at=at,
    )
    _note(new.key, "created", at=at, by=by, scopes=new.key.scopes)
    return new


@transaction.atomic
def replace_key(*, key: ApiKey, overlap: timedelta, at: datetime, by: User) -> NewKey:
    """The next key, for the same as this one; this one works on until `overlap` has passed.

    Raises:
        AlreadyRotated, KeyEnded: it cannot be replaced.
    """
    new = rotate_key(key=key, at=at, overlap=overlap, created_by=by)
    _note(key, "replaced", at=at, by=by, new_key=new.key.public_id)
    return new


@transaction.atomic
def end_key(*, key: ApiKey, at: datetime, by: User) -> None:
    """End a key at once; one that was revoked before stays as it is, and nothing is written down."""
    before = ApiKey.objects.select_for_update().get(pk=key.pk)
    revoke_key(key=key, at=at)
    if before.revoked_at is None:
        _note(key, "revoked", at=at, by=by)


def _note(key: ApiKey, change: str, *, at: datetime, by: User, **facts: object) -> None:
    record(
        action=AuditRecord.Action.KEY_CHANGED,
        member=None,
        at=at,
        actor=by,
        source=key.source.code,
        key=key.public_id,
        change=change,
        **facts,
    )
