"""Addresses of invitations: the inviter's own pages, and where the link leads."""

from django.urls import path

from referrals import views

app_name = "referrals"

urlpatterns = [
    path("invite/", views.show_invite, name="invite"),
    path("invite/qr.png", views.download_qr, {"file_format": "png"}, name="qr_png"),
    path("invite/qr.svg", views.download_qr, {"file_format": "svg"}, name="qr_svg"),
    path("invite/name/", views.change_shown_name, name="name"),
    path("invite/new-link/", views.reissue_link, name="reissue"),
    path("invite/conditions/", views.show_conditions, name="conditions"),
    path("r/<str:code>/", views.show_landing, name="landing"),
    path("r/<str:code>/visit/", views.note_visit, name="visit"),
]
