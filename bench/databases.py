"""A database of its own for each bench, on the server that the settings name; dropped at the end."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import psycopg
from django.core.management import call_command
from django.db import connection
from psycopg.sql import SQL, Identifier


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
