"""Writes the ordinary orders of a request in sets."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

from accounts.services.messages import Telling, tell_many
from loyalty.models import Fund, RuleSet
from loyalty.services import ledger
from loyalty.services.ledger import CreditRow
from loyalty.services.telling import tier_changed
from orders.models import Order, Source
from orders.services.registering import outcomes
from orders.services.registering.candidates import Candidate
from orders.services.registering.counters import Counters
from orders.services.registering.outcomes import Registered
from orders.services.registering.shares import Brought, keep_courses, keep_rewards, reward_row, shares_of
from orders.services.sets import writing
from orders.services.sets.counting import Counted
from orders.services.sets.writing import Written
from orders.services.telling import order_paid
from referrals.models import Referral
from referrals.services.telling import share_earned, welcome_given


def write_in_sets(
    source: Source,
    candidates: Sequence[Candidate],
    referrals: Mapping[int, Referral],
    actor_id: int | None,
) -> dict[int, Registered]:
    """Write these orders, oldest first, with all that follows; the outcome of each by its turn.

    The accounts of all people whom they concern are locked.

    Raises:
        IntegrityError: somebody else has taken one of the numbers meanwhile.
    """
    if not candidates:
        return {}
    counters = _counters(candidates)
    shares = shares_of(
        referrals,
        [counter.rule_set for counter in counters.by_edition.values()],
        since_at=candidates[0].purchase.paid_at,
    )
    counted: dict[int, Counted] = {}
    brought: dict[int, list[Brought]] = {}
    for candidate in candidates:
        if candidate.member is None or candidate.rule_set is None:
            continue
        counter = counters.counter_of(candidate.member.pk, candidate.rule_set)
        counted[candidate.turn] = counter.count(candidate.purchase)
        brought[candidate.turn] = shares.brought_by(candidate.purchase, counted[candidate.turn], counters)
    written = writing.with_ids(
        source, [(candidate.purchase, counted.get(candidate.turn)) for candidate in candidates]
    )
    writing.write_orders(source, written, actor_id=actor_id)
    writing.write_standings(counters.places(), written)
    rows = [
        (row, candidate, brought.get(candidate.turn, []))
        for candidate, row in zip(candidates, written, strict=True)
    ]
    _credit(counters, rows, actor_id)
    keep_rewards([(row, found) for row, _candidate, all_found in rows for found in all_found])
    keep_courses(shares)
    tell_many(telling for row in rows for telling in _tellings(counters, *row))
    return _outcomes(source, candidates, written)


def _counters(candidates: Sequence[Candidate]) -> Counters:
    """The counters of all editions that were in force, with everybody whom the orders concern."""
    rule_sets: dict[int, RuleSet] = {}
    first_rules: dict[int, RuleSet] = {}
    for candidate in candidates:
        if candidate.rule_set:
            rule_sets.setdefault(candidate.rule_set.pk, candidate.rule_set)
            for person in candidate.people:
                first_rules.setdefault(person, candidate.rule_set)
    return Counters(rule_sets.values(), first_rules)


Row = tuple[Written, Candidate, list[Brought]]


def _credit(counters: Counters, rows: Sequence[Row], actor_id: int | None) -> None:
    """Credit what each order earns its member, then their inviter's share, then the welcome."""
    credit_rows: list[tuple[Fund, CreditRow]] = []
    for row, _candidate, brought in rows:
        if row.counted is None:
            continue
        counter = counters.by_edition[row.counted.rule_set.pk]
        if earned := writing.credit_row(counter, row, actor_id=actor_id):
            credit_rows.append((Fund.PURCHASES, earned))
        credit_rows += [(found.fund, reward_row(counter, row, row.counted, found)) for found in brought]
    # One fund is credited at a time, and all in their order: each line says what was there before.
    for fund, of_fund in groupby(credit_rows, key=itemgetter(0)):
        ledger.credit_many(rows=[credit for _fund, credit in of_fund], fund=fund)


def _tellings(
    counters: Counters, row: Written, candidate: Candidate, brought: Sequence[Brought]
) -> Iterator[Telling]:
    """What `earn` tells of an order."""
    counted, member, paid_at = row.counted, candidate.member, row.purchase.paid_at
    if counted is None or member is None:
        return
    counter = counters.by_edition[counted.rule_set.pk]
    own_tier: list[Telling] = []
    for change in counted.changes:
        tier = tier_changed(
            member_id=change.person,
            from_tier=change.from_tier,
            to_tier=change.to_tier,
            cause=change.cause,
            paid_sum=change.paid_sum,
            at=paid_at,
        )
        if change.is_by_order:
            own_tier += tier
        else:
            yield from tier
    yield from order_paid(
        member_id=member.pk,
        order=row.purchase.number,
        earned_points=counted.points,
        # Orders paid with points go their way one by one.
        spent_points=0,
        at=paid_at,
        available_at=counter.available_at(paid_at),
        tier=own_tier,
    )
    for found in brought:
        tell_of = share_earned if found.tier else welcome_given
        yield from tell_of(found.reward, friend=member)


def _outcomes(
    source: Source, candidates: Sequence[Candidate], written: Sequence[Written]
) -> dict[int, Registered]:
    """The orders as they are now, with what belongs to them at hand."""
    orders = Order.objects.in_bulk([row.order_id for row in written])
    found = {}
    for candidate, row in zip(candidates, written, strict=True):
        order = orders[row.order_id]
        order.source, order.member, order.outlet = source, candidate.member, candidate.order.outlet
        if row.counted:
            order.rule_set, order.tier = row.counted.rule_set, row.counted.tier
        found[candidate.turn] = outcomes.new(order)
    return found
