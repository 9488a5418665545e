"""PostgreSQL without any set-up, used only while DATABASE_URL is unset.

`python -m dev.postgres start` keeps the server up until `python -m dev.postgres stop`; otherwise it
runs for as long as a process needs it (see dev/cluster.py).
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from dev.cluster import APP_ROLE, SUPERUSER, Cluster, Unavailable, binary

__all__ = [
    "APP_ROLE",
    "MAIN",
    "SUPERUSER",
    "TESTS",
    "Unavailable",
    "binary",
    "connection_settings",
    "ensure_running",
]

PROJECT = Path(__file__).resolve().parent.parent
# What `make run` uses, and what `make test` uses.
MAIN = Cluster(PROJECT / "var" / "postgres")
TESTS = Cluster(PROJECT / "var" / "postgres-test", is_durable=False)


def connection_settings(name: str = "ballada", *, user: str = SUPERUSER) -> dict[str, object]:
    """Django's DATABASES entry for a database of the main cluster; starts nothing."""
    return MAIN.settings(name, user=user)


def ensure_running(name: str = "ballada") -> None:
    """Have the main cluster's server and the database `name`, until this process ends."""
    MAIN.ensure_running(name)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; what comes back is the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m dev.postgres", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--test", action="store_true", help="the quick cluster that tests use")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("start", help="start the server and keep it until stop")
    commands.add_parser("stop", help="stop the server, whoever uses it")
    commands.add_parser("status", help="say whether it runs and where; exit code 3 when it does not")
    commands.add_parser("drop", help="stop the server and delete all its data")
    url = commands.add_parser("url", help="start, keep, and print the DATABASE_URL of a database")
    url.add_argument("name", nargs="?", default="ballada")
    psql = commands.add_parser("psql", help="open psql on a database")
    psql.add_argument("name", nargs="?", default="ballada")
    psql.add_argument("arguments", nargs=argparse.REMAINDER, help="passed to psql")
    run = commands.add_parser(
        "run", help="run a command with the DATABASE_URL of a database, unless one is set"
    )
    run.add_argument("name")
    run.add_argument("arguments", nargs=argparse.PARSER, help="the command")
    asked = parser.parse_args(arguments)
    cluster = TESTS if asked.test else MAIN
    try:
        return _obey(cluster, asked)
    except Unavailable as error:
        print(error, file=sys.stderr)
        return 1


def _obey(cluster: Cluster, asked: argparse.Namespace) -> int:
    match asked.command:
        case "start":
            cluster.ensure_running()
            cluster.keep()
        case "url":
            cluster.ensure_running(asked.name)
            cluster.keep()
            print(cluster.url(asked.name))
            return 0
        case "stop":
            cluster.stop()
        case "drop":
            cluster.drop()
            return 0
        case "psql":
            cluster.ensure_running(asked.name)
            return _call([str(binary("psql")), cluster.url(asked.name), *asked.arguments], {})
        case "run":
            if os.environ.get("DATABASE_URL"):
                return _call(asked.arguments, {})
            cluster.ensure_running(asked.name)
            return _call(asked.arguments, {"DATABASE_URL": cluster.url(asked.name)})
    is_running = cluster.is_running()
    state = f"running, process {cluster.pid()}" if is_running else "stopped"
    print(f"{state}; data in {cluster.data}")
    return 0 if is_running or asked.command == "stop" else 3


def _call(command: list[str], variables: dict[str, str]) -> int:
    """Run a command, which decides itself what Ctrl-C means; what comes back is its exit code."""
    with subprocess.Popen(command, env={**os.environ, **variables}) as child:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda number, _frame: child.send_signal(number))
        return child.wait()


if __name__ == "__main__":
    raise SystemExit(main())
