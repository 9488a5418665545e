"""The tables of the console's long lists. A query has put the rows in order; the headings lead to others."""

from collections.abc import Sequence
from typing import Any

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_tables2.data import TableListData

NUMBER = {"th": {"class": "num"}, "td": {"class": "num"}}


class InOrder(TableListData):
    """The rows of one page, in the order in which the database gave them."""

    def order_by(self, aliases: object) -> None:
        """Leave them: only the database could put the rows of all pages into another order."""


class ConsoleTable(tables.Table):
    """A table in the house's look: on a phone, each row is a card of labelled lines.

    The first column names the row. `order_by` is what the list is in order by.
    """

    class Meta:
        template_name = "supervisor/table.html"
        orderable = False

    def __init__(self, rows: Sequence[object], *, caption: str, order_by: str = "", **more: Any) -> None:
        super().__init__(InOrder(list(rows)), order_by=order_by, **more)
        self.caption = caption


class MembersTable(ConsoleTable):
    """Members with their tier and points."""

    name = tables.TemplateColumn(
        template_name="supervisor/members/name.html", verbose_name=_("Member"), orderable=True
    )
    contacts = tables.TemplateColumn(
        template_name="supervisor/members/contacts.html", verbose_name=_("Contacts")
    )
    tier = tables.TemplateColumn(template_name="supervisor/members/tier.html", verbose_name=_("Tier"))
    points = tables.TemplateColumn(
        template_name="supervisor/members/points.html", verbose_name=_("Points"), attrs=NUMBER
    )
    paid = tables.TemplateColumn(
        template_name="supervisor/members/paid.html", verbose_name=_("Paid sum"), attrs=NUMBER
    )
    joined = tables.TemplateColumn(
        template_name="supervisor/members/joined.html", verbose_name=_("Joined"), attrs=NUMBER
    )

    class Meta(ConsoleTable.Meta):
        pass


class OrdersTable(ConsoleTable):
    """Orders with whose they are."""

    number = tables.TemplateColumn(
        template_name="supervisor/orders/number.html", verbose_name=pgettext_lazy("in a shop", "Order")
    )
    member = tables.TemplateColumn(template_name="supervisor/orders/member.html", verbose_name=_("Member"))
    sum = tables.TemplateColumn(
        template_name="supervisor/orders/sum.html", verbose_name=_("Sum"), attrs=NUMBER
    )
    spent = tables.TemplateColumn(
        template_name="supervisor/orders/spent.html", verbose_name=_("Paid with points"), attrs=NUMBER
    )
    earned = tables.TemplateColumn(
        template_name="supervisor/orders/earned_points.html", verbose_name=_("Points earned"), attrs=NUMBER
    )

    class Meta(ConsoleTable.Meta):
        pass


class JournalTable(ConsoleTable):
    """What was done, about whom, by whom and when."""

    what = tables.TemplateColumn(
        template_name="supervisor/journal/what.html", verbose_name=_("What was done")
    )
    member = tables.TemplateColumn(
        template_name="supervisor/journal/about.html", verbose_name=_("About whom")
    )
    who = tables.TemplateColumn(template_name="supervisor/journal/who.html", verbose_name=_("Who did it"))
    moment = tables.TemplateColumn(
        template_name="supervisor/journal/moment.html", verbose_name=_("When"), attrs=NUMBER
    )

    class Meta(ConsoleTable.Meta):
        pass
