"""Who is signed in, read at once with what every page asks about them."""

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q

from accounts.models import User


class PersonBackend(AuthenticationBackend):
    """allauth's sign-in; the user comes with their member and the names of their roles."""

    def get_user(self, user_id: int) -> User | None:
        """The user of a session, by one query; None when they may not sign in any more."""
        user = (
            User.objects.select_related("member")
            .annotate(group_names=ArrayAgg("groups__name", filter=Q(groups__isnull=False), default=[]))
            .filter(pk=user_id, is_active=True)
            .first()
        )
        if user is not None:
            user.role_names = frozenset(user.group_names)
        return user
