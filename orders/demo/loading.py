"""Telling the whole demo to an empty database."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.models import Member, Message
from loyalty.models import Posting
from orders.demo.ada import AdaStory
from orders.demo.cast import CAST_SIZE, OFFICES, townspeople
from orders.demo.customers import Customer, plan, plan_office
from orders.demo.plots import MembersPlot, ProgrammePlot
from orders.demo.sandbox import fill_sandbox
from orders.demo.timeline import Show, Timeline
from orders.demo.world import World
from orders.errors import OrderError
from orders.models import Order

MEMBERS = 200
SEED = 20_240_229
# Of two commands that begin at once the second waits, and finds the members of the first.
LOADING_LOCK = 20_240_229
# What happened this lately has not been read in the cabinet.
NEWS = timedelta(days=3)
BANQUET_MONTHS = ((21, 18, 15, 11, 8, 5, 2), (19, 13, 7, 1), (20, 9))


class DemoRefused(OrderError):
    """The demo does not belong into this database."""

    code = "demo_refused"


class ProductionRefused(DemoRefused):
    """The settings are those of production."""

    def __str__(self) -> str:
        return _("The demo has logins whose passwords everybody knows: it is never loaded in production.")


class NotEmpty(DemoRefused):
    """There are people already."""

    def __str__(self) -> str:
        return _("This database has members already, and the demo is only loaded into an empty one.")


@dataclass(frozen=True)
class Loaded:
    """How much the demo brought; `sandbox_members` are not among the members."""

    members: int
    sandbox_members: int
    orders: int
    postings: int


def load_demo(*, at: datetime, show: Show, members: int = MEMBERS) -> Loaded:
    """Fill an empty database with two years of a chain of coffee shops, up to `at`.

    All of it is one transaction: a demo is complete or is not there. On the same day it is the same
    demo, but for two unpaid orders, which are as old as the hour. `show` is told how much of how much is
    done. The cast comes always; ordinary people join until there are so many `members`. Beside them is
    a sandbox for the API.

    Raises:
        ProductionRefused: the settings are those of production.
        NotEmpty: there is a member.
    """
    if settings.IS_PRODUCTION:
        raise ProductionRefused
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOADING_LOCK])
        if Member.objects.exists():
            raise NotEmpty
        timeline = Timeline(until=at)
        _plan(World(timeline), members)
        timeline.run(show)
        fill_sandbox(timeline)
        _read_messages(at)
        return Loaded(
            members=Member.objects.filter(is_sandbox=False).count(),
            sandbox_members=Member.objects.filter(is_sandbox=True).count(),
            orders=Order.objects.count(),
            postings=Posting.objects.count(),
        )


def _read_messages(at: datetime) -> None:
    """Nobody is sent letters about what was made up, and all but the latest messages have been read."""
    Message.objects.filter(wants_letter=True).update(wants_letter=False)
    old = Message.objects.filter(happened_at__lt=at - NEWS)
    old.update(seen_at=F("happened_at"))


def _plan(world: World, members: int) -> None:
    dice = random.Random(SEED)  # noqa: S311, nothing is secret here
    ProgrammePlot(world).plan()
    AdaStory(world).plan()
    MembersPlot(world).plan()
    for office, months in zip(OFFICES, BANQUET_MONTHS, strict=True):
        plan_office(Customer(world, office, dice=random.Random(dice.random())), months=months)  # noqa: S311
    for person in townspeople(dice, max(members - CAST_SIZE, 0)):
        plan(Customer(world, person, dice=random.Random(dice.random())))  # noqa: S311
