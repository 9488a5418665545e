"""Short words for what members did before a colleague looks at it."""

from datetime import datetime
from uuid import uuid4

from django.test import Client

from accounts.models import Member
from loyalty.models import Transfer
from loyalty.services.transfers import ask_transfer, make_transfer
from referrals.models import Flag, How, Referral
from referrals.services import attach_inviter, raise_flag
from tests.clock import NOON
from tests.factories import PASSWORD, MemberFactory
from tests.loyalty.points import earn


def gift(giver: Member, receiver: Member, points: int, *, at: datetime = NOON) -> Transfer:
    """Points that one member gave to another in the cabinet, where the password was asked for."""
    intent = ask_transfer(
        sender=giver, recipient=receiver.number, points=points, at=at, actor_id=giver.user_id
    )
    return make_transfer(
        intent=intent, at=at, how=Transfer.How.CABINET, actor_id=giver.user_id, password=PASSWORD
    )


def gifts(receiver: Member, count: int) -> list[Transfer]:
    """That many transfers of a point each, every one from somebody else."""
    givers = MemberFactory.create_batch(count, has_login=True)
    for giver in givers:
        earn(giver, 1)
    return [gift(giver, receiver, 1) for giver in givers]


def invited_by(inviter: Member, friend: Member) -> Referral:
    """An invitation by the inviter's link."""
    return attach_inviter(inviter=inviter, invited=friend, since_at=NOON, how=How.LINK, token=uuid4())


def doubted(referral: Referral, *kinds: Flag.Kind, at: datetime = NOON) -> list[Flag]:
    """The invitation looks as if both were one person."""
    flags = [raise_flag(referral=referral, kind=kind, at=at) for kind in kinds or [Flag.Kind.SAME_PHONE]]
    return [flag for flag in flags if flag]


def in_english(client: Client) -> Client:
    """The same browser, which reads English."""
    client.cookies["django_language"] = "en"
    return client
