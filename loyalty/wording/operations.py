"""How operations are named and told to the person whose points they moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _

from accounts.facts import worded
from loyalty.models import Posting, Purpose, Transfer
from loyalty.queries.lines import OperationLine
from loyalty.queries.operations import Operation
from loyalty.wording.why import cause, derivation, explanation, order_number, words

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
    taken_back_at: datetime | None
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
    taken_back_at: datetime | None
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
        taken_back_at=operation.taken_back_at,
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
        taken_back_at=operation.taken_back_at,
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


def facts(operation: Operation) -> list[tuple[str, str]]:
    """What else there is to know about it."""
    said = words(operation)
    found = [(_("Kind"), str(operation.kind.label))]
    if why := cause(said):
        found.append((_("Cause"), why))
    for label, name in [
        (_("In words"), "text"),
        (_("Outlet"), "outlet"),
        (_("Friend"), "friend"),
        (_("Tier"), "tier"),
        (_("Edition of the rules"), "edition"),
        (_("Reason"), "reason"),
    ]:
        if text := worded(said, name):
            found.append((label, text))
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


def _order_title(order: str, outlet: str) -> str:
    if outlet:
        return _("Order %(order)s, %(outlet)s") % {"order": order, "outlet": outlet}
    return _("Order %(order)s") % {"order": order}
