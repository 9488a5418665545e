"""Long work: what there is, how far it is, stopping it, and beginning it again."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from accounts.access import role_required, signed_in_user
from accounts.roles import Role
from loyalty.access import signed_in
from loyalty.cursors import number_of
from supervisor.errors import JobOfEdition, JobOver, RecountUnderWay
from supervisor.models import JobRun
from supervisor.queries.jobs import job_run, job_runs_page
from supervisor.services.editions import recount_again
from supervisor.services.job_runs import ask_to_cancel


@require_safe
@role_required(Role.SUPERVISOR)
def show_jobs(request: HttpRequest) -> HttpResponse:
    """Every piece of long work, the newest first; a place beyond the list leads to its beginning."""
    before, after = (number_of(request.GET.get(name)) for name in ("before", "after"))
    page = job_runs_page(before=before, after=after)
    if not page.rows and (before, after) != (None, None):
        return redirect("supervisor:jobs")
    return render(request, "supervisor/jobs/list.html", {"page": page})


@require_safe
@role_required(Role.SUPERVISOR)
def show_job(request: HttpRequest, job_id: int) -> HttpResponse:
    """One piece of work: who asked for it, how far it is, and how it ended."""
    run = _run(job_id)
    is_recount = run.kind == JobRun.Kind.RECOUNT
    context = {
        "job_run": run,
        "is_of_scheduled": is_recount and run.is_for_later,
        "is_recountable": is_recount and run.has_stopped,
    }
    return render(request, "supervisor/jobs/job.html", context)


@require_safe
@signed_in
@role_required(Role.SUPERVISOR)
def show_progress(request: HttpRequest, job_id: int) -> HttpResponse:
    """The bar alone, which a page asks for every second; when the work is over, the page is loaded anew."""
    run = _run(job_id)
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("supervisor:job", job_id)
    if run.is_over:
        return HttpResponseClientRefresh()
    return render(request, "supervisor/jobs/progress.html", {"job_run": run})


@require_POST
@role_required(Role.SUPERVISOR)
def cancel(request: HttpRequest, job_id: int) -> HttpResponse:
    """Ask the work to stop; what it has done so far stays."""
    try:
        run = ask_to_cancel(run=_run(job_id), at=timezone.now(), by=signed_in_user(request))
    except (JobOver, JobOfEdition) as refusal:
        messages.info(request, str(refusal))
    else:
        sentence = _("Cancelled.") if run.is_over else _("The job stops at the next safe place.")
        messages.success(request, sentence)
    return redirect("supervisor:job", job_id)


@require_POST
@role_required(Role.SUPERVISOR)
def start_recount(request: HttpRequest) -> HttpResponse:
    """Recount everybody's tier anew; while one recount is under way, that one is shown."""
    try:
        run = recount_again(at=timezone.now(), by=signed_in_user(request))
    except RecountUnderWay as refusal:
        messages.info(request, str(refusal))
        return redirect("supervisor:job", refusal.job_run_id)
    return redirect("supervisor:job", run.pk)


def _run(job_id: int) -> JobRun:
    return get_object_or_404(job_run(job_id))
