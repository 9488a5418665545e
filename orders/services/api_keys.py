"""The keys that sources prove themselves with: made, rotated, revoked, and let in.

A key is a text such as `ballada_live_k7w2m9x4h3qd_…`: what it is for, a public id, and a secret.
The database keeps SHA-256 of the whole text. A slow hash protects what people think up; a secret
of 256 random bits cannot be guessed, however quick the hash is.
"""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from math import ceil

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from loyalty.services.retry import to_outcome
from orders.errors import (
    AlreadyRotated,
    KeyEnded,
    KeyExpired,
    KeyMadeBefore,
    KeyMissing,
    KeyNameInvalid,
    KeyRevoked,
    KeyUnknown,
    LimitOutOfRange,
    ScopeMissing,
    ScopesMissing,
    ScopeUnknown,
    SourceCodeInvalid,
    SourceCodeTaken,
    SourceNameInvalid,
    TooManyRequests,
)
from orders.models import ApiKey, Scope, Source

PREFIX = "ballada"
LIVE, TEST = "live", "test"
# Without letters and digits that are taken for one another.
PUBLIC_ID_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
PUBLIC_ID_LENGTH = 12
SECRET_BYTES = 32
PUBLIC_ID = rf"[{PUBLIC_ID_LETTERS}]{{{PUBLIC_ID_LENGTH}}}"
SOURCE_CODE = re.compile(r"[A-Za-z0-9_-]+")
KEY_TEXT = re.compile(rf"{PREFIX}_(?:{LIVE}|{TEST})_({PUBLIC_ID})_[A-Za-z0-9_-]{{43}}")
NAME_LETTERS = 100
SOURCE_CODE_LETTERS = 50
MOST_REQUESTS_A_MINUTE = 60_000
ROTATION_OVERLAP = timedelta(days=1)
MINUTE = timedelta(minutes=1)

KEY_FIELDS = [column.attname for column in ApiKey._meta.concrete_fields]
SOURCE_FIELDS = [column.attname for column in Source._meta.concrete_fields]
COLUMNS = ", ".join([f"key.{name}" for name in KEY_FIELDS] + [f"source.{name}" for name in SOURCE_FIELDS])

# Places are a minute / requests_a_minute apart, and a minute's worth of them may be taken at once.
# A request takes the first free place; the update locks the row for this one statement and looks at
# it as it is then, so parallel requests, on however many servers, never share a place.
# The hashes are compared by the database: how long that takes says nothing about the secret, since
# nobody can choose the hash of what they send.
# Places lie a minute ahead at most. One that is further away was given out by a clock that was
# wrong, and counts for nothing: or the key would stay closed until the right time is there too.
PLACE = "nullif(key.next_place_at, greatest(key.next_place_at, %(at)s + interval '2 minutes'))"
ADMIT = f"""
    update orders_api_key as key
    set last_used_at = greatest(key.last_used_at, %(at)s),
        next_place_at = greatest({PLACE}, %(at)s)
            + 60000000 / key.requests_a_minute * interval '1 microsecond'
    from orders_source as source
    where source.id = key.source_id
        and key.public_id = %(public_id)s
        and key.secret_hash = %(secret_hash)s
        and key.revoked_at is null
        and coalesce(key.expires_at > %(at)s, true)
        and coalesce({PLACE} <= %(at)s + interval '1 minute'
            - 60000000 / key.requests_a_minute * interval '1 microsecond', true)
    returning {COLUMNS}
"""  # noqa: S608, our own names


@dataclass(frozen=True)
class NewKey:
    """A key just made. Its `text` is known here and now, and never again."""

    key: ApiKey
    text: str = field(repr=False)


def new_public_id() -> str:
    """Twelve random letters and digits. They may be taken: the database says so on saving."""
    return "".join(secrets.choice(PUBLIC_ID_LETTERS) for _place in range(PUBLIC_ID_LENGTH))


def create_source(*, code: str, name: str, is_sandbox: bool = False) -> Source:
    """A new source of orders.

    Raises:
        SourceNameInvalid: the name is empty or too long.
        SourceCodeInvalid: it is not a word of Latin letters, digits, hyphens and underscores.
        SourceCodeTaken: there is one with this code.
    """
    name = name.strip()
    if not 0 < len(name) <= NAME_LETTERS:
        raise SourceNameInvalid(NAME_LETTERS)
    if len(code) > SOURCE_CODE_LETTERS or not SOURCE_CODE.fullmatch(code):
        raise SourceCodeInvalid(SOURCE_CODE_LETTERS)
    try:
        with transaction.atomic():
            return Source.objects.create(code=code, name=name, is_sandbox=is_sandbox)
    except IntegrityError as error:
        raise SourceCodeTaken(code) from error


def create_key(
    *,
    source: Source,
    name: str,
    scopes: Iterable[str],
    at: datetime,
    created_by: User | None = None,
    requests_a_minute: int | None = None,
    public_id: str | None = None,
) -> NewKey:
    """A new key of a source, with its text; `requests_a_minute` is as in the settings unless given.

    With a `public_id` thought up beforehand, the same request sent twice makes one key.

    Raises:
        KeyNameInvalid, ScopesMissing, ScopeUnknown, LimitOutOfRange: it cannot be as it is asked for.
        KeyMadeBefore: there is a key with this `public_id`.
    """
    name = name.strip()
    if not 0 < len(name) <= NAME_LETTERS:
        raise KeyNameInvalid(NAME_LETTERS)
    if requests_a_minute is None:
        requests_a_minute = settings.API_REQUESTS_A_MINUTE
    if not 0 < requests_a_minute <= MOST_REQUESTS_A_MINUTE:
        raise LimitOutOfRange(MOST_REQUESTS_A_MINUTE)
    return _make(
        ApiKey(
            source=source,
            name=name,
            scopes=_in_order(scopes),
            requests_a_minute=requests_a_minute,
            created_at=at,
            created_by=created_by,
            public_id=public_id or new_public_id(),
        )
    )


