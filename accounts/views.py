"""The pages of accounts that allauth does not have: the profile and the language."""

from math import ceil
from typing import Any

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views import i18n
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import queries, services, sms, wording
from accounts.access import own_contact_change, own_member, own_session, signed_in_user
from accounts.contacts import readable_contact
from accounts.devices import device_name
from accounts.errors import (
    AccountsError,
    ContactChangeOver,
    EmailTaken,
    InvitationOver,
    LoginNeeded,
    MessageNotSent,
    NoFirstName,
    PhoneTaken,
    TooManyContactChanges,
    WrongCodes,
)
from accounts.forms import (
    CodesForm,
    JoinStaffForm,
    MessagesPlaceForm,
    NameForm,
    NewEmailForm,
    NewPhoneForm,
    SeenMessagesForm,
)
from accounts.models import Consent, ContactChange, Language, Member
from accounts.services import contact_changes, sessions, staff
from accounts.services.contact_messages import Origin
from accounts.services.messages import mark_seen

INVITATION_COOKIE = "staff_invitation"
FORM_REFUSED = 422
TOO_MANY_REQUESTS = 429
NOT_SENT = 503


@require_POST
def set_language(request: HttpRequest) -> HttpResponseBase:
    """Switch the language of this browser and, for a member, of what they are written in."""
    language = request.POST.get("language", "")
    if language in Language.values and request.user.is_authenticated:
        member = Member.objects.filter(user=request.user).first()
        if member is not None:
            services.change_language(member=member, language=language)
    return i18n.set_language(request)


@require_safe
@login_required
def show_messages(request: HttpRequest) -> HttpResponse:
    """What the member was told, newest first; a place beyond the list leads to its beginning.

    Looking marks nothing as seen, since a browser may fetch the page before anybody looks: the page
    itself says so by `see_messages`, or the member by its button.
    """
    member = own_member(request)
    before, after = MessagesPlaceForm(request.GET).place()
    page = queries.messages_page(member=member, before=before, after=after)
    if not page.messages and (before, after) != (None, None):
        return redirect("accounts:messages")
    context = {
        "member": member,
        "page": page,
        "cards": wording.message_cards(page.messages, member),
        "new": queries.new_messages(member),
    }
    return render(request, "accounts/messages.html", context)


@require_POST
@login_required
def see_messages(request: HttpRequest) -> HttpResponse:
    """Note that the member has seen their messages: those a page shows, or all of them."""
    member = own_member(request)
    form = SeenMessagesForm(request.POST)
    if form.is_valid():
        mark_seen(
            member=member,
            from_id=form.cleaned_data["first"] or 0,
            up_to_id=form.cleaned_data["last"],
            at=timezone.now(),
        )
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(status=204)
    return redirect("accounts:messages")


@require_safe
@login_required
def show_looks(request: HttpRequest) -> HttpResponse:
    """Which colleagues looked at the member's account or did something to it, and when; newest first."""
    member = own_member(request)
    before, after = MessagesPlaceForm(request.GET).place()
    page = queries.looks_page(member=member, before=before, after=after)
    if not page.looks and (before, after) != (None, None):
        return redirect("accounts:looks")
    context = {"page": page, "rows": wording.look_rows(page.looks)}
    return render(request, "accounts/looks.html", context)


