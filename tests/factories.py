"""Makes people for tests; everything else is made by the services."""

from typing import Any

import factory
from allauth.account.models import EmailAddress
from factory.django import DjangoModelFactory

from accounts.models import Language, Member, User
from accounts.numbers import new_member_number
from tests.clock import NOON

QUICK_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
PASSWORD = "a long pass phrase"


class UserFactory(DjangoModelFactory[User]):
    """A login that can sign in with PASSWORD: its e-mail is verified."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda number: f"person{number}@example.com")
    first_name = "Мария"
    last_name = "Петрова"

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **fields: Any) -> User:
        user = model_class.objects.create_user(password=PASSWORD, **fields)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        return user


class MemberFactory(DjangoModelFactory[Member]):
    """A member without a login and without contacts; `has_login=True` gives both."""

    class Meta:
        model = Member

    class Params:
        has_login = factory.Trait(
            user=factory.SubFactory(
                UserFactory,
                first_name=factory.SelfAttribute("..first_name"),
                last_name=factory.SelfAttribute("..last_name"),
            ),
            email=factory.LazyAttribute(lambda member: member.user.email),
            email_verified_at=NOON,
        )

    number = factory.LazyFunction(new_member_number)
    first_name = "Мария"
    last_name = "Петрова"
    language = Language.RUSSIAN
    joined_at = NOON
