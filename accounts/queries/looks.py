"""What colleagues did with a member's account: what its owner may see."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from accounts.models import AuditRecord, Member, User
from accounts.roles import Role

LOOKS_PER_PAGE = 25
COLLEAGUES = (Role.STAFF, Role.SUPERVISOR)
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
    """What a colleague saw or did; `by` is their first name, empty where it is not known."""

    record: AuditRecord
    by: str


@dataclass(frozen=True)
class LooksPage:
    """Some looks, newest first, and the ids that the pages beside them begin at, if there are any."""

    looks: Sequence[Look]
    newer_cursor: int | None
    older_cursor: int | None


def looks_page(
    *, member: Member, before: int | None = None, after: int | None = None, limit: int = LOOKS_PER_PAGE
) -> LooksPage:
    """A page of what colleagues did with the account: the newest, or those next to an id; two queries."""
    colleagues = User.objects.filter(Q(groups__name__in=COLLEAGUES) | Q(is_superuser=True))
    # Not every record says as what something was done; who had no role then did it for themselves.
    by_colleague = Q(actor_role__in=COLLEAGUES) | Q(actor_role="", actor_id__in=colleagues.values("pk"))
    own = AuditRecord.objects.filter(by_colleague, member=member, action__in=[Action.LOOKED_AT, *ACTS])
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
        looks=[Look(record, first_names.get(record.actor_id or 0, "")) for record in records],
        newer_cursor=records[0].pk if records and has_newer else None,
        older_cursor=records[-1].pk if records and has_older else None,
    )
