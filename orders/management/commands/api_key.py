"""manage.py api_key: make, rotate, revoke and list the keys that sources use the API with."""

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.errors import LoyaltyError
from orders.models import ApiKey, Scope, Source
from orders.queries.api_keys import KeyCard, State, keys_by_source
from orders.services.api_keys import (
    ROTATION_OVERLAP,
    NewKey,
    create_key,
    create_source,
    revoke_key,
    rotate_key,
)

ALL_SCOPES = "all"
HOUR = timedelta(hours=1)
MOST_OVERLAP_HOURS = 8760


class Command(BaseCommand):
    help = (
        "Make, rotate, revoke and list the keys that sources use the API with. The text of a new key "
        "goes to stdout alone, and is not shown again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        create = actions.add_parser("create", help="make a key")
        create.add_argument("--source", required=True, metavar="CODE", help="the shop or till it is for")
        create.add_argument("--source-name", metavar="TEXT", help="make the source if there is none")
        create.add_argument("--sandbox", action="store_true", help="a new source is for trying things out")
        create.add_argument("--name", required=True, metavar="TEXT", help="where it is used")
        create.add_argument(
            "--scopes",
            required=True,
            metavar="SCOPE,…",
            help=f"what it may do: {', '.join(Scope.values)}; or {ALL_SCOPES}",
        )
        create.add_argument("--requests-a-minute", type=int, metavar="NUMBER", help="its own limit")
        rotate = actions.add_parser("rotate", help="make the next key, while the old one works on")
        rotate.add_argument("public_id", help="of the old key: the part before its secret")
        rotate.add_argument(
            "--overlap-hours",
            type=int,
            default=ROTATION_OVERLAP // HOUR,
            metavar="NUMBER",
            help="how long the old key works on (default: %(default)s)",
        )
        revoke = actions.add_parser("revoke", help="end a key at once")
        revoke.add_argument("public_id", help="of the key: the part before its secret")
        actions.add_parser("list", help="show every key, without its secret")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        now = timezone.now()
        try:
            match action:
                case "create":
                    self._show(_create(now, options))
                case "rotate":
                    self._rotate(now, options)
                case "revoke":
                    self._revoke(now, options)
                case "list":
                    self._list(now)
        except LoyaltyError as refusal:
            raise CommandError(str(refusal)) from refusal

    def _rotate(self, now: datetime, options: dict[str, Any]) -> None:
        if not 0 <= options["overlap_hours"] <= MOST_OVERLAP_HOURS:
            raise CommandError(
                _("--overlap-hours must be a number from 0 to %(most)s.") % {"most": MOST_OVERLAP_HOURS}
            )
        old = _key(options["public_id"])
        new = rotate_key(key=old, at=now, overlap=options["overlap_hours"] * HOUR)
        self._show(new)
        self.stderr.write(
            _("The old key %(id)s works until %(moment)s.")
            % {"id": old.public_id, "moment": _local(old.expires_at)}
        )

    def _revoke(self, now: datetime, options: dict[str, Any]) -> None:
        key = _key(options["public_id"])
        revoke_key(key=key, at=now)
        self.stderr.write(
            _("The key %(id)s of %(source)s was revoked on %(moment)s and works no longer.")
            % {"id": key.public_id, "source": key.source.name, "moment": _local(key.revoked_at)}
        )

    def _list(self, now: datetime) -> None:
        rows = [
            _row(card)
            for is_ended in (False, True)
            for of_source in keys_by_source(at=now, is_ended=is_ended)
            for card in of_source.cards
        ]
        if not rows:
            self.stdout.write(_("There are no keys yet. “api_key create” makes one."))
            return
        headings = [_("source"), _("name"), _("id"), _("state"), _("made"), _("last used"), _("scopes")]
        widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
        for row in (headings, *rows):
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
            self.stdout.write("  ".join(cells).rstrip())

    def _show(self, new: NewKey) -> None:
        self.stdout.write(new.text)
        self.stderr.write(
            _("This is the key “%(name)s” of %(source)s. Keep it now: it is not shown again.")
            % {"name": new.key.name, "source": new.key.source.name}
        )


@transaction.atomic
def _create(now: datetime, options: dict[str, Any]) -> NewKey:
    """The key that is asked for; without it, no source is made either."""
    scopes = Scope.values if options["scopes"] == ALL_SCOPES else options["scopes"].split(",")
    return create_key(
        source=_source(options),
        name=options["name"],
        scopes=[scope.strip() for scope in scopes],
        requests_a_minute=options["requests_a_minute"],
        at=now,
    )


def _source(options: dict[str, Any]) -> Source:
    """The source that is asked for, made if it is new and named."""
    code = options["source"]
    source = Source.objects.filter(code=code).first()
    if source is not None:
        if options["sandbox"] and not source.is_sandbox:
            raise CommandError(
                _("The source “%(code)s” is live. Leave out --sandbox, or take another code.")
                % {"code": code}
            )
        return source
    if not options["source_name"]:
        raise CommandError(
            _("There is no source “%(code)s”. To make it, name it with --source-name.") % {"code": code}
        )
    return create_source(code=code, name=options["source_name"], is_sandbox=options["sandbox"])


def _key(public_id: str) -> ApiKey:
    key = ApiKey.objects.select_related("source").filter(public_id=public_id).first()
    if key is None:
        raise CommandError(_("There is no key “%(id)s”. “api_key list” shows them all.") % {"id": public_id})
    return key


def _row(card: KeyCard) -> list[str]:
    key = card.key
    return [
        key.source.code,
        key.name,
        key.public_id,
        _state(card),
        _local(key.created_at),
        _local(key.last_used_at),
        ALL_SCOPES if card.is_for_everything else ",".join(key.scopes),
    ]


def _state(card: KeyCard) -> str:
    if card.state == State.REPLACED:
        return _("replaced, works until %(moment)s") % {"moment": _local(card.key.expires_at)}
    return str(card.state.label)


def _local(moment: datetime | None) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M") if moment else "–"
