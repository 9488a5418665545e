"""An inviter's invitations, one by one and added up, as the ledger has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from accounts.contacts import masked_name
from accounts.models import Member
from referrals.models import How

INVITATIONS_PER_PAGE = 25


class State(models.TextChoices):
    """How far an invitation has come; where several hold, the one that the inviter waits for."""

    VISITED = "visited", _("opened the link")
    SIGNED_UP = "signed_up", _("signed up")
    BOUGHT = "bought", _("has bought")
    PENDING = "pending", _("points are on their way")
    HELD = "held", _("we are checking it")
    CREDITED = "credited", _("points credited")
    TAKEN_BACK = "taken_back", _("points taken back")
    REFUSED = "refused", _("not counted")
    ENDED = "ended", _("ended")


@dataclass(frozen=True)
class Totals:
    """What all of a member's invitations have come to.

    `credited_points` are those that became available, less what was taken back of them;
    `pending_points` become available at a known moment, `held_points` once they were checked.
    `rewarding` friends are those of whom the inviter has credited points.
    """

    visits: int
    sign_ups: int
    buyers: int
    rewarding: int
    credited_points: int
    pending_points: int
    held_points: int
    taken_back_points: int


@dataclass(frozen=True)
class InvitationRow:
    """One invitation as its inviter may see it: of the friend a first name and an initial.

    `name` is empty before the sign-up. `refusal` is the code of the error that says why it does not
    count, `taken_back_for` a `Reward.TakenBack`.
    """

    invitation_id: int
    name: str
    how: How
    visited_at: datetime | None
    joined_at: datetime | None
    orders_count: int
    credited_points: int
    pending_points: int
    pending_until_at: datetime | None
    held_points: int
    taken_back_points: int
    taken_back_for: str
    refusal: str
    state: State


@dataclass(frozen=True)
class InvitationsPage:
    """Some invitations, newest first, and where the pages beside them begin, if there are any."""

    rows: Sequence[InvitationRow]
    newer_cursor: int | None
    older_cursor: int | None


TOTALS = """
    select (select count(visited_at) from referrals_invitation where inviter_id = %(inviter_id)s),
           count(*), count(*) filter (where orders_count > 0),
           count(*) filter (where brought.credited_points > 0),
           coalesce(sum(brought.credited_points), 0)::bigint,
           coalesce(sum(brought.pending_points), 0)::bigint,
           coalesce(sum(brought.held_points), 0)::bigint,
           coalesce(sum(brought.taken_back_points), 0)::bigint
      from referrals_referral referral
      left join (
           select referral_id,
                  sum(points - taken_back_points) filter (where available_at <= %(at)s and not is_held)
                      as credited_points,
                  sum(points - taken_back_points) filter (where available_at > %(at)s and not is_held)
                      as pending_points,
                  sum(points - taken_back_points) filter (where is_held) as held_points,
                  sum(taken_back_points) as taken_back_points
             from referrals_reward
            where kind = 'share'
              and referral_id = any(array(
                      select id from referrals_referral where inviter_id = %(inviter_id)s))
            group by referral_id) as brought on brought.referral_id = referral.id
     where referral.inviter_id = %(inviter_id)s
"""


def totals(member: Member, at: datetime) -> Totals:
    """What a member's invitations have brought them by `at`; one query."""
    with connection.cursor() as cursor:
        cursor.execute(TOTALS, {"inviter_id": member.pk, "at": at})
        return Totals(*cursor.fetchone())


