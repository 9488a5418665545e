"""The profile: the name, the language, the consents, and where the person is signed in."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views import i18n
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import queries, services, sms
from accounts.access import own_member, own_session, signed_in_user
from accounts.devices import device_name
from accounts.errors import NoFirstName
from accounts.forms import NameForm
from accounts.models import Consent, Language, Member
from accounts.services import sessions
from accounts.views.forms import form_page, posted


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
    form = NameForm(posted(request), initial={"first_name": named.first_name, "last_name": named.last_name})
    if form.is_valid():
        try:
            services.change_name(user=user, **form.cleaned_data)
        except NoFirstName as refusal:
            form.add_error("first_name", str(refusal))
        else:
            messages.success(request, _("Your name has been changed."))
            return redirect("accounts:profile")
    return form_page(request, "accounts/change_name.html", {"form": form})


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
def set_language(request: HttpRequest) -> HttpResponseBase:
    """Switch the language of this browser and, for a member, of what they are written in."""
    language = request.POST.get("language", "")
    if language in Language.values and request.user.is_authenticated:
        member = Member.objects.filter(user=request.user).first()
        if member is not None:
            services.change_language(member=member, language=language)
    return i18n.set_language(request)


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


def lead_to_profile(request: HttpRequest) -> HttpResponse:
    """Where the profile has taken the place of another page; what was posted there changes nothing."""
    return redirect("accounts:profile")
