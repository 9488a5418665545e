"""Long work as the console shows it: the list, one job, its bar, stopping it, recounting again."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from supervisor.models import JobRun
from tests.clock import NOON, TOMORROW_NOON
from tests.pages import Page
from tests.supervisor.edition_forms import signed_in

JOBS = "/console/jobs/"


@pytest.fixture(autouse=True)
def noon():
    """Pages read the clock themselves: let it be noon for them too."""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def client(sue, client_of) -> Client:
    """The supervisor's browser."""
    return signed_in(client_of, sue)


def job(sue, **facts) -> JobRun:
    """A recount that was asked for at noon."""
    return JobRun.objects.create(
        **{"kind": JobRun.Kind.RECOUNT, "asked_by": sue, "asked_at": NOON, "begins_at": NOON} | facts
    )


def running(sue, **facts) -> JobRun:
    """A recount that is a third done."""
    stage = {"ru": "Считаем", "en": "Recounting"}
    return job(sue, **{"started_at": NOON, "stage": stage, "done_count": 1_000, "total_count": 3_000} | facts)


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return Page(response).text


def test_the_list_is_empty_with_a_way_forward_and_then_tells_each_job(client, sue):
    assert "No long jobs yet" in text_of(client, JOBS)
    run = running(sue)

    assert (
        f"Job {run.pk}: recount of tiers running 10 March 2026, 12:00 Сью Орлова 1,000 of 3,000"
        in text_of(client, JOBS)
    )


def test_a_preview_is_named_by_its_draft(client, sue):
    run = job(sue, kind=JobRun.Kind.PREVIEW, facts={"draft_id": 7})

    for address in (JOBS, f"{JOBS}{run.pk}/"):
        assert f"Job {run.pk}: preview of draft 7" in text_of(client, address)


def test_the_bar_has_its_text_and_works_without_javascript(client, sue):
    run = running(sue)

    page = Page(client.get(f"{JOBS}{run.pk}/"))

    assert "Recounting: 1,000 of 3,000" in page.text
    (bar,) = [attributes for tag, attributes in page.tags if tag == "progress"]
    assert (bar["value"], bar["max"]) == ("1000", "3000")
    assert bar["aria-labelledby"] in page.values("id")
    assert "" in page.hrefs()
    assert "Look again" in page.text


def test_the_stage_is_told_in_the_language_of_the_page(client, sue):
    run = running(sue)
    client.cookies["django_language"] = "ru"

    assert "Считаем" in text_of(client, f"{JOBS}{run.pk}/")


def test_the_page_asks_for_the_bar_every_second_until_the_work_is_over(client, sue):
    run = running(sue)
    address = f"{JOBS}{run.pk}/progress/"
    assert address in Page(client.get(f"{JOBS}{run.pk}/")).values("data-hx-get")
    asks = {"HTTP_HX_REQUEST": "true"}

    part = client.get(address, **asks)
    assert "Recounting: 1,000 of 3,000" in Page(part).text
    assert Page(part).count("h1") == 0

    JobRun.objects.filter(pk=run.pk).update(finished_at=NOON, outcome="done")
    assert client.get(address, **asks).headers["HX-Refresh"] == "true"
    assert Page(client.get(f"{JOBS}{run.pk}/")).values("data-hx-get") == []
    assert client.get(address).headers["Location"] == f"{JOBS}{run.pk}/"
    assert Client().get(address, **asks).headers["HX-Refresh"] == "true"


@pytest.mark.parametrize(
    ("ending", "sentence"),
    [
        ({"outcome": "done", "result": {"higher_count": 5, "lower_count": 2}}, "Rose 5 Fell 2"),
        ({"outcome": "cancelled"}, "Cancelled on 10 March 2026, 12:00. What was done before stays done."),
        (
            {"outcome": "refused", "refusal": {"en": "The rules were withdrawn.", "ru": "Отозвано."}},
            "withdrawn.",
        ),
        ({"outcome": "failed"}, "It broke off: something unforeseen happened."),
    ],
)
def test_a_job_says_how_it_ended(client, sue, ending, sentence):
    run = running(sue, finished_at=NOON, **ending)

    text = text_of(client, f"{JOBS}{run.pk}/")

    assert sentence in text
    assert ("Recount again" in text) == (ending["outcome"] != "done")


def test_cancelling_asks_the_worker_to_stop_and_only_once(client, sue):
    run = running(sue)

    led = client.post(f"{JOBS}{run.pk}/cancel/", follow=True)

    assert "The job stops at the next safe place." in Page(led).text
    assert "Cancel the job" not in Page(led).text
    run.refresh_from_db()
    assert (run.cancel_asked_at, run.cancel_asked_by, run.outcome) == (NOON, sue, "")


def test_what_has_not_begun_is_cancelled_at_once_and_what_is_over_stays(client, sue):
    run = job(sue)

    assert "Cancelled." in Page(client.post(f"{JOBS}{run.pk}/cancel/", follow=True)).text
    assert JobRun.objects.get(pk=run.pk).outcome == "cancelled"
    again = client.post(f"{JOBS}{run.pk}/cancel/", follow=True)
    assert "This has ended already." in Page(again).text


