"""Who may open what: every address of the console, found by itself, against a written table.

A new address that the table does not name fails the first test: write down here for whom it is. Each
address is then visited signed out, as a member, as staff and as a supervisor, with every method.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import NamedTuple
from uuid import uuid4

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import get_resolver, reverse

from accounts.models import Member, User
from accounts.roles import Role
from accounts.services import assign_role
from accounts.services import staff as staff_services
from loyalty.models import Cause, Transfer
from loyalty.queries.rules import rule_set_in_force
from loyalty.services.rules import create_draft
from orders.models import Order, Outlet, Source
from orders.services.api_keys import create_key
from orders.services.sales import register_sale
from supervisor.jobs import HANDLERS
from supervisor.models import Approval, ImportFile
from supervisor.services.editions import recount_again
from supervisor.services.imports import take_file
from supervisor.services.job_runs import carry_out
from supervisor.services.previews import ask_preview
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.loyalty.points import earn
from tests.supervisor.given import doubted, gift, invited_by
from tests.test_own_objects import named_addresses, nobodys

LOGIN = "/accounts/login/"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
PEOPLE = ("nobody", "member", "staff", "supervisor")

# What a page answers to: it is read; it is a file; it is a form on a page of its own; it is a button.
PAGE, FILE, FORM, DEED = ("GET", "HEAD"), ("GET",), ("GET", "HEAD", "POST"), ("POST",)

STAFF = frozenset({"staff", "supervisor"})
SUPERVISOR = frozenset({"supervisor"})
MEMBER = frozenset({"member"})
EVERYBODY = frozenset(PEOPLE)


class Right(NamedTuple):
    """Who may come in, with which methods, and what everybody else who is signed in is answered."""

    people: frozenset[str]
    methods: tuple[str, ...]
    refusal: int = 403


CONSOLE = {
    # Staff are led on to the look-up.
    "overview": Right(STAFF, PAGE),
    "find": Right(STAFF, FORM),
    "member": Right(STAFF, PAGE),
    "member_contacts": Right(STAFF, DEED),
    "member_operations": Right(STAFF, PAGE),
    "member_orders": Right(STAFF, PAGE),
    "member_messages": Right(STAFF, PAGE),
    "sale": Right(STAFF, PAGE),
    "check_sale": Right(STAFF, FORM),
    "sale_done": Right(STAFF, PAGE),
    "adjust": Right(STAFF, FORM),
    "asked_adjustment": Right(STAFF, FORM),
    "block_member": Right(STAFF, FORM),
    "unblock_member": Right(STAFF, FORM),
    "transfers": Right(STAFF, PAGE),
    "transfer": Right(STAFF, PAGE),
    "reverse_transfer": Right(STAFF, FORM),
    "block_account": Right(STAFF, FORM),
    "unblock_account": Right(STAFF, FORM),
    "invitations": Right(STAFF, PAGE),
    "attach_inviter": Right(STAFF, FORM),
    "decide_invitation": Right(STAFF, FORM),
    "set_tier": Right(SUPERVISOR, FORM),
    "members": Right(SUPERVISOR, PAGE),
    "members_csv": Right(SUPERVISOR, FILE),
    "members_xlsx": Right(SUPERVISOR, FILE),
    "editions": Right(SUPERVISOR, PAGE),
    "edition": Right(SUPERVISOR, PAGE),
    "restore_edition": Right(SUPERVISOR, DEED),
    "withdraw_edition": Right(SUPERVISOR, FORM),
    "new_draft": Right(SUPERVISOR, DEED),
    "draft": Right(SUPERVISOR, FORM),
    "delete_draft": Right(SUPERVISOR, FORM),
    "ask_preview": Right(SUPERVISOR, DEED),
    "preview": Right(SUPERVISOR, PAGE),
    "preview_members": Right(SUPERVISOR, FILE),
    "publish": Right(SUPERVISOR, FORM),
    "jobs": Right(SUPERVISOR, PAGE),
    "job": Right(SUPERVISOR, PAGE),
    "job_progress": Right(SUPERVISOR, PAGE),
    "cancel_job": Right(SUPERVISOR, DEED),
    "recount_again": Right(SUPERVISOR, DEED),
    "orders": Right(SUPERVISOR, PAGE),
    "order": Right(SUPERVISOR, PAGE),
    "imports": Right(SUPERVISOR, PAGE),
    "new_import": Right(SUPERVISOR, FORM),
    "import": Right(SUPERVISOR, PAGE),
    "import_columns": Right(SUPERVISOR, FORM),
    "start_import": Right(SUPERVISOR, DEED),
    "bad_rows": Right(SUPERVISOR, PAGE),
    "outlets": Right(SUPERVISOR, PAGE),
    "new_outlet": Right(SUPERVISOR, FORM),
    "outlet": Right(SUPERVISOR, FORM),
    "close_outlet": Right(SUPERVISOR, DEED),
    "reopen_outlet": Right(SUPERVISOR, DEED),
    "colleagues": Right(SUPERVISOR, PAGE),
    "invite_colleague": Right(SUPERVISOR, FORM),
    "revoke_invitation": Right(SUPERVISOR, DEED),
    "colleague": Right(SUPERVISOR, FORM),
    "reset_second_factor": Right(SUPERVISOR, FORM),
    "approvals": Right(SUPERVISOR, PAGE),
    "approval": Right(SUPERVISOR, FORM),
    "keys": Right(SUPERVISOR, PAGE),
    "new_key": Right(SUPERVISOR, FORM),
    "replace_key": Right(SUPERVISOR, FORM),
    "revoke_key": Right(SUPERVISOR, FORM),
    "journal": Right(SUPERVISOR, PAGE),
    "journal_csv": Right(SUPERVISOR, FILE),
}
# Outside of the console: a colleague who is no member has no cabinet, so nothing is found there.
CABINET = {
    "loyalty:rules": Right(EVERYBODY, PAGE),
    "loyalty:till_code": Right(MEMBER, FORM, refusal=404),
    "accounts:looks": Right(MEMBER, PAGE, refusal=404),
    "styleguide": Right(STAFF, PAGE),
    # The link is the right; whoever is signed in with another login is asked to sign out.
    "accounts:join_staff": Right(EVERYBODY, PAGE),
    "accounts:join": Right(EVERYBODY, FORM),
}
RIGHTS = {f"supervisor:{name}": right for name, right in CONSOLE.items()} | CABINET

Arguments = dict[str, object]


class Address(NamedTuple):
    """An address by its name, and the names of its arguments."""

    name: str
    arguments: frozenset[str]


def addresses() -> Iterator[Address]:
    """Everything under /console/, and what the table names besides."""
    for name, route, arguments in named_addresses(get_resolver()):
        if route.startswith("console/") or name in CABINET:
            yield Address(name, frozenset(arguments))


ADDRESSES = list(addresses())


@pytest.fixture(autouse=True)
def noon():
    """Previews hold for a day and invitations for three: let it stay noon."""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def asks_to_adjust(ada) -> Callable[[User], Approval]:
    """Something above a colleague's limit that waits."""

    def asked(by: User) -> Approval:
        return Approval.objects.create(
            key=uuid4(),
            kind=Approval.Kind.ADJUSTMENT,
            asked_by=by,
            asked_at=NOON,
            reason="A lost order",
            member=ada,
            points=2_000,
            cause=Cause.LOST_ORDER,
        )

    return asked


