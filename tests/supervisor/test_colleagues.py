"""The console's pages of colleagues: who there is, who is invited, roles, a lost second factor."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import services
from accounts.models import AuditRecord, StaffInvitation, User
from accounts.roles import Role
from accounts.services import staff
from tests.factories import PASSWORD, UserFactory
from tests.pages import Page

COLLEAGUES, INVITE = "/console/colleagues/", "/console/colleagues/invite/"


@pytest.fixture
def desk(sue, client_of) -> Client:
    """The supervisor's browser, in English."""
    client = client_of(sue)
    client.cookies["django_language"] = "en"
    return client


def page_of(user: User) -> str:
    return f"{COLLEAGUES}{user.pk}/"


def factor_of(user: User) -> str:
    return f"{COLLEAGUES}{user.pk}/second-factor/"


def with_factor(user: User) -> User:
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "x"})
    return user


def invite(sue, email="vera@example.com", role=Role.STAFF, at=None) -> StaffInvitation:
    return staff.invite_colleague(email=email, role=role, at=at or timezone.now(), by=sue)


def role_change(role, action) -> dict[str, str]:
    return {"role": role.value, "action": action}


# The list


def test_the_list_names_everybody_who_may_open_the_console(desk, ada, stan, sue):
    with_factor(stan)
    root = User.objects.create_superuser("root@example.com", PASSWORD)
    gone = UserFactory(email="gone@example.com", is_active=False)
    services.assign_role(user=gone, role=Role.STAFF)

    page = Page(desk.get(COLLEAGUES))

    for person in (sue, stan, root):
        assert page_of(person) in page.hrefs()
    assert page.text.index("Сью Орлова") < page.text.index("Стан Козлов")
    assert "Сью Орлова you sue@example.com Supervisor" in page.text
    assert "Ада" not in page.text
    assert "gone@example.com" not in page.text
    assert page.text.count(" on") - page.text.count(" one") >= 1
    assert INVITE in page.hrefs()


def test_the_list_shows_invitations_open_and_too_old(desk, sue):
    invite(sue)
    invite(sue, "old@example.com", Role.SUPERVISOR, at=timezone.now() - timedelta(hours=80))

    text = Page(desk.get(COLLEAGUES)).text

    assert "vera@example.com Staff" in text
    assert "works until" in text
    assert "old@example.com Supervisor" in text
    assert "too old" in text


def test_an_empty_list_of_invitations_is_not_shown(desk):
    assert "Invited" not in Page(desk.get(COLLEAGUES)).text


def test_the_list_asks_as_many_queries_for_thirty_colleagues_as_for_one(desk, sue):
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert desk.get(COLLEAGUES).status_code == 200
        return len(asked)

    invite(sue, "first@example.com")
    desk.get(COLLEAGUES)
    with_one = queries()
    for number in range(30):
        services.assign_role(user=with_factor(UserFactory()), role=Role.STAFF)
        invite(sue, f"person-{number}@shop.example")

    assert queries() == with_one


# Inviting


def test_inviting_sends_a_letter_and_shows_the_invitation(desk):
    led = desk.post(INVITE, {"email": "Vera@example.com", "role": "supervisor"})

    assert led.headers["Location"] == COLLEAGUES
    assert mail.outbox[0].to == ["vera@example.com"]
    assert mail.outbox[0].subject == "You are invited to the staff of Ballada"
    text = Page(desk.get(COLLEAGUES)).text
    assert "The invitation is on its way to vera@example.com." in text
    assert "vera@example.com Supervisor" in text


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"email": "", "role": "staff"}, "This is not an e-mail address."),
        ({"email": "vera", "role": "staff"}, "This is not an e-mail address."),
        ({"email": "vera@example.com"}, "Choose one of the two roles."),
        ({"email": "vera@example.com", "role": "member"}, "Choose one of the two roles."),
        ({"email": "sue@example.com", "role": "supervisor"}, "is a colleague with this role already"),
    ],
)
def test_what_cannot_be_is_said_at_the_form(desk, asked, sentence):
    response = desk.post(INVITE, asked)
    page = Page(response)

    assert response.status_code == 422
    assert sentence in page.text
    assert "Error: Invite a colleague" in page.text
    if asked["email"]:
        assert asked["email"] in page.values("value")
    assert not StaffInvitation.objects.exists()


