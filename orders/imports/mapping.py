"""Which column of a file is what, and how its dates and numbers are written."""

import codecs
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.imports.errors import (
    ColumnAmbiguous,
    ColumnMissing,
    FileUnreadable,
    MappingInvalid,
    PositionMissing,
)

# What a column may be. An order needs a person, a moment and a sum.
FIELDS = (
    "number",
    "customer",
    "paid_at",
    "total",
    "delivery",
    "email",
    "phone",
    "first_name",
    "last_name",
    "outlet",
)
# As people call them.
FIELD_NAMES = {
    "number": gettext_lazy("order number"),
    "customer": gettext_lazy("customer’s id"),
    "paid_at": gettext_lazy("date of payment"),
    "total": gettext_lazy("total sum"),
    "delivery": gettext_lazy("delivery, part of the total"),
    "email": gettext_lazy("e-mail"),
    "phone": gettext_lazy("phone"),
    "first_name": gettext_lazy("first name"),
    "last_name": gettext_lazy("last name"),
    "outlet": gettext_lazy("outlet"),
}
PERSON_FIELDS = ("customer", "email", "phone")
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "whitespace": " ", "pipe": "|"}
MAPPING_SUFFIX = ".mapping.toml"
OUTLET_LETTERS = 100


@dataclass(frozen=True, kw_only=True)
class ColumnMapping:
    """How to read one kind of order file.

    `columns` gives for each field the header of its column, or its place counted from 1; a place
    that is a number, and no text, is one whatever the headers are.
    `source` is the code of the system whose orders these are, `outlet` where they are from unless
    their rows say so. `separator` is one of SEPARATORS or a single character; `date_format` as for
    strptime, ISO 8601 when it is empty.
    """

    columns: Mapping[str, str | int] = field(default_factory=dict)
    source: str = ""
    source_name: str = ""
    outlet: str = ""
    separator: str = "comma"
    encoding: str = "utf-8"
    date_format: str = ""
    decimal: str = "."
    has_header: bool = True

    @property
    def separator_character(self) -> str:
        """The character between two columns; a space stands for any number of spaces and tabs."""
        return SEPARATORS.get(self.separator, self.separator)

    def checked(self) -> "ColumnMapping":
        """The mapping itself.

        Raises:
            MappingInvalid: something in it means nothing, or is missing.
        """
        for problem in _problems(self):
            raise problem
        return self

    def positions(self, header: Sequence[str] | None, columns_count: int) -> dict[str, int]:
        """Where each field stands in a row, counted from 0.

        Raises:
            ColumnMissing, PositionMissing: the file has no such column.
            ColumnAmbiguous: it has two of that name.
        """
        names = [name.strip().casefold() for name in header or ()]
        found: dict[str, int] = {}
        for name, column in self.columns.items():
            text = str(column).strip().casefold()
            if isinstance(column, str) and text in names:
                if names.count(text) > 1:
                    raise ColumnAmbiguous(name, column.strip())
                found[name] = names.index(text)
            elif text.isdecimal():
                if not 1 <= int(text) <= columns_count:
                    raise PositionMissing(name, int(text), columns_count)
                found[name] = int(text) - 1
            else:
                raise ColumnMissing(name, str(column), [cell.strip() for cell in header or ()])
        return found


def mapping_for(file: Path, *, mapping_file: Path | None, options: Mapping[str, Any]) -> ColumnMapping:
    """The mapping of a file: what stands beside it or in `mapping_file`, and `options` over it.

    The file beside `orders.csv` is `orders.mapping.toml`. Options that are None were not given.

    Raises:
        MappingInvalid: something in it means nothing, or is missing.
        FileUnreadable: there is no such mapping file.
    """
    beside = file.with_name(file.stem + MAPPING_SUFFIX)
    chosen = mapping_file or (beside if beside.is_file() else None)
    mapping = read_mapping(chosen) if chosen else ColumnMapping()
    given = {name: value for name, value in options.items() if value is not None}
    if "columns" in given:
        given["columns"] = {**mapping.columns, **given["columns"]}
    return replace(mapping, **given).checked()