def test_the_recount_of_a_scheduled_edition_waits_for_its_moment(client, sue):
    run = job(sue, begins_at=TOMORROW_NOON)

    text = text_of(client, f"{JOBS}{run.pk}/")

    assert "Begins on 11 March 2026, 12:00." in text
    assert "Cancel the job" not in text
    assert "called off when the edition is withdrawn" in text


def test_a_recount_that_was_cancelled_is_begun_again_once(client, sue):
    job(sue, started_at=NOON, finished_at=NOON, outcome="cancelled")

    led = client.post(f"{JOBS}recount/")

    new = JobRun.objects.order_by("-pk").first()
    assert led.headers["Location"] == f"{JOBS}{new.pk}/"
    again = client.post(f"{JOBS}recount/", follow=True)
    assert "Tiers are being recounted already." in Page(again).text
    assert again.redirect_chain[-1][0] == f"{JOBS}{new.pk}/"


@pytest.mark.parametrize("person", ["stan", "ada"])
def test_nobody_else_sees_or_stops_jobs(person, request, sue, client_of):
    run = running(sue)
    other = client_of(request.getfixturevalue(person))

    for address in (JOBS, f"{JOBS}{run.pk}/", f"{JOBS}{run.pk}/progress/"):
        assert other.get(address).status_code == 403
    for address in (f"{JOBS}{run.pk}/cancel/", f"{JOBS}recount/"):
        assert other.post(address).status_code == 403
    run.refresh_from_db()
    assert run.cancel_asked_at is None


def test_an_unknown_job_is_not_found(client):
    for address in (f"{JOBS}999999/", f"{JOBS}999999/progress/"):
        assert client.get(address).status_code == 404
    assert client.post(f"{JOBS}999999/cancel/").status_code == 404


def test_pages_of_the_list_show_each_job_once(client, sue):
    runs = [running(sue, asked_at=NOON + timedelta(minutes=place)) for place in range(30)]

    first = Page(client.get(JOBS))
    (older,) = first.hrefs(rel="next")
    second = Page(client.get(f"{JOBS}{older}"))

    def shown(page: Page) -> list[str]:
        return [href for href in page.hrefs() if href.removeprefix(JOBS).strip("/").isdigit()]

    assert shown(first) + shown(second) == [f"{JOBS}{run.pk}/" for run in reversed(runs)]
    (newer,) = second.hrefs(rel="prev")
    assert shown(Page(client.get(f"{JOBS}{newer}"))) == shown(first)


def test_the_list_takes_the_same_queries_for_one_job_and_for_thirty(client, sue):
    def take() -> int:
        client.get(JOBS)
        with CaptureQueriesContext(connection) as captured:
            client.get(JOBS)
        return len(captured)

    running(sue)
    with_one = take()
    for _place in range(30):
        running(sue)

    assert take() == with_one


def test_work_for_later_is_not_asked_for_every_second(client, sue):
    later = job(sue, begins_at=TOMORROW_NOON)
    now = running(sue)

    assert "data-hx-get" not in client.get(f"{JOBS}{later.pk}/").content.decode()
    assert "Look again" in text_of(client, f"{JOBS}{later.pk}/")
    assert "data-hx-get" in client.get(f"{JOBS}{now.pk}/").content.decode()


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(client, sue):
    run = running(sue)
    with time_machine.travel(NOON, tick=False) as clock:
        client.get(f"{JOBS}{run.pk}/")
        for _ in range(15):
            clock.shift(timedelta(minutes=2))
            answer = client.get(f"{JOBS}{run.pk}/progress/", headers={"HX-Request": "true"})
        assert answer.headers.get("HX-Refresh") == "true"
        assert client.get(f"{JOBS}{run.pk}/").status_code == 302


def test_recount_of_a_scheduled_edition_is_called_off_with_it_alone(client, sue):
    run = job(sue, begins_at=TOMORROW_NOON)

    led = client.post(f"{JOBS}{run.pk}/cancel/")

    assert "Withdraw the edition" in text_of(client, led.headers["Location"])
    run.refresh_from_db()
    assert (run.outcome, run.cancel_asked_at) == ("", None)


def test_list_goes_on_and_back_as_the_other_lists_do(client, sue):
    runs = [job(sue) for _number in range(26)]

    first = Page(client.get(JOBS))
    (older,) = first.hrefs(rel="next")
    last = Page(client.get(JOBS + older))

    assert older == f"?after={runs[1].pk}"
    assert last.hrefs(rel="prev") == [f"?before={runs[0].pk}"]
    assert Page(client.get(JOBS + last.hrefs(rel="prev")[0])).text == first.text


@pytest.mark.parametrize(
    ("outcome", "has_stopped"),
    [("", False), ("done", False), ("cancelled", True), ("refused", True), ("failed", True)],
)
def test_work_that_ended_undone_has_stopped(outcome, has_stopped):
    assert JobRun(outcome=outcome).has_stopped is has_stopped
