"""`make run`: everything that a look at Ballada needs, from one terminal.

Starts PostgreSQL (unless DATABASE_URL names one), brings the database up to date, fills an empty one
with the demo, and serves the cabinet with a web server and a worker until Ctrl-C. When a part dies
the rest stops with it, and the last lines of its log say why.
"""

from __future__ import annotations

import ctypes
import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from dev.postgres import APP_ROLE, MAIN, Unavailable
from dev.prepare import Progress

PROJECT = Path(__file__).resolve().parent.parent
LOGS = PROJECT / "var" / "log"
HOST = "127.0.0.1"
FIRST_PORT, LAST_PORT = 8000, 8099
SECONDS_TO_ANSWER = 60
SECONDS_TO_STOP = 10
TELL_ON_PARENT_DEATH = 1  # PR_SET_PDEATHSIG of Linux


class CannotRun(RuntimeError):
    """A part failed; the text says which and why."""


class Part:
    """A child process with a name and a log of its own."""

    def __init__(self, name: str, *command: str, database_url: str, keep_open: tuple[int, ...] = ()) -> None:
        self.name = name
        self.log = LOGS / f"{name}.log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                cwd=PROJECT,
                env={**os.environ, "DATABASE_URL": database_url, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=keep_open,
                # Ctrl-C reaches a whole group; in one of its own a part stops when it is its turn.
                start_new_session=True,
                preexec_fn=_stop_with_parent,
            )

    def refuse_death(self) -> None:
        """Raise CannotRun when the process has ended by itself."""
        if self.process.poll() is not None:
            raise CannotRun(
                f"The {self.name} has stopped by itself (exit code {self.process.returncode}). "
                f"The end of {self.log.relative_to(PROJECT)}:\n{self._end_of_log()}"
            )

    def stop(self) -> None:
        """End the process, politely at first."""
        self.process.terminate()
        try:
            self.process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _end_of_log(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])


def _stop_with_parent() -> None:
    """Have Linux stop the child when we are killed without a chance to do it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(TELL_ON_PARENT_DEATH, signal.SIGTERM)


class MigrationProgress(io.TextIOBase):
    """Stands in for migrate's output, and draws a bar from the lines it prints."""

    def __init__(self, total: int) -> None:
        self.progress = Progress("Database")
        self.total = total
        self.applied = 0
        self.progress.show(f"applying {total} migrations")

    def write(self, text: str) -> int:
        """Count the migrations that are complete."""
        self.applied += text.count(" OK")
        self.progress.show("migrations", self.applied, self.total)
        return len(text)


@dataclass(frozen=True)
class Entrances:
    """How one gets into the demo, as far as it is there: lines with logins, and the sandbox's key."""

    logins: list[str]
    api_key: str


def prepare_database(*, is_embedded: bool) -> Entrances:
    """Bring the database up to date and fill an empty one; what comes back opens the demo.

    It all happens in this process, since each start of Django costs a second.

    Raises:
        CannotRun: a setting is wrong, or the database cannot be reached.
    """
    import django
    from django.core.exceptions import ImproperlyConfigured

    try:
        django.setup()
    except ImproperlyConfigured as error:
        raise CannotRun(str(error)) from error
    from django.core.management import call_command
    from django.db import OperationalError, connection
    from django.db.migrations.executor import MigrationExecutor
    from django.utils import translation

    from accounts.models import Member, User
    from config.demo import DEMO_API_KEY, DEMO_LOGINS
    from orders.models import ApiKey
    from orders.services.api_keys import public_id_of

    # One connection is enough here, and without the pool a failure says its reason, and at once.
    connection.settings_dict["OPTIONS"].pop("pool", None)
    try:
        executor = MigrationExecutor(connection)
        if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
            output = MigrationProgress(len(plan))
            call_command("migrate", interactive=False, no_color=True, stdout=output)
            output.progress.finish(f"{len(plan)} migrations applied")
        call_command("createcachetable", verbosity=0)
        if is_embedded:
            call_command("grant_rights", "--to", APP_ROLE, verbosity=0)
        if not Member.objects.exists():
            call_command("load_demo")
        present = set(
            User.objects.values_list("email", flat=True).filter(email__in=[x.email for x in DEMO_LOGINS])
        )
        known_keys = ApiKey.objects.filter(public_id=public_id_of(DEMO_API_KEY))
        has_sandbox = known_keys.filter(revoked_at=None, expires_at=None).exists()
        with translation.override("en"):
            return Entrances(
                logins=[
                    f"  {login.role:<20}{login.email:<28}{login.password}"
                    for login in DEMO_LOGINS
                    if login.email in present
                ],
                api_key=DEMO_API_KEY if has_sandbox else "",
            )
    except OperationalError as error:
        raise CannotRun(f"The database cannot be used: {error}") from error
    finally:
        connection.close()


