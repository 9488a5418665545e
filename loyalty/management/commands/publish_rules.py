"""manage.py publish_rules: an edition of the rules from a file."""

import sys
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from loyalty.errors import LoyaltyError, RulesRefused
from loyalty.models import RuleSet
from loyalty.queries.rules import rule_set_in_force
from loyalty.services.recount import recount_later, recount_standings
from loyalty.services.rules import create_draft, publish_rule_set
from loyalty.services.rules_file import moment_of, read_rules_file


class Command(BaseCommand):
    help = "Publish an edition of the rules from a TOML file and recount everybody's tier."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the edition: settings by name, and [[tiers]]")
        parser.add_argument(
            "--effective-at",
            metavar="DATE",
            help="from when on it is in force, such as 2026-12-31 or 2026-12-31T10:00; the file may "
            "say it too; otherwise it is now",
        )

    def handle(self, *args: Any, file: Path, effective_at: str | None, **options: Any) -> None:
        now = timezone.now()
        try:
            edition = self._publish(file, effective_at, now)
        except RulesRefused as refusal:
            raise CommandError(f"{_place(refusal)}: {refusal}") from refusal
        except LoyaltyError as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"Published edition {edition.number}, in force from {_local(edition)} on.")
        if rule_set_in_force(now) == edition:
            found = recount_standings(rule_set=edition, at=now, progress=self._show)
            self.stdout.write(f"{found.changed_count} members changed tier.")
        else:
            self.stdout.write("Tiers will be recounted when it takes effect.")

    @transaction.atomic
    def _publish(self, file: Path, effective_at: str | None, now: datetime) -> RuleSet:
        asked = read_rules_file(file)
        chosen = moment_of(effective_at) if effective_at else asked.effective_at
        edition = publish_rule_set(
            rule_set=create_draft(tiers=asked.tiers, **asked.settings),
            effective_at=chosen or now,
            reason=asked.reason,
            published_at=now,
        )
        if chosen and chosen > now:
            recount_later(rule_set=edition)
        return edition

    def _show(self, done: int, total: int) -> None:
        if sys.stdout.isatty():
            self.stdout.write(f"\rRecounted {done} of {total} members.", ending="" if done < total else "\n")


def _place(refusal: RulesRefused) -> str:
    if refusal.tier_position is None:
        return refusal.field
    return f"tiers[{refusal.tier_position + 1}].{refusal.field}"


def _local(edition: RuleSet) -> str:
    return timezone.localtime(edition.effective_at).strftime("%Y-%m-%d %H:%M")
