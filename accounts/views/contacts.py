"""Changing a contact: the new one, and then the codes of both."""

from math import ceil

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import queries, sms
from accounts.access import own_contact_change, own_member
from accounts.contacts import readable_contact
from accounts.errors import (
    AccountsError,
    ContactChangeOver,
    EmailTaken,
    MessageNotSent,
    PhoneTaken,
    TooManyContactChanges,
    WrongCodes,
)
from accounts.forms import CodesForm, NewEmailForm, NewPhoneForm
from accounts.models import ContactChange
from accounts.origin import origin_of
from accounts.services import contact_changes
from accounts.views.forms import FORM_REFUSED, form_page, posted

TOO_MANY_REQUESTS = 429
NOT_SENT = 503


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def change_contact(request: HttpRequest, kind: ContactChange.Kind) -> HttpResponse:
    """A form with the new e-mail or phone; it leads on to the page for both codes."""
    member = own_member(request)
    is_email = kind == ContactChange.Kind.EMAIL
    verified = member.verified_email if is_email else member.verified_phone
    # A contact that is known and not confirmed yet only needs its codes.
    known = None if verified else member.email if is_email else member.phone
    form = (NewEmailForm if is_email else NewPhoneForm)(posted(request), initial={"contact": known})
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
    response = form_page(request, "accounts/change_contact.html", context, status)
    if retry_after_seconds:
        response.headers["Retry-After"] = str(retry_after_seconds)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def confirm_contact(request: HttpRequest, change_id: int) -> HttpResponse:
    """A form with both codes. A request that has ended leads back with the reason."""
    member, now = own_member(request), timezone.now()
    change = own_contact_change(member, change_id)
    form = CodesForm(posted(request), change=change)
    try:
        contact_changes.check_is_not_over(change, at=now)
        if form.is_valid():
            contact_changes.confirm_contact_change(
                change=change,
                **form.cleaned_data,
                confirmed_at=now,
                kept_session_key=request.session.session_key,
                origin=origin_of(request),
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
    return form_page(
        request, "accounts/confirm_contact.html", {"form": form, "change": change, "is_email": is_email}
    )


@require_POST
@login_required
def cancel_contact_change(request: HttpRequest, change_id: int) -> HttpResponse:
    """End a request to change a contact; the contact stays as it is."""
    change = own_contact_change(own_member(request), change_id)
    contact_changes.cancel_contact_change(change=change, cancelled_at=timezone.now())
    return redirect("accounts:profile")


def _changed(change: ContactChange) -> str:
    contact = {"contact": readable_contact(change.new_contact)}
    if change.kind == ContactChange.Kind.EMAIL:
        return _("Your e-mail is now %(contact)s. You sign in with it from now on.") % contact
    return _("Your phone is now %(contact)s.") % contact
