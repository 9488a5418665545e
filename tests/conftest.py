"""The cast, and what every test needs: quick passwords and a database that keeps its first rows."""

import os
from collections.abc import Callable

import hypothesis
import pytest
from django.test import Client
from django.utils import translation

from accounts import services
from accounts.models import Member, User
from accounts.roles import Role
from tests.database import keep_what_migrations_made
from tests.factories import QUICK_HASHERS, MemberFactory, UserFactory
from tests.orders.shop import paid, placed, shop  # noqa: F401  (fixtures for all)

keep_what_migrations_made()

# Where nobody looks at a new finding at once, the same examples are tried every time.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None)
if "CI" in os.environ:
    hypothesis.settings.load_profile("ci")


LONGEST = "test_5000_orders_of_800_people_end_as_if_sent_one_by_one"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest test begins first, so that the other workers do not wait for it at the end."""
    items.sort(key=lambda item: item.name != LONGEST)


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    """The real hasher is slow on purpose, and tests sign in often."""
    settings.PASSWORD_HASHERS = QUICK_HASHERS


@pytest.fixture
def ada(db) -> Member:
    """A member with a login."""
    return _member("Ада", "Иванова", "ada@example.com")


@pytest.fixture
def ben(db) -> Member:
    """Another member with a login, who must not see what is Ada's."""
    return _member("Бен", "Смирнов", "ben@example.com")


@pytest.fixture
def sue(db) -> User:
    """The supervisor: a login without a member."""
    return _colleague("Сью", "Орлова", "sue@example.com", Role.SUPERVISOR)


@pytest.fixture
def stan(db) -> User:
    """A person of the staff: a login without a member."""
    return _colleague("Стан", "Козлов", "stan@example.com", Role.STAFF)


@pytest.fixture
def client_of() -> Callable[[Member | User], Client]:
    """Gives a browser in which that person is signed in."""

    def signed_in(person: Member | User) -> Client:
        client = Client()
        client.force_login(person.user if isinstance(person, Member) else person)
        return client

    return signed_in


@pytest.fixture
def in_english():
    """Texts are the English ones of the source, whatever is translated."""
    with translation.override("en"):
        yield


def _member(first_name: str, last_name: str, email: str) -> Member:
    member = MemberFactory(has_login=True, first_name=first_name, last_name=last_name, user__email=email)
    services.assign_role(user=member.user, role=Role.MEMBER)
    return member


def _colleague(first_name: str, last_name: str, email: str, role: Role) -> User:
    user = UserFactory(first_name=first_name, last_name=last_name, email=email)
    services.assign_role(user=user, role=role)
    return user
