"""Reads the environment, in one place; a wrong value stops the start with a sentence."""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ImproperlyConfigured

from config.colours import HEX

MOST_PICTURE_BYTES = 40_000


class Environment:
    """Typed readers over the process environment.

    Every reader raises ImproperlyConfigured with the variable's name, what was found and what
    was expected. `refuse_unknown` catches the misspelt name that would otherwise be ignored.
    """

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self.variables = os.environ if variables is None else variables
        self.known: set[str] = set()

    def text(self, name: str, default: str) -> str:
        """The variable as it stands, or `default` when it is unset or empty."""
        self.known.add(name)
        return self.variables.get(name, "").strip() or default

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        """One of `choices`."""
        value = self.text(name, default)
        if value not in choices:
            raise ImproperlyConfigured(f"{name} is “{value}”; set it to one of: {', '.join(choices)}.")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """True or False, written as the words true and false."""
        return self.choice(name, ("true", "false"), str(default).lower()) == "true"

    def number(self, name: str, *, default: int, least: int) -> int:
        """A whole number that is not below `least`."""
        value = self.text(name, str(default))
        if not value.isascii() or not value.isdigit() or int(value) < least:
            raise ImproperlyConfigured(f"{name} is “{value}”; set it to a whole number from {least} on.")
        return int(value)

    def names(self, name: str, default: str) -> list[str]:
        """A list written with commas."""
        return [part.strip() for part in self.text(name, default).split(",") if part.strip()]

    def colour(self, name: str) -> str:
        """A colour written as #rrggbb, or nothing."""
        value = self.text(name, "")
        if value and not HEX.fullmatch(value):
            raise ImproperlyConfigured(f"{name} is “{value}”, which is no colour; set it like #4b3fd6.")
        return value.lower()

    def picture(self, name: str) -> str:
        """The path of an SVG or PNG file that is there, small enough for every page; or nothing."""
        value = self.text(name, "")
        if not value:
            return ""
        expected = "set it to the path of an SVG or PNG file"
        try:
            content = Path(value).read_bytes()
        except OSError as error:
            raise ImproperlyConfigured(f"{name} is “{value}”, which cannot be read; {expected}.") from error
        begins = {".svg": b"<svg" in content, ".png": content.startswith(b"\x89PNG\r\n\x1a\n")}
        if not begins.get(Path(value).suffix.lower()):
            raise ImproperlyConfigured(f"{name} is “{value}”, which is no such picture; {expected}.")
        if len(content) > MOST_PICTURE_BYTES:
            raise ImproperlyConfigured(
                f"{name} is “{value}” with {len(content) // 1000} KB; every page shows it, and "
                f"{MOST_PICTURE_BYTES // 1000} KB is the most."
            )
        return value

    def time_zone(self, name: str, default: str) -> str:
        """The name of a time zone, such as Europe/Moscow."""
        value = self.text(name, default)
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ImproperlyConfigured(
                f"{name} is “{value}”, which is no time zone; set it to a name such as Europe/Moscow."
            ) from error
        return value

    def moment(self, name: str, time_zone: str) -> datetime | None:
        """A day and an hour of that time zone, such as 2026-12-01T06:00, or None when it is unset."""
        value = self.text(name, "")
        if not value:
            return None
        try:
            read = datetime.strptime(value, "%Y-%m-%dT%H:%M")  # noqa: DTZ007, the zone is given
        except ValueError as error:
            raise ImproperlyConfigured(
                f"{name} is “{value}”; set it to a day and an hour such as 2026-12-01T06:00."
            ) from error
        return read.replace(tzinfo=ZoneInfo(time_zone))

    def database(self, name: str) -> dict[str, object] | None:
        """Django's settings of the PostgreSQL behind a URL, or None when the variable is unset.

        A socket's folder is given as host, with its slashes written as %2F, or as ?host=.
        """
        value = self.text(name, "")
        if not value:
            return None
        expected = "set it like postgresql://user:password@host:5432/ballada"
        try:
            url = urlsplit(value)
            port = url.port
        except ValueError as error:
            raise ImproperlyConfigured(f"{name} cannot be read ({error}); {expected}.") from error
        database = unquote(url.path.lstrip("/"))
        if url.scheme not in ("postgres", "postgresql") or not database:
            raise ImproperlyConfigured(f"{name} names no PostgreSQL database; {expected}.")
        options = dict(part.split("=", 1) for part in url.query.split("&") if "=" in part)
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": database,
            "USER": unquote(url.username or options.pop("user", "")),
            "PASSWORD": unquote(url.password or ""),
            "HOST": unquote(url.hostname or options.pop("host", "")),
            "PORT": str(port or ""),
            "OPTIONS": {key: unquote(option) for key, option in options.items()},
        }

    def refuse_unknown(self, prefix: str) -> None:
        """Stop on a variable that begins with `prefix` and that nobody asked for."""
        unknown = sorted(key for key in self.variables if key.startswith(prefix) and key not in self.known)
        if unknown:
            raise ImproperlyConfigured(
                f"{unknown[0]} is not a setting of Ballada; those that begin like it are: "
                f"{', '.join(sorted(key for key in self.known if key.startswith(prefix)))}."
            )
