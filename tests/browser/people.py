"""Everybody who looks at pages, each at a browser of their own, when everything has happened that can."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.letter_links import letter_token
from accounts.models import Member, Topic, User
from loyalty.models import Transfer
from loyalty.queries.rules import editions
from loyalty.services.blocking import block_member, freeze_token
from referrals.services import code_of
from tests.accounts.test_second_factor import set_up
from tests.browser.addresses import every_address
from tests.clock import NOON, TOMORROW_NOON
from tests.factories import PASSWORD, MemberFactory
from tests.loyalty.editions import publish_edition
from tests.pages import Page
from tests.supervisor.conftest import files, upload  # noqa: F401
from tests.supervisor.test_rights import (  # noqa: F401  (fixtures: everything that an address may lead to)
    Arguments,
    arguments,
    asks_to_adjust,
    given,
    sold,
    token,
    uploaded,
)
from tests.supervisor.uploads import WITH_BAD_ROWS, try_out, work_on
from tests.test_messages import live
from tests.test_own_objects import of_ada  # noqa: F401

PEOPLE = ("nobody", "joining", "halfway", "newcomer", "member", "staff", "publisher", "supervisor")
# Pages of one member that one address shows in many ways.
DETAILS = re.compile(r"/(?:operations|orders)/\d+/(?:points/)?")
MORE = {
    "member": (
        "/operations/?kind=earned&sign=plus&search=nothing",
        "/operations/?since=2026-02-30",
        "/console/",
        "/nowhere/",
    ),
    "staff": ("/console/editions/",),
    "supervisor": ("/console/orders/?search=nothing", "/console/members/?search=nothing", "/profile/"),
}


@pytest.fixture
def noon() -> Iterator[Any]:
    """Codes and previews hold for a while: it is noon when a test begins, and the clock goes on."""
    with time_machine.travel(NOON, tick=True) as clock:
        yield clock


@pytest.fixture
def paths(noon, ada, ben, sue, of_ada, arguments, token, upload, paid, placed) -> Callable[[str, str], str]:  # noqa: F811
    """Gives the path of an address by its name, for that person."""
    live(ada, ben, paid, placed)
    tried = upload(WITH_BAD_ROWS)
    work_on(try_out(tried, sue).dry_run)
    block_member(member=ben, at=NOON, actor_id=sue.pk, reason="Asked for it")
    client = Client()
    client.post("/accounts/password/reset/", {"email": ben.email})
    letter = letter_token(member_id=ada.pk, address=ada.user.email, topic=Topic.EXPIRY)
    own: dict[str, Arguments] = {
        **of_ada,
        "supervisor:import": {"import_id": tried.pk},
        "supervisor:unblock_account": arguments["supervisor:unblock_account"] | {"side": "recipient"},
        "supervisor:unblock_member": {"number": ben.number},
        "accounts:letters_by_link": {"token": letter},
        "accounts:stop_letters": {"token": letter},
        "loyalty:transfer_not_me": {"token": freeze_token(Transfer.objects.latest("pk").number)},
        "referrals:landing": {"code": code_of(member=ada, at=NOON).code},
    }
    key_path = re.search(r"/accounts/password/reset/key/\S+", mail.outbox[-1].body).group()
    known = every_address()

    def path(name: str, person: str) -> str:
        if name == "account_reset_password_from_key":
            return key_path
        if name == "loyalty:rules":
            return "/rules/"
        if name == "accounts:join":
            # Only the link leads there.
            return reverse("accounts:join_staff", args=[token])
        if name == "supervisor:check_sale":
            outlet = arguments[""]["outlet_id"]
            return f"{reverse(name, args=[ada.number])}?key={uuid4()}&total=100&points=50&outlet={outlet}"
        if name == "supervisor:withdraw_edition":
            return reverse(name, args=[editions()[0].number])
        there = {
            **arguments[""],
            "token": token,
            **arguments.get(name, {}),
            **arguments.get(f"{name} as {person}", {}),
            **own.get(name, {}),
        }
        return reverse(name, kwargs={argument: there[argument] for argument in known[name]})

    return path


@pytest.fixture
def browser_of(noon, ada, stan, sue) -> Callable[[str, str], Client]:
    """Gives the browser of a person who reads that language."""

    def browser(person: str, language: str) -> Client:
        client = Client()
        client.cookies["django_language"] = language
        match person:
            case "joining":
                joining = {"first_name": "Ева", "email": "eve@example.com", "password1": PASSWORD}
                client.post("/accounts/signup/", {**joining, "agrees_to_programme": "on"})
            case "halfway":
                guarded = MemberFactory(has_login=True).user
                other = Client()
                sign_in(other, guarded)
                set_up(other)
                sign_in(client, guarded)
            case "newcomer":
                sign_in(client, MemberFactory(has_login=True).user)
            case "member":
                sign_in(client, ada.user)
                sign_in_again(client)
            case "staff":
                sign_in(client, stan)
                sign_in_again(client)
            case "supervisor":
                sign_in(client, sue)
                set_up(client)
            case "publisher":
                publish_edition(effective_at=TOMORROW_NOON)
                sign_in(client, sue)
        return client

    return browser


def sign_in(client: Client, user: User) -> None:
    """By the password, as a person does: pages ask how somebody came in."""
    answer = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert answer.status_code == 302, Page(answer).text


def sign_in_again(client: Client) -> None:
    """As whoever is about to set a second factor up is asked to."""
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})


def details_of(member: Member, client: Client) -> list[str]:
    """The paths of the member's operations and orders, of every kind that there is."""
    linked = {href for page in ("/operations/", "/orders/") for href in Page(client.get(page)).hrefs()}
    return sorted(href for href in linked if DETAILS.fullmatch(href))