def test_a_letter_that_is_not_sent_is_told_and_the_form_stays(desk, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9

    response = desk.post(INVITE, {"email": "vera@example.com", "role": "staff"})

    assert response.status_code == 422
    assert "The message could not be sent." in Page(response).text
    assert not StaffInvitation.objects.exists()


def test_an_invitation_is_taken_back_once(desk, sue):
    invitation = invite(sue)
    address = f"{COLLEAGUES}invitations/{invitation.pk}/revoke/"

    assert desk.post(address).headers["Location"] == COLLEAGUES
    assert "is taken back" in Page(desk.get(COLLEAGUES)).text
    assert desk.post(address).headers["Location"] == COLLEAGUES
    assert "This invitation has ended already." in Page(desk.get(COLLEAGUES)).text
    assert StaffInvitation.objects.get().revoked_at
    assert desk.get(address).status_code == 405
    assert desk.post(f"{COLLEAGUES}invitations/999/revoke/").status_code == 404


# One colleague


def test_the_page_of_a_colleague_says_what_is_known(desk, stan):
    with_factor(stan)
    Client().post("/accounts/login/", {"login": stan.email, "password": PASSWORD})

    page = Page(desk.get(page_of(stan)))

    for words in ("stan@example.com", "Staff given", "Second factor on", "Colleague since"):
        assert words in page.text
    assert factor_of(stan) in page.hrefs()


def test_roles_are_changed_by_buttons(desk, stan):
    assert desk.post(page_of(stan), role_change(Role.SUPERVISOR, "give"))["Location"] == page_of(stan)
    assert User.objects.get(pk=stan.pk).role_names == {"staff", "supervisor"}
    assert "The roles of Стан Козлов are changed." in Page(desk.get(page_of(stan))).text

    desk.post(page_of(stan), role_change(Role.SUPERVISOR, "take"))
    led = desk.post(page_of(stan), role_change(Role.STAFF, "take"))

    assert led["Location"] == COLLEAGUES
    assert "Стан Козлов has no role any more and is signed out everywhere." in Page(desk.get(COLLEAGUES)).text
    assert desk.get(page_of(stan)).status_code == 404
    assert AuditRecord.objects.filter(action="role_changed").count() == 3


def test_nonsense_changes_nothing(desk, stan):
    for posted in ({}, {"role": "member", "action": "give"}, {"role": "staff", "action": "sell"}):
        assert desk.post(page_of(stan), posted)["Location"] == page_of(stan)
    assert User.objects.get(pk=stan.pk).role_names == {"staff"}


def test_nobody_changes_their_own_roles_and_no_button_offers_it(desk, sue):
    page = Page(desk.get(page_of(sue)))
    assert "action" not in page.values("name")
    assert "Another supervisor changes your roles." in page.text

    refused = desk.post(page_of(sue), role_change(Role.SUPERVISOR, "take"))

    assert refused.status_code == 422
    assert "Ask another supervisor to change it." in Page(refused).text
    assert User.objects.get(pk=sue.pk).role_names == {"supervisor"}


def test_a_login_of_the_server_is_shown_as_that(desk, sue):
    root = User.objects.create_superuser("root@example.com", PASSWORD)

    page = Page(desk.get(page_of(root)))

    assert "This login was made on the server, and is taken back there." in page.text
    assert "action" not in page.values("name")


def test_who_is_no_colleague_has_no_page(desk, ada):
    for send in (desk.get, desk.post):
        assert send(page_of(ada.user)).status_code == 404
        assert send(factor_of(ada.user)).status_code == 404
        assert send(f"{COLLEAGUES}999999/").status_code == 404


def test_a_second_factor_is_reset_after_a_question(desk, stan):
    with_factor(stan)
    phone = Client()
    phone.force_login(stan)
    phone.get("/profile/")

    page = Page(desk.get(factor_of(stan)))
    assert "Reset the second factor of Стан Козлов?" in page.text
    assert Authenticator.objects.exists()
    assert desk.post(factor_of(stan))["Location"] == page_of(stan)

    assert not Authenticator.objects.exists()
    assert phone.get("/profile/").status_code == 302
    assert "Second factor off" in Page(desk.get(page_of(stan))).text
    assert AuditRecord.objects.get(action="second_factor_reset").facts == {"colleague": stan.pk}


def test_nobody_resets_their_own_second_factor(desk, sue):
    with_factor(sue)

    assert factor_of(sue) not in Page(desk.get(page_of(sue))).hrefs()
    assert desk.post(factor_of(sue)).status_code == 422
    assert Authenticator.objects.exists()
