"""The inviter's page: the link, its code, what to share, and what became of each invitation."""

import re
from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4
from xml.etree import ElementTree

import pytest
import segno
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Member
from loyalty.services.rules import create_draft, publish_rule_set
from referrals.models import Invitation, InviteCode
from referrals.services import Click, answer_invitation, attach_at_till, count_visit
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import LONG_AGO, publish_edition, tier_spec
from tests.pages import Page
from tests.referrals.pages.friends import edition, link_on

SVG = "{http://www.w3.org/2000/svg}"


def invited_by(inviter, *, number: int, code: InviteCode, at=NOON):
    """A friend with all contacts who has joined by the link."""
    friend = MemberFactory(
        first_name="Мария",
        last_name=f"Петрова{number}",
        email=f"secret{number}@example.com",
        phone=f"+7916{number:07}",
        joined_at=at,
    )
    click = Click(token=uuid4(), code=code.code, clicked_at=at - timedelta(hours=1))
    count_visit(click=click, at=click.clicked_at)
    answer_invitation(click=click, invited=friend, is_new_member=True, device_token=None, at=at)
    return friend


@pytest.fixture
def code(ada, browser_of) -> InviteCode:
    """Ada's code, made as she first opens the page."""
    browser_of(ada).get("/invite/")
    return ada.invite_codes.get()


def test_the_link_is_there_from_the_first_look_and_stays(ada, browser_of):
    browser = browser_of(ada)

    links = [link_on(Page(browser.get("/invite/"))) for _look in range(2)]

    assert links[0] == links[1] == f"http://localhost:8000/r/{ada.invite_codes.get().code}/"


def test_the_link_begins_where_people_find_the_site(ada, browser_of, settings):
    settings.SITE_URL = "https://club.example"

    page = Page(browser_of(ada).get("/invite/"))

    assert link_on(page).startswith("https://club.example/r/")
    assert all("club.example" in href for href in page.hrefs(rel="noopener"))


def test_a_member_without_invitations_reads_how_it_works(ada, browser_of):
    page = Page(browser_of(ada).get("/invite/"))

    assert "How it works Send a friend your link, or show the code." in page.text
    assert page.count("table") == 0
    assert "0 visits" not in page.text


def test_without_scripts_nothing_is_offered_that_needs_them(ada, browser_of):
    page = Page(browser_of(ada).get("/invite/"))

    by_id = {attributes["id"]: (tag, attributes) for tag, attributes in page.tags if "id" in attributes}
    assert by_id["link"][0] == "input"
    assert "readonly" in by_id["link"][1]
    assert "hidden" in by_id["copy"][1]
    assert "hidden" in by_id["share"][1]
    assert by_id["copied"][1]["role"] == "status"
    labels = [attributes.get("for") for tag, attributes in page.tags if tag == "label"]
    assert "link" in labels


@pytest.mark.parametrize(
    ("rules", "sentences"),
    [
        (
            {},
            [
                "Your friend gets 200\u00a0points as soon as they have joined.",
                "You get 2% of what your friend pays, in points: the share of your tier “Bronze”.",
                "Your share comes as soon as the order is paid, and can be spent at once.",
                "Every paid order of every friend counts, without a limit.",
            ],
        ),
        (
            {
                "welcome_when": "first_order",
                "waiting_days": 30,
                "referral_waiting_days": 14,
                "referral_orders": 3,
                "referral_months": 12,
                "referral_least_sum": Decimal(1000),
                "referral_month_limit_points": 500,
            },
            [
                "Your friend gets 200\u00a0points with their first paid order of 1,000\u00a0₽ or more.",
                "can be spent 14 days later, unless the order has been returned.",
                "The first 3 paid orders of each friend count.",
                "A friend’s orders count for 12 months from the invitation on.",
                "An order counts if 1,000\u00a0₽ of it or more earn points.",
                "All your friends together bring you 500\u00a0points a month at most.",
            ],
        ),
        (
            {"welcome_points": 0, "waiting_days": 1, "referral_orders": 1, "referral_months": 1},
            [
                "Your friend earns 5% of every paid order in points.",
                "can be spent 1 day later, unless",
                "The first paid order of each friend counts.",
                "A friend’s orders count for 1 month from the invitation on.",
            ],
        ),
    ],
)
def test_the_page_says_what_the_edition_gives_and_its_limits(ada, browser_of, rules, sentences):
    rule_set = edition(**rules)

    offer, conditions = (Page(browser_of(ada).get(page)).text for page in ("/invite/", "/invite/conditions/"))
    assert [sentence for sentence in sentences if sentence not in offer] == []
    # What depends on the inviter stands on their own page alone.
    for_all = [sentence for sentence in sentences if not sentence.startswith("You get")]
    assert [sentence for sentence in for_all if sentence not in conditions] == []
    assert f"Edition {rule_set.number} of the rules" in conditions
    assert not re.search(r"\bup to\b", offer + conditions)


def test_the_share_is_that_of_the_members_own_tier(ada, ben, browser_of, paid):
    paid(ben, 40_000)

    assert "You get 1% of what your friend pays" in Page(browser_of(ada).get("/invite/")).text
    assert "You get 2% of what your friend pays" in Page(browser_of(ben).get("/invite/")).text


