"""`python -m bench [NAME ...]`: measure, and compare within the same run."""

import argparse
import os
import subprocess
import sys

import django


def ledger(is_quick: bool) -> bool:
    """Postings per second beside pgbench."""
    from bench import ledger

    return ledger.main(is_quick=is_quick)


def page(is_quick: bool) -> bool:
    """The cabinet's pages for a short and a long history."""
    from bench import page

    return page.main(is_quick=is_quick)


def register_orders(is_quick: bool) -> bool:
    """Many orders in one request, beside one by one."""
    from bench import register_orders

    return register_orders.main(is_quick=is_quick)


def import_orders(is_quick: bool) -> bool:
    """The import of generated files, which fills the database it is given."""
    from bench.databases import own_database, url

    sizes = ["20000"] if is_quick else []
    with own_database("import") as name:
        return is_success("bench.import_orders", *sizes, DATABASE_URL=url(name))


def recount(is_quick: bool) -> bool:
    """The recount of everybody's tier after new rules."""
    from bench import recount

    return recount.main(is_quick=is_quick)


def search(is_quick: bool) -> bool:
    """The staff look-up among few members and among a million."""
    from bench import search

    return search.main(is_quick=is_quick)


def what_if(is_quick: bool) -> bool:
    """The preview of an edition, and the replay of a year, over two bases."""
    from bench import what_if

    return what_if.main(is_quick=is_quick)


def cdnow(is_quick: bool) -> bool:
    """The import of real purchases, which is never quick."""
    return is_success("bench.cdnow")


# What comes back is whether the goal was reached.
BENCHES = {
    "ledger": ledger,
    "page": page,
    "register": register_orders,
    "import": import_orders,
    "recount": recount,
    "search": search,
    "what-if": what_if,
    "cdnow": cdnow,
}


def is_success(module: str, *arguments: str, **variables: str) -> bool:
    """Run a bench that is a program of its own; what comes back is whether it ended well."""
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, env={**os.environ, **variables}, check=False).returncode == 0


def main() -> int:
    """Run the benches that were asked for; the exit code is 1 when one of them misses its goal."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Figures; bench/README.md explains them."
    )
    parser.add_argument(
        "names",
        nargs="*",
        choices=[*BENCHES, "all"],
        default=["all"],
        metavar="NAME",
        help=f"one or more of {', '.join(BENCHES)}, or all (the default)",
    )
    parser.add_argument("--quick", action="store_true", help="shorter turns, to see that everything runs")
    asked = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if not os.environ.get("DATABASE_URL"):
        from dev.postgres import ensure_running

        ensure_running()
    django.setup()
    missed = []
    for name in BENCHES if "all" in asked.names else asked.names:
        print(f"== {name}", flush=True)
        if not BENCHES[name](asked.quick):
            missed.append(name)
    if missed:
        print(f"Below the goal: {', '.join(missed)}.", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
