"""What Ballada asks of allauth beyond its settings."""

from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.mail import EmailMultiAlternatives
from django.db import DatabaseError, IntegrityError, transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from accounts.access import must_have_second_factor
from accounts.devices import device_token_of
from accounts.errors import EmailTaken
from accounts.language import set_language_cookie
from accounts.letters import compose_letter
from accounts.models import User
from accounts.origin import origin_of
from accounts.roles import is_staff_person
from accounts.services.security import SecurityKind, tell_of_new_sign_in, tell_of_security

# What allauth would send letters about, by its names for them: the kind of message, and what it says.
NOTICES: dict[str, tuple[SecurityKind, dict[str, str]]] = {
    "account/email/password_changed": (SecurityKind.PASSWORD_CHANGED, {}),
    "account/email/password_reset": (SecurityKind.PASSWORD_CHANGED, {}),
    "account/email/password_set": (SecurityKind.PASSWORD_CHANGED, {}),
    "mfa/email/totp_activated": (SecurityKind.SECOND_FACTOR_CHANGED, {"what": "on"}),
    "mfa/email/totp_deactivated": (SecurityKind.SECOND_FACTOR_CHANGED, {"what": "off"}),
    "mfa/email/recovery_codes_generated": (SecurityKind.SECOND_FACTOR_CHANGED, {"what": "codes"}),
}


class AccountAdapter(DefaultAccountAdapter):
    """Sign-in and sign-up as a member meets them."""

    # allauth's own say that something is wrong, and not how to mend it.
    error_messages: ClassVar[dict[str, str | Promise]] = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _(
            "This e-mail and this password do not belong together. Check both and try again."
        ),
        "email_taken": EmailTaken.sentence,
        "enter_current_password": _("This is not your current password. Enter the one you sign in with."),
        "incorrect_code": _("This is not the code we sent. Check it, or ask for a new one."),
        "incorrect_password": _("This is not your password. Check it and try again."),
        "rate_limited": _("There were too many requests. Wait a few minutes and try again."),
        "too_many_login_attempts": _(
            "There were too many attempts to sign in. Wait five minutes and try again."
        ),
    }

    def is_safe_url(self, url: str) -> bool:
        """Whether to go there after signing in: only to a page of the site that is being used.

        allauth would also allow every other name in ALLOWED_HOSTS and CSRF_TRUSTED_ORIGINS.
        """
        return url_has_allowed_host_and_scheme(
            url, allowed_hosts={self.request.get_host()}, require_https=self.request.is_secure()
        )

    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        """Save the new login; whoever pressed the button twice goes on to the page for the code."""
        try:
            with transaction.atomic():
                saved: User = super().save_user(request, user, form, commit)
        except IntegrityError as error:
            # The address was free when the form was checked, and taken a moment later.
            raise ImmediateHttpResponse(self.respond_email_verification_sent(request, None)) from error
        return saved

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Whether the address is verified now; a login that has one already changes it in the profile.

        allauth alone would let a code from the new address replace the old one, unasked.
        """
        others = EmailAddress.objects.filter(user=email_address.user_id, verified=True)
        if others.exclude(email=email_address.email).exists():
            return False
        try:
            is_confirmed: bool = super().confirm_email(request, email_address)
        except DatabaseError:
            # A member confirmed a change to this address a moment earlier, and so the login, which
            # had not proved it, is gone.
            if User.objects.filter(pk=email_address.user_id).exists():
                raise
            return False
        return is_confirmed

    def render_mail(
        self,
        template_prefix: str,
        email: str | list[str],
        context: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> EmailMultiAlternatives:
        """Allauth's letters look like all others: plain text, and HTML made from it."""
        to = [email] if isinstance(email, str) else email
        return compose_letter(template=template_prefix, to=to, context=context, headers=headers)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Where to go after signing in: staff who are no members have no cabinet, but the console."""
        if is_staff_person(request.user) and not hasattr(request.user, "member"):
            return reverse("supervisor:overview")
        return str(super().get_login_redirect_url(request))

    def get_reauthentication_methods(self, user: User | AnonymousUser) -> list[dict[str, Any]]:
        """How somebody shows again who they are: with a code, where the console asks for one.

        A password alone could otherwise switch off, or replace, what the console relies on.
        """
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if not must_have_second_factor(user):
            return methods
        return [method for method in methods if method["id"] == "mfa_reauthenticate"] or methods

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """Tell a member what was done to their login; a colleague who is no member gets the letter alone."""
        member = getattr(user, "member", None)
        notice = NOTICES.get(template_prefix)
        if member is None or notice is None:
            super().send_notification_mail(template_prefix, user, context, email)
            return
        kind, facts = notice
        tell_of_security(member=member, kind=kind, at=timezone.now(), origin=origin_of(self.request), **facts)

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """Sign in, and show the member's own language in a browser where none was chosen."""
        response: HttpResponse = super().post_login(request, user, **kwargs)
        member = getattr(user, "member", None)
        if member is not None:
            tell_of_new_sign_in(
                member=member,
                device_token=device_token_of(request),
                at=timezone.now(),
                origin=origin_of(request),
            )
        if member is not None and settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
            set_language_cookie(response, member.language)
        return response
