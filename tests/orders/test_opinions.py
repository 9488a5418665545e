"""The question how likely members are to recommend the programme: rarely asked, skipped with one press."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from accounts.models import Member
from orders.models import Opinion
from orders.queries.opinions import may_be_asked
from orders.services.opinions import give_opinion
from supervisor.queries.opinions import opinions_figure
from tests.clock import NOON
from tests.factories import MemberFactory
from tests.pages import Page

LIST, OPINION = reverse("orders:list"), reverse("orders:opinion")
QUESTION = "How likely are you to recommend"


@pytest.fixture(autouse=True)
def noon():
    """Pages read the clock themselves: let it be noon for them too."""
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def regular(ada, paid) -> Member:
    """Ada, who has paid for three orders."""
    for _turn in range(3):
        paid(ada, 100)
    return ada


def english(client):
    client.cookies["django_language"] = "en"
    return client


def test_nobody_is_asked_before_the_third_paid_order(ada, paid, placed):
    placed(ada, 100)
    for _turn in range(2):
        paid(ada, 100)
    assert not may_be_asked(ada, NOON)
    paid(ada, 100)
    assert may_be_asked(ada, NOON)


@pytest.mark.parametrize("score", [0, 10, None])
def test_whoever_answers_or_skips_is_left_alone_for_90_days(regular, score):
    assert give_opinion(member=regular, score=score, at=NOON).score == score
    assert not may_be_asked(regular, NOON + timedelta(days=89))
    assert give_opinion(member=regular, score=5, at=NOON) is None
    assert may_be_asked(regular, NOON + timedelta(days=90))
    assert Opinion.objects.count() == 1


def test_members_of_the_sandbox_are_not_asked(regular):
    regular.is_sandbox = True
    assert not may_be_asked(regular, NOON)


def test_the_page_asks_with_eleven_numbers_in_a_group(regular, client_of):
    client = english(client_of(regular))
    page = Page(client.get(LIST))
    assert QUESTION in page.text
    assert "0 — certainly will not" in page.text
    assert [a["value"] for _tag, a in page.tags if a.get("type") == "radio"] == [str(n) for n in range(11)]
    assert page.count("fieldset") == page.count("legend") == 1
    assert not any("checked" in attributes for _tag, attributes in page.tags)

    response = client.post(OPINION, {"score": "9"}, follow=True)
    assert "Your answer is noted." in Page(response).text
    assert QUESTION not in Page(response).text
    assert Opinion.objects.get().score == 9


def test_skipping_is_one_press_and_says_nothing_more(regular, client_of):
    client = english(client_of(regular))
    response = client.post(OPINION, {"skip": "1"}, follow=True)
    assert QUESTION not in Page(response).text
    assert Opinion.objects.get().score is None


@pytest.mark.parametrize("score", ["", "11", "-1", "ten", "9.5"])
def test_what_is_no_answer_is_not_noted(regular, client_of, score):
    response = english(client_of(regular)).post(OPINION, {"score": score}, follow=True)
    assert "Choose a number from 0 to 10, or skip the question." in Page(response).text
    assert QUESTION in Page(response).text
    assert not Opinion.objects.exists()


def test_an_answer_that_nobody_asked_for_is_not_noted(ada, client_of):
    client_of(ada).post(OPINION, {"score": "9"})
    assert not Opinion.objects.exists()


def test_the_figure_is_promoters_less_detractors_from_ten_answers_on(db):
    scores = [10, 9, 9, 8, 7, 7, 6, 0, 10]
    for score in scores:
        Opinion.objects.create(member=MemberFactory(), score=score, given_at=NOON)
    Opinion.objects.create(member=MemberFactory(), score=None, given_at=NOON)
    Opinion.objects.create(member=MemberFactory(), score=10, given_at=NOON - timedelta(days=90))
    assert opinions_figure(NOON) is None
    Opinion.objects.create(member=None, score=5, given_at=NOON)
    figure = opinions_figure(NOON)
    assert (figure.count, round(figure.balance_rate * 100)) == (10, 10)