def require_rotatable(*, key: ApiKey, at: datetime) -> None:
    """Go on only with a key that can be rotated.

    Raises:
        AlreadyRotated: it has a successor.
        KeyEnded: it is revoked or expired.
    """
    if ApiKey.objects.filter(replaces=key).exists():
        raise AlreadyRotated
    if key.revoked_at or (key.expires_at and key.expires_at <= at):
        raise KeyEnded


@transaction.atomic
def rotate_key(
    *, key: ApiKey, at: datetime, overlap: timedelta = ROTATION_OVERLAP, created_by: User | None = None
) -> NewKey:
    """The next key, for the same as this one; this one works on until `overlap` has passed.

    Raises:
        AlreadyRotated, KeyEnded: it cannot be rotated.
    """
    old = ApiKey.objects.select_for_update(of=("self",)).select_related("source").get(pk=key.pk)
    require_rotatable(key=old, at=at)
    old.expires_at = at + overlap
    old.save(update_fields=["expires_at"])
    key.expires_at = old.expires_at
    return _make(
        ApiKey(
            source=old.source,
            name=old.name,
            scopes=old.scopes,
            requests_a_minute=old.requests_a_minute,
            created_at=at,
            created_by=created_by,
            replaces=old,
            public_id=new_public_id(),
        )
    )


def revoke_key(*, key: ApiKey, at: datetime) -> None:
    """End a key at once. One that was revoked before keeps the moment when it was."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=at)
    key.refresh_from_db(fields=["revoked_at"])


def admit(*, text: str, at: datetime) -> ApiKey:
    """Let a request in: the key it came with, its `source` read; counted, and noted as used at `at`.

    One statement, and another one only to say why not. It belongs outside of the request's own
    transaction: inside of one, the key's row would be locked until the end of it, and requests of
    one shop would wait for each other.

    Raises:
        KeyMissing: there is no text.
        KeyUnknown: malformed, never made, or with a wrong secret; nothing is counted.
        KeyRevoked, KeyExpired: it worked once.
        TooManyRequests: its places are taken for now; such a request takes none.
    """
    if not text:
        raise KeyMissing
    public_id = public_id_of(text)
    secret_hash = hash_of(text)

    def take_place() -> tuple[object, ...] | None:
        with connection.cursor() as cursor:
            cursor.execute(ADMIT, {"public_id": public_id, "secret_hash": secret_hash, "at": at})
            return cursor.fetchone()

    # A connection lost on the way is tried again: at worst the request takes two places.
    row = to_outcome(take_place)
    if row is None:
        raise _why_not(public_id, secret_hash, at)
    key = ApiKey.from_db(connection.alias, KEY_FIELDS, row[: len(KEY_FIELDS)])
    key.source = Source.from_db(connection.alias, SOURCE_FIELDS, row[len(KEY_FIELDS) :])
    return key


def public_id_of(text: str) -> str:
    """The part of a key's text by which it is found.

    Raises:
        KeyUnknown: no key looks like this.
    """
    parts = KEY_TEXT.fullmatch(text)
    if parts is None:
        raise KeyUnknown
    return parts[1]


def hash_of(text: str) -> str:
    """What the database keeps of a key's text."""
    return sha256(text.encode()).hexdigest()


def require_scope(key: ApiKey, scope: str) -> None:
    """Go on only with a key that has this right.

    Raises:
        ScopeMissing: it has not.
    """
    if scope not in key.scopes:
        raise ScopeMissing(scope)


def _make(key: ApiKey) -> NewKey:
    kind = TEST if key.source.is_sandbox else LIVE
    text = f"{PREFIX}_{kind}_{key.public_id}_{secrets.token_urlsafe(SECRET_BYTES)}"
    key.secret_hash = hash_of(text)
    try:
        with transaction.atomic():
            key.save(force_insert=True)
    except IntegrityError as error:
        # The only thing of a new key that can be taken; twelve random letters never are by chance.
        raise KeyMadeBefore from error
    return NewKey(key, text)


def _why_not(public_id: str, secret_hash: str, at: datetime) -> Exception:
    """Why a key was not let in; only who knows the secret learns more than that it is unknown.

    A key that was refused is still refused for the same reason: keys end, and places are taken, but
    never the other way round.
    """
    key = ApiKey.objects.filter(public_id=public_id).first()
    if key is None or not secrets.compare_digest(key.secret_hash, secret_hash):
        return KeyUnknown()
    if key.revoked_at:
        return KeyRevoked()
    if key.expires_at and key.expires_at <= at:
        return KeyExpired()
    free_at = (key.next_place_at or at) + _pace(key) - MINUTE
    return TooManyRequests(max(1, ceil((free_at - at).total_seconds())))


def _pace(key: ApiKey) -> timedelta:
    """How far apart the places are, rounded down as in the statement that gives them out."""
    return timedelta(microseconds=MINUTE // timedelta(microseconds=1) // key.requests_a_minute)


def _in_order(scopes: Iterable[str]) -> list[str]:
    asked = set(scopes)
    if not asked:
        raise ScopesMissing
    for scope in sorted(asked):
        if scope not in Scope.values:
            raise ScopeUnknown(scope, ", ".join(Scope.values))
    return [scope for scope in Scope.values if scope in asked]