# A page is found by the inviter's own index, and what each referral of it brought is looked up by itself.
PAGE = """
    select invitation.id, invitation.how, invitation.visited_at, invitation.refusal,
           invited.first_name, invited.last_name, invited.joined_at, referral.id, referral.ended_at,
           coalesce(referral.orders_count, 0),
           coalesce(brought.credited_points, 0)::bigint, coalesce(brought.pending_points, 0)::bigint,
           brought.pending_until_at, coalesce(brought.held_points, 0)::bigint,
           coalesce(brought.taken_back_points, 0)::bigint, coalesce(brought.taken_back_for, '')
      from (select * from referrals_invitation
             where inviter_id = %(inviter_id)s and {cursor}
             order by id {direction}
             limit %(limit)s) as invitation
      left join referrals_referral referral on referral.id = invitation.referral_id
      left join accounts_member invited on invited.id = invitation.invited_id
      left join lateral (
           select sum(points - taken_back_points) filter (where available_at <= %(at)s and not is_held)
                      as credited_points,
                  sum(points - taken_back_points) filter (where available_at > %(at)s and not is_held)
                      as pending_points,
                  min(available_at) filter (where available_at > %(at)s and not is_held
                                              and points > taken_back_points) as pending_until_at,
                  sum(points - taken_back_points) filter (where is_held) as held_points,
                  sum(taken_back_points) as taken_back_points,
                  -- That both are one person says more than that something was returned.
                  min(taken_back_for) filter (where taken_back_for <> '') as taken_back_for
             from referrals_reward
            where referral_id = referral.id and kind = 'share') as brought on true
     order by invitation.id {direction}
"""


def invitations_page(
    *,
    member: Member,
    at: datetime,
    before: int | None = None,
    after: int | None = None,
    limit: int = INVITATIONS_PER_PAGE,
) -> InvitationsPage:
    """A page of a member's invitations: the newest, or those next to a cursor; one query."""
    newer_cursor: int | None
    older_cursor: int | None
    if after is not None:
        found = _rows("id > %(cursor)s", "asc", member, after, at, limit + 1)
        rows = found[:limit][::-1]
        newer_cursor = rows[0].invitation_id if len(found) > limit else None
        older_cursor = after + 1
    else:
        cursor = "id < %(cursor)s" if before is not None else "true"
        found = _rows(cursor, "desc", member, before, at, limit + 1)
        rows = found[:limit]
        newer_cursor = None if before is None else before - 1
        older_cursor = rows[-1].invitation_id if len(found) > limit else None
    return InvitationsPage(rows=rows, newer_cursor=newer_cursor, older_cursor=older_cursor)


def _rows(
    cursor: str, direction: str, member: Member, cursor_id: int | None, at: datetime, limit: int
) -> list[InvitationRow]:
    with connection.cursor() as database:
        database.execute(
            PAGE.format(cursor=cursor, direction=direction),
            {"inviter_id": member.pk, "cursor": cursor_id, "at": at, "limit": limit},
        )
        return [_row(row) for row in database.fetchall()]


def _row(row: tuple[Any, ...]) -> InvitationRow:
    (invitation_id, how, visited_at, refusal, first_name, last_name, joined_at, referral_id, ended_at) = row[
        :9
    ]
    orders_count, credited, pending, pending_until_at, held, taken_back, taken_back_for = row[9:]
    return InvitationRow(
        invitation_id=invitation_id,
        name="" if joined_at is None else masked_name(first_name, last_name),
        how=How(how),
        visited_at=visited_at,
        joined_at=joined_at,
        orders_count=orders_count,
        credited_points=credited,
        pending_points=pending,
        pending_until_at=pending_until_at,
        held_points=held,
        taken_back_points=taken_back,
        taken_back_for=taken_back_for,
        refusal=refusal,
        state=_state(
            (State.REFUSED, bool(refusal)),
            (State.VISITED, referral_id is None),
            (State.ENDED, ended_at is not None),
            (State.HELD, held > 0),
            (State.PENDING, pending > 0),
            (State.CREDITED, credited > 0),
            (State.TAKEN_BACK, taken_back > 0),
            (State.BOUGHT, orders_count > 0),
            (State.SIGNED_UP, True),
        ),
    )


def _state(*states: tuple[State, bool]) -> State:
    """The first state that holds."""
    return next(state for state, holds in states if holds)
