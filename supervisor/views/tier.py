"""Setting a tier by hand, below which a member does not fall."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import role_required, signed_in_user
from accounts.models import Member
from accounts.roles import Role
from loyalty.errors import FloorIgnored, LoyaltyError, TierUnknown
from supervisor.access import others_account
from supervisor.errors import FloorAlready
from supervisor.forms.tier import TierForm
from supervisor.queries.tiers import by_hand
from supervisor.services import tiers as services
from supervisor.services.looks import note_look

FORM_REFUSED = 422


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.SUPERVISOR)
def set_tier(request: HttpRequest, number: str) -> HttpResponse:
    """Where the member stands, and the tier that a supervisor sets as their lowest."""
    member, now = others_account(request, number), timezone.now()
    current = by_hand(member=member, at=now)
    form = TierForm(
        request.POST if request.method == "POST" else None,
        tiers=current.choices,
        floor_position=current.floor_position,
    )
    if form.is_valid():
        try:
            return _set_tier(request, member, form)
        except LoyaltyError as refusal:
            form.add_error("floor" if isinstance(refusal, TierUnknown | FloorIgnored) else None, str(refusal))
    note_look(members=[member], page="tier", at=now, actor=signed_in_user(request))
    context = {"member": member, "form": form, "current": current}
    status = FORM_REFUSED if form.errors else 200
    return render(request, "supervisor/actions/tier.html", context, status=status)


def _set_tier(request: HttpRequest, member: Member, form: TierForm) -> HttpResponse:
    """Set it, and go back to the member; the same form sent again changes nothing."""
    try:
        standing = services.set_tier(
            member=member,
            position=form.position,
            reason=form.cleaned_data["reason"],
            at=timezone.now(),
            by=signed_in_user(request),
        )
    except FloorAlready as refusal:
        messages.info(request, str(refusal))
    else:
        sentence = (
            _("No tier is set by hand any more. %(name)s stands in %(tier)s.")
            if form.position is None
            else _("Set by hand. %(name)s stands in %(tier)s.")
        )
        messages.success(request, sentence % {"name": member.masked_name, "tier": standing.tier.shown_name})
    return redirect("supervisor:member", member.number)