@pytest.fixture
def uploaded(sue, settings, tmp_path) -> ImportFile:
    """A file of orders with a row that cannot be taken."""
    settings.MEDIA_ROOT = str(tmp_path)
    rows = SimpleUploadedFile("orders.csv", b"number,total,date,email\n1,100,2026-03-01,ada@example.com\n")
    import_file = take_file(upload=rows, at=NOON, by=sue)
    bad = "row;column;problem;number\n3;total;This is no sum.;7\n"
    import_file.bad_rows.save("bad.csv", ContentFile(bad.encode("utf-8-sig")))
    return import_file


@pytest.fixture
def sold(ada, stan, shop) -> Order:
    """A sale at the till."""
    return register_sale(
        outlet=None,
        member=ada,
        total_sum=Decimal(500),
        points=0,
        number="",
        key=uuid4(),
        at=NOON,
        actor_id=stan.pk,
    )


@pytest.fixture
def given(ada, ben) -> Transfer:
    """Points that Ada gave to Ben."""
    earn(ada, 500)
    return gift(ada, ben, 100)


@pytest.fixture
def arguments(
    ada, ben, stan, sue, shop: Source, sold, given, uploaded, asks_to_adjust
) -> dict[str, Arguments]:
    """For each name of an argument what there is; where that differs by the address, under its name."""
    draft = create_draft(copy_of=rule_set_in_force(NOON), drafted_by=sue, at=NOON)
    preview = ask_preview(draft=draft, at=NOON, by=sue)
    assert carry_out(job_run_id=preview.job_run_id, handlers=HANDLERS).outcome == "done"
    referral = invited_by(ada, MemberFactory(has_login=True))
    doubted(referral)
    edition = {"number": rule_set_in_force(NOON).number}
    transfer = {"number": given.number, "side": "sender"}
    approvals = {"staff": asks_to_adjust(stan), "supervisor": asks_to_adjust(sue)}
    outlet = Outlet.objects.create(source=shop, code="main", name="Main")
    of_all = {
        "number": ada.number,
        "order_id": sold.pk,
        "approval_id": approvals["staff"].pk,
        "draft_id": draft.pk,
        "preview_id": preview.pk,
        "job_id": recount_again(at=NOON, by=sue).pk,
        "import_id": uploaded.pk,
        "outlet_id": outlet.pk,
        "user_id": stan.pk,
        "referral_id": referral.pk,
        "public_id": create_key(source=shop, name="Till", scopes=["orders:read"], at=NOON).key.public_id,
        "invitation_id": staff_services.invite_colleague(
            email="vera@example.com", role=Role.STAFF, at=NOON, by=sue
        ).pk,
    }
    return {
        "": of_all,
        "supervisor:edition": edition,
        "supervisor:restore_edition": edition,
        "supervisor:withdraw_edition": edition,
        "loyalty:rules": edition,
        "supervisor:transfer": transfer,
        "supervisor:reverse_transfer": transfer,
        "supervisor:block_account": transfer,
        "supervisor:unblock_account": transfer,
        "supervisor:asked_adjustment as supervisor": {"approval_id": approvals["supervisor"].pk},
    }


