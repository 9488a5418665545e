"""Why an operation moved as many points as it did, in words and figures."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.facts import worded
from loyalty.models import Cause, Posting, Purpose, RuleSet
from loyalty.queries.operations import Operation
from loyalty.templatetags.numbers import day_text, local_date, money, points, rate


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
                "tier": worded(said, "tier"),
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
        said_first = what_was_done(operation)
        return [line for line in (said_first, rule_behind(operation), explanation(operation)) if line]
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


def what_was_done(operation: Operation) -> str:
    """What moved how many points, where no figures say it; empty where the rule behind it does."""
    said = words(operation)
    order = order_number(operation)
    match operation.kind:
        case Posting.Kind.TRANSFER if operation.available_points < 0:
            sentence, amount = (
                _("You gave %(points)s to %(name)s, without a fee."),
                -operation.available_points,
            )
            return sentence % {"points": points(amount), "name": said.get("to", "")}
        case Posting.Kind.TRANSFER:
            sentence, amount = _("%(name)s gave you %(points)s, without a fee."), operation.available_points
            return sentence % {"points": points(amount), "name": said.get("from", "")}
        case Posting.Kind.HOLD if order:
            sentence = _("You set %(points)s aside to pay for order %(order)s.")
            return sentence % {"points": points(operation.held_points), "order": order}
        case Posting.Kind.MATURE if formula := _formula_behind(operation):
            number = points(operation.available_points + operation.debt_points)
            if operation.origin_purpose == Purpose.REFERRAL:
                return _("%(points)s for a friend’s order: %(formula)s.") % {
                    "points": number,
                    "formula": formula,
                }
            return _("%(points)s for order %(order)s: %(formula)s.") % {
                "points": number,
                "order": order,
                "formula": formula,
            }
    return ""


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


def words(operation: Operation) -> dict[str, Any]:
    """What an operation says about itself, and what it does not say itself from where it goes on."""
    return {**operation.origin_explanation, **operation.explanation}


def order_number(operation: Operation) -> str:
    """The number of the order it belongs to; empty where there is none."""
    return str(words(operation).get("order", ""))


def cause(said: dict[str, Any]) -> str:
    """Why a colleague corrected a balance, in a few words; empty where nobody did."""
    named = said.get("cause", "")
    return str(Cause(named).label) if named in Cause.values else str(named)


def _correction(said: dict[str, Any]) -> str:
    """Why a colleague corrected the balance: “A complaint: the parcel came late”."""
    return ": ".join(part for part in (cause(said), str(said.get("text", ""))) if part)


def _rules(said: dict[str, Any], tier_since_at: datetime | None) -> str:
    """“Silver since 3 March 2026, edition 4”."""
    edition = _("edition %(number)s") % {"number": said["edition"]}
    tier = worded(said, "tier")
    if not tier:
        return edition
    if tier_since_at is None:
        return f"{tier}, {edition}"
    since = _("%(tier)s since %(day)s") % {
        "tier": tier,
        "day": day_text(local_date(tier_since_at)),
    }
    return f"{since}, {edition}"


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


def _formula_behind(operation: Operation) -> str:
    """“2 290 ₽ × 2 %” behind points that became available; empty where fewer of them are left."""
    said = operation.origin_explanation
    if "coefficient" not in said:
        return ""
    base_sum, coefficient = Decimal(said["base_sum"]), Decimal(said["coefficient"])
    if abs(base_sum * coefficient - operation.available_points - operation.debt_points) >= 1:
        return ""
    return f"{money(base_sum)} × {rate(coefficient)}"
