"""`make docs`: writes the parts of docs/ that are made from the code; a test says when they are old."""

import os
from pathlib import Path

import django

PROJECT = Path(__file__).resolve().parent.parent
PROBLEMS = PROJECT / "docs" / "problems.md"
INTRODUCTION = """\
# Refusals of the API

Made by `make docs` from `orders/api/problems.py`. A refusal is a problem document (RFC 9457): `code` never
changes, `detail` is a sentence for people in Russian or English (`Accept-Language`), `field` names what it is
about, and `errors` lists every wrong field with what was expected. A running Ballada shows the same table at
`/api/problems`.

| code | status | when it happens |
|---|---|---|
"""


def problems_table() -> str:
    """The page with every code of a refusal."""
    from django.utils import translation

    from orders.api.problems import KINDS

    with translation.override("en"):
        lines = [f"| `{code}` | {kind.status} | {kind.meaning} |\n" for code, kind in KINDS.items()]
    return INTRODUCTION + "".join(lines)


def main() -> None:
    """Write the pages."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    PROBLEMS.write_text(problems_table(), encoding="utf-8")


if __name__ == "__main__":
    main()
