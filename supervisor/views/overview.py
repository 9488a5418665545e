"""The first page of the console: the programme at a glance."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import role_required
from accounts.roles import Role, is_supervisor
from loyalty.queries.rules import rule_set_in_force, scheduled, tiers_of
from supervisor.charts import moved_chart, orders_chart, outstanding_chart
from supervisor.queries.approvals import open_approvals_count
from supervisor.queries.invitations import open_referrals_count
from supervisor.queries.jobs import FAILED_DAYS, job_counts
from supervisor.queries.opinions import opinions_figure
from supervisor.queries.programme import ACTIVE_DAYS, figures, last_audit


@require_safe
@role_required(Role.STAFF)
def overview(request: HttpRequest) -> HttpResponse:
    """How large the programme is, what moves in it, its rules, and what waits; staff go to the look-up."""
    if not is_supervisor(request.user):
        return redirect("supervisor:find")
    now = timezone.now()
    counted = figures(now)
    rule_set = rule_set_in_force(now)
    context = {
        "figures": counted,
        "active_days": ACTIVE_DAYS,
        "orders_chart": orders_chart(counted.days),
        "moved_chart": moved_chart(counted.months),
        "outstanding_chart": outstanding_chart(counted.months),
        "audit": last_audit(),
        "rule_set": rule_set,
        "tiers": tiers_of(rule_set),
        "approvals_count": open_approvals_count(),
        "scheduled": scheduled(now).first(),
        "jobs": job_counts(now),
        "failed_days": FAILED_DAYS,
        "doubts_count": open_referrals_count(),
        "opinions": opinions_figure(now),
    }
    return render(request, "supervisor/overview.html", context)
