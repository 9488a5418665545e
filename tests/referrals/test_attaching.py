"""From a visit to an inviter: by the link, or at the till, and what is refused."""

from datetime import timedelta
from uuid import uuid4

import pytest

from accounts.models import AuditRecord, ContactChange, Member, Message
from accounts.services import create_member
from loyalty.models import Credit, Fund
from orders.services.joining import join_programme
from referrals.errors import (
    REFUSALS,
    AlreadyInvited,
    ExistingMember,
    SameEmail,
    SamePhone,
    SelfInvitation,
    TooLateToAttach,
)
from referrals.models import How, Invitation, Referral, Reward
from referrals.services import Click, attach_at_till, count_visit, reissue_code
from tests.clock import NOON, TOMORROW_NOON
from tests.factories import MemberFactory
from tests.orders.shop import balance_of
from tests.referrals.friends import broken_promises, click_on_link, invite, join, publish


def refusals() -> list[str]:
    return list(Invitation.objects.order_by("pk").values_list("refusal", flat=True))


def test_a_visit_is_counted_once_and_never_the_owners(ada, ben):
    click = click_on_link(ada)

    first = count_visit(click=click, at=NOON)

    assert count_visit(click=click, at=TOMORROW_NOON) == first
    assert (first.inviter, first.visited_at, first.how) == (ada, NOON, How.LINK)
    assert count_visit(click=click_on_link(ada), at=NOON, visitor=ada) is None
    assert count_visit(click=Click(uuid4(), "NOBODYS2", NOON), at=NOON) is None
    ended = click_on_link(ada)
    reissue_code(member=ada, at=NOON)
    assert count_visit(click=ended, at=NOON) is None
    assert Invitation.objects.count() == 1


@pytest.mark.parametrize("is_counted", [True, False])
def test_a_sign_up_attaches_the_inviter_of_the_link(ada, is_counted):
    click = click_on_link(ada)
    if is_counted:
        count_visit(click=click, at=click.clicked_at)

    eve = join(click)

    referral = Referral.objects.get(invited=eve)
    assert (referral.inviter, referral.since_at, referral.how) == (ada, click.clicked_at, How.LINK)
    invitation = Invitation.objects.get()
    assert (invitation.token, invitation.referral, invitation.answered_at) == (click.token, referral, NOON)
    assert not referral.flags.exists()


def test_a_sign_up_by_a_friend_of_nobody_is_like_any_other(ada):
    join(None)
    join(Click(uuid4(), "NOBODYS2", NOON), "max@example.com")

    assert not Invitation.objects.exists()


def test_who_confirms_another_address_later_is_not_invited_anew(ada, ben):
    eve = join(click_on_link(ada))

    join_programme(
        user=eve.user,
        verified_email="eve@example.org",
        joined_at=TOMORROW_NOON,
        language="en",
        click=click_on_link(ben),
    )

    assert Referral.objects.get().inviter == ada
    assert refusals() == ["", AlreadyInvited.code]


def test_a_member_who_already_exists_is_not_invited(ada, ben):
    at_the_till = create_member(
        first_name="Eve", last_name="", email="eve@example.com", phone=None, language="en", joined_at=NOON
    )
    Member.objects.update(email_verified_at=NOON)

    assert join(click_on_link(ada), at=TOMORROW_NOON) == at_the_till

    assert not Referral.objects.exists()
    assert refusals() == [ExistingMember.code]
    assert Invitation.objects.get().invited == at_the_till


def test_nobody_is_invited_by_their_own_link(ada):
    join_programme(
        user=ada.user,
        verified_email=ada.email,
        joined_at=TOMORROW_NOON,
        language="en",
        click=click_on_link(ada),
    )

    assert refusals() == [SelfInvitation.code]


@pytest.mark.parametrize("email", ["A.Da@example.com", "a.d.a@example.com", "ada+second@example.com"])
def test_the_inviters_own_mailbox_is_refused_however_it_is_spelled(ada, email):
    assert join(click_on_link(ada), email).email == email.lower()

    assert refusals() == [SameEmail.code]


def test_the_inviters_former_mailbox_and_phone_are_refused(ada):
    kinds = (
        (ContactChange.Kind.EMAIL, "old.ada@example.com"),
        (ContactChange.Kind.PHONE, "+79161234567"),
    )
    for kind, contact in kinds:
        ContactChange.objects.create(
            member=ada,
            kind=kind,
            current_contact=contact,
            new_contact="",
            current_code_hash="",
            asked_at=NOON,
            expires_at=NOON,
            ended_at=NOON,
            outcome=ContactChange.Outcome.CONFIRMED,
        )

    join(click_on_link(ada), "olda.da+1@example.com")
    same_phone = MemberFactory(phone="+79161234567")

    assert refusals() == [SameEmail.code]
    with pytest.raises(SamePhone):
        attach_at_till(inviter=ada, invited=same_phone, at=NOON, actor_id=1)


