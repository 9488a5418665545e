"""What is told apart from ordinary visits: the programme's own history, and members worth a look."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Unpack

from django.conf import settings

from accounts.models import Member, User
from accounts.roles import Role
from accounts.services import assign_role
from config.demo import DEMO_PASSWORD
from loyalty.models import RuleSet
from loyalty.queries.rules import rule_set_in_force
from loyalty.services import ledger
from loyalty.services.recount import recount_standings
from loyalty.services.rules import RuleSettings, create_draft, publish_rule_set, specs_of
from loyalty.services.standing import set_floor
from orders.demo.cast import BARISTA, BLOCKED, DEBTOR, LATECOMER, SAM, STAN, STRANGER, SUE, VISITOR, Person
from orders.demo.goods import BANQUETS, CAPPUCCINO, DRINKS, PACKS, PASTRIES, WHOLE_CAKES, line
from orders.demo.world import World
from orders.services.orders import pay_order, refund_order
from referrals.models import Flag, Referral
from referrals.services import decide_flags

# As many accounts as have something due after a week, and more.
SETTLED_AT_ONCE = 10_000
GIVES = (
    ("Баллы за каждый оплаченный заказ.", "Points for every paid order."),
    (
        "Повышенные баллы и бесплатная дегустация новых сортов.",
        "More points, and free tastings of new coffees.",
    ),
    (
        "Самые высокие баллы, подарок ко дню рождения и первый кусок нового торта.",
        "The most points, a present on your birthday, and the first slice of every new cake.",
    ),
)
COFFEE_AND_CROISSANT = [line(CAPPUCCINO), line(PASTRIES[0])]


class ProgrammePlot:
    """Staff, the editions of the rules, and the job that settles what is due."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.colleagues: list[Member] = []

    def plan(self) -> None:
        """Put it all on the timeline."""
        timeline = self.world.timeline
        timeline.on(timeline.months_ago(24, 1, 9), self._hire)
        timeline.on(timeline.months_ago(16, 1, 0), self._let_points_wait)
        timeline.on(timeline.months_ago(8, 1, 0), self._let_points_come_at_once)
        timeline.on(timeline.months_ago(1, 1, 0), self._set_limits)
        for months in range(22, 0, -3):
            timeline.on(timeline.months_ago(months, 14, 8, 10), self._take_a_break)
        for days in range(735, 0, -7):
            timeline.on(timeline.ago(days, 4), self._settle)
        timeline.on(timeline.until, self._settle)

    def _hire(self, at: datetime) -> None:
        for person, role in ((STAN, Role.STAFF), (SUE, Role.SUPERVISOR), (SAM, Role.SUPERVISOR)):
            self.colleagues.append(self.world.join_online(person, at, password=DEMO_PASSWORD))
            assign_role(user=User.objects.get(email=person.email), role=role)
        self.world.staff = User.objects.get(email=STAN.email)
        self.world.supervisor = User.objects.get(email=SUE.email)

    def _take_a_break(self, at: datetime) -> None:
        for minutes, member in enumerate(self.colleagues):
            self.world.sell(member, COFFEE_AND_CROISSANT, at + timedelta(minutes=minutes))

    def _let_points_wait(self, at: datetime) -> None:
        self._publish(at, "Баллы становятся доступны через неделю, когда заказ уже не вернут", waiting_days=7)

    def _let_points_come_at_once(self, at: datetime) -> None:
        self._publish(
            at,
            "Гости просили не ждать: баллы снова доступны сразу. Приветственные баллы приглашённым",
            waiting_days=0,
            welcome_points=200,
            transfer_minimum_points=10,
            transfer_cooling_hours=24,
        )

    def _set_limits(self, at: datetime) -> None:
        self._publish(
            at,
            "Награды за друзей ждут две недели, пока заказ можно вернуть; крупные переводы подтверждаются",
            referral_waiting_days=14,
            referral_least_sum=Decimal(300),
            referral_month_limit_points=3_000,
            welcome_when=RuleSet.WelcomeWhen.FIRST_ORDER,
            transfer_limit_points=3_000,
            transfer_day_limit_points=5_000,
            transfer_month_limit_points=20_000,
            transfer_received_month_limit_points=30_000,
            transfer_step_up_points=1_000,
            transfer_member_days=1,
        )

    def _publish(self, at: datetime, reason: str, **changes: Unpack[RuleSettings]) -> None:
        before = rule_set_in_force(at)
        tiers = [
            replace(tier, gives=gives, gives_en=gives_en)
            for tier, (gives, gives_en) in zip(specs_of(before), GIVES, strict=True)
        ]
        edition = publish_rule_set(
            rule_set=create_draft(copy_of=before, tiers=tiers, **changes),
            effective_at=at,
            published_at=at - timedelta(days=5),
            published_by=self.world.supervisor,
            reason=reason,
        )
        recount_standings(rule_set=edition, at=at)

    def _settle(self, at: datetime) -> None:
        ledger.settle_due(at=at, limit=SETTLED_AT_ONCE)
        self._look_at_doubts(at)

    def _look_at_doubts(self, at: datetime) -> None:
        """What looked like one person a week ago was two: friends of friends come in one week."""
        doubted = Referral.objects.filter(flags__decision="", flags__noticed_at__lt=at - timedelta(days=6))
        for referral in doubted.distinct().order_by("pk"):
            decide_flags(
                referral=referral,
                decision=Flag.Decision.FINE,
                reason="Разные люди: оба бывают в кофейне",
                at=at,
                actor_id=self.world.staff.pk,
            )


