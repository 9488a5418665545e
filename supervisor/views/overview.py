"""The first page of the console."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import role_required
from accounts.roles import Role
from loyalty.queries.rules import rule_set_in_force, tiers_of
from supervisor.queries import programme
from supervisor.queries.rules import settings_in_words
from supervisor.sections import sections


@require_safe
@role_required(Role.STAFF)
def overview(request: HttpRequest) -> HttpResponse:
    """The programme at a glance: how large it is, its rules, and whether the ledger is sound."""
    outstanding = programme.outstanding_points()
    rule_set = rule_set_in_force(timezone.now())
    context = {
        "sections": sections(request),
        "members_count": programme.members_count(),
        "outstanding_points": outstanding,
        "outstanding_worth_sum": programme.outstanding_worth_sum(outstanding),
        "audit": programme.last_audit(),
        "rule_set": {
            "number": rule_set.number,
            "effective_at": rule_set.effective_at,
            "tiers": tiers_of(rule_set),
            "settings": settings_in_words(rule_set),
        },
    }
    return render(request, "supervisor/overview.html", context)
