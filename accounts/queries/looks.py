"""What colleagues did with a member's account: what its owner may see."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from accounts.models import AuditRecord, Member, User
from accounts.roles import CONSOLE_ROLES

LOOKS_PER_PAGE = 25
# So close to one another are the looks that stand together.
TOGETHER = timedelta(minutes=10)
Action = AuditRecord.Action
# What colleagues do to an account, and what they see of it.
ACTS = (
    Action.CONTACTS_SHOWN,
    Action.SALE_REGISTERED,
    Action.POINTS_ADJUSTED,
    Action.TIER_SET,
    Action.ACCOUNT_BLOCKED,
    Action.ACCOUNT_UNBLOCKED,
    Action.TRANSFER_REVERSED,
    Action.INVITER_ATTACHED,
    Action.REFERRAL_DECIDED,
)


@dataclass(frozen=True)
class Look:
    """What a colleague saw or did; `by` is their first name, empty where it is not known.

    Whoever comes back to a page soon has looked at it from `since_at` until the moment of `record`.
    """

    record: AuditRecord
    by: str
    since_at: datetime


@dataclass(frozen=True)
class LooksPage:
    """Some looks, newest first, and the ids that the pages beside them begin at, if there are any."""

    looks: Sequence[Look]
    newer_cursor: int | None
    older_cursor: int | None


def looks_page(
    *, member: Member, before: int | None = None, after: int | None = None, limit: int = LOOKS_PER_PAGE
) -> LooksPage:
    """A page of what colleagues did with the account: the newest, or those next to an id; two queries.

    The journal keeps each look; on a page those at one thing stand together.
    """
    own = AuditRecord.objects.filter(
        actor_role__in=CONSOLE_ROLES, member=member, action__in=[Action.LOOKED_AT, *ACTS]
    )
    if member.user_id is not None:
        own = own.exclude(actor_id=member.user_id)
    if after is not None:
        found = list(own.filter(pk__gt=after).order_by("pk")[: limit + 1])
        records, has_newer, has_older = found[:limit][::-1], len(found) > limit, True
    else:
        older = own if before is None else own.filter(pk__lt=before)
        found = list(older.order_by("-pk")[: limit + 1])
        records, has_newer, has_older = found[:limit], before is not None, len(found) > limit
    actors = User.objects.filter(pk__in={record.actor_id for record in records})
    first_names = dict(actors.values_list("pk", "first_name"))
    return LooksPage(
        looks=_grouped(records, first_names),
        newer_cursor=records[0].pk if records and has_newer else None,
        older_cursor=records[-1].pk if records and has_older else None,
    )


def _grouped(records: Sequence[AuditRecord], first_names: dict[int, str]) -> list[Look]:
    """The looks of some records, the newest first; what somebody did stands alone each time."""
    looks: list[Look] = []
    places: dict[object, int] = {}
    for record in records:
        is_look = record.action == Action.LOOKED_AT
        kind = (record.actor_id, record.actor_role, record.facts.get("page")) if is_look else record.pk
        place = places.get(kind)
        if place is not None and looks[place].record.happened_at - record.happened_at <= TOGETHER:
            looks[place] = replace(looks[place], since_at=record.happened_at)
            continue
        places[kind] = len(looks)
        looks.append(Look(record, first_names.get(record.actor_id or 0, ""), record.happened_at))
    return looks
