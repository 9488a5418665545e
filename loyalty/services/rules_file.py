"""Reads an edition of the rules from a TOML file: settings by their names in the model, and tiers.

reason = "Spring rules"
life_months = 12

[[tiers]]
name = "Basic"
threshold_sum = 0
coefficient = 0.03
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, cast

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.errors import RulesFileInvalid
from loyalty.models import RuleSet, Tier
from loyalty.services.rules import SETTING_NAMES, RuleSettings, TierSpec

TIER_FIELD_NAMES = tuple(field.name for field in fields(TierSpec))
REQUIRED_TIER_FIELD_NAMES = ("name", "threshold_sum", "coefficient")
OTHER_NAMES = ("reason", "effective_at", "tiers")


@dataclass(frozen=True)
class RulesFile:
    """What a file asks for; `effective_at` is None where it leaves the moment open."""

    settings: RuleSettings
    tiers: list[TierSpec]
    reason: str
    effective_at: datetime | None


def read_rules_file(path: Path) -> RulesFile:
    """The edition that the file describes; shares and sums are exact, as numbers or as text.

    Raises:
        RulesFileInvalid: it cannot be read, or names something that the rules do not have.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        raise RulesFileInvalid(
            _("The file %(path)s cannot be read: %(reason)s.") % {"path": path, "reason": error.strerror}
        ) from error
    except UnicodeDecodeError as error:
        raise RulesFileInvalid(_("The file is not text in UTF-8. Save it in that encoding.")) from error
    except tomllib.TOMLDecodeError as error:
        raise RulesFileInvalid(_("The file is not valid TOML: %(reason)s.") % {"reason": error}) from error
    _refuse_unknown(content, (*OTHER_NAMES, *SETTING_NAMES), where="")
    settings = {
        name: _value(RuleSet._meta.get_field(name), content[name], name)
        for name in SETTING_NAMES
        if name in content
    }
    reason = content.get("reason", "")
    if not isinstance(reason, str):
        raise _expected("reason", _("text"))
    return RulesFile(
        settings=cast(RuleSettings, settings),
        tiers=_tiers(content.get("tiers", [])),
        reason=reason,
        effective_at=moment_of(content["effective_at"]) if "effective_at" in content else None,
    )


def moment_of(value: object) -> datetime:
    """A moment from a TOML value or text; a day begins at midnight of the programme's zone.

    Raises:
        RulesFileInvalid: it is neither a day nor a moment.
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError as error:
            raise _expected("effective_at", _("a date such as 2026-12-31")) from error
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        raise _expected("effective_at", _("a date such as 2026-12-31"))
    return value if timezone.is_aware(value) else timezone.make_aware(value, timezone.get_default_timezone())


def _tiers(tables: object) -> list[TierSpec]:
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise _expected("tiers", _("one [[tiers]] table for each tier"))
    specs = []
    for place, table in enumerate(tables, start=1):
        where = f"tiers[{place}]."
        _refuse_unknown(table, TIER_FIELD_NAMES, where=where)
        for name in REQUIRED_TIER_FIELD_NAMES:
            if name not in table:
                raise RulesFileInvalid(_("“%(name)s” is missing.") % {"name": where + name})
        values = {
            name: _value(Tier._meta.get_field(name), value, where + name) for name, value in table.items()
        }
        specs.append(TierSpec(**cast(dict[str, Any], values)))
    return specs


def _refuse_unknown(table: Mapping[str, object], known_names: Iterable[str], *, where: str) -> None:
    known = tuple(known_names)
    for name in table:
        if name not in known:
            raise RulesFileInvalid(
                _("“%(name)s” is not a setting of the rules. Known here: %(known)s.")
                % {"name": where + name, "known": ", ".join(sorted(known))}
            )


def _value(field: Any, value: object, name: str) -> object:
    """The value in the kind that the model's field has; TOML says which kind was written."""
    match field:
        case models.BooleanField():
            if isinstance(value, bool):
                return value
            raise _expected(name, _("true or false"))
        case models.DecimalField():
            return _decimal(value, name)
        case models.IntegerField():
            if isinstance(value, int) and not isinstance(value, bool):
                return value
            raise _expected(name, _("a whole number"))
        case ArrayField():
            if isinstance(value, list) and all(isinstance(item, str) for item in value):
                return value
            raise _expected(name, _("a list of texts"))
    if isinstance(value, str):
        return value
    raise _expected(name, _("text"))


def _decimal(value: object, name: str) -> Decimal:
    if isinstance(value, (int, str, Decimal)) and not isinstance(value, bool):
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite():
            return number
    raise _expected(name, _("a number such as 0.05"))


def _expected(name: str, expected: str) -> RulesFileInvalid:
    return RulesFileInvalid(
        _("“%(name)s” is not as expected: it should be %(expected)s.") % {"name": name, "expected": expected}
    )
