"""What inviters and friends do on the pages, in few words."""

from decimal import Decimal
from urllib.parse import urlsplit

from django.core import mail
from django.http import HttpResponse
from django.test import Client

from accounts.models import Member
from loyalty.models import RuleSet
from loyalty.services.rules import create_draft, publish_rule_set
from tests.clock import NOON
from tests.factories import PASSWORD
from tests.loyalty.editions import LONG_AGO, tier_spec
from tests.pages import Page

SIGNUP, CONFIRM = "/accounts/signup/", "/accounts/confirm-email/"


def edition(**settings: object) -> RuleSet:
    """An edition in force: one tier that earns 5 % of its orders and 2 % of friends'."""
    draft = create_draft(
        tiers=[tier_spec("Bronze", 0, "0.05", referral_rate=Decimal("0.02"))],
        **{"welcome_points": 200, **settings},
    )
    return publish_rule_set(rule_set=draft, effective_at=LONG_AGO, published_at=NOON, reason="A test")


def link_on(page: Page) -> str:
    """The link on the inviter's page."""
    (link,) = [attributes["value"] for tag, attributes in page.tags if attributes.get("id") == "link"]
    return link


def path_of(client: Client) -> str:
    """Where the link of the member in this browser leads, without the site."""
    return urlsplit(link_on(Page(client.get("/invite/")))).path


def arrive(client: Client, path: str) -> HttpResponse:
    """Open a link as a browser does: the page, and the visit that the page itself reports."""
    response = client.get(path)
    assert client.post(f"{path}visit/").status_code == 204
    return response


def join(client: Client, email: str = "maria@example.com", first_name: str = "Мария") -> HttpResponse:
    """Sign up and enter the code; the answer is the first page of the new member."""
    client.post(
        SIGNUP,
        {"first_name": first_name, "email": email, "password1": PASSWORD, "agrees_to_programme": "on"},
    )
    code = client.session["account_email_verification_code"]["code"]
    assert code in mail.outbox[-1].body
    return client.post(CONFIRM, {"code": code}, follow=True)


def member_of(email: str = "maria@example.com") -> Member:
    """Who has joined with that address."""
    return Member.objects.get(email=email)
