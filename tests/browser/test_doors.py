"""What a browser keeps and repeats: Back, refresh, the language, and nothing after somebody has left."""

import pytest

from tests.loyalty.points import earn

pytestmark = pytest.mark.django_db(transaction=True)

SEARCH = "/operations/?kind=earned&sign=plus"


def test_the_language_changes_and_the_page_stays(noon, ada, visitor):
    member = visitor(ada)
    member.open(SEARCH)

    member.press("Русский")

    assert member.path == SEARCH
    assert member.heading == "Операции"


def test_after_signing_out_back_shows_no_data(noon, ada, visitor):
    earn(ada, 777, until=None)
    member = visitor(ada)
    member.open("/profile/")
    member.open("/")
    assert "777" in member.text

    member.press("Sign out")
    for _ in range(2):
        member.go_back()
        assert "777" not in member.text
        assert "Ада" not in member.text
