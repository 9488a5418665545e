"""«Полдень»: its outlets, the people who join, and what one can do in it. Everything by the services."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from uuid import UUID

from allauth.account.models import EmailAddress
from django.utils import timezone

from accounts.models import CONSENT_TEXT_VERSION, Consent, Member, User
from accounts.services import claim_member, create_member, record_consent
from loyalty.models import Fund, Purpose, Transfer, TransferIntent
from loyalty.queries.balance import balance
from loyalty.services import ledger
from loyalty.services.ledger import Note, event_key
from loyalty.services.standing import standing_of
from loyalty.services.transfers import ask_transfer, make_transfer, take_back_transfer
from loyalty.services.transfers.proving import CODE
from orders.demo.cast import Person
from orders.demo.goods import DELIVERY_SUM, FREE_DELIVERY_FROM_SUM, SITE, TILLS, goods_sum
from orders.demo.timeline import Timeline
from orders.models import Order, Outlet, Source
from orders.queries.figures import LineSpec
from orders.services.joining import join_programme
from orders.services.orders import place_order, register_paid_order
from referrals.services import Click, attach_at_till, code_of, count_visit

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

    def consent_version(self, at: datetime) -> str:
        """The text that people agreed to then: that of today, or the one that the chain began with."""
        on = timezone.localdate(at).isoformat()
        first_on = self.timeline.months_ago(30, day=1).date()
        return CONSENT_TEXT_VERSION if on >= CONSENT_TEXT_VERSION else first_on.isoformat()

    def join_at_till(self, person: Person, at: datetime, inviter: Member | None = None) -> Member:
        """Somebody becomes a member at the till, without a login, and may say who has sent them."""
        member = create_member(
            first_name=person.first_name,
            last_name=person.last_name,
            email=person.email or None,
            phone=person.phone,
            language=person.language,
            joined_at=at,
        )
        record_consent(
            kind=Consent.Kind.PROGRAMME,
            is_given=True,
            how=Consent.How.TILL,
            recorded_at=at,
            member=member,
            text_version=self.consent_version(at),
        )
        standing_of(member=member, at=at)
        self.members.append(member)
        if inviter is not None:
            attach_at_till(inviter=inviter, invited=member, at=at, actor_id=self.staff.pk)
        return member

    def join_online(
        self,
        person: Person,
        at: datetime,
        inviter: Member | None = None,
        password: str | None = None,
        *,
        thinks_it_over: timedelta = timedelta(minutes=4),
    ) -> Member:
        """Somebody signs up by themself, some time after a friend's link, and proves e-mail and phone."""
        click = self.open_link(inviter, at - thinks_it_over) if inviter else None
        user = User.objects.create_user(
            person.email, password, first_name=person.first_name, last_name=person.last_name
        )
        user.joined_at = at
        user.save(update_fields=["joined_at"])
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        record_consent(
            kind=Consent.Kind.PROGRAMME,
            is_given=True,
            how=Consent.How.SIGN_UP,
            recorded_at=at,
            user=user,
            text_version=self.consent_version(at),
        )
        join_programme(
            user=user, verified_email=user.email, joined_at=at, language=person.language, click=click
        )
        member = claim_member(user=user, claimed_at=at, verified_phone=person.phone)
        self.members.append(member)
        return member

    def open_link(self, inviter: Member, at: datetime) -> Click:
        """Somebody opens the link of a member; what comes back is what their browser remembers."""
        code = code_of(member=inviter, at=at).code
        click = Click(token=self.key("click"), code=code, clicked_at=at)
        count_visit(click=click, at=at)
        return click

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

    def transfer(self, giver: Member, receiver: Member, points: int, at: datetime) -> Transfer:
        """One member gives points to another: in the cabinet, or at a till where they have no login."""
        has_login = giver.user_id is not None
        source_code = "" if has_login else self.tills.code
        intent = ask_transfer(
            sender=giver,
            recipient=receiver.number,
            points=points,
            at=at,
            actor_id=giver.user_id,
            source_code=source_code,
        )
        # No letter is sent to people who were made up: they have entered the code of theirs.
        TransferIntent.objects.filter(pk=intent.pk).update(proof=CODE)
        return make_transfer(
            intent=intent,
            at=at,
            how=Transfer.How.CABINET if has_login else Transfer.How.SHOP,
            actor_id=giver.user_id,
            source_code=source_code,
        )

    def take_back(self, transfer: Transfer, at: datetime) -> None:
        """The giver has thought better of it."""
        take_back_transfer(transfer=transfer, at=at, actor_id=transfer.actor_id)

    def reverse(self, posting_id: int, at: datetime, *, reason: str, actor_id: int | None) -> int:
        """A correction is undone; what comes back is the posting's id."""
        return ledger.reverse(
            key=self.key("reverse"),
            posting_id=posting_id,
            at=at,
            least_expires_on=days_later(at, 30),
            note=Note(purpose=Purpose.CORRECTION, actor_id=actor_id, explanation={"reason": reason}),
        ).posting_id


def days_later(at: datetime, days: int) -> date:
    """The day in the programme's zone so many days later."""
    return timezone.localdate(at, timezone.get_default_timezone()) + timedelta(days=days)
