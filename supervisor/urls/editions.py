"""Addresses of editions, drafts, what they would do, and long work."""

from django.urls import path

from supervisor.views import jobs
from supervisor.views.editions import drafts, lists, previews, publishing

urlpatterns = [
    path("editions/", lists.show_editions, name="editions"),
    path("editions/new/", drafts.new_draft, name="new_draft"),
    path("editions/<int:number>/", lists.show_edition, name="edition"),
    path("editions/<int:number>/restore/", drafts.restore, name="restore_edition"),
    path("editions/<int:number>/withdraw/", lists.withdraw, name="withdraw_edition"),
    path("editions/drafts/<int:draft_id>/", drafts.edit_draft, name="draft"),
    path("editions/drafts/<int:draft_id>/delete/", drafts.remove_draft, name="delete_draft"),
    path("editions/drafts/<int:draft_id>/preview/", previews.ask, name="ask_preview"),
    path("editions/previews/<int:preview_id>/", previews.show_preview, name="preview"),
    path("editions/previews/<int:preview_id>/members.csv", previews.export_members, name="preview_members"),
    path("editions/previews/<int:preview_id>/publish/", publishing.publish, name="publish"),
    path("jobs/", jobs.show_jobs, name="jobs"),
    path("jobs/recount/", jobs.start_recount, name="recount_again"),
    path("jobs/<int:job_id>/", jobs.show_job, name="job"),
    path("jobs/<int:job_id>/progress/", jobs.show_progress, name="job_progress"),
    path("jobs/<int:job_id>/cancel/", jobs.cancel, name="cancel_job"),
]
