"""The demo's sandbox: a shop of its own, where the API is tried out with a key that everybody knows."""

from datetime import datetime
from itertools import count

from django.conf import settings

from accounts.models import Language, Member
from config.demo import DEMO_API_KEY
from loyalty.services.ledger import event_key
from orders.demo.cast import PHONE, Person
from orders.demo.goods import CAPPUCCINO, PACKS, WHOLE_CAKES, Good, goods_sum, line
from orders.demo.timeline import Timeline
from orders.models import ApiKey, Order, Scope, Source
from orders.services.api_keys import create_source, hash_of, public_id_of
from orders.services.members import register_member
from orders.services.orders import place_order, refund_order, register_paid_order

CODE = "sandbox"
# The ids by which the sandbox's shop calls its first customers.
REGULAR, RETURNING, NEWCOMER = "demo-1", "demo-2", "demo-3"
PEOPLE = {
    REGULAR: Person("Тамара", "Тестова", "tamara@sandbox.example", PHONE.format(9001)),
    RETURNING: Person("Платон", "Пробный", "platon@sandbox.example", PHONE.format(9002)),
    NEWCOMER: Person("Nora", "Newman", "nora@sandbox.example", PHONE.format(9003), Language.ENGLISH),
}


def fill_sandbox(timeline: Timeline) -> Source:
    """The sandbox as it is where the timeline ends: its key, three members, and what they have bought.

    One has points and some of them set aside, one has returned something, one has nothing yet.
    """
    sandbox = create_source(code=CODE, name="Песочница", is_sandbox=True)
    ApiKey.objects.create(
        source=sandbox,
        name="Для знакомства с API",
        public_id=public_id_of(DEMO_API_KEY),
        secret_hash=hash_of(DEMO_API_KEY),
        scopes=Scope.values,
        requests_a_minute=settings.API_REQUESTS_A_MINUTE,
        created_at=timeline.ago(60, 12),
    )
    shop = _Shop(sandbox)
    members = {customer_id: shop.register(customer_id, timeline.ago(50, 12)) for customer_id in PEOPLE}
    shop.sell(members[REGULAR], WHOLE_CAKES[0], timeline.ago(40, 13))
    shop.sell(members[REGULAR], PACKS[3], timeline.ago(12, 18))
    returned = shop.sell(members[RETURNING], PACKS[1], timeline.ago(30, 11))
    shop.take_back_second_line(returned, timeline.ago(25, 11))
    shop.leave_unpaid(members[REGULAR], PACKS[0], timeline.hour, points=50)
    return sandbox


class _Shop:
    """What the sandbox's shop sends, order by order."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._numbers = map("demo-{:04d}".format, count(1))

    def register(self, customer_id: str, at: datetime) -> Member:
        person = PEOPLE[customer_id]
        return register_member(
            source=self.source,
            first_name=person.first_name,
            last_name=person.last_name,
            email=person.email,
            phone=person.phone,
            language=person.language,
            customer_id=customer_id,
            agrees_to_programme=True,
            agrees_to_advertising=False,
            at=at,
        )

    def sell(self, member: Member, good: Good, at: datetime) -> Order:
        lines = [line(good), line(CAPPUCCINO)]
        return register_paid_order(
            source=self.source,
            number=next(self._numbers),
            member=member,
            total_sum=goods_sum(lines),
            lines=lines,
            paid_at=at,
        )

    def take_back_second_line(self, order: Order, at: datetime) -> Order:
        key = event_key("demo", CODE, order.number, "refund")
        return refund_order(order=order, key=key, refunded_at=at, line_sums={2: CAPPUCCINO.price})

    def leave_unpaid(self, member: Member, good: Good, at: datetime, *, points: int) -> Order:
        return place_order(
            source=self.source,
            number=next(self._numbers),
            member=member,
            total_sum=good.price,
            lines=[line(good)],
            points=points,
            placed_at=at,
        )
