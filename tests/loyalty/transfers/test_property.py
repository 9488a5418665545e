"""No sequence of transfers, take-backs and reversals changes when anybody's points expire (L7)."""

import os
from collections import Counter
from datetime import timedelta

from django.db import transaction as database
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from loyalty.errors import LoyaltyError
from loyalty.models import Fund, Transfer
from loyalty.services.transfers import reverse_transfer, take_back_transfer
from tests.clock import NOON
from tests.factories import MemberFactory, UserFactory
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import earn, fetch
from tests.loyalty.transfers.giving import broken_promises, confirm, proved_intent

EXAMPLES = int(os.environ.get("LEDGER_EXAMPLES", "25"))
MEMBERS = 4
# One way on which points really move, or a test of nothing but refusals would pass.
EXAMPLE = [("give", 0, 1, 50), ("give", 1, 1, 45), ("take back", 1), ("give", 0, 2, 30), ("reverse", 2)]
MADE = [(50, ""), (45, "sender"), (30, "staff")]

lots = st.lists(
    st.tuples(
        st.integers(0, MEMBERS - 1),
        st.none() | st.integers(1, 5),
        st.sampled_from([Fund.PURCHASES, Fund.PARTNERS]),
        st.integers(1, 60),
    ),
    min_size=1,
    max_size=10,
)
steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("give"), st.integers(0, MEMBERS - 1), st.integers(1, MEMBERS - 1), st.integers(1, 80)
        ),
        st.tuples(st.sampled_from(["take back", "reverse"]), st.integers(0, 1000)),
    ),
    min_size=1,
    max_size=25,
)


def lives() -> Counter:
    """How many points of each last day and fund there are, whoever has them."""
    rows = fetch("select expires_on, fund, sum(points)::int from loyalty_lot group by 1, 2")
    return Counter({(day, fund): points for day, fund, points in rows if points})


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=list(HealthCheck),
)
@given(lots=lots, steps=steps)
@example(
    lots=[(0, 3, Fund.PURCHASES, 40), (0, None, Fund.PARTNERS, 40)],
    steps=EXAMPLE,
)
def test_points_keep_their_last_day_and_fund_wherever_they_go(db, lots, steps):
    with database.atomic():
        publish_edition(transfer_cooling_hours=1)
        members = [MemberFactory() for _ in range(MEMBERS)]
        colleague = UserFactory()
        for owner, days, fund, points in lots:
            earn(members[owner], points, until=days and (NOON + timedelta(days=days)).date(), fund=fund)
        before, made = lives(), []

        for number, step in enumerate(steps):
            at = NOON + timedelta(minutes=number)
            try:
                match step:
                    case ("give", giver, further, points):
                        intent = proved_intent(
                            members[giver], members[(giver + further) % MEMBERS], points, at=at
                        )
                        made.append(confirm(intent, at=at))
                    case ("take back", pick) if made:
                        take_back_transfer(transfer=made[pick % len(made)], at=at, actor_id=None)
                    case ("reverse", pick) if made:
                        reverse_transfer(
                            transfer=made[pick % len(made)], reason="x", at=at, actor_id=colleague.pk
                        )
            except LoyaltyError:
                pass
            assert lives() == before

        assert broken_promises() == []
        if steps == EXAMPLE:
            assert [(one.points, one.ended_by) for one in Transfer.objects.order_by("pk")] == MADE
        database.set_rollback(True)