class MembersPlot:
    """A member in debt, a blocked one, one with a tier by hand, people who are no members yet."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cast: dict[Person, Member] = {}

    def plan(self) -> None:
        """Put it all on the timeline."""
        on, ago = self.world.timeline.on, self.world.timeline.ago
        for days, person in ((210, DEBTOR), (190, BLOCKED), (330, BARISTA), (95, VISITOR)):
            on(ago(days, 12), partial(self._join, person))
            for visit in range(days - 10, 45, -31):
                on(ago(visit, 12, 15), partial(self._visit, person))
        on(ago(43, 10), self._go_into_debt)
        on(ago(25, 19), self._block)
        on(ago(70, 16), self._name_ambassador)
        on(ago(20, 11), self._credit_by_mistake)
        on(ago(16, 10), self._pay_late)
        for days in (64, 52, 29):
            on(ago(days, 18), self._latecomer_orders)
        on(ago(12, 20), partial(self._join, LATECOMER))
        for days in (18, 7):
            on(ago(days, 13), self._stranger_orders)
        on(ago(3, 9, 5), self._stranger_shows_phone)

    def _join(self, person: Person, at: datetime) -> None:
        is_online = person in (LATECOMER, VISITOR)
        join = self.world.join_online if is_online else self.world.join_at_till
        self.cast[person] = join(person, at)

    def _visit(self, person: Person, at: datetime) -> None:
        self.world.sell(self.cast[person], [*COFFEE_AND_CROISSANT, line(DRINKS[3])], at, outlet="vasilievsky")

    def _go_into_debt(self, at: datetime) -> None:
        """He spends what a banquet has earned, calls the banquet off, and pays back by coffee."""
        debtor = self.cast[DEBTOR]
        banquet = self.world.sell(debtor, [line(BANQUETS[1])], at)
        key = self.world.key("banquet")
        on = self.world.timeline.on
        on(at + timedelta(days=2), lambda later: self._spend_points(debtor, later))
        on(
            at + timedelta(days=4),
            lambda later: refund_order(
                order=banquet, key=key, refunded_at=later, line_sums={1: BANQUETS[1].price}
            ),
        )
        on(at + timedelta(days=30), lambda later: self.world.sell(debtor, COFFEE_AND_CROISSANT, later))

    def _spend_points(self, member: Member, at: datetime) -> None:
        lines = [line(WHOLE_CAKES[0])]
        self.world.sell(member, lines, at, points=self.world.available(member, at))

    def _block(self, at: datetime) -> None:
        ledger.block(account_id=self.cast[BLOCKED].pk, is_blocked=True)

    def _name_ambassador(self, at: datetime) -> None:
        set_floor(
            member=self.cast[BARISTA],
            position=len(GIVES) - 1,
            actor_id=self.world.supervisor.pk,
            reason="Победительница городского чемпионата бариста",
            at=at,
        )

    def _credit_by_mistake(self, at: datetime) -> None:
        """A zero too many, undone the same minute; then what was meant, and a correction downwards."""
        member = self.cast[VISITOR]
        correct = self.world.correct
        mistake_id = correct(member, 5000, at, reason="Потерянный заказ на сайте")
        on = self.world.timeline.on
        on(
            at + timedelta(minutes=1),
            lambda later: self.world.reverse(
                mistake_id, later, reason="Лишний ноль", actor_id=self.world.staff.pk
            ),
        )
        on(
            at + timedelta(minutes=2),
            lambda later: correct(member, 500, later, reason="Потерянный заказ на сайте"),
        )
        on(at + timedelta(days=2), lambda later: correct(member, -120, later, reason="Заказ нашёлся"))

    def _pay_late(self, at: datetime) -> None:
        """The points set aside have come free when the payment arrives; later a pack comes back."""
        lines = [line(PACKS[0]), line(PACKS[1])]
        order = self.world.order_online(self.cast[VISITOR], lines, at, points=150)
        key = self.world.key("pack of hers")
        on = self.world.timeline.on
        on(at + timedelta(hours=settings.HOLD_HOURS + 7), lambda later: pay_order(order=order, paid_at=later))
        on(
            at + timedelta(hours=settings.HOLD_HOURS, days=6),
            lambda later: refund_order(
                order=order, key=key, refunded_at=later, line_sums={2: PACKS[1].price}
            ),
        )

    def _latecomer_orders(self, at: datetime) -> None:
        """Orders that wait; of the middle one a pack comes back, the last one is not paid."""
        lines = [line(PACKS[0], 2), line(PACKS[2])]
        order = self.world.order_online(None, lines, at, customer_email=LATECOMER.email)
        days_ago = (self.world.timeline.midnight - at).days
        on = self.world.timeline.on
        if days_ago > 40:
            self.world.timeline.on(
                at + timedelta(hours=1), lambda later: pay_order(order=order, paid_at=later)
            )
        if 40 < days_ago < 60:
            key = self.world.key("pack")
            on(
                at + timedelta(days=2),
                lambda later: refund_order(
                    order=order, key=key, refunded_at=later, line_sums={1: PACKS[0].price * Decimal("0.5")}
                ),
            )

    def _stranger_orders(self, at: datetime) -> None:
        order = self.world.order_online(None, [line(PACKS[1])], at, customer_email=STRANGER.email)
        self.world.timeline.on(at + timedelta(minutes=6), lambda later: pay_order(order=order, paid_at=later))

    def _stranger_shows_phone(self, at: datetime) -> None:
        self.world.sell(None, COFFEE_AND_CROISSANT, at, customer_phone=STRANGER.phone)
