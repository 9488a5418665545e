"""The story of a change: a supervisor edits the tiers, previews and publishes them, and members see it."""

import pytest

from tests.accounts.telling import work_off
from tests.loyalty.editions import publish_edition

pytestmark = pytest.mark.django_db(transaction=True)


def test_tiers_are_edited_previewed_published_and_seen(noon, ada, sue, paid, visitor):
    publish_edition(("Bronze", 0), ("Silver", 10_000, "0.10"))
    paid(ada, 6_000)
    member = visitor(ada)
    member.open("/")
    assert "Tier Bronze" in member.text

    supervisor = visitor(sue)
    supervisor.open("/console/editions/")
    supervisor.press("Make a draft")
    supervisor.type("Paid sum from, ₽", "5000")
    supervisor.press("Save and see what it would do")
    work_off()
    supervisor.wait_for("Nobody falls.")
    assert "Silver" in supervisor.text
    supervisor.follow("Go on to publish")
    supervisor.tick("At once")
    supervisor.type("Reason", "Silver for less")
    supervisor.press("Continue")
    supervisor.press("Publish the rules")
    work_off()
    supervisor.wait_for("Done on")

    member.open("/")
    assert "Tier Silver" in member.text
    member.follow("Rules of the programme")
    assert "5,000" in member.text