def test_a_tier_without_a_share_says_from_which_on_there_is_one(ada, browser_of):
    draft = create_draft(
        tiers=[tier_spec("Bronze", 0), tier_spec("Silver", 10_000, referral_rate=Decimal("0.03"))]
    )
    publish_rule_set(rule_set=draft, effective_at=LONG_AGO, published_at=NOON, reason="A test")

    text = Page(browser_of(ada).get("/invite/")).text
    assert "You get points for it from the tier “Silver” on: 3% of what your friend pays." in text
    assert "0% of your friends’ orders" not in text


def test_without_any_share_the_page_says_so(ada, browser_of):
    publish_edition()

    text = Page(browser_of(ada).get("/invite/")).text

    assert "You get no points for it at present." in text
    assert "Your share" not in text
    assert "without a limit" not in text


def test_conditions_are_for_everybody(visitor, db):
    page = Page(visitor().get("/invite/conditions/"))

    assert "Conditions of invitations" in page.text
    assert "1%" in page.text
    assert "/invite/" not in page.hrefs()


def test_share_links_carry_the_link_and_the_text(ada, browser_of):
    edition()
    page = Page(browser_of(ada).get("/invite/"))
    link = link_on(page)

    ways = {urlsplit(href)[:2]: parse_qs(urlsplit(href).query) for href in page.hrefs(rel="noopener")}

    text = "I invite you to Ballada. You get 200\u00a0points as soon as you have joined."
    assert ways == {
        ("mailto", ""): {"subject": ["An invitation to Ballada"], "body": [f"{text}\n{link}"]},
        ("https", "t.me"): {"url": [link], "text": [text]},
        ("https", "wa.me"): {"text": [f"{text} {link}"]},
        ("https", "vk.com"): {"url": [link], "title": [text]},
    }
    (mail,) = [href for href in page.hrefs(rel="noopener") if href.startswith("mailto:")]
    assert "+" not in mail


def test_nothing_on_the_page_comes_from_elsewhere(ada, browser_of):
    response = browser_of(ada).get("/invite/")

    page = Page(response)
    assert [value for value in page.values("src") if "//" in value] == []
    assert not any("style" in attributes for _tag, attributes in page.tags)


def squares(svg: ElementTree.Element) -> list[list[int]]:
    """The code's squares as a scanner sees them, rows of 1 for black, drawn by the path."""
    size = int(svg.attrib["viewBox"].split()[2])
    grid = [[0] * size for _row in range(size)]
    (drawn,) = [path.attrib["d"] for path in svg.iter(f"{SVG}path") if path.attrib.get("stroke") == "#000"]
    x = y = 0.0
    for command, numbers in re.findall(r"([Mmh])([^Mmh]*)", drawn):
        values = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
        if command == "M":
            x, y = values
        elif command == "m":
            x, y = x + values[0], y + values[1]
        else:
            for column in range(int(x), int(x + values[0])):
                grid[int(y)][column] = 1
            x += values[0]
    return grid


def test_the_code_on_the_page_is_that_of_the_link(ada, browser_of):
    response = browser_of(ada).get("/invite/")
    link = link_on(Page(response))
    (drawn,) = re.findall(r'<svg role="img".*?</svg>', response.content.decode())
    svg = ElementTree.fromstring(drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))

    code = segno.make_qr(link, error="m", boost_error=False)
    assert code.error == "M"
    assert squares(svg) == [[1 if dark else 0 for dark in row] for row in code.matrix_iter(border=4)]
    assert svg.find(f"{SVG}title").text == "QR code of your link"
    background = [path.attrib for path in svg.iter(f"{SVG}path") if path.attrib.get("fill") == "#fff"]
    size = svg.attrib["viewBox"].split()[2]
    assert background == [{"fill": "#fff", "d": f"M0 0h{size}v{size}h-{size}z"}]


@pytest.mark.parametrize(
    ("file_format", "content_type", "begins"),
    [("png", "image/png", b"\x89PNG"), ("svg", "image/svg+xml", b"<?xml")],
)
def test_the_code_is_a_file_to_keep(ada, code, browser_of, file_format, content_type, begins):
    response = browser_of(ada).get(f"/invite/qr.{file_format}")

    assert response.headers["Content-Type"] == content_type
    name = f"ballada-{code.code.lower()}.{file_format}"
    assert response.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert response.content.startswith(begins)
    assert "no-store" in response.headers["Cache-Control"]


def test_a_new_link_takes_a_page_that_says_what_happens(ada, code, browser_of):
    browser = browser_of(ada)

    page = Page(browser.get("/invite/new-link/"))
    assert f"/r/{code.code}/" in page.text
    assert "no longer valid" in page.text
    assert ada.invite_codes.get(ended_at=None) == code

    for _sent_twice in range(2):
        response = browser.post("/invite/new-link/", {"code": code.code})
        assert response.headers["Location"] == "/invite/"
    assert ada.invite_codes.count() == 2
    assert "You have a new link." in Page(browser.get("/invite/")).text


