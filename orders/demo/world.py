"""«Полдень»: its outlets, the people who join, and what one can do in it. Everything by the services."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from uuid import UUID

from allauth.account.models import EmailAddress
from django.utils import timezone

from accounts.models import Consent, Member, User
from accounts.services import claim_member, create_member, record_consent
from loyalty.models import Fund, Posting, Purpose
from loyalty.queries.balance import balance
from loyalty.queries.rules import expires_on, rule_set_in_force
from loyalty.services import ledger
from loyalty.services.ledger import Note, event_key
from loyalty.services.standing import standing_of
from orders.demo.cast import Person
from orders.demo.goods import DELIVERY_SUM, FREE_DELIVERY_FROM_SUM, SITE, TILLS, goods_sum
from orders.demo.timeline import Timeline
from orders.models import Order, Outlet, Source
from orders.queries.figures import LineSpec
from orders.services.joining import join_programme
from orders.services.orders import place_order, register_paid_order
from referrals.models import How
from referrals.services import attach_inviter

# The chain is older than its programme.
FIRST_ORDER_NUMBER = 371


class World:
    """The chain, and who has joined its programme so far."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.tills = Source.objects.create(code="tills", name="Кассы «Полдня»")
        self.site = Source.objects.create(code="site", name="Сайт «Полдня»")
        self.outlets: dict[str, Outlet] = {}
        self._numbers: dict[str, Iterator[str]] = {}
        for code, name, prefix in (*TILLS, SITE):
            source = self.site if code == "site" else self.tills
            self.outlets[code] = Outlet.objects.create(source=source, code=code, name=name)
            self._numbers[code] = map(f"{prefix}-{{:05d}}".format, count(FIRST_ORDER_NUMBER))
        self._events = count(1)
        self.members: list[Member] = []
        self.staff: User
        self.supervisor: User

    def key(self, *parts: object) -> UUID:
        """A key that is the same in every demo."""
        return event_key("demo", next(self._events), *parts)

    def join_at_till(self, person: Person, at: datetime, inviter: Member | None = None) -> Member:
        """Somebody becomes a member at the till, without a login."""
        member = create_member(
            first_name=person.first_name,
            last_name=person.last_name,
            email=person.email or None,
            phone=person.phone,
            language=person.language,
            joined_at=at,
        )
        record_consent(
            kind=Consent.Kind.PROGRAMME, is_given=True, how=Consent.How.TILL, recorded_at=at, member=member
        )
        standing_of(member=member, at=at)
        return self._welcome(member, at, inviter, How.TILL)

    def join_online(
        self, person: Person, at: datetime, inviter: Member | None = None, password: str | None = None
    ) -> Member:
        """Somebody signs up by themself and proves their e-mail and phone."""
        user = User.objects.create_user(
            person.email, password, first_name=person.first_name, last_name=person.last_name
        )
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        record_consent(
            kind=Consent.Kind.PROGRAMME, is_given=True, how=Consent.How.SIGN_UP, recorded_at=at, user=user
        )
        join_programme(user=user, verified_email=user.email, joined_at=at, language=person.language)
        member = claim_member(user=user, claimed_at=at, verified_phone=person.phone)
        return self._welcome(member, at, inviter, How.LINK)

    def _welcome(self, member: Member, at: datetime, inviter: Member | None, how: How) -> Member:
        self.members.append(member)
        rule_set = rule_set_in_force(at)
        if inviter is None:
            return member
        attach_inviter(inviter=inviter, invited=member, since_at=at, how=how)
        if rule_set.welcome_points:
            ledger.credit(
                key=self.key("welcome"),
                account_id=member.pk,
                points=rule_set.welcome_points,
                at=at,
                expires_on=expires_on(rule_set, at),
                fund=Fund.PROMOTIONS,
                note=Note(purpose=Purpose.WELCOME, rule_set_id=rule_set.pk),
            )
        return member

    def sell(
        self,
        member: Member | None,
        lines: Sequence[LineSpec],
        at: datetime,
        *,
        outlet: str = "nevsky",
        points: int = 0,
        customer_email: str | None = None,
        customer_phone: str | None = None,
    ) -> Order:
        """Something is paid at a till."""
        return register_paid_order(
            source=self.tills,
            outlet=self.outlets[outlet],
            number=next(self._numbers[outlet]),
            member=member,
            customer_email=customer_email,
            customer_phone=customer_phone,
            total_sum=goods_sum(lines),
            lines=lines,
            points=points,
            paid_at=at,
        )

    def order_online(
        self,
        member: Member | None,
        lines: Sequence[LineSpec],
        at: datetime,
        *,
        points: int = 0,
        is_delivered: bool = True,
        customer_email: str | None = None,
    ) -> Order:
        """Something is ordered at the site, and not paid yet."""
        total_sum = goods_sum(lines)
        delivery_sum = DELIVERY_SUM if is_delivered and total_sum < FREE_DELIVERY_FROM_SUM else Decimal(0)
        return place_order(
            source=self.site,
            outlet=self.outlets["site"],
            number=next(self._numbers["site"]),
            member=member,
            customer_email=customer_email,
            total_sum=total_sum + delivery_sum,
            delivery_sum=delivery_sum,
            lines=lines,
            points=points,
            placed_at=at,
        )

    def available(self, member: Member, at: datetime) -> int:
        """How many points somebody may spend."""
        return balance(account_id=member.pk, at=at).available_points

    def give(self, member: Member, points: int, at: datetime, *, reason: str, waiting_days: int = 0) -> int:
        """The programme gives points for 60 days; what comes back is the posting's id."""
        return ledger.credit(
            key=self.key("gift"),
            account_id=member.pk,
            points=points,
            at=at,
            available_at=at + timedelta(days=waiting_days),
            expires_on=days_later(at, 60),
            fund=Fund.PROMOTIONS,
            note=Note(purpose=Purpose.GIFT, explanation={"reason": reason}),
        ).posting_id

    def correct(
        self, member: Member, points: int, at: datetime, *, reason: str, may_owe: bool = False
    ) -> int:
        """Staff change a balance by hand; what comes back is the posting's id."""
        return ledger.adjust(
            key=self.key("correction"),
            account_id=member.pk,
            points=points,
            at=at,
            expires_on=days_later(at, 180) if points > 0 else None,
            may_owe=may_owe,
            note=Note(purpose=Purpose.CORRECTION, actor_id=self.staff.pk, explanation={"reason": reason}),
        ).posting_id

    def transfer(self, giver: Member, receiver: Member, points: int, at: datetime) -> int:
        """One member gives points to another; what comes back is the posting's id."""
        return ledger.transfer(
            key=self.key("transfer"),
            from_account_id=giver.pk,
            to_account_id=receiver.pk,
            points=points,
            at=at,
            note=Note(
                actor_id=giver.user_id,
                explanation={"from": giver.masked_name, "to": receiver.masked_name},
            ),
        ).posting_id

    def reverse(self, posting_id: int, at: datetime, *, reason: str, actor_id: int | None) -> int:
        """A transfer or a correction is undone; what comes back is the posting's id."""
        purpose = Posting.objects.values_list("purpose", flat=True).get(pk=posting_id)
        return ledger.reverse(
            key=self.key("reverse"),
            posting_id=posting_id,
            at=at,
            least_expires_on=days_later(at, 30),
            note=Note(
                purpose=Purpose(purpose) if purpose else None,
                actor_id=actor_id,
                explanation={"reason": reason},
            ),
        ).posting_id


def days_later(at: datetime, days: int) -> date:
    """The day in the programme's zone so many days later."""
    return timezone.localdate(at, timezone.get_default_timezone()) + timedelta(days=days)
