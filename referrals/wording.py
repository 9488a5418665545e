"""Invitations as the inviter's page tells them: of a friend no more than “Мария П.”."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from loyalty.charts import Row, rows_chart
from loyalty.templatetags.numbers import day_text, figures, local_date, money, points
from referrals.models import How, Reward
from referrals.queries import InvitationRow, State, Totals
from referrals.queries.acceptance import Acceptance

# How a state stands out, beside its words.
TONES = {State.CREDITED: "good", State.REFUSED: "bad", State.ENDED: "bad", State.TAKEN_BACK: "bad"}


@dataclass(frozen=True)
class FriendRow:
    """One invitation as the list shows it; `reason` says why there is no more than there is.

    With `is_visit` somebody has opened the link, and nothing more is known.
    """

    name: str
    state: str
    tone: str
    reason: str
    how: str
    visited_at: datetime | None
    joined_at: datetime | None
    orders_count: int
    credited_points: int
    waiting_points: int
    taken_back_points: int
    is_visit: bool


def friend_row(row: InvitationRow, number: int, *, least_sum: Decimal) -> FriendRow:
    """What the inviter reads about the friend of that number among all of theirs.

    `least_sum` is what an order has to come to before it counts, 0 where any does.
    """
    return FriendRow(
        name=row.name or _("Friend %(number)s") % {"number": figures(number)},
        state=state_text(row),
        tone=TONES.get(row.state, ""),
        reason=reason_text(row, least_sum=least_sum),
        how=_("by your link") if row.how == How.LINK else _("at the till"),
        visited_at=row.visited_at,
        joined_at=row.joined_at,
        orders_count=row.orders_count,
        credited_points=row.credited_points,
        waiting_points=row.pending_points + row.held_points,
        taken_back_points=row.taken_back_points,
        is_visit=row.state == State.VISITED,
    )


def funnel(totals: Totals) -> Sequence[Row]:
    """How far friends have come, from the visit to points for the inviter, as bars below each other."""
    credited = _("%(points)s credited to you") % {"points": points(totals.credited_points)}
    return rows_chart(
        [
            (_("Visits by your link"), totals.visits, ""),
            (_("Friends who joined"), totals.sign_ups, ""),
            (_("Friends who have bought"), totals.buyers, ""),
            (_("Friends who brought you points"), totals.rewarding, credited),
        ]
    )


def state_text(row: InvitationRow) -> str:
    """Where the invitation stands, in two or three words."""
    if row.state == State.PENDING and row.pending_until_at:
        return _("pending until %(day)s") % {"day": day_text(local_date(row.pending_until_at))}
    return str(row.state.label)


def reason_text(row: InvitationRow, *, least_sum: Decimal) -> str:
    """Why points wait, went or never came; empty where there is nothing to explain."""
    match row.state:
        case State.REFUSED:
            return refusal_text(row.refusal)
        case State.HELD:
            return _("A person looks at this invitation before its points can be spent.")
        case State.ENDED:
            return _("We decided that you and this friend are one person.")
        case State.BOUGHT if least_sum:
            return _("What they bought brought you no points. An order counts from %(sum)s.") % {
                "sum": money(least_sum)
            }
        case State.BOUGHT:
            return _("What they bought brought you no points.")
    match row.taken_back_for:
        case Reward.TakenBack.RETURNED:
            return _("The friend returned an order.")
        case Reward.TakenBack.ONE_PERSON:
            return _("We decided that you and this friend are one person.")
    return ""


def refusal_text(code: str) -> str:
    """Why a sign-up did not count, said to the inviter and without anything of the friend's."""
    match code:
        case "self_invitation":
            return _("It was your own link that you opened.")
        case "already_invited":
            return _("Somebody else had invited this friend before.")
        case "existing_member":
            return _("This friend was in the programme already.")
        case "same_email":
            return _("The friend’s e-mail is also yours, written in another way.")
        case "same_phone":
            return _("The friend’s phone is also yours.")
        case "link_too_old":
            return _("The friend joined more than 30 days after opening the link.")
        case "link_ended":
            return _("You had replaced the link before this friend joined.")
        case "too_late":
            return _("The friend had joined too long ago to be noted as invited.")
    return _("The rules of the programme did not allow it.")


def accepted_text(accepted: Acceptance) -> str:
    """What a new member is told of the invitation they came by, and of the points it brought."""
    if accepted.inviter_name:
        said = [_("You joined by an invitation: %(name)s.") % {"name": accepted.inviter_name}]
    else:
        said = [_("You joined by a friend’s invitation.")]
    welcome = accepted.welcome
    if welcome is not None:
        template = (
            _("You get %(points)s as a welcome when we have checked the invitation.")
            if welcome.is_held
            else _("You got %(points)s as a welcome.")
        )
        said.append(template % {"points": points(welcome.points)})
    return " ".join(said)
