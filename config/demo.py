"""How the demo is entered: its logins and the key of its sandbox, none of them secret."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class DemoLogin(NamedTuple):
    """One way into the demo."""

    role: Promise
    email: str
    password: str


DEMO_PASSWORD = "ballada-demo"  # noqa: S105, it is shown on the sign-in page
DEMO_LOGINS = [
    DemoLogin(_("Member"), "ada@ballada.example", DEMO_PASSWORD),
    DemoLogin(_("Staff"), "stan@ballada.example", DEMO_PASSWORD),
    DemoLogin(_("Supervisor"), "sue@ballada.example", DEMO_PASSWORD),
    DemoLogin(_("Second supervisor"), "sam@ballada.example", DEMO_PASSWORD),
]
# Everybody may know it: it opens the demo's sandbox, and docs/connect.md is written with it.
DEMO_API_KEY = "ballada_test_trythesandbx_known-to-everybody-and-good-for-the-sandbox"
