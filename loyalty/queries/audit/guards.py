"""The database still refuses what must never be: its triggers, constraints and rights are in place."""

# ruff: noqa: S608, since the queries are put together from the names of our own tables only

from collections.abc import Iterable
from itertools import chain

from django.utils.translation import gettext_lazy as _

from loyalty.models import (
    Credit,
    Entry,
    Hold,
    Lot,
    PointsAccount,
    Posting,
    Request,
    Spending,
    Transfer,
    TransferIntent,
)
from loyalty.queries.audit.check import Check

LEDGER_MODELS = (PointsAccount, Posting, Entry, Lot, Credit, Hold, Spending, Request)


def _values(rows: Iterable[tuple[str, ...]]) -> str:
    """Names of our own as rows of SQL."""
    return ", ".join("(" + ", ".join(f"'{name}'" for name in row) + ")" for row in rows)


WRITTEN_TABLES = tuple(model._meta.db_table for model in LEDGER_MODELS)
TRIGGERS = _values(
    chain(
        ((table, "written_by_ledger_only") for table in WRITTEN_TABLES),
        (
            (f"loyalty_{table}", "only_added_to")
            for table in ("posting", "entry", "request", "paid_sum_entry", "tier_change")
        ),
        [("loyalty_entry", "sums_to_zero"), ("loyalty_transfer", "only_taken_back")],
    )
)
CONSTRAINTS = _values(
    (model._meta.db_table, constraint.name)
    for model in (*LEDGER_MODELS, Transfer, TransferIntent)
    for constraint in model._meta.constraints
)

GUARD_CHECKS = (
    Check(
        promise="L1",
        name="guards_are_in_place",
        sentence=_("The triggers that refuse changes of history are installed and switched on."),
        looks_at="pg_trigger",
        broken=f"""
            SELECT expected.table_name, expected.trigger_name
              FROM (VALUES {TRIGGERS}) AS expected (table_name, trigger_name)
              LEFT JOIN pg_trigger ON tgrelid = to_regclass(expected.table_name)
                                  AND tgname = expected.trigger_name AND tgenabled IN ('O', 'A')
             WHERE pg_trigger.oid IS NULL""",
    ),
    Check(
        promise="L3",
        name="limits_are_in_place",
        sentence=_("The constraints that refuse impossible numbers are installed and hold for every row."),
        looks_at="pg_constraint",
        broken=f"""
            SELECT expected.table_name, expected.constraint_name
              FROM (VALUES {CONSTRAINTS}) AS expected (table_name, constraint_name)
             WHERE NOT EXISTS (SELECT FROM pg_constraint
                                WHERE conrelid = to_regclass(expected.table_name)
                                  AND conname = expected.constraint_name AND convalidated)
               AND NOT EXISTS (SELECT FROM pg_index
                                WHERE indrelid = to_regclass(expected.table_name)
                                  AND indexrelid = to_regclass(expected.constraint_name)
                                  AND indisunique AND indisvalid)""",
    ),
    Check(
        promise="L1",
        name="nobody_else_may_write",
        sentence=_("Nobody but the ledger's own functions and the owner has the right to write its tables."),
        looks_at="pg_class",
        broken=f"""
            SELECT pg_class.relname, acl.grantee::regrole::text AS grantee, acl.privilege_type
              FROM pg_class CROSS JOIN LATERAL aclexplode(relacl) AS acl
             WHERE relname IN ('{"', '".join(WRITTEN_TABLES)}') AND relnamespace = 'public'::regnamespace
               AND acl.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
               AND acl.grantee NOT IN (relowner, to_regrole('ballada_ledger'))""",
    ),
)
