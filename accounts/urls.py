"""Addresses of accounts; signing in and up is allauth's, under accounts/."""

from django.urls import path

from accounts import views
from accounts.models import ContactChange
from accounts.second_factor import SetUpSecondFactor

app_name = "accounts"
urlpatterns = [
    path("language/", views.set_language, name="set_language"),
    path("messages/", views.show_messages, name="messages"),
    path("messages/seen/", views.see_messages, name="see_messages"),
    path("letters/", views.letters, name="letters"),
    path("letters/try-again/", views.try_again, name="try_address_again"),
    path("letters/<str:token>/", views.letters_by_link, name="letters_by_link"),
    path("letters/<str:token>/stop/", views.stop, name="stop_letters"),
    path("cookies/", views.show_cookies, name="cookies"),
    path("kept-form/", views.show_kept_form, name="kept_form"),
    path("mail/", views.show_mail, name="mail"),
    path("mail/<slug:name>/", views.show_mail_letter, name="mail_letter"),
    path("mail/<slug:name>/html/", views.show_mail_html, name="mail_html"),
    path("first-steps/hide/", views.hide_steps, name="hide_steps"),
    path("looks/", views.show_looks, name="looks"),
    path("profile/", views.show_profile, name="profile"),
    path("profile/name/", views.change_name, name="change_name"),
    path("profile/email/", views.change_contact, {"kind": ContactChange.Kind.EMAIL}, name="change_email"),
    path("profile/phone/", views.change_contact, {"kind": ContactChange.Kind.PHONE}, name="change_phone"),
    path("profile/changes/<int:change_id>/", views.confirm_contact, name="confirm_contact"),
    path(
        "profile/changes/<int:change_id>/cancel/", views.cancel_contact_change, name="cancel_contact_change"
    ),
    path("profile/consents/<slug:kind>/", views.change_consent, name="change_consent"),
    path("profile/sessions/<int:session_id>/end/", views.end_session, name="end_session"),
    path("profile/sessions/end-others/", views.end_other_sessions, name="end_other_sessions"),
    path("staff/join/", views.join, name="join"),
    path("staff/join/<slug:token>/", views.join_staff, name="join_staff"),
    # allauth's own page leaves other sessions as they are.
    path("accounts/2fa/totp/activate/", SetUpSecondFactor.as_view()),
    # allauth's own pages for these are closed: its change of an e-mail asks the new address alone.
    path("accounts/email/", views.lead_to_profile),
    path("accounts/sessions/", views.lead_to_profile),
]