def test_a_link_counts_for_thirty_days(ada):
    join(click_on_link(ada, NOON - timedelta(days=30, seconds=1)))
    join(click_on_link(ada, NOON - timedelta(days=30)), "max@example.com")

    assert refusals() == ["link_too_old", ""]


def test_a_link_that_was_replaced_is_refused_although_its_visit_counted(ada):
    click = click_on_link(ada)
    count_visit(click=click, at=click.clicked_at)
    reissue_code(member=ada, at=NOON)

    join(click)

    assert refusals() == ["link_ended"]
    assert Invitation.objects.get().visited_at == click.clicked_at


def test_two_people_who_share_a_browser_are_two_invitations(ada):
    click = click_on_link(ada)

    friends = [join(click), join(click, "max@example.com")]

    assert {referral.invited for referral in Referral.objects.all()} == set(friends)
    assert Invitation.objects.count() == 2


def test_case_33_welcome_points_are_given_once_at_sign_up(ada):
    publish(welcome_points=250)
    click = click_on_link(ada)

    eve = join(click)
    join_programme(user=eve.user, verified_email=eve.email, joined_at=NOON, language="en", click=click)

    assert balance_of(eve).available_points == 250
    assert Credit.objects.get().fund == Fund.PROMOTIONS
    assert Reward.objects.get().order_id is None
    message = Message.objects.get(kind="welcome_points")
    assert (message.member, message.facts) == (
        eve,
        {"points": 250, "available_at": None, "is_held": False},
    )
    assert broken_promises() == set()


def test_orders_that_waited_bring_a_share_from_the_click_on(ada, paid):
    click = click_on_link(ada)
    early, late = click.clicked_at - timedelta(minutes=1), click.clicked_at + timedelta(minutes=1)
    paid(None, 5_000, customer_email="eve@example.com", at=early)
    paid(None, 2_000, customer_email="eve@example.com", at=late)

    join(click)

    assert balance_of(ada).available_points == 20
    referral = Referral.objects.get()
    assert (referral.orders_count, referral.first_bought_at) == (1, late)
    assert broken_promises() == set()


def test_staff_attach_an_inviter_at_the_till_within_a_week(ada, ben, stan, paid):
    publish(welcome_points=250)
    a_week_later = ben.joined_at + timedelta(days=7)
    paid(ben, 1_000)

    referral = attach_at_till(inviter=ada, invited=ben, at=a_week_later, actor_id=stan.pk)
    again = attach_at_till(inviter=ada, invited=ben, at=a_week_later + timedelta(days=9), actor_id=stan.pk)
    paid(ben, 2_000, at=a_week_later)

    assert again == referral
    assert (referral.how, referral.since_at) == (How.TILL, a_week_later)
    assert balance_of(ada, a_week_later).available_points == 20
    assert balance_of(ben, a_week_later).available_points == 250 + 90
    record = AuditRecord.objects.get()
    assert (record.action, record.member, record.actor_id) == ("inviter_attached", ben, stan.pk)
    told = Message.objects.filter(kind="inviter_noted", wants_letter=True, happened_at=a_week_later)
    assert {(message.member, *message.facts.items()) for message in told} == {
        (ben, ("inviter", ada.masked_name)),
        (ada, ("friend", ben.masked_name)),
    }
    assert told.count() == 2
    assert broken_promises() == set()


def test_refusals_at_the_till_are_said_and_kept_once_each(ada, ben, stan):
    eve = MemberFactory()
    old = MemberFactory(joined_at=NOON - timedelta(days=8))
    invite(ada, ben)

    for invited, inviter, refusal in (
        (ben, eve, AlreadyInvited),
        (ben, ben, SelfInvitation),
        (old, MemberFactory(joined_at=NOON - timedelta(days=9)), TooLateToAttach),
        # Whoever joined first was not invited by the other.
        (MemberFactory(), MemberFactory(joined_at=TOMORROW_NOON), ExistingMember),
    ):
        for _time in range(2):
            with pytest.raises(refusal):
                attach_at_till(inviter=inviter, invited=invited, at=NOON, actor_id=stan.pk)
        kept = Invitation.objects.get(inviter=inviter, invited=invited)
        assert (REFUSALS[kept.refusal], kept.how, kept.referral) == (refusal, How.TILL, None)
    assert not AuditRecord.objects.exists()
