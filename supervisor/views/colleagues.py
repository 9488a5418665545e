"""Colleagues: who may open the console and as what, invitations, and a second factor that was lost."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import role_required, signed_in_user
from accounts.errors import AccountsError, MessageNotSent, StaffRefused
from accounts.models import Language, StaffInvitation, User
from accounts.queries import live_sessions
from accounts.roles import CONSOLE_ROLES, Role, is_staff_person
from accounts.services import staff
from supervisor.forms.colleagues import InviteForm, RoleForm
from supervisor.queries.colleagues import Colleague, colleague, colleagues, waiting_invitations


@require_safe
@role_required(Role.SUPERVISOR)
def show_colleagues(request: HttpRequest) -> HttpResponse:
    """Everybody who may open the console, and below them who is invited to it."""
    context = {"colleagues": colleagues(), "invitations": waiting_invitations(at=timezone.now())}
    return render(request, "supervisor/colleagues/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.SUPERVISOR)
def invite_colleague(request: HttpRequest) -> HttpResponse:
    """The form for an invitation; the letter goes out when it is sent."""
    form = InviteForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            invitation = staff.invite_colleague(
                email=form.cleaned_data["email"],
                role=Role(form.cleaned_data["role"]),
                at=timezone.now(),
                by=signed_in_user(request),
                language=Language.ENGLISH if get_language() == "en" else Language.RUSSIAN,
            )
        except MessageNotSent as refusal:
            form.add_error(None, str(refusal))
        except AccountsError as refusal:
            form.add_error(getattr(refusal, "field", "") or "email", str(refusal))
        else:
            sentence = _("The invitation is on its way to %(email)s.")
            messages.success(request, sentence % {"email": invitation.email})
            return redirect("supervisor:colleagues")
    return render(
        request, "supervisor/colleagues/invite.html", {"form": form}, status=422 if form.errors else 200
    )


@require_POST
@role_required(Role.SUPERVISOR)
def revoke_invitation(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Take an invitation back; one that has ended meanwhile is left as it is."""
    invitation = get_object_or_404(StaffInvitation, pk=invitation_id)
    try:
        staff.revoke_invitation(invitation=invitation, at=timezone.now(), by=signed_in_user(request))
    except StaffRefused:
        messages.info(request, _("This invitation has ended already. Nothing has changed."))
    else:
        sentence = _("The invitation to %(email)s is taken back: its link no longer works.")
        messages.success(request, sentence % {"email": invitation.email})
    return redirect("supervisor:colleagues")


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.SUPERVISOR)
def show_colleague(request: HttpRequest, user_id: int) -> HttpResponse:
    """What a colleague may do, and how they sign in; roles are given and taken here."""
    found = _colleague(user_id)
    refusal = ""
    if request.method == "POST":
        try:
            return _change_role(request, found.user)
        except StaffRefused as refused:
            refusal = str(refused)
    context = {
        "colleague": found,
        "is_own": found.user == request.user,
        "sessions_count": len(live_sessions(found.user, at=timezone.now())),
        "roles": [(role, role in found.roles) for role in CONSOLE_ROLES],
        "refusal": refusal,
    }
    return render(request, "supervisor/colleagues/colleague.html", context, status=422 if refusal else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.SUPERVISOR)
def reset_second_factor(request: HttpRequest, user_id: int) -> HttpResponse:
    """Says what resetting a colleague's second factor does, and does it when it is confirmed."""
    found = _colleague(user_id)
    refusal = ""
    if request.method == "POST":
        try:
            staff.reset_second_factor(user=found.user, at=timezone.now(), by=signed_in_user(request))
        except StaffRefused as refused:
            refusal = str(refused)
        else:
            sentence = _("The second factor of %(name)s is reset, and they are signed out everywhere.")
            messages.success(request, sentence % {"name": found.user.known_as})
            return redirect("supervisor:colleague", user_id)
    context = {"colleague": found, "is_own": found.user == request.user, "refusal": refusal}
    return render(
        request, "supervisor/colleagues/second_factor.html", context, status=422 if refusal else 200
    )


def _change_role(request: HttpRequest, user: User) -> HttpResponse:
    """Give or take the role that the form names; where to go on comes back.

    Raises:
        StaffRefused: nobody changes their own role, and the last supervisor stays.
    """
    form = RoleForm(request.POST)
    if not form.is_valid():
        return redirect("supervisor:colleague", user.pk)
    role = Role(form.cleaned_data["role"])
    change = staff.give_role if form.cleaned_data["action"] == "give" else staff.take_role
    change(user=user, role=role, at=timezone.now(), by=signed_in_user(request))
    if not is_staff_person(user):
        sentence = _("%(name)s has no role any more and is signed out everywhere.")
        messages.success(request, sentence % {"name": user.known_as})
        return redirect("supervisor:colleagues")
    messages.success(request, _("The roles of %(name)s are changed.") % {"name": user.known_as})
    return redirect("supervisor:colleague", user.pk)


def _colleague(user_id: int) -> Colleague:
    found = colleague(user_id)
    if found is None:
        raise Http404
    return found
