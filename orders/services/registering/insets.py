"""Writes the ordinary orders of a request in sets."""

from collections.abc import Mapping, Sequence

from loyalty.models import RuleSet
from loyalty.services import ledger
from loyalty.services.ledger import CreditRow
from orders.models import Order, Source
from orders.services.registering import outcomes
from orders.services.registering.candidates import Candidate
from orders.services.registering.counters import Counters
from orders.services.registering.outcomes import Registered
from orders.services.registering.shares import Share, Shares, keep_rewards, share_row
from orders.services.sets import writing
from orders.services.sets.counting import Counted
from orders.services.sets.writing import Written
from referrals.models import Referral


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
    shares = Shares(referrals, [counter.rule_set for counter in counters.by_edition.values()])
    counted: dict[int, Counted] = {}
    shared: dict[int, Share] = {}
    for candidate in candidates:
        if candidate.member is None or candidate.rule_set is None:
            continue
        counter = counters.counter_of(candidate.member.pk, candidate.rule_set)
        counted[candidate.turn] = counter.count(candidate.purchase)
        if share := shares.share_of(candidate.purchase, counted[candidate.turn], counters):
            shared[candidate.turn] = share
    written = writing.with_ids(
        source, [(candidate.purchase, counted.get(candidate.turn)) for candidate in candidates]
    )
    writing.write_orders(source, written, actor_id=actor_id)
    writing.write_standings(counters.places(), written)
    turns = [candidate.turn for candidate in candidates]
    _credit(counters, [(row, shared.get(turn)) for turn, row in zip(turns, written, strict=True)], actor_id)
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


def _credit(
    counters: Counters, written: Sequence[tuple[Written, Share | None]], actor_id: int | None
) -> None:
    """Credit what each order earns its member, and then their inviter."""
    rows: list[CreditRow] = []
    for row, share in written:
        if row.counted is None:
            continue
        counter = counters.by_edition[row.counted.rule_set.pk]
        if earned := writing.credit_row(counter, row, actor_id=actor_id):
            rows.append(earned)
        if share:
            rows.append(share_row(counter, row, row.counted, share))
    ledger.credit_many(rows=rows)
    keep_rewards([(row, share) for row, share in written if share])


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