@pytest.fixture
def token(sue, mailoutbox) -> str:
    """What the link of an invitation carries."""
    staff_services.invite_colleague(email="zoe@example.com", role=Role.STAFF, at=NOON, by=sue)
    return mailoutbox[-1].body.split("/staff/join/")[1].split("/")[0]


@pytest.fixture
def found(arguments, token) -> Callable[[Address, str], Arguments]:
    """The arguments of an address that lead to something, for that person."""

    def values(address: Address, person: str) -> Arguments:
        known = {
            **arguments[""],
            "token": token,
            **arguments.get(address.name, {}),
            **arguments.get(f"{address.name} as {person}", {}),
        }
        return {name: known[name] for name in address.arguments}

    return values


@pytest.fixture
def browsers(ben, stan, sue, client_of, token) -> dict[str, Client]:
    """A browser for each person, in English; Ben is the member, so that nothing is about himself."""
    people: dict[str, Member | User] = {"member": ben, "staff": stan, "supervisor": sue}
    clients = {"nobody": Client(), **{name: client_of(person) for name, person in people.items()}}
    for client in clients.values():
        client.cookies["django_language"] = "en"
        client.get(reverse("accounts:join_staff", args=[token]))
    return clients


@contextmanager
def undone() -> Iterator[None]:
    """What is done here has not happened afterwards: the next visit finds everything as it was."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def visit(client: Client, method: str, path: str) -> HttpResponse:
    with undone():
        response = client.generic(method, path)
        if response.streaming:
            list(response)
    return response


def verdict(response: HttpResponse) -> str:
    """In one word, whether somebody came in."""
    if response.status_code == 302 and response.headers["Location"].startswith(LOGIN):
        return "to sign in"
    return str(response.status_code) if response.status_code in (403, 404, 405) else "in"


def expected(right: Right, person: str, method: str) -> str:
    """What the table promises."""
    if method not in right.methods:
        return "405"
    if person in right.people:
        return "in"
    return "to sign in" if person == "nobody" else str(right.refusal)


def test_every_address_is_in_the_table_and_nothing_else_is():
    assert {address.name for address in ADDRESSES} == set(RIGHTS)


@pytest.mark.parametrize("person", PEOPLE)
def test_everybody_comes_in_where_the_table_says_and_nowhere_else(person, browsers, found):
    wrong = []
    for address in ADDRESSES:
        path = reverse(address.name, kwargs=found(address, person))
        for method in METHODS:
            answer = verdict(visit(browsers[person], method, path))
            promised = expected(RIGHTS[address.name], person, method)
            if answer != promised:
                wrong.append(f"{person}: {method} {path}: {answer}, not {promised}")
    assert wrong == []


def test_a_superuser_comes_in_as_a_supervisor_does(found, token, client_of):
    root = client_of(User.objects.create_superuser("root@example.com", "pass phrase"))
    root.get(reverse("accounts:join_staff", args=[token]))

    for address in ADDRESSES:
        right = RIGHTS[address.name]
        if address.name == "supervisor:asked_adjustment" or "supervisor" not in right.people:
            continue
        path = reverse(address.name, kwargs=found(address, "supervisor"))
        for method in right.methods:
            assert verdict(visit(root, method, path)) == "in", (method, path)


def test_the_door_comes_before_what_is_behind_it(browsers, found):
    """Who may not come in is answered the same, whether or not there is something."""
    wrong = []
    for address in ADDRESSES:
        right = RIGHTS[address.name]
        if not address.arguments or not address.name.startswith("supervisor:"):
            continue
        for person in PEOPLE:
            something = found(address, person)
            path = reverse(address.name, kwargs=something)
            nothing = reverse(address.name, kwargs=nobodys(something))
            for method in right.methods:
                answer = verdict(visit(browsers[person], method, nothing))
                promised = "404" if person in right.people else verdict(visit(browsers[person], method, path))
                if answer != promised:
                    wrong.append(f"{person}: {method} {nothing}: {answer}, not {promised}")
    assert wrong == []


def test_a_form_from_elsewhere_is_refused_everywhere(sue, found):
    stranger = Client(enforce_csrf_checks=True)
    stranger.force_login(sue)

    for address in ADDRESSES:
        if "POST" in RIGHTS[address.name].methods:
            path = reverse(address.name, kwargs=found(address, "supervisor"))
            assert visit(stranger, "POST", path).status_code == 403, path


def test_without_a_second_factor_the_whole_console_is_closed(settings, browsers, found):
    settings.NEEDS_SECOND_FACTOR = True

    for address in ADDRESSES:
        right = RIGHTS[address.name]
        for person in right.people & STAFF if address.name.startswith("supervisor:") else ():
            path = reverse(address.name, kwargs=found(address, person))
            for method in right.methods:
                response = visit(browsers[person], method, path)
                assert response.status_code == 302, path
                assert response.headers["Location"] == reverse("mfa_index"), path


def test_who_is_refused_reads_why_and_whom_to_ask(browsers, found):
    sentences = {
        ("member", STAFF): "This page is for staff.",
        ("member", SUPERVISOR): "This page is for supervisors. Ask one of them",
        ("staff", SUPERVISOR): "This page is for supervisors. Ask one of them",
    }
    for address in ADDRESSES:
        right = RIGHTS[address.name]
        for person in ("member", "staff"):
            sentence = sentences.get((person, right.people))
            if sentence and address.name.startswith("supervisor:"):
                path = reverse(address.name, kwargs=found(address, person))
                method = "GET" if "GET" in right.methods else "POST"
                response = visit(browsers[person], method, path)
                assert sentence in response.content.decode(), path


def test_nobody_acts_on_their_own_account(ada, client_of, found):
    """Staff who are members read their own card, and a colleague does what is to be done there."""
    assign_role(user=ada.user, role=Role.SUPERVISOR)
    own = client_of(ada)
    deeds = {"adjust", "asked_adjustment", "block_member", "unblock_member", "sale", "check_sale", "set_tier"}

    for address in ADDRESSES:
        if address.name.removeprefix("supervisor:") in deeds:
            path = reverse(address.name, kwargs=found(address, "supervisor"))
            for method in RIGHTS[address.name].methods:
                assert verdict(visit(own, method, path)) == "403", (method, path)
