"""The console's pages of outlets, and the services behind them."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditRecord
from orders.errors import OutletNameInvalid, OutletNameTaken
from orders.models import Outlet, Source
from orders.queries.outlets import open_outlets
from orders.services.outlets import add_outlet, close_outlet, make_outlets, rename_outlet, reopen_outlet
from tests.clock import NOON, TOMORROW_NOON
from tests.pages import Page
from tests.supervisor.given import in_english

OUTLETS = "/console/outlets/"


@pytest.fixture
def client(sue, client_of):
    """Sue's browser, in English."""
    return in_english(client_of(sue))


@pytest.fixture
def nevsky(shop, sue):
    """An outlet that Sue has added."""
    return add_outlet(source=shop, name="Nevsky", at=NOON, by=sue)


def written():
    """What the journal has of outlets: the change and the facts that matter."""
    records = AuditRecord.objects.filter(action=AuditRecord.Action.OUTLET_CHANGED).order_by("pk")
    return [(one.facts["change"], one.facts["name"]) for one in records]


def test_outlets_are_for_supervisors(ada, stan, nevsky, client_of):
    for person in (ada, stan):
        browser = client_of(person)
        for address in (OUTLETS, f"{OUTLETS}new/", f"{OUTLETS}{nevsky.pk}/"):
            assert browser.get(address).status_code == 403
        for address in (f"{OUTLETS}{nevsky.pk}/close/", f"{OUTLETS}{nevsky.pk}/reopen/"):
            assert browser.post(address).status_code == 403


def test_outlets_stand_by_source_with_their_orders_of_late(ada, client, shop, nevsky, paid):
    now = timezone.now()
    last = now - timedelta(days=2)
    for at in (last, now - timedelta(days=3), now - timedelta(days=31)):
        paid(ada, 100, at, outlet=nevsky)
    Outlet.objects.create(source=shop, code="quiet", name="Arbat")
    till = Source.objects.create(code="till", name="Staff")
    Outlet.objects.create(source=till, code="outlet-1", name="Market")
    Outlet.objects.create(
        source=Source.objects.create(code="try", name="Sandbox", is_sandbox=True), code="x", name="Play"
    )

    text = Page(client.get(OUTLETS)).text

    day = timezone.localtime(last)
    assert f"Nevsky outlet-1 open 2 {day.day} {day:%B %Y, %H:%M}" in text
    assert "Arbat quiet open 0 none lately" in text
    assert text.index("Staff") < text.index("Market") < text.index("Полдень") < text.index("Nevsky")
    assert "Play" not in text


def test_empty_list_says_what_an_outlet_is(client):
    page = Page(client.get(OUTLETS))

    assert "No outlets yet" in page.text
    assert f"{OUTLETS}new/" in page.hrefs()


def test_supervisor_adds_an_outlet_for_the_sales_of_staff(client, sue):
    response = client.post(f"{OUTLETS}new/", {"source": "till", "name": "  Shop   in Lenin Street "})

    assert response.headers["Location"] == OUTLETS
    outlet = open_outlets().get()
    assert (outlet.source.code, outlet.name) == ("till", "Shop in Lenin Street")
    record = AuditRecord.objects.get()
    assert (record.actor_id, record.actor_role, record.member) == (sue.pk, "supervisor", None)
    assert record.facts["change"] == "added"
    assert "The outlet “Shop in Lenin Street” is added." in Page(client.get(OUTLETS)).text


def test_looking_at_the_form_makes_nothing(client):
    page = Page(client.get(f"{OUTLETS}new/"))

    assert "Sales registered by staff" in page.text
    assert not Source.objects.exists()


def test_second_outlet_of_a_name_is_refused_and_the_form_kept(client, shop, nevsky):
    response = client.post(f"{OUTLETS}new/", {"source": shop.code, "name": "NEVSKY"})

    page = Page(response)
    assert response.status_code == 422
    assert page.text.startswith("Error: A new outlet")
    assert "There is an outlet “NEVSKY” in this source already." in page.text
    assert "NEVSKY" in page.values("value")
    # In another source it may be called so.
    assert client.post(f"{OUTLETS}new/", {"source": "till", "name": "Nevsky"}).status_code == 302


def test_supervisor_renames_an_outlet(client, nevsky):
    response = client.post(f"{OUTLETS}{nevsky.pk}/", {"name": "Nevsky, 20"})

    assert response.headers["Location"] == OUTLETS
    nevsky.refresh_from_db()
    assert (nevsky.name, nevsky.code) == ("Nevsky, 20", "outlet-1")
    record = AuditRecord.objects.order_by("pk").last()
    assert (record.facts["before"], record.facts["name"]) == ("Nevsky", "Nevsky, 20")
    journal = Page(client.get("/console/journal/")).text
    assert "Outlet-1: renamed, “Nevsky” is now “Nevsky, 20”" in journal


