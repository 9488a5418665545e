"""docs/connect.md does what it says: its lines run word for word, and answer what stands below them."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import Member
from config.demo import DEMO_API_KEY
from loyalty.models import Posting
from loyalty.queries.audit import every_check, findings
from orders.api.batches import MOST_ORDERS
from orders.api.feeds import MOST_ITEMS, USUAL_ITEMS
from orders.api.questions import MOST_LINES
from orders.api.urls import api
from orders.demo.loading import load_demo
from orders.demo.sandbox import fill_sandbox
from orders.demo.timeline import Timeline
from orders.models import ApiRequest, Order, OrderStep, Scope
from orders.services.api_keys import create_key

DOCUMENT = settings.BASE_DIR / "docs" / "connect.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| `([a-z]+:[a-z]+)` \| (.*) \|$", re.MULTILINE)
# Stands in the document for what differs every time, and at the end of a list for the rest of it.
ANYTHING = "…"
# Between the answers of two blocks; no answer has it.
SEPARATOR = "\x1e"
SECONDS_TO_ANSWER = 120


@dataclass(frozen=True)
class Step:
    """Lines to run, and the answer shown below them, if one is; `line` is where they begin."""

    line: int
    commands: str
    kind: str = ""
    answer: str = ""


def steps(text: str) -> list[Step]:
    """The document's commands, each with what it shows of their answer."""
    found: list[Step] = []
    for block in BLOCK.finditer(text):
        kind, inside = block.groups()
        line = text.count("\n", 0, block.start()) + 1
        if kind == "sh":
            found.append(Step(line, inside))
        elif kind in ("json", "text"):
            assert found, f"line {line} shows an answer without a command"
            assert not found[-1].kind, f"line {line} shows a second answer to one command"
            found[-1] = Step(found[-1].line, found[-1].commands, kind, inside)
    return found


def run(todo: list[Step], server: str) -> list[str]:
    """What each step printed. All run in one shell, as for a person who pastes one after the other."""
    if not shutil.which("curl"):
        pytest.fail("curl is not installed, and docs/connect.md is written with it.")
    # A person takes a moment for each paste, and the list of changes is a moment behind.
    script = "".join(f"sleep 0.3\n{step.commands}printf '\\036'\n" for step in todo)
    shell = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "API": f"{server}/api/v1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS_TO_ANSWER,
    )
    assert (shell.returncode, shell.stderr) == (0, ""), shell.stdout
    return shell.stdout.split(SEPARATOR)[:-1]


def difference(shown: object, answer: object, place: str = "") -> str:
    """Where the answer is not as shown, in words; empty where it has everything that is shown."""
    if shown == ANYTHING:
        return ""
    if isinstance(shown, dict) and isinstance(answer, dict):
        pairs = [(name, f"{place}.{name}") for name in shown]
        if missing := [path for name, path in pairs if name not in answer]:
            return f"{missing[0]} is not in the answer"
        return next(filter(None, (difference(shown[n], answer[n], path) for n, path in pairs)), "")
    if isinstance(shown, list) and isinstance(answer, list):
        if shown[-1:] == [ANYTHING]:
            shown = shown[:-1]
            answer = answer[: len(shown)]
        if len(shown) != len(answer):
            return f"{place} has {len(answer)} items, not {len(shown)}"
        pairs_of_items = enumerate(zip(shown, answer, strict=True))
        return next(filter(None, (difference(*pair, f"{place}.{i}") for i, pair in pairs_of_items)), "")
    is_same = type(shown) is type(answer) and shown == answer
    return "" if is_same else f"{place} is {answer!r}, not {shown!r}"


def complaint(step: Step, printed: str) -> str:
    """What is wrong with what a step printed; empty when it is as the document shows it."""
    if step.kind == "json":
        wrong = difference(json.loads(step.answer), json.loads(printed))
    else:
        lines = printed.splitlines()
        wrong = ", ".join(f"no line “{line}”" for line in step.answer.splitlines() if line not in lines)
    return f"line {step.line}: {wrong}\n{printed}" if wrong else ""