def listen() -> socket.socket:
    """A listening socket on PORT, or else on the first free port from 8000 on.

    Raises:
        CannotRun: the port is taken, or PORT is no port.
    """
    asked = os.environ.get("PORT", "")
    if asked and not (asked.isascii() and asked.isdigit() and int(asked) < 65536):
        raise CannotRun(f"PORT is “{asked}”; set it to a number such as 8000.")
    ports = [int(asked)] if asked else range(FIRST_PORT, LAST_PORT + 1)
    for port in ports:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen(64)
        except OSError as error:
            listener.close()
            reason = error.strerror
        else:
            return listener
    raise CannotRun(f"Port {ports[0]}{'' if asked else f' to {LAST_PORT}'} cannot be used: {reason}.")


def wait_for_page(address: str, web: Part) -> None:
    """Come back when the first page is served.

    Raises:
        CannotRun: the web server died, or the page is an error.
    """
    until = time.monotonic() + SECONDS_TO_ANSWER
    while True:
        try:
            with urlopen(address, timeout=SECONDS_TO_ANSWER):  # noqa: S310, our own address
                return
        except HTTPError as error:
            raise CannotRun(f"The first page is an error ({error.code}); see {web.log}.") from error
        except (URLError, OSError) as error:
            time.sleep(0.1)
            web.refuse_death()
            if time.monotonic() > until:
                raise CannotRun(f"The page does not answer ({error}); see {web.log}.") from error


def serve(listener: socket.socket, database_url: str, *, entrances: Entrances, parts: list[Part]) -> None:
    """Start the web server and the worker into `parts` and watch them.

    Raises:
        CannotRun: one of them died.
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    address = f"http://localhost:{listener.getsockname()[1]}/"
    web = Part(
        "web",
        *("-m", "gunicorn", "config.wsgi", f"--bind=fd://{listener.fileno()}", "--no-control-socket"),
        # Loaded once and then forked: half the work on the way to the first page.
        *("--worker-class=gthread", "--workers=2", "--threads=4", "--preload"),
        f"--graceful-timeout={SECONDS_TO_STOP // 2}",
        database_url=database_url,
        keep_open=(listener.fileno(),),
    )
    parts.append(web)
    listener.close()  # The web server has its own copy; while ours is open, nobody sees it die.
    wait_for_page(address, web)
    parts.append(Part("worker", "manage.py", "procrastinate", "worker", database_url=database_url))
    print(f"\nBallada is at {address}")
    if entrances.logins:
        print("Sign in with one of these (role, e-mail, password):", *entrances.logins, sep="\n")
    print(f"The API is at {address}api/docs; docs/connect.md connects a shop.")
    if entrances.api_key:
        print(f"Try it in the sandbox with this key:\n  {entrances.api_key}")
    if not os.environ.get("BALLADA_SMTP_HOST"):
        print(f"Letters, with the codes for new members in them, can be read at {address}mail/")
    print(f"Logs: {', '.join(str(part.log.relative_to(PROJECT)) for part in parts)}")
    print("Ctrl-C stops it.", flush=True)
    while True:
        time.sleep(0.3)
        for part in parts:
            part.refuse_death()


def run() -> None:
    """Run until a signal comes.

    Raises:
        CannotRun, Unavailable: a part failed.
    """
    listener = listen()
    database_url = os.environ.get("DATABASE_URL", "")
    is_embedded = not database_url
    if is_embedded:
        MAIN.ensure_running()
        # The owner of the tables prepares them; web and worker get by with less.
        os.environ["DATABASE_URL"] = MAIN.url()
        database_url = MAIN.url(user=APP_ROLE)
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ["BALLADA_DEMO"] = "true"
    os.environ.setdefault("BALLADA_SITE_URL", f"http://localhost:{listener.getsockname()[1]}")
    parts: list[Part] = []
    try:
        serve(listener, database_url, entrances=prepare_database(is_embedded=is_embedded), parts=parts)
    finally:
        _on_signals(signal.SIG_IGN)
        for part in parts:
            part.stop()
        MAIN.release()


def _on_signals(action: Callable[[int, object], object] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, action)


def main() -> int:
    """The command line; what comes back is the exit code."""

    def interrupt(number: int, _frame: object) -> None:
        raise KeyboardInterrupt(number)

    _on_signals(interrupt)
    try:
        run()
    except KeyboardInterrupt:
        print("\nStopped.")
        return 0
    except (CannotRun, Unavailable) as error:
        print(f"\n{error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
