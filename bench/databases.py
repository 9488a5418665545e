"""A database of its own for each bench, on the server that the settings name; dropped at the end."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import psycopg
from django.core.management import call_command
from django.db import connection
from psycopg.sql import SQL, Identifier

# Those that no constraint needs, with the words that make them anew.
INDEXES = """
    select indexname, indexdef
      from pg_indexes
     where schemaname = 'public'
       and tablename in ('accounts_member', 'orders_order', 'orders_orderline', 'loyalty_paid_sum_entry',
                         'loyalty_standing', 'loyalty_points_account', 'referrals_referral')
       and not exists (select from pg_constraint where conname = indexname)
"""


@contextmanager
def own_database(purpose: str) -> Iterator[str]:
    """Have a migrated, empty database; Django's connection leads to it meanwhile. Its name comes back."""
    before = connection.settings_dict["NAME"]
    with empty_database(purpose) as name:
        lead_to(name)
        try:
            call_command("migrate", verbosity=0)
            yield name
        finally:
            lead_to(before)


@contextmanager
def empty_database(purpose: str) -> Iterator[str]:
    """Have a database without anything in it; its name comes back."""
    name = f"ballada_bench_{purpose}_{os.getpid()}"
    with psycopg.connect(**server(), dbname="postgres", autocommit=True) as server_connection:
        server_connection.execute(SQL("create database {}").format(Identifier(name)))
        try:
            yield name
        finally:
            server_connection.execute(SQL("drop database {} with (force)").format(Identifier(name)))


@contextmanager
def filled_quickly() -> Iterator[None]:
    """Fill tables without looking at foreign keys and triggers, and build the indexes afterwards.

    The rows have to be right. Indexes that a constraint needs stay. It takes the rights of a superuser.
    """
    with connection.cursor() as cursor:
        cursor.execute(INDEXES)
        indexes = cursor.fetchall()
        cursor.execute("set session_replication_role = replica")
        cursor.execute("set maintenance_work_mem = '512MB'")
        for name, _definition in indexes:
            cursor.execute(f'drop index "{name}"')
        yield
        for _name, definition in indexes:
            cursor.execute(definition)
        cursor.execute("reset maintenance_work_mem")
        cursor.execute("reset session_replication_role")
        cursor.execute("vacuum analyze")


def lead_to(name: str) -> None:
    """Let Django's connection lead to another database of the same server from now on."""
    connection.close()
    connection.close_pool()
    connection.settings_dict["NAME"] = name


def server() -> dict[str, str]:
    """How to reach the server, in the words of libpq; the database is left open."""
    settings = connection.settings_dict
    words = {
        "host": settings["HOST"],
        "port": str(settings["PORT"]),
        "user": settings["USER"],
        "password": settings["PASSWORD"],
    }
    return {word: value for word, value in words.items() if value}


def url(name: str) -> str:
    """The DATABASE_URL of a database of the server, for another process."""
    words = {word: quote(value, safe="") for word, value in server().items()}
    login = f"{words.get('user', '')}:{words.get('password', '')}"
    return f"postgresql://{login}@:{words.get('port', '')}/{quote(name)}?host={words.get('host', '')}"
