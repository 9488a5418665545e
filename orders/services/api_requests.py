"""One answer for one `Idempotency-Key`: the effect and what was said about it are kept together."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from loyalty.services.retry import ledger_write
from orders.errors import IdempotencyKeyReused
from orders.models import ApiRequest, Source


@dataclass(frozen=True)
class Answer:
    """An HTTP status and the text that goes with it; `is_repeat` when it was given before.

    One with `retry_after_seconds` is for now alone: the same request may be answered otherwise by then.
    """

    status: int
    body: str
    is_repeat: bool = False
    retry_after_seconds: int | None = None


class Refused(Exception):
    """What was asked for is undone, and `answer` says why; it is kept like any other."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


def wait_for_turn(source: Source, name: str) -> None:
    """Wait until nobody else does what has this name at this source; the turn ends with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, %s))", (name, source.pk))


@ledger_write
def answer_once(
    *, source: Source, key: str, content_hash: str, at: datetime, act: Callable[[], Answer]
) -> Answer:
    """What `act` answers, or what it answered when the same request came before.

    `act` runs at most once for a source's key, in one transaction with keeping its answer. When it
    raises Refused its effects are undone and that answer is kept. Of requests under one key that
    come at the same time the later ones wait for the first. An answer for now alone is not kept,
    though what `act` wrote is.

    Raises:
        IdempotencyKeyReused: the key came before with other content.
    """
    wait_for_turn(source, f"request {key}")
    # Locked although it never changes: so the commit of a repeat waits for a standby, as the first one's did.
    kept = ApiRequest.objects.select_for_update().filter(source=source, key=key).first()
    if kept is not None:
        if kept.content_hash != content_hash:
            raise IdempotencyKeyReused
        return Answer(kept.status, kept.answer, is_repeat=True)
    try:
        with transaction.atomic():
            answer = act()
    except Refused as refusal:
        answer = refusal.answer
    if answer.retry_after_seconds is not None:
        return answer
    ApiRequest.objects.create(
        source=source,
        key=key,
        content_hash=content_hash,
        status=answer.status,
        answer=answer.body,
        recorded_at=at,
    )
    return answer
