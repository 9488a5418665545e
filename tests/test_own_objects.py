"""Nobody reaches what is somebody else's: every address that names an object, found by itself."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import ContactChange
from accounts.services.contact_changes import ask_contact_change
from loyalty.models import Posting, Transfer, TransferIntent
from loyalty.services.transfers import ask_transfer, make_transfer
from orders.models import Order, OrderStep
from tests.clock import NOON
from tests.factories import PASSWORD, MemberFactory
from tests.loyalty.editions import publish_edition

# What is no member's: libraries' own pages, the shops' API, the console with its doors, files.
ELSEWHERE = ("accounts/", "api/", "console/", "static/")
# Addresses that name a kind or a form, and no object of anybody; an invitation is for whoever gets it,
# and so are the links in letters, which protect an account or stop letters; the rules are for everybody, and
# letters that are kept in development for whoever sits at the machine.
NOBODYS = {
    "accounts:change_consent",
    "accounts:change_email",
    "accounts:change_phone",
    "accounts:join_staff",
    "accounts:letters_by_link",
    "accounts:mail_html",
    "accounts:mail_letter",
    "accounts:stop_letters",
    "loyalty:rules",
    "loyalty:transfer_not_me",
    "referrals:landing",
    "referrals:visit",
}


@pytest.fixture(autouse=True)
def noon():
    """Codes live for minutes: let it stay noon."""
    with time_machine.travel(NOON, tick=False):
        yield


def named_addresses(
    resolver: URLResolver, namespace: str = "", before: str = ""
) -> Iterator[tuple[str, str, set[str]]]:
    """Every address with its name and the names of its arguments."""
    for entry in resolver.url_patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            name = f"{entry.namespace}:" if entry.namespace else ""
            yield from named_addresses(entry, namespace + name, route)
        elif isinstance(entry, URLPattern):
            yield f"{namespace}{entry.name}", route, set(entry.pattern.converters)


OBJECTS = {
    name
    for name, route, arguments in named_addresses(get_resolver())
    if arguments and not route.startswith(ELSEWHERE)
} - NOBODYS


@pytest.fixture
def of_ada(ada, client_of, paid, placed) -> dict[str, dict[str, object]]:
    """Something of Ada's for each address that names an object."""
    paid(ada, 40_000)
    unpaid = placed(ada, 1_000, points=100)
    client_of(ada).get("/")
    change = ask_contact_change(
        member=ada, kind=ContactChange.Kind.PHONE, new_contact="+79161234567", asked_at=NOON
    )
    session, _is_new = UserSession.objects.get_or_create(
        user=ada.user, defaults={"session_key": "x" * 40, "ip": "127.0.0.1"}
    )
    posting = {"posting_id": Posting.objects.order_by("pk").first().pk}
    publish_edition(transfer_cooling_hours=24)
    friend = MemberFactory(has_login=True)
    asked = ask_transfer(sender=ada, recipient=friend.number, points=10, at=NOON, actor_id=None)
    given = make_transfer(
        intent=ask_transfer(sender=ada, recipient=friend.number, points=20, at=NOON, actor_id=None),
        at=NOON,
        how=Transfer.How.CABINET,
        actor_id=None,
        password=PASSWORD,
    )
    return {
        "loyalty:operation": posting,
        "loyalty:transfer_check": {"key": asked.key},
        "loyalty:transfer_code": {"key": asked.key},
        "loyalty:transfer_receipt": {"number": given.number},
        "loyalty:transfer_take_back": {"number": given.number},
        "orders:order": {"order_id": unpaid.pk},
        "orders:points": {"order_id": unpaid.pk},
        "orders:remove_points": {"order_id": unpaid.pk},
        "accounts:confirm_contact": {"change_id": change.pk},
        "accounts:cancel_contact_change": {"change_id": change.pk},
        "accounts:end_session": {"session_id": session.pk},
    }


def test_every_address_of_an_object_is_tried(of_ada):
    assert set(of_ada) == OBJECTS


@pytest.mark.parametrize("method", ["get", "post"])
def test_somebody_elses_object_is_not_found(of_ada, ben, stan, client_of, method):
    for name, arguments in of_ada.items():
        for stranger in (ben, stan):
            send = getattr(client_of(stranger), method)
            response = send(reverse(name, kwargs=arguments))
            # A page that takes only one of the two says so to everybody, whatever the object.
            nothing = getattr(client_of(stranger), method)(reverse(name, kwargs=nobodys(arguments)))
            assert response.status_code == nothing.status_code, name
            assert response.status_code in (404, 405), name
            assert "Ада" not in response.content.decode(), name


def test_somebody_elses_object_is_as_it_was(of_ada, ben, client_of):
    before = state()
    for name, arguments in of_ada.items():
        client_of(ben).post(
            reverse(name, kwargs=arguments), {"points": "1", "key": str(uuid4()), "password": "x"}
        )
    assert state() == before


def test_who_is_not_signed_in_is_led_to_the_door(of_ada):
    for name, arguments in of_ada.items():
        address = reverse(name, kwargs=arguments)
        response = Client().get(address)
        assert response.status_code in (302, 405), name
        if response.status_code == 302:
            assert response["Location"].startswith("/accounts/login/"), name


def test_own_objects_are_there(of_ada, ada, client_of):
    client = client_of(ada)
    for name, arguments in of_ada.items():
        assert client.get(reverse(name, kwargs=arguments)).status_code in (200, 405), name


def nobodys(arguments: dict[str, object]) -> dict[str, object]:
    """Arguments of the same kinds that name nothing."""
    return {name: uuid4() if isinstance(value, UUID) else 10**9 for name, value in arguments.items()}


def state() -> list[object]:
    """What of Ada's could be changed."""
    return [
        list(ContactChange.objects.values("pk", "outcome")),
        list(Order.objects.order_by("pk").values("pk", "status", "held_points")),
        OrderStep.objects.count(),
        Posting.objects.count(),
        list(TransferIntent.objects.order_by("pk").values("pk", "wrong_proofs", "code_sent_at")),
        list(Transfer.objects.order_by("pk").values("pk", "taken_back_at")),
        list(UserSession.objects.filter(user__email="ada@example.com").values("pk", "session_key")),
    ]
