"""Which editions of the rules there are, each one's page, and withdrawing one before it takes effect."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import role_required, signed_in_user
from accounts.roles import Role
from loyalty.errors import AlreadyInForce, AlreadyWithdrawn
from loyalty.models import RuleSet
from loyalty.queries.rules import all_editions, tiers_of
from loyalty.rules_wording import difference_in_words, groups_in_words
from supervisor.queries.editions import approval_of, edition_before, edition_lists, last_recount
from supervisor.services.editions import withdraw_edition


@require_safe
@role_required(Role.SUPERVISOR)
def show_editions(request: HttpRequest) -> HttpResponse:
    """Live, scheduled, drafts, past and withdrawn: when, who, why."""
    return render(request, "supervisor/editions/list.html", {"lists": edition_lists(timezone.now())})


@require_safe
@role_required(Role.SUPERVISOR)
def show_edition(request: HttpRequest, number: int) -> HttpResponse:
    """One edition: its tiers, its settings in words, and what it changed."""
    rule_set = _edition(number)
    lists = edition_lists(timezone.now())
    before = edition_before(rule_set)
    context = {
        "edition": rule_set,
        "is_live": lists.live is not None and lists.live.pk == rule_set.pk,
        "is_scheduled": rule_set in lists.scheduled,
        "tiers": tiers_of(rule_set),
        "groups": groups_in_words(rule_set),
        "before": before,
        "differences": difference_in_words(before, rule_set) if before else [],
        "job_run": last_recount(rule_set),
        "approval": approval_of(rule_set),
    }
    return render(request, "supervisor/editions/edition.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.SUPERVISOR)
def withdraw(request: HttpRequest, number: int) -> HttpResponse:
    """Says what withdrawing a scheduled edition does, and does it when it is confirmed."""
    rule_set = _edition(number)
    now = timezone.now()
    lists = edition_lists(now)
    if request.method == "POST":
        try:
            withdraw_edition(rule_set=rule_set, at=now, by=signed_in_user(request))
        except (AlreadyInForce, AlreadyWithdrawn) as refusal:
            messages.info(request, str(refusal))
        else:
            messages.success(request, _("Edition %(number)s is withdrawn.") % {"number": number})
        return redirect("supervisor:edition", number)
    if rule_set not in lists.scheduled:
        reason = AlreadyWithdrawn() if rule_set.withdrawn_at else AlreadyInForce()
        messages.info(request, str(reason))
        return redirect("supervisor:edition", number)
    return render(request, "supervisor/editions/withdraw.html", {"edition": rule_set, "live": lists.live})


def _edition(number: int) -> RuleSet:
    found = all_editions().select_related("published_by", "withdrawn_by")
    return get_object_or_404(found, number=number)
