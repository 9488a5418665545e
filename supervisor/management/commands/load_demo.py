"""manage.py load_demo: an empty database becomes a coffee chain with two years behind it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from loyalty.queries.audit import every_check
from loyalty.services.audit import run_audit
from orders.demo.loading import MEMBERS, DemoRefused, load_demo
from supervisor.demo import fill_console

BAR_CELLS = 30


class Command(BaseCommand):
    help = "Fill an empty database with a made-up chain of coffee shops, its members and their orders."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--members", type=int, default=MEMBERS, help=f"how many people join, {MEMBERS} unless told"
        )

    def handle(self, *args: Any, members: int, **options: Any) -> None:
        self.shown = 0
        now = timezone.now()
        try:
            with transaction.atomic():
                loaded = load_demo(at=now, show=self._show, members=members)
                fill_console(at=now)
        except DemoRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        audit = run_audit(at=timezone.now(), checks=every_check())
        verdict = "found nothing wrong" if audit.is_clean else "found mistakes: see audit_ledger"
        if self.stdout.isatty():
            self.stdout.write("\r\033[K", ending="")
        self.stdout.write(
            f"Demo: {loaded.members} members and {loaded.sandbox_members} in the sandbox, "
            f"{loaded.orders} orders, {loaded.postings} operations. "
            f"The audit of the ledger {verdict}."
        )

    def _show(self, done: int, total: int) -> None:
        """One line that is redrawn on a terminal, a line for each quarter in a log."""
        percent = 100 * done // total
        if self.stdout.isatty():
            if percent != self.shown:
                cells = BAR_CELLS * done // total
                bar = "#" * cells + "." * (BAR_CELLS - cells)
                self.stdout.write(f"\r\033[KDemo: [{bar}] {percent} % of two years", ending="")
                self.stdout.flush()
        elif percent // 25 != self.shown // 25:
            self.stdout.write(f"Demo: {percent} % of two years")
        self.shown = percent
