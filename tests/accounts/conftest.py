"""What the stories of the profile share: Ada's browser, the phones, and the hour."""

import pytest
import time_machine
from django.test import Client

from accounts.models import Member
from tests.accounts.contact_changes import Phones
from tests.accounts.mail_server import MailServer
from tests.clock import NOON


@pytest.fixture
def noon():
    """Pages read the clock themselves: let it be noon for them too, until it is moved."""
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def client(ada: Member, client_of) -> Client:
    """Ada's browser, in English."""
    browser = client_of(ada)
    browser.cookies["django_language"] = "en"
    return browser


@pytest.fixture
def phones(caplog) -> Phones:
    """Every phone, with the text messages that it got."""
    return Phones(caplog)


@pytest.fixture
def server(settings):
    settings.EMAIL_BACKEND = "tests.accounts.mail_server.MailServer"
    yield MailServer
    MailServer.is_down, MailServer.refusals, MailServer.dies_after, MailServer.opened = False, {}, "", 0