@require_safe
@login_required
def show_profile(request: HttpRequest) -> HttpResponse:
    """Who the person is to the programme; a login without a member sees what a login has."""
    user, now = signed_in_user(request), timezone.now()
    member: Member | None = getattr(user, "member", None)
    context: dict[str, object] = {
        "member": member,
        "sessions": queries.live_sessions(user, at=now),
        "this_session_key": request.session.session_key,
    }
    if member is not None:
        history = list(queries.consents(user=user, member=member))
        context |= {
            "language": member.language,
            "contact_change": queries.open_contact_change(member, at=now),
            "can_confirm_phones": sms.is_available(),
            "consents": queries.consent_standings(history),
            "consents_history": history,
        }
    return render(request, "accounts/profile.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def change_name(request: HttpRequest) -> HttpResponse:
    """A form with the name."""
    user = signed_in_user(request)
    named = getattr(user, "member", None) or user
    form = NameForm(_posted(request), initial={"first_name": named.first_name, "last_name": named.last_name})
    if form.is_valid():
        try:
            services.change_name(user=user, **form.cleaned_data)
        except NoFirstName as refusal:
            form.add_error("first_name", str(refusal))
        else:
            messages.success(request, _("Your name has been changed."))
            return redirect("accounts:profile")
    return _form_page(request, "accounts/change_name.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def change_contact(request: HttpRequest, kind: ContactChange.Kind) -> HttpResponse:
    """A form with the new e-mail or phone; it leads on to the page for both codes."""
    member = own_member(request)
    is_email = kind == ContactChange.Kind.EMAIL
    verified = member.verified_email if is_email else member.verified_phone
    # A contact that is known and not confirmed yet only needs its codes.
    known = None if verified else member.email if is_email else member.phone
    form = (NewEmailForm if is_email else NewPhoneForm)(_posted(request), initial={"contact": known})
    status, retry_after_seconds = FORM_REFUSED, 0
    if form.is_valid():
        try:
            change = contact_changes.ask_contact_change(
                member=member,
                kind=kind,
                new_contact=form.cleaned_data["contact"],
                asked_at=timezone.now(),
            )
        except TooManyContactChanges as refusal:
            form.add_error(None, str(refusal))
            status, retry_after_seconds = TOO_MANY_REQUESTS, ceil(refusal.wait.total_seconds())
        except MessageNotSent as refusal:
            form.add_error(None, str(refusal))
            status = NOT_SENT
        except AccountsError as refusal:
            form.add_error("contact", str(refusal))
        else:
            return redirect("accounts:confirm_contact", change.pk)
    context: dict[str, object] = {
        "form": form,
        "is_email": is_email,
        "is_possible": is_email or sms.is_available(),
        "current": verified,
        "confirming_contact": queries.confirming_contact(member, kind),
    }
    response = _form_page(request, "accounts/change_contact.html", context, status)
    if retry_after_seconds:
        response.headers["Retry-After"] = str(retry_after_seconds)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def confirm_contact(request: HttpRequest, change_id: int) -> HttpResponse:
    """A form with both codes. A request that has ended leads back with the reason."""
    member, now = own_member(request), timezone.now()
    change = own_contact_change(member, change_id)
    form = CodesForm(_posted(request), change=change)
    try:
        contact_changes.check_is_not_over(change, at=now)
        if form.is_valid():
            contact_changes.confirm_contact_change(
                change=change,
                **form.cleaned_data,
                confirmed_at=now,
                kept_session_key=request.session.session_key,
                origin=_origin(request),
            )
            change.outcome = ContactChange.Outcome.CONFIRMED
    except WrongCodes as refusal:
        for name in refusal.wrong_fields:
            form.add_error(name, str(refusal))
    except (ContactChangeOver, EmailTaken, PhoneTaken) as refusal:
        messages.error(request, str(refusal))
        return redirect("accounts:profile")
    if change.outcome == ContactChange.Outcome.CONFIRMED:
        messages.success(request, _changed(change))
        return redirect("accounts:profile")
    is_email = change.kind == ContactChange.Kind.EMAIL
    return _form_page(
        request, "accounts/confirm_contact.html", {"form": form, "change": change, "is_email": is_email}
    )


@require_POST
@login_required
def cancel_contact_change(request: HttpRequest, change_id: int) -> HttpResponse:
    """End a request to change a contact; the contact stays as it is."""
    change = own_contact_change(own_member(request), change_id)
    contact_changes.cancel_contact_change(change=change, cancelled_at=timezone.now())
    return redirect("accounts:profile")


@require_POST
@login_required
def change_consent(request: HttpRequest, kind: str) -> HttpResponse:
    """Give a consent or take it back; that to the programme is taken back only by leaving."""
    member = own_member(request)
    if kind not in Consent.Kind.values:
        raise Http404
    is_given = request.POST.get("is_given") == "true"
    if kind == Consent.Kind.PROGRAMME and not is_given:
        messages.error(
            request, _("Taking back this consent means leaving the programme. Write to us for that.")
        )
        return redirect("accounts:profile")
    if services.change_consent(member=member, kind=kind, is_given=is_given, changed_at=timezone.now()):
        messages.success(
            request, _("Your consent is recorded.") if is_given else _("Your consent is taken back.")
        )
    return redirect("accounts:profile")


@require_POST
@login_required
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign out somewhere else; for this browser there is the page for signing out."""
    user = signed_in_user(request)
    session = own_session(user, session_id)
    if session.session_key == request.session.session_key:
        return redirect("account_logout")
    sessions.end_sessions(user=user, session_keys=[session.session_key])
    messages.success(request, _("Signed out: %(device)s.") % {"device": device_name(session.user_agent)})
    return redirect("accounts:profile")


@require_POST
@login_required
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    ended = sessions.end_other_sessions(
        user=signed_in_user(request), kept_session_key=request.session.session_key
    )
    sentence = ngettext("Signed out on %(count)d device.", "Signed out on %(count)d devices.", ended)
    messages.success(request, sentence % {"count": ended})
    return redirect("accounts:profile")


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
            "form": JoinStaffForm(_posted(request) if login is None else None),
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


def lead_to_profile(request: HttpRequest) -> HttpResponse:
    """Where the profile has taken the place of another page; what was posted there changes nothing."""
    return redirect("accounts:profile")


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
    return _form_page(request, "accounts/join/new.html", context)


def _accept_with_login(request: HttpRequest, token: str, context: dict[str, Any]) -> HttpResponse:
    """The question to whoever has a login whether to accept; signed out, it asks to sign in first."""
    if request.method == "POST" and request.user.is_authenticated:
        staff.accept_with_login(token=token, user=signed_in_user(request), at=timezone.now())
        messages.success(request, _("You are a colleague now."))
        return redirect("supervisor:overview")
    return render(request, "accounts/join/known.html", context)


def _posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _form_page(
    request: HttpRequest, template: str, context: dict[str, object], refused_status: int = FORM_REFUSED
) -> HttpResponse:
    """The page with its form, and the status that says whether the form was refused."""
    return render(request, template, context, status=refused_status if request.method == "POST" else 200)


def _changed(change: ContactChange) -> str:
    contact = {"contact": readable_contact(change.new_contact)}
    if change.kind == ContactChange.Kind.EMAIL:
        return _("Your e-mail is now %(contact)s. You sign in with it from now on.") % contact
    return _("Your phone is now %(contact)s.") % contact


def _origin(request: HttpRequest) -> Origin:
    return Origin(
        ip=get_adapter(request).get_client_ip(request), user_agent=request.headers.get("User-Agent", "")
    )
