"""Colleagues come and go: invitations, the page that a link leads to, roles, and who stays in charge."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.errors import (
    AlreadyColleague,
    InvalidEmail,
    InvitationOver,
    LastSupervisor,
    LoginNeeded,
    MessageNotSent,
    NoFirstName,
    NoStaffRole,
    OtherLogin,
    OwnRole,
)
from accounts.models import AuditRecord, StaffInvitation, User
from accounts.roles import Role, is_staff_person, is_supervisor
from accounts.services import staff
from tests.clock import NOON
from tests.factories import PASSWORD, UserFactory
from tests.loyalty.races import race
from tests.pages import Page

LOGIN = "/accounts/login/"
NEW = {"first_name": "Вера", "last_name": "Зимина", "password": "a pass phrase of hers"}


def invite(by, email="vera@example.com", role=Role.STAFF, at=NOON, **more) -> StaffInvitation:
    return staff.invite_colleague(email=email, role=role, at=at, by=by, **more)


def token_in_mail(index=-1) -> str:
    (token,) = re.findall(r"/staff/join/([\w-]+)/", mail.outbox[index].body)
    return token


JOIN = "/staff/join/"


def opened(browser: Client, token: str) -> Client:
    """The browser after the link of the letter was opened in it."""
    assert browser.get(f"{JOIN}{token}/").headers["Location"] == JOIN
    return browser


def english(browser: Client) -> Client:
    browser.cookies["django_language"] = "en"
    return browser


def facts_of(action) -> list[dict[str, object]]:
    return [one.facts for one in AuditRecord.objects.filter(action=action).order_by("pk")]


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


# Invitations


def test_an_invitation_is_a_letter_with_a_link_of_which_only_a_hash_is_kept(sue):
    invitation = invite(sue, " Vera@Example.com", language="en")

    (letter,) = mail.outbox
    assert letter.to == ["vera@example.com"]
    assert letter.subject == "You are invited to the staff of Ballada"
    assert "Сью Орлова invites you to the staff of Ballada." in letter.body
    assert "within 72 hours" in letter.body
    assert token_in_mail() not in str(StaffInvitation.objects.values().get())
    assert (invitation.email, invitation.expires_at) == ("vera@example.com", NOON + timedelta(hours=72))


def test_the_letter_speaks_the_language_that_it_is_asked_for(sue):
    invite(sue, language="ru")

    assert "Вопросы: help@ballada.example" in mail.outbox[0].body


def test_the_journal_holds_no_address_and_no_name(sue):
    invitation = invite(sue)
    user = staff.accept_invitation(token=token_in_mail(), at=NOON, **NEW)
    staff.give_role(user=user, role=Role.SUPERVISOR, at=NOON, by=sue)

    records = AuditRecord.objects.order_by("pk")
    assert [(one.action, one.actor_id, one.actor_role) for one in records] == [
        ("colleague_invited", sue.pk, "supervisor"),
        ("colleague_joined", user.pk, "staff"),
        ("role_changed", sue.pk, "supervisor"),
    ]
    assert [one.facts for one in records] == [
        {"invitation": invitation.pk, "role": "staff"},
        {"invitation": invitation.pk, "role": "staff"},
        {"colleague": user.pk, "role": "supervisor", "is_given": True},
    ]
    assert {one.member_id for one in records} == {None}


def test_inviting_again_replaces_the_first_link(sue):
    invite(sue)
    invite(sue, "VERA@example.com", role=Role.SUPERVISOR, at=NOON + timedelta(hours=1))

    with pytest.raises(InvitationOver):
        staff.open_invitation(token=token_in_mail(0), at=NOON)
    assert staff.open_invitation(token=token_in_mail(1), at=NOON).role == Role.SUPERVISOR
    assert StaffInvitation.objects.filter(revoked_at=None).count() == 1


def test_the_database_holds_one_open_invitation_of_an_address(sue):
    invite(sue)
    with pytest.raises(IntegrityError, match="staff_invitation_is_one_at_a_time"):
        StaffInvitation.objects.create(
            email="VERA@example.com",
            role="staff",
            token_hash="x",
            invited_by=sue,
            invited_at=NOON,
            expires_at=NOON,
        )


@pytest.mark.django_db(transaction=True)
def test_two_invitations_at_once_leave_one_open(sue):
    race(lambda: invite(sue), lambda: invite(sue))

    assert StaffInvitation.objects.filter(revoked_at=None).count() == 1


@pytest.mark.parametrize(
    ("email", "role", "refusal"),
    [
        ("vera", Role.STAFF, InvalidEmail),
        ("", Role.STAFF, InvalidEmail),
        ("vera@example.com", Role.MEMBER, NoStaffRole),
        ("stan@example.com", Role.STAFF, AlreadyColleague),
        ("sue@example.com", Role.SUPERVISOR, AlreadyColleague),
    ],
)
def test_what_an_invitation_is_refused_for(sue, stan, email, role, refusal):
    with pytest.raises(refusal):
        invite(sue, email, role)
    assert not StaffInvitation.objects.exists()
    assert not mail.outbox


def test_a_letter_that_is_not_sent_leaves_the_earlier_invitation(sue, settings):
    invite(sue)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9

    with pytest.raises(MessageNotSent):
        invite(sue, at=NOON + timedelta(hours=1))
    assert staff.open_invitation(token=token_in_mail(), at=NOON)
    assert len(facts_of("colleague_invited")) == 1


@pytest.mark.parametrize("hours", [72, 73])
def test_a_link_ends_after_three_days(sue, hours):
    invite(sue)
    token = token_in_mail()

    assert staff.open_invitation(token=token, at=NOON + timedelta(hours=72, seconds=-1))
    for end in (staff.open_invitation, lambda **asked: staff.accept_invitation(**asked, **NEW)):
        with pytest.raises(InvitationOver):
            end(token=token, at=NOON + timedelta(hours=hours))


def test_a_link_that_was_taken_back_or_made_up_is_over(sue):
    invitation = invite(sue)
    staff.revoke_invitation(invitation=invitation, at=NOON, by=sue)

    for token in (token_in_mail(), "made-up", invitation.token_hash):
        with pytest.raises(InvitationOver):
            staff.open_invitation(token=token, at=NOON)
    assert facts_of("colleague_invited")[-1] == {
        "invitation": invitation.pk,
        "role": "staff",
        "is_taken_back": True,
    }
    with pytest.raises(InvitationOver):
        staff.revoke_invitation(invitation=invitation, at=NOON, by=sue)


def test_what_was_accepted_cannot_be_taken_back(sue):
    invitation = invite(sue)
    staff.accept_invitation(token=token_in_mail(), at=NOON, **NEW)

    with pytest.raises(InvitationOver):
        staff.revoke_invitation(invitation=invitation, at=NOON, by=sue)
    assert not facts_of("colleague_invited")[-1].get("is_taken_back")


# Accepting


def test_whoever_accepts_has_a_login_with_a_proved_address_and_the_role(sue):
    invite(sue, role=Role.SUPERVISOR)

    user = staff.accept_invitation(token=token_in_mail(), at=NOON, **NEW)

    assert (user.email, user.full_name) == ("vera@example.com", "Вера Зимина")
    assert user.check_password(NEW["password"])
    assert EmailAddress.objects.filter(user=user, verified=True, primary=True).count() == 1
    assert is_supervisor(user)
    assert not hasattr(user, "member")


def test_a_link_is_used_once(sue):
    invite(sue)
    staff.accept_invitation(token=token_in_mail(), at=NOON, **NEW)

    with pytest.raises(InvitationOver):
        staff.accept_invitation(token=token_in_mail(), at=NOON, **NEW)
    assert User.objects.filter(email="vera@example.com").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_link_that_is_used_twice_at_once_makes_one_login(sue):
    invite(sue)
    token = token_in_mail()

    def accept():
        try:
            return staff.accept_invitation(token=token, at=NOON, **NEW)
        except InvitationOver as refusal:
            return refusal

    outcomes = race(accept, accept)

    assert sorted(type(one).__name__ for one in outcomes) == ["InvitationOver", "User"]
    assert len(facts_of("colleague_joined")) == 1


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"first_name": " \u200b1"}, NoFirstName),
        ({"password": "12345678"}, ValidationError),
        ({"password": "vera@example.com"}, ValidationError),
    ],
)
def test_a_name_and_a_good_password_are_needed(sue, change, refusal):
    invite(sue)

    with pytest.raises(refusal):
        staff.accept_invitation(token=token_in_mail(), at=NOON, **{**NEW, **change})
    assert not User.objects.filter(email="vera@example.com").exists()
    assert staff.open_invitation(token=token_in_mail(), at=NOON)


def test_a_member_accepts_with_the_login_they_have(sue, ada):
    invite(sue, "ada@example.com")

    with pytest.raises(LoginNeeded):
        staff.accept_invitation(token=token_in_mail(), at=NOON, **NEW)
    staff.accept_with_login(token=token_in_mail(), user=ada.user, at=NOON)

    assert fresh(ada.user).role_names == {"member", "staff"}
    assert ada.user.check_password(PASSWORD)
    assert User.objects.filter(email="ada@example.com").count() == 1


def test_nobody_accepts_what_is_for_another_address(sue, ada, ben):
    invite(sue, "ada@example.com")
    invite(sue, "vera@example.com")

    for token in (token_in_mail(0), token_in_mail(1)):
        with pytest.raises(OtherLogin):
            staff.accept_with_login(token=token, user=ben.user, at=NOON)
    assert not is_staff_person(fresh(ben.user))


def test_a_login_that_never_proved_the_address_does_not_stand_in_the_way(sue):
    # Whoever signed up with somebody's address knows its password, and must not become a colleague by it.
    stranger = UserFactory(email="vera@example.com")
    EmailAddress.objects.update(verified=False)
    invite(sue)

    user = staff.accept_invitation(token=token_in_mail(), at=NOON, **NEW)

    assert not User.objects.filter(pk=stranger.pk).exists()
    assert not user.check_password(PASSWORD)
    assert EmailAddress.objects.get(email="vera@example.com").verified


def test_what_a_dismissed_supervisor_has_sent_out_ends_with_the_role(sue, stan):
    services.assign_role(user=stan, role=Role.SUPERVISOR)
    of_stan, of_sue = invite(stan), invite(sue, "zoe@example.com")

    staff.take_role(user=stan, role=Role.SUPERVISOR, at=NOON, by=sue)

    with pytest.raises(InvitationOver):
        staff.open_invitation(token=token_in_mail(0), at=NOON)
    assert staff.open_invitation(token=token_in_mail(1), at=NOON) == of_sue
    assert facts_of("colleague_invited")[-1] == {
        "invitation": of_stan.pk,
        "role": "staff",
        "is_taken_back": True,
    }
    # A login that is closed on the server takes nothing back.
    User.objects.filter(pk=sue.pk).update(is_active=False)
    for accept in (staff.open_invitation, lambda **asked: staff.accept_invitation(**asked, **NEW)):
        with pytest.raises(InvitationOver):
            accept(token=token_in_mail(1), at=NOON)


# The page of the link


@pytest.fixture
def in_time():
    """Links of these tests are made now, since pages read the clock."""
    return timezone.now()


def test_the_page_says_who_invites_as_what_and_changes_nothing(sue, in_time):
    invite(sue, role=Role.SUPERVISOR, at=in_time)
    browser = opened(english(Client()), token_in_mail())

    response = browser.get(JOIN)

    text = Page(response).text
    assert "Сью Орлова invites you to run Ballada as a supervisor" in text
    assert "vera@example.com" in text
    assert response.headers["Cache-Control"].startswith("max-age=0, no-cache")
    assert not User.objects.filter(email="vera@example.com").exists()
    assert staff.open_invitation(token=token_in_mail(), at=in_time)


def test_whoever_fills_in_the_page_is_led_to_sign_in_and_is_not_signed_in(sue, in_time):
    invite(sue, at=in_time)
    browser = opened(english(Client()), token_in_mail())

    response = browser.post(JOIN, NEW)

    assert response.headers["Location"] == f"{LOGIN}?next=/console/"
    assert "_auth_user_id" not in browser.session
    assert "You are a colleague now." in Page(browser.get(response.headers["Location"])).text
    signed_in = browser.post(LOGIN, {"login": "vera@example.com", "password": NEW["password"]})
    assert signed_in.headers["Location"] == "/console/"
    over = browser.get(f"{JOIN}{token_in_mail()}/", follow=True)
    assert (over.status_code, "The link no longer works" in Page(over).text) == (404, True)


def test_the_page_says_what_is_wrong_and_keeps_what_was_entered(sue, in_time):
    invite(sue, at=in_time)
    browser = opened(english(Client()), token_in_mail())

    for change, sentence in (
        ({"first_name": ""}, "Enter your first name"),
        ({"first_name": "7"}, "Enter your first name"),
        ({"password": ""}, "Choose a password."),
        ({"password": "12345678"}, "This password is too common."),
    ):
        response = browser.post(JOIN, {**NEW, **change})
        page = Page(response)
        assert response.status_code == 422
        assert sentence in page.text
        assert "Error: Join the staff" in page.text
        assert "Зимина" in page.values("value")
        assert NEW["password"] not in response.content.decode()


def test_an_address_with_a_login_accepts_after_signing_in(sue, ada, in_time):
    invite(sue, "ada@example.com", at=in_time)
    browser = opened(english(Client()), token_in_mail())

    page = Page(browser.get(JOIN))
    assert f"{LOGIN}?next={JOIN}" in page.hrefs()
    assert "password" not in page.values("name")
    assert browser.post(JOIN, NEW).status_code == 200
    assert not is_staff_person(fresh(ada.user))

    browser.post(f"{LOGIN}?next={JOIN}", {"login": "ada@example.com", "password": PASSWORD})
    assert "You accept with your login ada@example.com" in Page(browser.get(JOIN)).text
    assert not is_staff_person(fresh(ada.user))
    assert browser.post(JOIN).headers["Location"] == "/console/"
    assert fresh(ada.user).role_names == {"member", "staff"}


def test_somebody_else_who_is_signed_in_is_asked_to_sign_out(sue, ada, ben, in_time, client_of):
    for email in ("ada@example.com", "vera@example.com"):
        invite(sue, email, at=in_time)
        browser = opened(english(client_of(ben)), token_in_mail())
        for send in (browser.get, browser.post):
            assert "here ben@example.com is signed in" in Page(send(JOIN, NEW)).text
        signed_out = browser.post("/accounts/logout/", {"next": JOIN}, follow=True)
        assert "You will sign in with" in Page(signed_out).text or "Sign in with it" in Page(signed_out).text
    assert not User.objects.filter(email="vera@example.com").exists()
    assert not is_staff_person(fresh(ada.user))


@pytest.mark.parametrize("token", ["", "x", "..", "%00", "%D1%8F", "a" * 300])
def test_links_that_are_none_say_so(db, token):
    assert Client().get(f"{JOIN}{token and token + '/'}", follow=True).status_code == 404


def test_a_link_that_works_gets_into_no_log(sue, in_time, caplog):
    invite(sue, at=in_time)
    browser = opened(english(Client()), token_in_mail())

    assert browser.post(JOIN, {**NEW, "first_name": ""}).status_code == 422

    assert "Unprocessable" in caplog.text
    assert token_in_mail() not in caplog.text


# The first one


def test_the_first_supervisor_of_an_installation_is_made_on_the_server(db, monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", email="root@example.com", interactive=False)
    browser = english(Client())

    confirm = browser.post(LOGIN, {"login": "root@example.com", "password": PASSWORD}).headers["Location"]
    (code,) = re.findall(r"^\d{6}$", mail.outbox[0].body, re.MULTILINE)
    assert browser.post(confirm, {"code": code}).status_code == 302

    assert browser.get("/console/colleagues/").status_code == 200


# Roles


def test_roles_are_given_and_taken_and_written_down_once(sue, stan):
    for _again in range(2):
        staff.give_role(user=stan, role=Role.SUPERVISOR, at=NOON, by=sue)
    assert is_supervisor(fresh(stan))
    for _again in range(2):
        staff.take_role(user=stan, role=Role.SUPERVISOR, at=NOON, by=sue)
    assert fresh(stan).role_names == {"staff"}
    assert [one["is_given"] for one in facts_of("role_changed")] == [True, False]


def test_whoever_loses_the_last_role_is_signed_out_everywhere(sue, stan):
    browsers = [Client(), Client()]
    for browser in browsers:
        browser.post(LOGIN, {"login": stan.email, "password": PASSWORD})
    staff.give_role(user=stan, role=Role.SUPERVISOR, at=NOON, by=sue)
    staff.take_role(user=stan, role=Role.STAFF, at=NOON, by=sue)
    assert all(browser.get("/profile/").status_code == 200 for browser in browsers)

    staff.take_role(user=stan, role=Role.SUPERVISOR, at=NOON, by=sue)

    assert all(browser.get("/profile/").status_code == 302 for browser in browsers)
    assert not is_staff_person(fresh(stan))


def test_a_member_who_was_staff_stays_a_member(sue, ada):
    services.assign_role(user=ada.user, role=Role.STAFF)

    staff.take_role(user=ada.user, role=Role.STAFF, at=NOON, by=sue)

    assert fresh(ada.user).role_names == {"member"}


def test_nobody_changes_their_own_role(sue):
    for change in (staff.give_role, staff.take_role):
        for role in (Role.STAFF, Role.SUPERVISOR):
            with pytest.raises(OwnRole):
                change(user=sue, role=role, at=NOON, by=sue)
    assert fresh(sue).role_names == {"supervisor"}


def test_no_role_but_those_of_the_console_is_given_there(sue, stan):
    for change in (staff.give_role, staff.take_role):
        with pytest.raises(NoStaffRole):
            change(user=stan, role=Role.MEMBER, at=NOON, by=sue)


def test_the_last_supervisor_stays(sue, stan):
    with pytest.raises(LastSupervisor):
        staff.take_role(user=sue, role=Role.SUPERVISOR, at=NOON, by=stan)
    switched_off = UserFactory(is_active=False)
    services.assign_role(user=switched_off, role=Role.SUPERVISOR)
    with pytest.raises(LastSupervisor):
        staff.take_role(user=sue, role=Role.SUPERVISOR, at=NOON, by=stan)

    root = User.objects.create_superuser("root@example.com", PASSWORD)
    staff.take_role(user=sue, role=Role.SUPERVISOR, at=NOON, by=root)
    assert not is_supervisor(fresh(sue))


@pytest.mark.django_db(transaction=True)
def test_two_supervisors_who_dismiss_each_other_at_once_leave_one(sue, stan):
    services.assign_role(user=stan, role=Role.SUPERVISOR)
    services.remove_role(user=stan, role=Role.STAFF)

    def dismissal(user, by):
        def dismiss():
            try:
                return staff.take_role(user=user, role=Role.SUPERVISOR, at=NOON, by=by)
            except LastSupervisor as refusal:
                return refusal

        return dismiss

    outcomes = race(dismissal(sue, stan), dismissal(stan, sue))

    assert sorted(type(one).__name__ for one in outcomes) == ["LastSupervisor", "NoneType"]
    assert staff.supervisors().count() == 1


# A lost phone


def test_a_second_factor_is_reset_by_another_supervisor(sue, stan, django_capture_on_commit_callbacks):
    Authenticator.objects.create(user=stan, type=Authenticator.Type.TOTP, data={"secret": "x"})
    Authenticator.objects.create(
        user=stan, type=Authenticator.Type.RECOVERY_CODES, data={"seed": "x", "used_mask": 0}
    )

    with django_capture_on_commit_callbacks(execute=True):
        staff.reset_second_factor(user=stan, at=NOON, by=sue)

    assert not Authenticator.objects.exists()
    assert facts_of("second_factor_reset") == [{"colleague": stan.pk}]
    (letter,) = mail.outbox
    assert letter.to == ["stan@example.com"]
    assert "Сью Орлова" in letter.body


def test_nobody_resets_their_own_second_factor_and_one_that_is_none_is_not_reset(sue, stan):
    Authenticator.objects.create(user=sue, type=Authenticator.Type.TOTP, data={"secret": "x"})

    with pytest.raises(OwnRole):
        staff.reset_second_factor(user=sue, at=NOON, by=sue)
    staff.reset_second_factor(user=stan, at=NOON, by=sue)

    assert Authenticator.objects.count() == 1
    assert not facts_of("second_factor_reset")
