"""`manage.py grant_rights --to ROLE`: what web and worker need on this database, and no more.

Run it as the owner of the tables after every migrate: the rights on what is new are given then, and
it is safe to run again. Whoever connects as that role reads the ledger and calls its operations;
only these write its tables.
"""

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from loyalty.queries.audit.guards import WRITTEN_TABLES

# Of the kernel's functions, the operations run with its rights; of the others these are for readers.
READING_FUNCTIONS = ("hold_parts", "spendable", "balances")
# Of the other tables, these are only added to, and the record of migrations is only read.
ADDED_TO_TABLES = (
    "loyalty_paid_sum_entry",
    "loyalty_tier_change",
    "loyalty_ledger_audit",
    "accounts_audit_record",
)
READ_TABLES = (*WRITTEN_TABLES, "django_migrations")

GRANTS_SQL = """
DO $grant$
DECLARE
    v_role text := %(role)s;
    v_read_tables text[] := %(read_tables)s;
    v_added_to_tables text[] := %(added_to_tables)s;
    v_function regprocedure;
    v_table text;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA public, ledger TO %%I', v_role);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO %%I', v_role);
    EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO %%I', v_role);
    FOREACH v_table IN ARRAY v_read_tables LOOP
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON %%I FROM %%I', v_table, v_role);
    END LOOP;
    FOREACH v_table IN ARRAY v_added_to_tables LOOP
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %%I FROM %%I', v_table, v_role);
    END LOOP;
    EXECUTE format('REVOKE USAGE ON SEQUENCE loyalty_posting_id_seq, loyalty_lot_id_seq FROM %%I', v_role);
    FOR v_function IN
        SELECT oid::regprocedure FROM pg_proc
         WHERE pronamespace = 'ledger'::regnamespace AND (prosecdef OR proname = ANY(%(reading_functions)s))
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %%s TO %%I', v_function, v_role);
    END LOOP;
END $grant$
"""


class Command(BaseCommand):
    help = "Give a database role what the app needs: it may read the ledger and call it, not write it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--to", metavar="ROLE", required=True, help="the role that web and worker connect as"
        )

    def handle(self, *, to: str, verbosity: int, **options: object) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = %s", [to])
            found = cursor.fetchone()
            if found is None:
                raise CommandError(f"There is no role “{to}”. Create it first: create role {to} login.")
            if found[0]:
                raise CommandError(f"The role “{to}” is a superuser: nothing could be kept from it.")
            cursor.execute(
                GRANTS_SQL,
                {
                    "role": to,
                    "read_tables": list(READ_TABLES),
                    "added_to_tables": list(ADDED_TO_TABLES),
                    "reading_functions": list(READING_FUNCTIONS),
                },
            )
        if verbosity:
            self.stdout.write(f"{to} may read the ledger, call its operations and write all other tables.")
