"""Short words for invitations in tests: links that are opened, friends who join, editions that limit."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from accounts.models import Member
from loyalty.models import RuleSet
from loyalty.queries.audit import every_check, findings
from loyalty.services.rules import create_draft, publish_rule_set
from orders.services.joining import join_programme
from referrals.models import Flag, How, Referral
from referrals.services import Click, attach_inviter, code_of
from tests.clock import NOON
from tests.factories import UserFactory
from tests.loyalty.editions import LONG_AGO, tier_spec


def publish(**settings) -> RuleSet:
    """An edition with one tier, whose inviters get a hundredth; in force since the day before."""
    draft = create_draft(tiers=[tier_spec("Everyone", 0, "0.03", referral_rate=Decimal("0.01"))], **settings)
    return publish_rule_set(
        rule_set=draft, effective_at=NOON - timedelta(days=1), published_at=NOON, reason="A test"
    )


def invite(inviter: Member, invited: Member, since_at: datetime = LONG_AGO) -> Referral:
    """They are inviter and friend, whoever they are."""
    return attach_inviter(inviter=inviter, invited=invited, since_at=since_at, how=How.LINK)


def click_on_link(inviter: Member, at: datetime = NOON - timedelta(hours=1)) -> Click:
    """What the browser remembers of somebody who has opened the inviter's link."""
    return Click(token=uuid4(), code=code_of(member=inviter, at=at).code, clicked_at=at)


def join(
    click: Click | None,
    email: str = "eve@example.com",
    at: datetime = NOON,
    device_token: UUID | None = None,
    signed_up_at: datetime | None = None,
) -> Member:
    """Somebody new signs up with that address; they confirm it at `at`, at once if nothing else is said."""
    user = UserFactory(email=email)
    user.joined_at = signed_up_at or at
    user.save(update_fields=["joined_at"])
    return join_programme(
        user=user,
        verified_email=email,
        joined_at=at,
        language="en",
        click=click,
        device_token=device_token,
    )


def kinds_of(referral: Referral) -> set[str]:
    """What makes an invitation doubtful."""
    return set(Flag.objects.filter(referral=referral).values_list("kind", flat=True))


def broken_promises() -> set[str]:
    """The checks of the audit that find something: there should be none."""
    return {finding.check.name for finding in findings(every_check()) if finding.found_count}
