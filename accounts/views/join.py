"""How somebody becomes a colleague by the link of a letter."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import signed_in_user
from accounts.errors import InvitationOver, LoginNeeded, NoFirstName
from accounts.forms import JoinStaffForm
from accounts.services import staff
from accounts.views.forms import form_page, posted

INVITATION_COOKIE = "staff_invitation"


@require_safe
@never_cache
def join_staff(request: HttpRequest, token: str) -> HttpResponse:
    """The link of a letter to a new colleague: the browser keeps its token, and goes on without it.

    An address gets into logs and histories; no page and no form has the token in its own.
    """
    response = redirect("accounts:join")
    response.set_cookie(
        INVITATION_COOKIE,
        token,
        path=reverse("accounts:join"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def join(request: HttpRequest) -> HttpResponse:
    """Who invites a new colleague, and as what; looking changes nothing.

    A new colleague gives a name and a password; one who has a login accepts with it. Nobody is signed
    in by the link.
    """
    now, token = timezone.now(), request.COOKIES.get(INVITATION_COOKIE, "")
    try:
        invitation = staff.open_invitation(token=token, at=now)
        login = staff.login_of(invitation.email)
        context = {
            "invitation": invitation,
            "login": login,
            "form": JoinStaffForm(posted(request) if login is None else None),
        }
        if request.user.is_authenticated and request.user != login:
            return render(request, "accounts/join/other_login.html", context)
        if login is not None:
            return _accept_with_login(request, token, context)
        return _accept(request, token, context)
    except InvitationOver:
        return render(request, "accounts/join/over.html", status=404)
    except LoginNeeded:
        # Somebody signed up with the address meanwhile.
        return redirect("accounts:join")


def _accept(request: HttpRequest, token: str, context: dict[str, Any]) -> HttpResponse:
    """The form of a new colleague; when it is filled in, on to the page for signing in."""
    form = context["form"]
    if form.is_valid():
        try:
            staff.accept_invitation(token=token, at=timezone.now(), **form.cleaned_data)
        except NoFirstName as refusal:
            form.add_error("first_name", str(refusal))
        except ValidationError as refusal:
            form.add_error("password", refusal)
        else:
            messages.success(request, _("You are a colleague now. Sign in with your e-mail and password."))
            return redirect_to_login(reverse("supervisor:overview"))
    return form_page(request, "accounts/join/new.html", context)


def _accept_with_login(request: HttpRequest, token: str, context: dict[str, Any]) -> HttpResponse:
    """The question to whoever has a login whether to accept; signed out, it asks to sign in first."""
    if request.method == "POST" and request.user.is_authenticated:
        staff.accept_with_login(token=token, user=signed_in_user(request), at=timezone.now())
        messages.success(request, _("You are a colleague now."))
        return redirect("supervisor:overview")
    return render(request, "accounts/join/known.html", context)
