"""Between new rules and the recount, the cabinet and the API say which tier still shows, and why."""

import pytest
import time_machine

from loyalty.services.recount import recount_standings
from orders.models import Source
from tests.clock import NOON
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import earn
from tests.loyalty.standings import count
from tests.orders.api.shops import Shop
from tests.pages import Page
from tests.supervisor.given import in_english

BEING_RECOUNTED = "everybody’s tier is being recounted"


@pytest.fixture(autouse=True)
def noon():
    """Pages read the clock themselves: let it be noon for them too."""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def edition(ada):
    """New rules that are in force, but have not reached Ada yet."""
    publish_edition(("Bronze", 0, "0.05"), ("Silver", 10_000, "0.07"), ("Gold", 20_000, "0.1"))
    count(ada, 12_000)
    earn(ada, 100)
    return publish_edition(
        ("Bronze", 0, "0.01"), ("Silver", 15_000, "0.02"), effective_at=NOON, transfers_allowed=False
    )


def test_the_balance_page_shows_the_tier_before_until_the_recount(ada, edition, client_of):
    browser = in_english(client_of(ada))

    page = Page(browser.get("/"))
    assert BEING_RECOUNTED in page.text
    assert "Until now 7% of every paid order came back in points." in page.text
    # Neither the old way to Gold nor the new one to Silver, which would give the tier away.
    assert (page.count("progress"), "highest tier" in page.text, "more to the tier" in page.text) == (
        0,
        False,
        False,
    )
    # What everybody may do follows from the rules in force.
    assert "/transfers/new/" not in page.hrefs()

    recount_standings(rule_set=edition, at=NOON)

    page = Page(browser.get("/"))
    assert BEING_RECOUNTED not in page.text
    assert "1% of every paid order comes back in points." in page.text
    assert "3,000\xa0₽ more to the tier “Silver”" in page.text


def test_the_api_says_that_a_tier_is_being_recounted(ada, edition, shop):
    program = Shop(shop if isinstance(shop, Source) else Source.objects.get())

    assert program.balance(ada)["tier"] == {
        "name": "Silver",
        "name_en": None,
        "coefficient": "0.0700",
        "is_being_recounted": True,
        "paid_sum": "12000.00",
        "next_name": None,
        "next_name_en": None,
        "to_next_sum": None,
    }

    recount_standings(rule_set=edition, at=NOON)

    found = program.balance(ada)["tier"]
    assert (found["name"], found["is_being_recounted"], found["next_name"], found["to_next_sum"]) == (
        "Bronze",
        False,
        "Silver",
        "3000.00",
    )
