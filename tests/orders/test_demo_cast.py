"""What the demo shows of its cast: logins, a rich page, invitations, consents and messages."""

from datetime import datetime

import pytest
from allauth.account.models import EmailAddress
from django.db import transaction
from django.test import override_settings

from accounts.models import Consent, Member, Message, User
from config.demo import DEMO_LOGINS
from loyalty.queries.balance import balance
from loyalty.queries.operations import operations_page
from loyalty.queries.standing import standing_card
from orders.demo.cast import LATECOMER, SAM, STAN, STRANGER, SUE
from orders.demo.loading import load_demo
from orders.models import Order
from referrals.queries import State, invitations_page, open_flags
from tests.clock import NOON
from tests.factories import QUICK_HASHERS


@pytest.fixture(scope="module", autouse=True)
def cast(django_db_setup, django_db_blocker):
    """The demo without its crowd, loaded once: everybody here only looks at it."""
    with django_db_blocker.unblock(), transaction.atomic():
        with override_settings(PASSWORD_HASHERS=QUICK_HASHERS):
            load_demo(at=NOON, show=lambda done, total: None, members=0)
        yield
        transaction.set_rollback(True)


def test_logins_open_and_orders_have_waited(db):
    for login in DEMO_LOGINS:
        user = User.objects.get(email=login.email)
        assert user.check_password(login.password)
        assert user.member.orders.exists()
        assert EmailAddress.objects.get(user=user).verified
    colleagues = User.objects.filter(email__in=[person.email for person in (SAM, STAN, SUE)])
    assert [set(user.role_names) for user in colleagues.order_by("email")] == [
        {"member", "supervisor"},
        {"member", "staff"},
        {"member", "supervisor"},
    ]
    latecomer = Member.objects.get(email=LATECOMER.email)
    waited = latecomer.orders.filter(placed_at__lt=latecomer.joined_at)
    assert [order.status for order in waited.order_by("placed_at")] == ["paid", "partly_refunded", "new"]
    assert balance(account_id=latecomer.pk, at=NOON).available_points > 0
    assert Order.objects.filter(member=None, customer_email=STRANGER.email).count() == 2
    assert Order.objects.filter(member=None, customer_phone=STRANGER.phone).count() == 1


def test_invitations_are_in_every_state_but_an_ended_one(db):
    ada = Member.objects.get(email="ada@ballada.example")
    rows = invitations_page(member=ada, at=NOON).rows
    assert {row.state for row in rows} == set(State) - {State.ENDED}
    assert {row.refusal for row in rows} == {"", "link_too_old"}
    # The doubtful one waits for the visitor to decide it.
    assert {flag.referral.inviter for flag in open_flags()} == {ada}
    assert {flag.kind for flag in open_flags()} == {"too_quick", "same_phone"}


def test_nobody_agrees_to_a_text_of_later(db):
    consents = Consent.objects.exclude(member__is_sandbox=True)
    assert [
        consent for consent in consents if consent.text_version > consent.recorded_at.date().isoformat()
    ] == []
    assert consents.exists()


def test_nobody_gets_letters_and_a_little_is_left_to_read(db):
    assert not Message.objects.filter(wants_letter=True).exists()
    ada = Member.objects.get(email="ada@ballada.example")
    assert 0 < ada.messages.filter(seen_at=None).count() < 5
    assert ada.messages.exclude(seen_at=None).count() > 20


def test_ada_has_a_rich_page(db):
    assert_page_is_rich(NOON)


def assert_page_is_rich(at: datetime) -> None:
    """Ada's page has everything that a balance page can show."""
    ada = Member.objects.get(email="ada@ballada.example")
    card = standing_card(ada, at)
    assert (card.tier.position, card.to_next_sum) == (1, 3210)
    points = balance(account_id=ada.pk, at=at)
    assert 2000 <= points.available_points <= 4000
    assert points.held_points == 250
    # A gift, a share that waits until nothing can be returned, and one that somebody has to look at.
    assert [(part.points, part.available_at is None) for part in points.pending] == [
        (300, False),
        (79, False),
        (45, True),
    ]
    assert len(points.expiries) > 6
    assert points.next_expiry.days_left <= 30
    assert points.next_expiry.points >= 200
    latest = operations_page(account_id=ada.pk, limit=5).operations
    assert [(operation.kind, operation.purpose) for operation in latest] == [
        ("hold", "order"),
        ("credit", "referral"),
        ("mature", ""),
        ("take_back", "order"),
        ("credit", "referral"),
    ]