def told_operations(text: str) -> dict[str, str]:
    """The operations of the document's table, each with the scope that it needs."""
    return {operation: row[1] for row in ROW.finditer(text) for operation in re.findall(r"`(.*?)`", row[2])}


def counts() -> list[int]:
    """How much of everything there is."""
    return [model.objects.count() for model in (Member, Order, OrderStep, Posting, ApiRequest)]


@pytest.fixture
def document() -> str:
    return DOCUMENT.read_text(encoding="utf-8")


def test_every_line_answers_what_the_document_shows(document, live_server):
    load_demo(at=timezone.now(), show=lambda done, total: None, members=0)
    todo = steps(document)

    printed = run(todo, live_server.url)

    complaints = [complaint(*pair) for pair in zip(todo, printed, strict=True)]
    assert [wrong for wrong in complaints if wrong] == []
    assert [finding.check.name for finding in findings(every_check()) if finding.found_count] == []


def test_whoever_pastes_every_line_twice_does_nothing_twice(document, live_server):
    fill_sandbox(Timeline(until=timezone.now()))
    todo = steps(document)
    run(todo, live_server.url)
    after_once = counts()

    run(todo, live_server.url)

    assert counts() == after_once


def test_every_request_shows_its_answer(document):
    silent = [step.line for step in steps(document) if "curl" in step.commands and not step.answer]

    assert silent == []
    assert len(steps(document)) > 15
    assert DEMO_API_KEY in document


def test_table_names_every_operation(document):
    paths = api.get_openapi_schema()["paths"].items()

    assert sorted(told_operations(document)) == sorted(
        f"{method.upper()} {path.removeprefix('/api/v1')}" for path, methods in paths for method in methods
    )


def test_table_names_the_scope_that_each_operation_needs(document, shop, client):
    told = told_operations(document)
    assert set(told.values()) == set(Scope.values)
    for operation, scope in told.items():
        method, path = operation.split()
        others = [other for other in Scope.values if other != scope]
        key = create_key(source=shop, name="Nearly everything", scopes=others, at=timezone.now()).text

        answer = client.generic(
            method, f"/api/v1{path}", "{}", "application/json", headers={"Authorization": f"Bearer {key}"}
        )

        assert (operation, answer.status_code, answer.json()["code"]) == (operation, 403, "scope_missing")


def test_limits_are_those_of_the_code(document):
    def figure(number: int) -> str:
        return f"{number:,}".replace(",", " ")

    assert f"{figure(MOST_ORDERS)} orders in a batch" in document
    assert f"{figure(MOST_LINES)} lines in an order" in document
    assert f"{figure(MOST_ITEMS)} items on a page ({USUAL_ITEMS} unless" in document
    assert f"{settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1_000_000} MB in a body" in document
    assert f"{settings.API_REQUESTS_A_MINUTE} a minute" in document


@pytest.mark.parametrize(
    ("shown", "answer", "expected"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, ""),
        ({"a": ANYTHING}, {"a": None}, ""),
        ([1, ANYTHING], [1, 2, 3], ""),
        ({"a": 1}, {"b": 1}, ".a is not in the answer"),
        ({"a": {"b": "1"}}, {"a": {"b": 1}}, ".a.b is 1, not '1'"),
        ({"a": 1}, {"a": True}, ".a is True, not 1"),
        ({"a": []}, {"a": [1]}, ".a has 1 items, not 0"),
        ([1, 2], [1, 3], ".1 is 3, not 2"),
        ([1, 2, ANYTHING], [1], " has 1 items, not 2"),
    ],
)
def test_an_answer_must_have_what_is_shown(shown, answer, expected):
    assert difference(shown, answer) == expected


def test_a_machine_without_curl_is_told_so(monkeypatch):
    monkeypatch.setenv("PATH", "")

    with pytest.raises(pytest.fail.Exception, match="curl is not installed"):
        run([], "http://localhost")
