"""The second factor as a person meets it: what the app on the phone shows, and the code that it scans."""

from typing import ClassVar

import segno
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.totp.views import ActivateTOTPView
from django.conf import settings
from django.forms import BaseForm
from django.http import HttpResponse
from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.access import SECOND_FACTOR, signed_in_user
from accounts.services.sessions import end_other_sessions

# Scanners need as much white around the code as this many of its squares.
QUIET_ZONE = 4


class SecondFactorAdapter(DefaultMFAAdapter):
    """What Ballada asks of allauth's second factor beyond its settings."""

    # allauth's own say that something is wrong, and not how to mend it.
    error_messages: ClassVar[dict[str, str | Promise]] = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("This code does not fit. Enter the one that the app shows now."),
    }

    def get_totp_issuer(self) -> str:
        """The name under which the app on the phone keeps the code."""
        return settings.PROGRAMME_NAME

    def build_totp_svg(self, url: str) -> SafeString:
        """The code to scan, as a part of the page: black on white whatever the page's colours.

        It holds the secret, so it has no address of its own; allauth's would need pictures from “data:”.
        """
        drawn = segno.make_qr(url, error="m", boost_error=False).svg_inline(
            border=QUIET_ZONE,
            dark="#000",
            light="#fff",
            title=gettext("QR code for the app"),
            svgclass="qr",
            lineclass=None,
            omitsize=True,
        )
        # The library escapes the title; it does not say that the drawing is a picture.
        return mark_safe(drawn.replace("<svg ", '<svg role="img" ', 1))  # noqa: S308


class SetUpSecondFactor(ActivateTOTPView):
    """allauth's page; other sessions, for which a password was enough, end when the factor is set up."""

    def form_valid(self, form: BaseForm) -> HttpResponse:
        """Set it up; this session counts as one in which a code was given, as it was for that."""
        response: HttpResponse = super().form_valid(form)
        user = signed_in_user(self.request)
        record_authentication(self.request, user, SECOND_FACTOR, reauthenticated=True)
        end_other_sessions(user=user, kept_session_key=self.request.session.session_key)
        return response
