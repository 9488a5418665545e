"""Addresses of staff accounts and roles, approvals, and the journal."""

from django.urls import URLPattern, path

from supervisor.views import approvals, colleagues, journal

urlpatterns: list[URLPattern] = [
    path("colleagues/", colleagues.show_colleagues, name="colleagues"),
    path("colleagues/invite/", colleagues.invite_colleague, name="invite_colleague"),
    path(
        "colleagues/invitations/<int:invitation_id>/revoke/",
        colleagues.revoke_invitation,
        name="revoke_invitation",
    ),
    path("colleagues/<int:user_id>/", colleagues.show_colleague, name="colleague"),
    path(
        "colleagues/<int:user_id>/second-factor/", colleagues.reset_second_factor, name="reset_second_factor"
    ),
    path("approvals/", approvals.show_approvals, name="approvals"),
    path("approvals/<int:approval_id>/", approvals.show_approval, name="approval"),
    path("journal/", journal.show_journal, name="journal"),
    path("journal/journal.csv", journal.export_journal, name="journal_csv"),
]
