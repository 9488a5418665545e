"""The page of messages: what it shows, to whom, and what marks it as read."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Message
from accounts.queries import MESSAGES_PER_PAGE, messages_page, new_messages
from accounts.services.messages import Telling, mark_seen, tell_many
from dev.check_messages import PROJECT
from tests.accounts.telling import FACTS, told
from tests.clock import AN_HOUR_LATER, NOON, YESTERDAY_NOON
from tests.pages import Page

pytestmark = pytest.mark.usefixtures("noon")

MESSAGES, SEEN = "/messages/", "/messages/seen/"
HTMX = {"hx-request": "true"}
MOST_QUERIES = 5


def opened(client: Client, address: str = MESSAGES) -> Page:
    response = client.get(address)
    assert response.status_code == 200
    return Page(response)


def unseen() -> list[int]:
    return list(Message.objects.filter(seen_at=None).order_by("pk").values_list("pk", flat=True))


def queries_of(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def inputs(page: Page, **wanted: str) -> dict[str, str]:
    """The hidden fields of the form that sends itself, or of the one with the button."""
    forms = [at for at, (tag, _values) in enumerate(page.tags) if tag == "form"]
    for begin, end in zip(forms, [*forms[1:], len(page.tags)], strict=True):
        if all(page.tags[begin][1].get(name) == value for name, value in wanted.items()):
            return {
                values["name"]: values["value"]
                for tag, values in page.tags[begin:end]
                if tag == "input" and values["name"] != "csrfmiddlewaretoken"
            }
    raise AssertionError("there is no such form")


# What it shows


def test_what_is_new_is_counted_once(ada, client):
    told(ada)
    with CaptureQueriesContext(connection) as captured:
        client.get(reverse("accounts:messages"))

    counting = [query for query in captured if "COUNT" in query["sql"] and "accounts_message" in query["sql"]]
    assert len(counting) == 1


def test_messages_are_listed_newest_first_under_their_days(ada, client):
    told(ada, at=YESTERDAY_NOON, points=10)
    told(ada, at=NOON - timedelta(minutes=5), points=20)
    told(ada, at=NOON, points=30)

    text = opened(client).text

    assert (
        "Today, 10 March 2026 30\u00a0points for order A-1 New 12:00 The points can be spent at once."
        " 20\u00a0points for order A-1 New 11:55 The points can be spent at once."
        " Yesterday, 9 March 2026 10\u00a0points for order A-1 New" in text
    )


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("points_adjusted", "The cause: A complaint. They can be spent until 9 March 2027. Late parcel"),
        ("points_earned", "150\u00a0points for order A-1"),
        (
            "share_earned",
            "Бен С., whom you invited, has paid for an order. The point can be spent from 24 March",
        ),
        ("inviter_noted", "Staff have noted that Ада И. invited you. If that is not so, let us know"),
        ("tier_changed", "7% of every paid order comes back in points from now on. What the tier gives"),
        ("welcome_points", "The points can be spent once we have looked at the invitation"),
    ],
)
def test_each_kind_has_its_words(ada, client, kind, sentence):
    told(ada, kind)

    text = opened(client).text

    assert sentence in text
    assert "None" not in text


def test_every_kind_is_tried():
    """A kind has three templates."""
    folder = PROJECT / "templates" / "messages"
    kinds = {path.stem for path in folder.glob("*.html")} - {"unknown"}
    assert kinds == set(FACTS)
    for kind in kinds:
        assert (folder / f"{kind}_subject.txt").exists(), kind
        assert (folder / f"{kind}_message.txt").exists(), kind


def test_message_of_a_newer_version_breaks_nothing(ada, client):
    told(ada, "from_tomorrow", surprise="yes")
    told(ada, points=20)

    text = opened(client).text

    assert "20\u00a0points for order A-1" in text
    assert "A message New 12:00 This message cannot be shown at the moment." in text


def test_what_was_typed_is_no_html(ada, client):
    told(ada, order="<i>A&B</i>")
    told(ada, "share_earned", friend="<i>Бен</i>")

    page = opened(client)

    assert page.count("i") == 0
    assert "150\u00a0points for order <i>A&B</i>" in page.text
    assert "<i>Бен</i>, whom you invited" in page.text


def test_new_ones_are_marked_by_word_and_weight(ada, client):
    mark_seen(member=ada, up_to_id=told(ada, points=10).pk, at=NOON)
    told(ada, points=20)

    page = opened(client)

    assert "20\u00a0points for order A-1 New" in page.text
    assert "10\u00a0points for order A-1 New" not in page.text
    assert page.count("b") == 1
    assert "1 new message Mark all as read" in page.text


def test_without_messages_it_says_what_will_come(client):
    page = opened(client)

    assert "No messages yet" in page.text
    assert "Letters about it go to ada@example.com as well." in page.text
    assert "Mark all as read" not in page.text
    assert page.count("script") == 0


def test_a_login_without_a_member_has_no_messages(stan, client_of):
    assert client_of(stan).get(MESSAGES).status_code == 404
    assert client_of(stan).post(SEEN, {"last": "1"}).status_code == 404


def test_who_is_not_signed_in_is_led_to_the_door(db):
    assert Client().get(MESSAGES).headers["Location"] == "/accounts/login/?next=/messages/"
    assert Client().get(SEEN).status_code == 405


def test_messages_of_others_are_nobody_elses(ada, ben, client):
    told(ben, order="BENS-1")
    told(ada)

    assert "BENS-1" not in opened(client).text
    assert opened(client).text.count("for order") == 1
    assert new_messages(ada).count == 1


# Page by page


@pytest.mark.parametrize("count", [1, 25, 26, 60])
def test_pages_lead_through_all_messages_and_back(ada, ben, client, count):
    for turn in range(count):
        told(ada, order=f"N-{turn}")
        told(ben)
    address, pages = MESSAGES, []
    while True:
        page = opened(client, address)
        pages.append((address, page.text))
        assert page.text.count("for order N-") <= MESSAGES_PER_PAGE
        older = page.hrefs(rel="next")
        if not older:
            break
        address = MESSAGES + older[0]

    way_back = [pages[-1]]
    while newer := opened(client, way_back[-1][0]).hrefs(rel="prev"):
        address = MESSAGES + newer[0]
        way_back.append((address, opened(client, address).text))

    shown = [order for _address, text in pages for order in orders_in(text)]
    assert shown == [f"N-{turn}" for turn in reversed(range(count))]
    assert [orders_in(text) for _address, text in reversed(way_back)] == [
        orders_in(text) for _address, text in pages
    ]


def orders_in(text: str) -> list[str]:
    return [word for word in text.split() if word.startswith("N-")]


@pytest.mark.parametrize(
    "place", ["?before=0", "?after=999999999", "?before=1&after=999999999", f"?after={2**63 - 1}"]
)
def test_place_beyond_the_list_leads_to_its_beginning(ada, client, place):
    told(ada)

    assert client.get(MESSAGES + place).headers["Location"] == MESSAGES


@pytest.mark.parametrize("place", ["?before=-1", "?before=x", "?after=", f"?before={2**63}", "?after=1e3"])
def test_place_that_is_none_is_the_beginning(ada, client, place):
    told(ada)

    assert "for order A-1" in opened(client, MESSAGES + place).text


def test_page_takes_the_same_queries_for_one_message_and_for_thirty(ada, ben, client_of):
    told(ada)
    for _ in range(30):
        for kind in FACTS:
            told(ben, kind)

    one, thirty = (queries_of(client_of(member), MESSAGES) for member in (ada, ben))

    assert one == thirty <= MOST_QUERIES
    older = messages_page(member=ben).older_cursor
    assert queries_of(client_of(ben), f"{MESSAGES}?before={older}") == thirty


# What marks it as read


def test_opening_the_page_changes_nothing(ada, client):
    message = told(ada)

    for method in (client.get, client.head):
        method(MESSAGES)

    assert unseen() == [message.pk]


def test_page_tells_that_it_was_seen(ada, client):
    """As htmx does when it has loaded: by the fields of the hidden form."""
    for _ in range(30):
        told(ada)
    page = opened(client)
    (sender,) = [values for _tag, values in page.tags if values.get("data-hx-trigger") == "load"]

    response = client.post(sender["data-hx-post"], inputs(page, **{"data-hx-trigger": "load"}), headers=HTMX)

    assert (response.status_code, response.content) == (204, b"")
    assert len(unseen()) == 5
    older = opened(client, f"{MESSAGES}?before={messages_page(member=ada).older_cursor}")
    client.post(SEEN, inputs(older, **{"data-hx-trigger": "load"}), headers=HTMX)
    assert unseen() == []
    assert Message.objects.filter(seen_at=NOON).count() == 30


def test_button_marks_all_that_were_there_and_works_without_scripts(ada, client, noon):
    for _ in range(30):
        told(ada)
    button = inputs(opened(client), **{"class": "notice head"})
    later = told(ada)

    response = client.post(SEEN, button)

    assert response.headers["Location"] == MESSAGES
    assert unseen() == [later.pk]
    noon.move_to(AN_HOUR_LATER)
    client.post(SEEN, button)
    assert Message.objects.filter(seen_at=NOON).count() == 30


def test_page_of_read_messages_sends_nothing(ada, client):
    mark_seen(member=ada, up_to_id=told(ada).pk, at=NOON)

    page = opened(client)

    assert page.count("script") == 0
    assert SEEN not in page.values("action", "data-hx-post")
    assert "new message" not in page.text


def test_nobody_marks_the_messages_of_others(ada, ben, client):
    bens = told(ben)

    client.post(SEEN, {"last": str(bens.pk)})

    assert unseen() == [bens.pk]


@pytest.mark.parametrize("fields", [{}, {"last": "x"}, {"last": str(2**63)}, {"first": "-1", "last": "9"}])
def test_marking_of_nothing_marks_nothing(ada, client, fields):
    message = told(ada)

    assert client.post(SEEN, fields).headers["Location"] == MESSAGES
    assert unseen() == [message.pk]


def test_marking_needs_the_pages_own_token(ada):
    stranger = Client(enforce_csrf_checks=True)
    stranger.force_login(ada.user)
    message = told(ada)

    assert stranger.post(SEEN, {"last": str(message.pk)}).status_code == 403
    assert unseen() == [message.pk]


# What leads to it


def test_balance_says_how_many_are_new_and_leads_there(ada, ben, client):
    told(ben)
    assert "new message" not in opened(client, "/").text

    first = told(ada)
    assert "1 new message" in opened(client, "/").text

    told(ada)
    page = opened(client, "/")
    assert "2 new messages" in page.text
    # Once in the sections, and once by that line.
    assert page.hrefs().count(MESSAGES) == 2

    mark_seen(member=ada, up_to_id=first.pk, at=NOON)
    assert "1 new message" in opened(client, "/").text


def test_balance_counts_a_thousand_with_as_many_queries(ada, ben, client_of):
    told(ada)
    tell_many(Telling(member_id=ben.pk, kind="points_earned", happened_at=NOON) for _ in range(1000))

    one, thousand = (queries_of(client_of(member), "/") for member in (ada, ben))

    assert one == thousand


@pytest.mark.parametrize(
    ("address", "current"), [(MESSAGES, "Messages"), ("/profile/", "Profile"), ("/", "Balance")]
)
def test_sections_say_which_one_is_open(client, address, current):
    content = client.get(address).content.decode()

    links = re.findall(r"<a ([^>]*)>(.*?)</a>", content[: content.index("</nav>")], flags=re.DOTALL)
    names = [
        re.sub(r"<[^>]+>", "", text).strip() for attributes, text in links if "aria-current" in attributes
    ]
    assert names == [current]


def test_sections_count_what_is_new_in_words_and_as_a_number(ada, client):
    nothing_new = opened(client, "/profile/")
    told(ada, at=YESTERDAY_NOON, points=10)
    told(ada, points=20)
    two_new = opened(client, "/profile/")

    assert "new message" not in nothing_new.text
    assert two_new.text.count("2 new messages") == 2


def test_staff_have_no_sections_of_a_cabinet(stan, client_of):
    page = opened(client_of(stan), "/profile/")

    assert MESSAGES not in page.hrefs()