def test_name_that_stays_is_no_change(client, nevsky):
    client.post(f"{OUTLETS}{nevsky.pk}/", {"name": "Nevsky"})

    assert written() == [("added", "Nevsky")]


def test_supervisor_closes_an_outlet_and_opens_it_again(client, nevsky):
    closed = client.post(f"{OUTLETS}{nevsky.pk}/close/", follow=True)

    assert "The outlet “Nevsky” is closed. Staff can register no sales there." in Page(closed).text
    assert not open_outlets().exists()
    assert "This outlet is closed" in Page(client.get(f"{OUTLETS}{nevsky.pk}/")).text

    opened = client.post(f"{OUTLETS}{nevsky.pk}/reopen/", follow=True)

    assert "The outlet “Nevsky” is open again." in Page(opened).text
    assert open_outlets().get() == nevsky
    assert written() == [("added", "Nevsky"), ("closed", "Nevsky"), ("reopened", "Nevsky")]


def test_what_is_closed_already_stays_closed_since_then(nevsky, sue):
    close_outlet(outlet=nevsky, at=NOON, by=sue)

    assert close_outlet(outlet=nevsky, at=TOMORROW_NOON, by=sue).closed_at == NOON
    reopen_outlet(outlet=nevsky, at=TOMORROW_NOON, by=sue)
    assert reopen_outlet(outlet=nevsky, at=TOMORROW_NOON, by=sue).closed_at is None
    assert written() == [("added", "Nevsky"), ("closed", "Nevsky"), ("reopened", "Nevsky")]


@pytest.mark.parametrize("name", ["", "   ", "x" * 101])
def test_outlet_has_a_name(nevsky, shop, sue, name):
    with pytest.raises(OutletNameInvalid):
        add_outlet(source=shop, name=name, at=NOON, by=sue)
    with pytest.raises(OutletNameInvalid):
        rename_outlet(outlet=nevsky, name=name, at=NOON, by=sue)


def test_outlet_is_not_called_by_another_ones_code(nevsky, shop, sue):
    for name in ("Outlet-1", " nevsky "):
        with pytest.raises(OutletNameTaken):
            add_outlet(source=shop, name=name, at=NOON, by=sue)
    # Its own code and another case of its own name are no others.
    assert rename_outlet(outlet=nevsky, name="NEVSKY", at=NOON, by=sue).name == "NEVSKY"


def test_order_of_the_shop_finds_an_outlet_by_the_name_that_was_added(nevsky, shop):
    assert make_outlets(shop, ["Nevsky"])["Nevsky"] == nevsky


def test_outlet_of_a_sandbox_or_of_nobody_is_not_found(client):
    sandbox = Source.objects.create(code="try", name="Sandbox", is_sandbox=True)
    play = Outlet.objects.create(source=sandbox, code="x", name="Play")

    for outlet_id in (play.pk, play.pk + 1):
        assert client.get(f"{OUTLETS}{outlet_id}/").status_code == 404
        assert client.post(f"{OUTLETS}{outlet_id}/close/").status_code == 404
    assert client.post(f"{OUTLETS}new/", {"source": "try", "name": "More"}).status_code == 422


@pytest.mark.django_db(transaction=True)
def test_two_who_add_the_same_outlet_at_once_add_one(shop, sue):
    barrier, outcomes = Barrier(2), []

    def add():
        try:
            barrier.wait(timeout=10)
            outcomes.append(add_outlet(source=shop, name="Nevsky", at=NOON, by=sue).name)
        except OutletNameTaken:
            outcomes.append("taken")
        finally:
            connections.close_all()

    threads = [Thread(target=add) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["Nevsky", "taken"]


def test_list_takes_the_same_queries_at_one_outlet_and_at_thirty(ada, client, shop, nevsky, paid):
    paid(ada, 100, timezone.now(), outlet=nevsky)
    client.get(OUTLETS)
    with CaptureQueriesContext(connection) as with_one:
        client.get(OUTLETS)
    for number in range(30):
        source = Source.objects.create(code=f"s{number}", name=f"Source {number}")
        outlet = Outlet.objects.create(source=source, code="x", name=f"Outlet {number}")
        Outlet.objects.create(source=shop, code=f"x{number}", name=f"Outlet {number}")
        assert outlet.pk

    with CaptureQueriesContext(connection) as with_many:
        client.get(OUTLETS)

    assert len(with_one) == len(with_many)


@pytest.mark.parametrize("language", ["ru", "en"])
def test_pages_are_sound_html(client, nevsky, language):
    client.cookies["django_language"] = language
    for address in (OUTLETS, f"{OUTLETS}new/", f"{OUTLETS}{nevsky.pk}/"):
        page = Page(client.get(address))
        assert page.count("h1") == 1
        assert page.values("style") == []
        assert "None" not in page.text
