"""Every cookie that this site sets, what for, and for how long; the page about cookies shows them.

Some belong to apps above this one, which are not known here: a test holds this list against theirs.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.devices import COOKIE as DEVICE_COOKIE
from accounts.devices import COOKIE_AGE as DEVICE_AGE


@dataclass(frozen=True)
class CookieText:
    """A cookie: its name, what it is needed for, and its life; None: until the browser is closed."""

    name: str
    purpose: Promise
    life: timedelta | None

    @property
    def life_days(self) -> int | None:
        """The life in whole days."""
        return None if self.life is None else self.life.days


def cookies() -> list[CookieText]:
    """All of them, the ones that everybody meets first."""
    return [
        CookieText(
            settings.SESSION_COOKIE_NAME,
            _("Keeps you signed in."),
            timedelta(seconds=settings.SESSION_COOKIE_AGE),
        ),
        CookieText(
            settings.CSRF_COOKIE_NAME,
            _("Makes sure that a form was sent from our page, and not by somebody else’s."),
            timedelta(seconds=settings.CSRF_COOKIE_AGE),
        ),
        CookieText(
            settings.LANGUAGE_COOKIE_NAME,
            _("Remembers the language that you chose."),
            None,
        ),
        CookieText("messages", _("Carries one notice to the next page, such as “Saved”."), None),
        CookieText(
            DEVICE_COOKIE,
            _("Tells this browser from others, so that we notice a sign-in that is not yours."),
            DEVICE_AGE,
        ),
        CookieText(
            "kept_card",
            _("Says that this browser keeps your card for times without a connection; signing out ends it."),
            timedelta(days=400),
        ),
        CookieText("invitation", _("Remembers which friend’s link you opened."), timedelta(days=30)),
        CookieText("staff_invitation", _("Remembers the invitation of a new colleague."), None),
    ]