def read_mapping(path: Path) -> ColumnMapping:
    """The mapping in a TOML file: the fields of ColumnMapping, and a table of columns.

    Raises:
        MappingInvalid: it is no TOML, or has a setting that is not known.
        FileUnreadable: there is no such file.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileUnreadable(path, error.strerror or str(error)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingInvalid(
            _("%(path)s is not a TOML file: %(error)s.") % {"path": path, "error": error}
        ) from error
    known = {field.name: field.type for field in fields(ColumnMapping)}
    for name, value in content.items():
        if name not in known:
            raise MappingInvalid(
                _("“%(name)s” in %(path)s is not a setting of a mapping. The settings are: %(known)s.")
                % {"name": name, "path": path, "known": ", ".join(known)}
            )
        wanted = {"columns": dict, "has_header": bool}.get(name, str)
        if not isinstance(value, wanted):
            raise MappingInvalid(
                _("“%(name)s” in %(path)s has a value of the wrong kind.") % {"name": name, "path": path}
            )
    columns = {name: str(column) for name, column in content.pop("columns", {}).items()}
    return ColumnMapping(columns=columns, **content)


def parse_columns(text: str) -> dict[str, str]:
    """Columns as they are written in one option: `customer=1,paid_at=Date`.

    Raises:
        MappingInvalid: a part is not written as field=column.
    """
    columns: dict[str, str] = {}
    for part in text.split(","):
        name, equals, column = part.partition("=")
        if not (equals and name.strip() and column.strip()):
            raise MappingInvalid(
                _("“%(part)s” in --columns is not written as field=column, such as customer=1 or total=Sum.")
                % {"part": part}
            )
        columns[name.strip()] = column.strip()
    return columns


def _problems(mapping: ColumnMapping) -> Iterator[MappingInvalid]:
    for name in mapping.columns:
        if name not in FIELDS:
            yield MappingInvalid(
                _("“%(name)s” is not a field of an order. The fields are: %(known)s.")
                % {"name": name, "known": ", ".join(FIELDS)}
            )
    if not any(name in mapping.columns for name in PERSON_FIELDS):
        yield MappingInvalid(
            _("Say which column tells whose order it is: the customer’s id, an e-mail or a phone."),
            remedy=_("Name it in --columns: customer=…, email=… or phone=…."),
        )
    for name in ("paid_at", "total"):
        if name not in mapping.columns:
            yield MappingInvalid(
                _("Say which column is %(name)s.") % {"name": name},
                remedy=_("Name it in --columns: %(name)s=….") % {"name": name},
            )
    if not mapping.has_header:
        for column in mapping.columns.values():
            if not str(column).isdecimal():
                yield MappingInvalid(
                    _("Without a header, columns are counted from 1, so “%(column)s” cannot be found.")
                    % {"column": column}
                )
    if not mapping.source:
        yield MappingInvalid(
            _("Say which system these orders are from."),
            setting="source",
            remedy=_("Name it by --source with a short code, such as shop."),
        )
    elif not is_source_code(mapping.source):
        yield MappingInvalid(
            _("“%(source)s” is not a code of a source: use up to 50 Latin letters, digits and hyphens.")
            % {"source": mapping.source},
            setting="source",
        )
    if len(mapping.separator_character) != 1 or mapping.separator_character in '"\r\n':
        yield MappingInvalid(
            _("“%(separator)s” is not a separator: use a single character or one of %(known)s.")
            % {"separator": mapping.separator, "known": ", ".join(SEPARATORS)},
            setting="separator",
        )
    if mapping.decimal not in (".", ","):
        yield MappingInvalid(
            _("“%(mark)s” is not a decimal mark: use a point or a comma.") % {"mark": mapping.decimal},
            setting="decimal",
        )
    if len(mapping.outlet) > OUTLET_LETTERS:
        yield MappingInvalid(
            _("The outlet has at most %(count)s letters.") % {"count": OUTLET_LETTERS}, setting="outlet"
        )
    yield from _encoding_problems(mapping.encoding)
    yield from _date_format_problems(mapping.date_format)


def is_source_code(text: str) -> bool:
    """Whether a source may have that code."""
    try:
        validate_slug(text)
    except ValidationError:
        return False
    return len(text) <= 50


def _encoding_problems(encoding: str) -> Iterator[MappingInvalid]:
    try:
        codecs.lookup(encoding)
        "".encode(encoding)
    except LookupError:
        yield MappingInvalid(
            _("“%(encoding)s” is not a known encoding: use a name such as utf-8 or cp1251.")
            % {"encoding": encoding},
            setting="encoding",
        )


def _date_format_problems(date_format: str) -> Iterator[MappingInvalid]:
    moment = datetime(2001, 2, 3, 4, 5, 6)  # noqa: DTZ001 - only written and read back
    try:
        is_whole_day = not date_format or (
            datetime.strptime(moment.strftime(date_format), date_format).date() == moment.date()  # noqa: DTZ007
        )
    except ValueError:
        is_whole_day = False
    if not is_whole_day:
        yield MappingInvalid(
            _("“%(format)s” is not a date format: write it like %%d.%%m.%%Y or %%Y-%%m-%%d %%H:%%M.")
            % {"format": date_format},
            setting="date_format",
        )
