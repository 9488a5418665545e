"""Schemathesis tries the whole API by its own document."""

import os
from zlib import crc32

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, settings
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from tests.orders.api.shops import API

# Many more are tried by hand: SCHEMATHESIS_EXAMPLES=1000 also walks through every edge of the document.
MOST_EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "40"))
WALKS_EDGES = "SCHEMATHESIS_EXAMPLES" in os.environ

# What is well formed may still be refused by a rule: an order that does not add up, a moment in the
# future, nobody's consent. That has a 422 as well; see `assert_refused_for_more_than_its_form`.
NOWHERE = [positive_data_acceptance]
# An order that cannot be read is refused in its own outcome, and the rest of its batch is taken. And a
# parameter thought up with an empty list as its value is never sent: such an address is a good one.
UNFIT = {name: [negative_data_rejection] for name in ("register_orders", "list_orders", "list_operations")}
# What the document cannot say of a field: which years there are, what can be read, what excludes what,
# and that 5.0 is not a whole number to us, as it is to JSON Schema.
UNSAID = (
    "A whole number.",
    "A moment with its offset",
    "A day, such as",
    "Text that can be read",
    "A number that is not",
    "Exactly one of",
    "Either ",
    "Each line once",
    "An id as",
)

schema = schemathesis.openapi.from_wsgi(
    f"{API}/openapi.json",
    get_wsgi_application(),
    config=SchemathesisConfig.from_dict(
        {
            "generation": {"deterministic": True, "database": "none", "max-examples": MOST_EXAMPLES},
            "phases": {"coverage": {"enabled": WALKS_EDGES}},
        }
    ),
)


@pytest.fixture
def one_connection():
    """A server would give the connection back after each request; here the test's own one is needed."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.django_db
@schema.parametrize()
@settings(
    max_examples=MOST_EXAMPLES,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_the_document_says(case, world, noon, one_connection):
    is_good = case.meta.generation.mode == GenerationMode.POSITIVE
    if is_good:
        meet_what_is_there(case, world)
    unfit = NOWHERE + UNFIT.get(case.operation.definition.raw["operationId"], [])
    # Each request finds the same world, so that a finding can be found again.
    with transaction.atomic():
        answer = case.call_and_validate(
            headers={"Authorization": f"Bearer {noon.key}", "Accept-Language": "en"},
            excluded_checks=unfit,
        )
        transaction.set_rollback(True)
    if is_good and answer.status_code == 422:
        assert_refused_for_more_than_its_form(answer.json())


def meet_what_is_there(case, world):
    """Name a member, an order and a transfer that there are in most of the requests that are well formed."""
    if crc32(repr(case).encode()) % 4 == 0:
        return
    member = world["get_member"].path.rsplit("/", 1)[-1]
    transfer = world["get_transfer"].path.rsplit("/", 1)[-1]
    checked = world["make_transfer"].fields["check"]
    if "number" in case.path_parameters:
        [place] = [name for name in ("/members/", "/transfers/", "/orders/") if name in case.path]
        case.path_parameters["number"] = {"/members/": member, "/transfers/": transfer}.get(place, "A-paid")
    if "check" in case.path_parameters:
        case.path_parameters["check"] = checked
    there_is = {"member": member, "check": checked, "sender": world["check_transfer"].fields["sender"]}
    if isinstance(case.body, dict):
        case.body |= {name: value for name, value in there_is.items() if case.body.get(name)}


def assert_refused_for_more_than_its_form(problem):
    """A request that the document allows was refused by a rule, not for a field of the wrong form."""
    if problem["code"] == "invalid_request":
        said = [error["expected"] for error in problem["errors"]]
        assert [sentence for sentence in said if not sentence.startswith(UNSAID)] == []
