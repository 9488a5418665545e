"""The console's first page: who may open it, and what it says about the programme."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from loyalty.models import LedgerAudit
from loyalty.queries.audit import CHECKS
from orders.models import Opinion, Order, Source
from orders.services.orders import cancel_order, refund_order, register_paid_order
from supervisor.charts import orders_chart
from supervisor.models import JobRun
from supervisor.queries import programme
from supervisor.queries.programme import OrdersOfDay, active_count, orders_of_days
from tests.clock import MOSCOW, NOON, YESTERDAY_NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import publish_edition
from tests.loyalty.points import earn, new_key
from tests.pages import Page
from tests.supervisor.given import doubted, in_english, invited_by

MARCH = date(2026, 3, 1)


def overview(client):
    """The page, read."""
    return Page(client.get("/console/"))


def test_overview_is_for_supervisors_and_staff_are_led_to_the_look_up(ada, stan, sue, client_of):
    assert client_of(sue).get("/console/").status_code == 200
    assert client_of(stan).get("/console/").headers["Location"] == "/console/find/"

    refused = in_english(client_of(ada)).get("/console/")
    assert refused.status_code == 403
    assert "This page is for staff. Your own points are in your cabinet." in Page(refused).text


def test_overview_asks_who_is_there_and_comes_back(db):
    assert Client().get("/console/").headers["Location"] == "/accounts/login/?next=/console/"


def test_console_is_linked_for_those_who_may_open_it(ada, stan, client_of):
    assert "/console/" in Page(client_of(stan).get("/profile/")).hrefs()
    assert "/console/" not in Page(client_of(ada).get("/profile/")).hrefs()


def test_overview_refuses_to_be_written_to(sue, client_of):
    client = client_of(sue)

    assert client.post("/console/").status_code == 405
    assert client.head("/console/").status_code == 200


def test_overview_is_kept_by_no_cache(sue, ada, client_of):
    for person in (sue, ada):
        assert "no-store" in client_of(person).get("/console/").headers["Cache-Control"]


@pytest.mark.parametrize(("language", "sum_of_all"), [("ru", "12\u00a0360"), ("en", "12,360")])
def test_overview_sums_the_points_of_all_members(ada, ben, sue, client_of, language, sum_of_all):
    earn(ada, 12_345)
    earn(ben, 15)
    client = client_of(sue)
    client.cookies["django_language"] = language

    text = overview(client).text

    assert sum_of_all in text
    assert f"{sum_of_all}\u00a0₽" in text


def test_overview_leaves_out_who_is_in_a_sandbox(ada, sue, client_of):
    now = timezone.now()
    sandbox = Source.objects.create(code="try", name="Try", is_sandbox=True)
    stranger = MemberFactory(is_sandbox=True)
    earn(ada, 40, at=now)
    earn(stranger, 777, at=now)
    register_paid_order(source=sandbox, number="1", member=stranger, total_sum=Decimal(1000), paid_at=now)

    text = overview(in_english(client_of(sue))).text

    assert "Members 1 in the programme" in text
    assert "Active members 0 bought" in text
    assert "Points outstanding 40 on all accounts" in text
    assert "What they are worth 40\u00a0₽" in text
    assert "Issued 40 for orders" in text
    assert "No order has come in these days." in text


def test_active_are_those_who_bought_and_kept_something(ada, ben, paid, placed):
    paid(ada, 100)
    paid(ada, 100)
    refund_order(order=paid(ben, 100), is_whole=True, refunded_at=NOON, key=new_key())
    placed(MemberFactory(), 100)
    paid(MemberFactory(), 100, NOON - timedelta(days=91))
    paid(None, 100)

    assert active_count(NOON) == 1


def test_orders_are_counted_by_the_day_of_the_programme(ada, paid, placed):
    late = datetime(2026, 3, 9, 23, 30, tzinfo=MOSCOW)
    paid(ada, 100, late)
    refund_order(order=paid(ada, 50, NOON), goods_sum=Decimal(20), refunded_at=NOON, key=new_key())
    placed(ada, 1000, NOON)
    cancel_order(order=placed(ada, 1, NOON), cancelled_at=NOON, key=new_key())
    paid(ada, 7, NOON - timedelta(days=30))

    days = orders_of_days(NOON)

    assert [day.on for day in days] == [date(2026, 2, 9) + timedelta(days=number) for number in range(30)]
    assert days[-2:] == [OrdersOfDay(date(2026, 3, 9), 1, 100), OrdersOfDay(date(2026, 3, 10), 2, 30)]
    assert sum(day.count for day in days) == 3


@pytest.mark.parametrize(
    ("most", "top"), [(1, 2), (2, 2), (3, 4), (5, 10), (11, 20), (21, 40), (41, 100), (100, 100), (101, 200)]
)
def test_chart_has_a_scale_of_round_numbers(most, top):
    chart = orders_chart([OrdersOfDay(MARCH, 0, 0), OrdersOfDay(NOON.date(), most, 0)])

    assert chart.top == top
    assert chart.middle * 2 == top
    assert [bar.height for bar in chart.bars] == [0, -(-most * 400 // top)]
    assert all(bar.y + bar.height == 400 for bar in chart.bars)
    assert [bar.is_unfinished for bar in chart.bars] == [False, True]


def test_chart_can_be_read_as_a_table(ada, sue, shop, client_of):
    now = timezone.now()
    for number in range(3):
        register_paid_order(source=shop, number=str(number), member=ada, total_sum=Decimal(1000), paid_at=now)

    response = in_english(client_of(sue)).get("/console/")

    page, today = Page(response), timezone.localdate(now)
    assert f"{today.day} {today:%B %Y} 3 3,000\u00a0₽" in page.text
    chart = response.context["orders_chart"]
    assert (chart.count, chart.bars[-1].title) == (30, f"{today.day} {today:%B %Y}: 3")
    points = response.context["figures"].this_month
    assert f"{today:%B %Y} so far {points.moved.issued_points} 0 0 " in page.text
    assert ("svg", "img") in [(tag, attributes.get("role")) for tag, attributes in page.tags]


def test_a_programme_without_points_says_so(sue, client_of):
    page = overview(in_english(client_of(sue)))

    assert "No points have been issued yet." in page.text
    assert page.count("figure") == 0


def test_overview_says_what_waits(ada, sue, client_of):
    client = in_english(client_of(sue))
    assert "Nothing waits for a decision." in overview(client).text

    doubted(invited_by(ada, MemberFactory()))

    page = overview(client)
    assert "1 doubtful invitation" in page.text
    assert "Nothing waits" not in page.text


@pytest.mark.parametrize(("found_count", "verdict"), [(0, "clean"), (3, "promises broken")])
def test_overview_tells_the_last_audit(sue, client_of, found_count, verdict):
    client = in_english(client_of(sue))
    assert "The audit has not run yet." in overview(client).text
    finding = {"promise": "L1", "name": CHECKS[0].name, "rows_count": 12_345, "found_count": found_count}
    for ran_at in (NOON, YESTERDAY_NOON):
        LedgerAudit.objects.create(ran_at=ran_at, duration_seconds=2.5, rows_count=12_345, findings=[finding])

    text = overview(client).text

    assert f"Ledger audit {verdict} 10 March 2026, 12:00: 12,345 rows looked at in 2.5\u00a0s" in text
    assert str(CHECKS[0].sentence) in text


def test_figures_that_are_quick_to_count_are_those_of_now(ada, sue, client_of):
    client = in_english(client_of(sue))
    assert "Members 1 in the programme" in overview(client).text

    MemberFactory()

    assert "Members 2 in the programme" in overview(client).text


def test_figures_that_take_long_are_kept_with_their_moment(ada, monkeypatch):
    monkeypatch.setattr(programme, "KEPT_FROM_SECONDS", 0)
    first = programme.figures(NOON)

    MemberFactory()
    again = programme.figures(NOON + timedelta(seconds=30))

    assert again == first
    assert again.taken_at == NOON
    assert again.members_count == 1


def test_a_scheduled_edition_and_long_jobs_are_mentioned(sue, client_of):
    client, now = in_english(client_of(sue)), timezone.now()
    assert "Under way" not in [found.get("aria-label") for _tag, found in overview(client).tags]
    coming = publish_edition(effective_at=now + timedelta(days=2))
    kind = JobRun.Kind.IMPORT
    for at, ending in (
        (now, {}),
        (now + timedelta(days=2), {}),
        (now, {"finished_at": now, "outcome": "failed"}),
        (now, {"finished_at": now - timedelta(days=8), "outcome": "failed"}),
        (now, {"finished_at": now, "outcome": "cancelled"}),
    ):
        JobRun.objects.create(kind=kind, asked_by=sue, asked_at=now, begins_at=at, **ending)

    page = overview(client)

    assert f"Edition {coming.number} takes effect on" in page.text
    assert "1 long job under way 1 long job broke off in the last 7 days" in page.text
    assert f"/console/editions/{coming.number}/" in page.hrefs()


def test_overview_takes_the_same_queries_however_much_there_is(ada, sue, paid, client_of):
    client = client_of(sue)
    paid(ada, 10, timezone.now())
    overview(client)
    with CaptureQueriesContext(connection) as with_one:
        overview(client)
    for member in MemberFactory.create_batch(30):
        paid(member, 10, timezone.now())

    with CaptureQueriesContext(connection) as with_many:
        overview(client)

    assert Order.objects.count() == 31
    assert len(with_one) == len(with_many) <= 17


@pytest.mark.parametrize("language", ["ru", "en"])
def test_overview_is_sound_html(ada, sue, shop, client_of, language):
    earn(ada, 1_234_567, at=timezone.now())
    register_paid_order(
        source=shop, number="1", member=ada, total_sum=Decimal(1_000_000), paid_at=timezone.now()
    )
    client = client_of(sue)
    client.cookies["django_language"] = language

    page = overview(client)

    assert page.count("h1") == 1
    assert page.values("style") == []
    read_by_programs = page.values(
        "href", "id", "name", "value", "max", "action", "datetime", "x", "y", "height", "viewbox", "d"
    )
    assert [value for value in read_by_programs if re.search(r"\d[\u00a0\u202f,]\d", value)] == []
    assert not re.search(r"%\(\w+\)|\{\{|\{%|None", page.text)


def test_overview_says_whether_members_recommend_the_programme(sue, client_of):
    client = in_english(client_of(sue))
    for _answer in range(9):
        Opinion.objects.create(member=MemberFactory(), score=9, given_at=timezone.now())
    assert "Would members recommend us?" not in overview(client).text

    Opinion.objects.create(member=MemberFactory(), score=3, given_at=timezone.now())

    assert "10 answers in 90 days: those of 9 and 10 less those of 0 to 6 are 80%." in (overview(client).text)
