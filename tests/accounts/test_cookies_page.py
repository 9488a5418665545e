"""The page about cookies names every cookie that the code sets, and how long it lives."""

import re
from datetime import timedelta
from importlib import import_module

from django.conf import settings
from django.test import Client

from accounts import devices
from accounts.cookies import cookies
from accounts.views.join import INVITATION_COOKIE
from loyalty import middleware
from referrals import cookies as invitations
from referrals.services.attaching import CLICK_LIFE
from tests.pages import Page

APPS = ("accounts", "loyalty", "referrals", "orders", "supervisor", "config")


def test_the_page_is_for_everybody_and_names_each_cookie(db):
    client = Client()
    client.cookies["django_language"] = "en"
    response = client.get("/cookies/")
    assert response.status_code == 200
    text = Page(response).text
    for cookie in cookies():
        assert cookie.name in text
    assert "365\u00a0days" in text or "365 days" in text


def test_the_lives_are_those_that_the_cookies_get():
    lives = {cookie.name: cookie.life for cookie in cookies()}
    assert lives[devices.COOKIE] == devices.COOKIE_AGE
    assert lives[invitations.COOKIE] == CLICK_LIFE
    assert lives[middleware.COOKIE] == timedelta(seconds=middleware.KEPT_FOR_SECONDS)
    assert lives[settings.SESSION_COOKIE_NAME] == timedelta(seconds=settings.SESSION_COOKIE_AGE)
    assert lives[settings.LANGUAGE_COOKIE_NAME] is settings.LANGUAGE_COOKIE_AGE is None
    assert INVITATION_COOKIE in lives


def test_no_cookie_is_set_that_the_page_does_not_know():
    setting = re.compile(r"\.set_(?:signed_)?cookie\(\s*([\w.]+|[\"']\w+[\"'])")
    set_names = set()
    for app in APPS:
        for path in (settings.BASE_DIR / app).rglob("*.py"):
            module = ".".join(path.relative_to(settings.BASE_DIR).with_suffix("").parts)
            for name in setting.findall(path.read_text()):
                # A name of a setting, or of a constant of the module, or the text itself.
                owner = settings if name.startswith("settings.") else import_module(module)
                set_names.add(name.strip("\"'") if name[0] in "\"'" else getattr(owner, name.split(".")[-1]))
    of_django = {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, "messages"}
    assert set_names | of_django == {cookie.name for cookie in cookies()}
