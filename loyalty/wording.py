"""How operations are named and explained to the person whose points they moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from loyalty.models import Cause, Posting, Purpose, RuleSet, Transfer
from loyalty.queries.lines import OperationLine
from loyalty.queries.operations import Operation
from loyalty.templatetags.numbers import day_text, local_date, money, points, rate

# Points that come with these have one last day, or a debt has taken some of them.
BRINGS_ONE_LOT = {Posting.Kind.CREDIT, Posting.Kind.MATURE, Posting.Kind.ADJUST}


@dataclass(frozen=True)
class OperationRow:
    """An operation as a list shows it. `expires_on` is the last day of points that came with it.

    With `is_undecided` its points are pending until a person has checked them; with `is_of_friend` they
    come from the order of somebody else, whose sum the explanation tells.

    `transfer_number` is that of the transfer behind it, if there is one and the list leads to it.
    """

    posting_id: int
    version: int
    title: str
    explanation: str
    points: int
    available_after: int
    effective_at: datetime
    is_pending: bool
    available_at: datetime | None
    expires_on: date | None
    is_undecided: bool
    is_of_friend: bool
    transfer_number: str = ""


@dataclass(frozen=True)
class RelatedOperation:
    """Another operation, and how it belongs with the one that is shown."""

    relation: str
    posting_id: int
    title: str
    points: int
    effective_at: datetime


@dataclass(frozen=True)
class OperationCard:
    """An operation as its own page shows it."""

    number: str
    title: str
    effective_at: datetime
    points: int
    is_pending: bool
    is_undecided: bool
    available_at: datetime | None
    available_before: int
    available_after: int
    order_id: int | None
    order_number: str
    transfer_number: str
    facts: Sequence[tuple[str, str]]
    derivation: Sequence[str]
    lines: Sequence[OperationLine]
    related: Sequence[RelatedOperation]


def row(operation: Operation, transfer_number: str = "") -> OperationRow:
    """The operation in one line."""
    return OperationRow(
        posting_id=operation.posting_id,
        version=operation.version,
        title=title(operation),
        explanation=explanation(operation),
        points=operation.points,
        available_after=operation.available_after,
        effective_at=operation.effective_at,
        is_pending=operation.is_pending,
        available_at=operation.available_at,
        expires_on=operation.expired_on if operation.kind in BRINGS_ONE_LOT else None,
        is_undecided=operation.is_undecided,
        is_of_friend=(operation.purpose or operation.origin_purpose) == Purpose.REFERRAL,
        transfer_number=transfer_number,
    )


def card(
    operation: Operation,
    *,
    lines: Sequence[OperationLine],
    related: Sequence[Operation],
    tier_since_at: datetime | None,
    transfer_number: str = "",
) -> OperationCard:
    """The operation with everything that explains it."""
    return OperationCard(
        number=str(operation.posting_id),
        title=title(operation),
        effective_at=operation.effective_at,
        points=operation.points,
        is_pending=operation.is_pending,
        is_undecided=operation.is_undecided,
        available_at=operation.available_at,
        available_before=operation.available_after - operation.available_points,
        available_after=operation.available_after,
        order_id=operation.order_id,
        order_number=order_number(operation),
        transfer_number=transfer_number,
        facts=facts(operation),
        derivation=derivation(operation, tier_since_at),
        lines=lines,
        related=[
            RelatedOperation(
                relation=relation(operation, other),
                posting_id=other.posting_id,
                title=title(other),
                points=other.points,
                effective_at=other.effective_at,
            )
            for other in related
        ],
    )


def title(operation: Operation) -> str:
    """What happened, in a few words."""
    said = words(operation)
    order = order_number(operation)
    friend = said.get("friend", "")
    purpose = operation.purpose or operation.origin_purpose
    match operation.kind:
        case Posting.Kind.CREDIT if purpose == Purpose.REFERRAL:
            return _("Friend’s order: %(friend)s") % {"friend": friend}
        case Posting.Kind.CREDIT if purpose == Purpose.WELCOME:
            return _("Welcome points")
        case Posting.Kind.CREDIT if purpose == Purpose.GIFT:
            return _("A gift from the programme")
        case Posting.Kind.CREDIT if order:
            return _order_title(order, said.get("outlet", ""))
        case Posting.Kind.CREDIT:
            return _("Points credited")
        case Posting.Kind.MATURE if order:
            return _("Points for order %(order)s became available") % {"order": order}
        case Posting.Kind.MATURE:
            return _("Pending points became available")
        case Posting.Kind.SPEND if order:
            return _("Paid with points: order %(order)s") % {"order": order}
        case Posting.Kind.SPEND:
            return _("Points spent")
        case Posting.Kind.HOLD:
            return _("Set aside for order %(order)s") % {"order": order}
        case Posting.Kind.CAPTURE:
            return _("Order %(order)s paid with the points set aside") % {"order": order}
        case Posting.Kind.RELEASE:
            return _("Released from order %(order)s") % {"order": order}
        case Posting.Kind.GIVE_BACK:
            return _("Points returned to you: order %(order)s") % {"order": order}
        case Posting.Kind.TAKE_BACK if purpose == Purpose.WELCOME:
            return _("Welcome points taken back")
        case Posting.Kind.TAKE_BACK if purpose == Purpose.REFERRAL and said.get("is_one_person"):
            return _("Taken back: invitation of %(friend)s") % {"friend": friend}
        case Posting.Kind.TAKE_BACK if purpose == Purpose.REFERRAL:
            return _("A friend returned an order: %(friend)s") % {"friend": friend}
        case Posting.Kind.TAKE_BACK if order:
            return _("Taken back: order %(order)s was returned") % {"order": order}
        case Posting.Kind.TAKE_BACK:
            return _("Points taken back")
        case Posting.Kind.EXPIRE:
            return _("Points expired")
        case Posting.Kind.TRANSFER if operation.available_points < 0:
            return _("Transfer to %(name)s") % {"name": said.get("to", "")}
        case Posting.Kind.TRANSFER:
            return _("Transfer from %(name)s") % {"name": said.get("from", "")}
        case Posting.Kind.ADJUST:
            return _("Correction by the programme")
        case Posting.Kind.REVERSE if operation.origin_kind == Posting.Kind.TRANSFER:
            if operation.available_points < 0:
                return _("Taken back: transfer from %(name)s") % {"name": said.get("from", "")}
            return _("Taken back: transfer to %(name)s") % {"name": said.get("to", "")}
        case Posting.Kind.REVERSE:
            return _("A correction was undone")


def explanation(operation: Operation) -> str:
    """Why it is that number, in one short line; empty where the title says it."""
    said = operation.explanation
    parts = []
    if "coefficient" in said and operation.kind == Posting.Kind.CREDIT:
        parts.append(
            _("%(base)s × %(rate)s (%(tier)s)")
            % {
                "base": money(Decimal(said["base_sum"])),
                "rate": rate(Decimal(said["coefficient"])),
                "tier": said.get("tier", ""),
            }
        )
    if operation.kind == Posting.Kind.EXPIRE and operation.expired_on:
        parts.append(_("their last day was %(day)s") % {"day": day_text(operation.expired_on)})
    if operation.kind == Posting.Kind.CAPTURE:
        parts.append(points(-operation.held_points))
    if said.get("is_one_person"):
        parts.append(_("nobody invites themselves: both accounts are one person’s"))
    if reason := said.get("reason"):
        parts.append(str(reason))
    if correction := _correction(said):
        parts.append(correction)
    if operation.debt_points > 0:
        parts.append(_("%(points)s settled a debt") % {"points": points(operation.debt_points)})
    if operation.debt_points < 0:
        parts.append(_("%(points)s became a debt") % {"points": points(-operation.debt_points)})
    return ", ".join(parts)


def derivation(operation: Operation, tier_since_at: datetime | None) -> list[str]:
    """The way from the order to the number of points, in words and figures.

    `tier_since_at` is since when the member had the tier that it names, None where nothing tells.
    """
    said = operation.explanation
    if "coefficient" not in said:
        return [line for line in (rule_behind(operation), explanation(operation)) if line]
    lines = []
    if "total_sum" in said:
        lines.append(_base_line(said))
    moved_points = operation.available_points + operation.pending_points + operation.debt_points
    count = said.get("kept_points", said.get("uncut_points", moved_points))
    lines.append(
        _("%(base)s × %(rate)s (%(rules)s), rounded %(rounding)s = %(points)s")
        % {
            "base": money(Decimal(said["base_sum"])),
            "rate": rate(Decimal(said["coefficient"])),
            "rules": _rules(said, tier_since_at),
            "rounding": RuleSet.Rounding(said["rounding"]).label,
            "points": points(count),
        }
    )
    if "uncut_points" in said:
        lines.append(
            _("In a month, friends’ orders bring at most %(limit)s. Left of that: %(points)s.")
            % {"limit": points(said["month_limit_points"]), "points": points(moved_points)}
        )
    if "kept_points" in said:
        taken = -(operation.available_points + operation.pending_points + operation.debt_points)
        lines.append(
            _("That is what the rest of the order earns. Credited beyond it and taken back now: %(points)s.")
            % {"points": points(taken)}
        )
    if operation.debt_points:
        lines.append(explanation(operation))
    return lines


def rule_behind(operation: Operation) -> str:
    """The rule behind an operation that no figures explain; empty where its reason says it all."""
    match operation.kind:
        case Posting.Kind.HOLD:
            return _(
                "These points wait for the order to be paid. "
                "They are released if it is cancelled or not paid in time."
            )
        case Posting.Kind.RELEASE:
            return _(
                "The order was cancelled, not paid in time, or these points were taken off it. "
                "They can be spent again until their last day."
            )
        case Posting.Kind.SPEND | Posting.Kind.CAPTURE:
            return _("One point pays one ruble. The points that expire first were spent first.")
        case Posting.Kind.GIVE_BACK:
            return _(
                "The goods came back, and so do the points that paid for them. "
                "They stay valid for at least 30 days more."
            )
        case Posting.Kind.MATURE:
            return _("Their waiting time is over: from now on they can be spent.")
        case Posting.Kind.EXPIRE:
            return _("Points can be spent until the end of their last day. These were not.")
        case Posting.Kind.TRANSFER:
            return _("Points that are given to somebody keep their last day.")
        case Posting.Kind.REVERSE:
            return _("The operation was a mistake or was taken back. Every point is where it was before.")
    return ""


def facts(operation: Operation) -> list[tuple[str, str]]:
    """What else there is to know about it."""
    said = words(operation)
    found = [(_("Kind"), str(operation.kind.label))]
    if cause := _cause(said):
        found.append((_("Cause"), cause))
    for label, name in [
        (_("In words"), "text"),
        (_("Outlet"), "outlet"),
        (_("Friend"), "friend"),
        (_("Tier"), "tier"),
        (_("Edition of the rules"), "edition"),
        (_("Reason"), "reason"),
    ]:
        if said.get(name):
            found.append((label, str(said[name])))
    return found


def not_me(transfer: Transfer) -> str:
    """Why an account was blocked by the link in a letter, for whoever looks into it."""
    return _("The letter about transfer %(number)s: “It was not me”") % {"number": transfer.number}


def relation(operation: Operation, other: Operation) -> str:
    """How another operation belongs with this one, said of this one."""
    if other.posting_id == operation.origin_id:
        match operation.kind:
            case Posting.Kind.REVERSE:
                return _("Undoes")
            case Posting.Kind.TAKE_BACK:
                return _("Takes back points of")
            case Posting.Kind.GIVE_BACK:
                return _("Returns points of")
        return _("Goes on from")
    if other.origin_id == operation.posting_id:
        match other.kind:
            case Posting.Kind.REVERSE:
                return _("Was undone by")
            case Posting.Kind.TAKE_BACK:
                return _("Points were taken back by")
            case Posting.Kind.GIVE_BACK:
                return _("Points were returned by")
        return _("Went on with")
    if other.origin_id is not None and other.origin_id == operation.origin_id:
        return _("Goes on from the same operation")
    return _("Of the same order")


def words(operation: Operation) -> dict[str, Any]:
    """What an operation says about itself, and what it does not say itself from where it goes on."""
    return {**operation.origin_explanation, **operation.explanation}


def order_number(operation: Operation) -> str:
    """The number of the order it belongs to; empty where there is none."""
    return str(words(operation).get("order", ""))


def _correction(said: dict[str, Any]) -> str:
    """Why a colleague corrected the balance: “A complaint: the parcel came late”."""
    return ": ".join(part for part in (_cause(said), str(said.get("text", ""))) if part)


def _cause(said: dict[str, Any]) -> str:
    cause = said.get("cause", "")
    return str(Cause(cause).label) if cause in Cause.values else str(cause)


def _rules(said: dict[str, Any], tier_since_at: datetime | None) -> str:
    """“Silver since 3 March 2026, edition 4”."""
    edition = _("edition %(number)s") % {"number": said["edition"]}
    if not said.get("tier"):
        return edition
    if tier_since_at is None:
        return f"{said['tier']}, {edition}"
    since = _("%(tier)s since %(day)s") % {
        "tier": said["tier"],
        "day": day_text(local_date(tier_since_at)),
    }
    return f"{since}, {edition}"


def _order_title(order: str, outlet: str) -> str:
    if outlet:
        return _("Order %(order)s, %(outlet)s") % {"order": order, "outlet": outlet}
    return _("Order %(order)s") % {"order": order}


def _base_line(said: dict[str, Any]) -> str:
    """“order 4 990 ₽ − delivery 290 ₽ − 200 points = 4 500 ₽”."""
    parts = [pgettext("the sum of an order", "order %(sum)s") % {"sum": money(Decimal(said["total_sum"]))}]
    for template, name in [
        (_("delivery %(sum)s"), "delivery_sum"),
        (_("goods that earn nothing %(sum)s"), "excluded_sum"),
        (_("returned %(sum)s"), "refunded_sum"),
    ]:
        amount = Decimal(said.get(name, 0))
        if amount:
            parts.append(template % {"sum": money(amount)})
    points_part = Decimal(said.get("points_part_sum", 0))
    if points_part:
        parts.append(points(int(points_part)) if points_part == int(points_part) else money(points_part))
    if len(parts) == 1:
        return parts[0]
    return f"{' − '.join(parts)} = {money(Decimal(said['base_sum']))}"
