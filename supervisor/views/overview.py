"""The first page of the console."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import is_supervisor, role_required
from accounts.roles import Role
from loyalty.queries.rules import rule_set_in_force, tiers_of
from supervisor import queries


@require_safe
@role_required(Role.STAFF)
def overview(request: HttpRequest) -> HttpResponse:
    """The programme at a glance: how large it is, its rules, and whether the ledger is sound."""
    outstanding = queries.outstanding_points()
    rule_set = rule_set_in_force(timezone.now())
    context = {
        "may_change": is_supervisor(request.user),
        "members_count": queries.members_count(),
        "outstanding_points": outstanding,
        "outstanding_worth_sum": queries.outstanding_worth_sum(outstanding),
        "audit": queries.last_audit(),
        "rule_set": {
            "number": rule_set.number,
            "effective_at": rule_set.effective_at,
            "tiers": tiers_of(rule_set),
            "settings": queries.settings_in_words(rule_set),
        },
    }
    return render(request, "supervisor/overview.html", context)