def test_a_new_link_shows_the_name_as_the_one_before(ada, code, browser_of):
    browser = browser_of(ada)
    browser.post("/invite/name/", {"shows_name": "false"})
    browser.post("/invite/new-link/", {"code": code.code})

    assert "Friends read: “A friend invites you”." in Page(browser.get("/invite/")).text
    browser.post("/invite/name/", {"shows_name": "true"})
    assert "Friends read: “Ада invites you”" in Page(browser.get("/invite/")).text


def test_an_inviter_without_a_name_is_a_friend(ada, code, browser_of, visitor):
    Member.objects.filter(pk=ada.pk).update(first_name="")

    assert "Friends read: “A friend invites you”." in Page(browser_of(ada).get("/invite/")).text
    assert "A friend invites you to Ballada" in Page(visitor().get(f"/r/{code.code}/")).text


def test_of_friends_no_more_is_shown_than_a_name_and_an_initial(ada, code, browser_of, paid):
    friend = invited_by(ada, number=1, code=code)
    order = paid(friend, 7_777, number="SECRET-1", at=NOON)

    text = browser_of(ada).get("/invite/").content.decode()

    assert "Мария П." in text
    secrets = [friend.last_name, friend.email, "916", friend.number, order.number]
    assert [secret for secret in secrets if secret in text] == []
    assert not re.search("7[ ,\u00a0]?777", text)


def test_friends_who_have_not_joined_are_counted_through(ada, code, browser_of):
    for _visit in range(3):
        count_visit(click=Click(token=uuid4(), code=code.code, clicked_at=NOON), at=NOON)

    rows = browser_of(ada).get("/invite/").context["friends"]

    assert [row.name for row in rows] == ["Friend 3", "Friend 2", "Friend 1"]
    page = Page(browser_of(ada).get("/invite/"))
    assert "3 people opened your link and have not joined, the last on 10 March 2026" in page.text
    assert page.count("table") == 0


def test_refusals_say_why(ada, ben, code, browser_of):
    click = Click(token=uuid4(), code=code.code, clicked_at=NOON)
    answer_invitation(click=click, invited=ben, is_new_member=False, device_token=None, at=NOON)

    text = Page(browser_of(ada).get("/invite/")).text

    assert "not counted" in text
    assert "This friend was in the programme already." in text


def test_a_purchase_that_brought_nothing_says_what_counts(ada, code, browser_of, paid):
    edition(referral_least_sum=Decimal(500))
    paid(invited_by(ada, number=1, code=code), 499)

    text = Page(browser_of(ada).get("/invite/")).text

    assert "has bought" in text
    assert "What they bought brought you no points. An order counts from 500\N{NO-BREAK SPACE}₽." in text


def test_an_invitation_at_the_till_is_listed_too(ada, stan, browser_of):
    friend = MemberFactory(joined_at=NOON)
    attach_at_till(inviter=ada, invited=friend, at=NOON, actor_id=stan.pk)

    assert "Joined on 10 March 2026 at the till" in Page(browser_of(ada).get("/invite/")).text


def test_many_friends_take_the_same_queries_as_few(ada, code, browser_of):
    for number in range(3):
        invited_by(ada, number=number, code=code)
    browser = browser_of(ada)
    browser.get("/invite/")
    with CaptureQueriesContext(
        connection,
    ) as few:
        page = browser.get("/invite/")
    assert len(page.context["friends"]) == 3

    for number in range(3, 300):
        invited_by(ada, number=number, code=code)
    with CaptureQueriesContext(connection) as many:
        page = browser.get("/invite/")

    assert len(page.context["friends"]) == 25
    assert len(many) == len(few)


def test_the_list_goes_on_page_by_page(ada, code, browser_of):
    for _visit in range(60):
        count_visit(click=Click(token=uuid4(), code=code.code, clicked_at=NOON), at=NOON)
    browser = browser_of(ada)

    address, names = "/invite/", []
    while address:
        response = browser.get(address)
        names += [row.name for row in response.context["friends"]]
        (older,) = Page(response).hrefs(rel="next") or [""]
        address = older and f"/invite/{older.removesuffix('#friends')}"
    assert names == [f"Friend {number}" for number in range(60, 0, -1)]

    (newer,) = Page(browser.get("/invite/?before=1000000000")).hrefs(rel="prev")
    assert browser.get(f"/invite/{newer}").status_code in (200, 302)
    assert browser.get("/invite/?before=1").headers["Location"] == "/invite/"
    assert browser.get("/invite/?before=x").status_code == 200


def test_only_members_invite(stan, visitor, browser_of):
    for address in ("/invite/", "/invite/qr.png", "/invite/qr.svg", "/invite/new-link/"):
        assert browser_of(stan).get(address).status_code == 404
        assert visitor().get(address).headers["Location"] == f"/accounts/login/?next={address}"
    assert browser_of(stan).post("/invite/name/", {"shows_name": "true"}).status_code == 404
    assert (InviteCode.objects.count(), Invitation.objects.count()) == (0, 0)
