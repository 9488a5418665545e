"""Makes a fresh checkout ready to run: virtual environment, packages, compiled translations.

Run by whatever `python3` the machine has, so it uses the standard library only and says it plainly
when that Python is too old. What is already done is recognised and costs nothing; a step that was
interrupted is done again.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036, an older Python may well run this file
    sys.exit(
        "Ballada needs Python 3.11 or newer, and this is {}.{}. Install a newer one and name it, "
        "for example: make run PYTHON=python3.12".format(*sys.version_info)
    )

import argparse
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
BAR_CELLS = 30


class CannotPrepare(RuntimeError):
    """A step failed; the text says which and what to do."""


class Progress:
    """A step's progress: one line that is redrawn on a terminal, a few lines in a log."""

    def __init__(self, step: str) -> None:
        self.step = step
        self.is_terminal = sys.stdout.isatty()
        self.last_note = ""

    def show(self, note: str, done: int | None = None, total: int | None = None) -> None:
        """Say what happens; `done` of `total` is drawn as a bar, and only on a terminal."""
        if self.is_terminal:
            bar = ""
            if done is not None and total:
                cells = BAR_CELLS * done // total
                bar = f"[{'#' * cells}{'.' * (BAR_CELLS - cells)}] {done}/{total} "
            width = shutil.get_terminal_size().columns - 1
            print(f"\r\033[K{f'{self.step}: {bar}{note}'[:width]}", end="", flush=True)
        elif done is None and note != self.last_note:
            print(f"{self.step}: {note}", flush=True)
            self.last_note = note

    def finish(self, note: str) -> None:
        """Say what came of it, on a line that stays."""
        start = "\r\033[K" if self.is_terminal else ""
        print(f"{start}{self.step}: {note}", flush=True)


class Environment:
    """The virtual environment, with a stamp in it of what was completely installed."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.folder = project / ".venv"
        self.python = self.folder / "bin" / "python"
        self.stamp = self.folder / "ballada-installed.json"

    def installed(self) -> dict[str, str]:
        """What the stamp says: file of requirements to fingerprint, and the Python it was for."""
        try:
            stamp = json.loads(self.stamp.read_text())
        except (OSError, ValueError):
            return {}
        return stamp if isinstance(stamp, dict) else {}

    def fingerprint(self, requirements: str) -> str:
        """Changes with the file and with the files that it includes by -r."""
        text = (self.project / requirements).read_text()
        included = re.findall(r"^-r +(\S+)", text, flags=re.MULTILINE)
        parts = [text, *(self.fingerprint(name) for name in included)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def has(self, requirements: str) -> bool:
        """Whether everything in the file is installed, for the Python that the environment has now."""
        stamp = self.installed()
        return (
            self.python.exists()
            and stamp.get("python") == str(self.python.resolve())
            and stamp.get(requirements) == self.fingerprint(requirements)
        )

    def is_whole(self) -> bool:
        """Whether the environment starts, has pip, and is of a Python that is new enough."""
        question = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
        try:
            return subprocess.run([self.python, "-c", question], capture_output=True).returncode == 0
        except OSError:
            return False

    def make(self) -> None:
        """Make the environment, in place of one that is broken, half filled or too old."""
        if "unfinished" not in self.installed() and self.is_whole():
            return
        progress = Progress("Virtual environment")
        progress.show("making .venv")
        # The Python below the one that runs this, which may be that of the very environment.
        python = getattr(sys, "_base_executable", sys.executable)
        made = subprocess.run([python, "-m", "venv", "--clear", self.folder], capture_output=True, text=True)
        if made.returncode != 0:
            raise CannotPrepare(
                f"Python could not make a virtual environment:\n{made.stdout}{made.stderr}\n"
                "On Debian and Ubuntu: apt-get install python3-venv"
            )
        progress.finish(".venv with Python {}.{}".format(*sys.version_info))

    def install(self, requirements: str) -> None:
        """Install a file of requirements and note in the stamp that it is complete."""
        progress = Progress("Packages")
        progress.show(f"collecting those of {requirements}")
        before = self.installed()
        count = _run_pip(self, requirements, progress)
        stamp = {**before, "python": str(self.python.resolve()), requirements: self.fingerprint(requirements)}
        stamp.pop("unfinished", None)
        if requirements == "requirements-dev.txt":  # which includes the other file
            stamp["requirements.txt"] = self.fingerprint("requirements.txt")
        _write_whole(self.stamp, json.dumps(stamp, indent=1).encode())
        progress.finish(
            f"{count} installed from {requirements}" if count else f"{requirements} was there already"
        )


def _run_pip(environment: Environment, requirements: str, progress: Progress) -> int:
    """Run pip and show how far it is; what comes back is how many packages it installed."""
    command = [
        *(str(environment.python), "-m", "pip", "install", "--requirement", requirements),
        *("--no-compile", "--no-input", "--progress-bar=off", "--disable-pip-version-check"),
        "--root-user-action=ignore",
    ]
    lines: list[str] = []
    collected = total = 0
    finished = threading.Event()
    watcher: threading.Thread | None = None
    with subprocess.Popen(
        command,
        cwd=environment.project,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as pip:
        for line in pip.stdout or ():
            lines.append(line)
            words = line.split()
            if words[:1] == ["Collecting"]:
                collected += 1
                progress.show(f"collecting, {collected} so far ({words[1]})", collected, None)
            elif words[:3] == ["Installing", "collected", "packages:"]:
                total = len(words) - 3
                progress.show(f"installing {total}")
                # From here to the end, a kill leaves packages of which only a part is there.
                _write_whole(environment.stamp, json.dumps({"unfinished": requirements}).encode())
                watcher = threading.Thread(
                    target=_watch_folder, args=(environment, progress, total, finished), daemon=True
                )
                watcher.start()
    finished.set()
    if watcher is not None:
        watcher.join()
    if pip.returncode != 0:
        raise CannotPrepare(f"pip could not install {requirements}:\n{''.join(lines[-20:])}")
    return total


def _watch_folder(
    environment: Environment, progress: Progress, total: int, finished: threading.Event
) -> None:
    """Pip installs without a word, but leaves one *.dist-info for each package that is done."""
    (packages,) = environment.folder.glob("lib/python*/site-packages")
    before = len(list(packages.glob("*.dist-info")))
    while not finished.wait(0.2):
        done = len(list(packages.glob("*.dist-info"))) - before
        progress.show("installing", max(0, min(done, total)), total)


def compile_translations(environment: Environment) -> None:
    """Make a .mo of each .po that changed since."""
    stale = [source for source in sorted(environment.project.glob("locale/**/*.po")) if _is_newer(source)]
    if not stale:
        return
    progress = Progress("Translations")
    progress.show("compiling")
    for source in stale:
        fresh = source.with_suffix(".mo.new")
        compiled = subprocess.run(
            [environment.python, "-m", "babel.messages.frontend", "compile", "-i", source, "-o", fresh],
            capture_output=True,
            text=True,
        )
        if compiled.returncode != 0:
            raise CannotPrepare(f"{source} cannot be compiled:\n{compiled.stdout}{compiled.stderr}")
        fresh.replace(source.with_suffix(".mo"))
    languages = sorted({source.parts[-3] for source in stale})
    progress.finish(f"compiled {', '.join(languages)}")


def _is_newer(source: Path) -> bool:
    target = source.with_suffix(".mo")
    return not target.exists() or target.stat().st_mtime_ns < source.stat().st_mtime_ns


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a kill leaves the old one or the new one."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_bytes(content)
    fresh.replace(path)


@contextmanager
def _alone(project: Path) -> Iterator[None]:
    """Two of us at once, say `make run` beside `make test`, take turns."""
    (project / "var").mkdir(mode=0o755, exist_ok=True)
    with open(project / "var" / "prepare.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def prepare(project: Path, *, with_linters: bool = False) -> None:
    """Do what is missing.

    Raises:
        CannotPrepare: a step failed.
    """
    environment = Environment(project)
    requirements = "requirements-dev.txt" if with_linters else "requirements.txt"
    with _alone(project):
        if not environment.has(requirements):
            environment.make()
            environment.install(requirements)
        compile_translations(environment)
    # Where production collects its static files; the server looks for the folder at every start.
    (project / "var" / "static").mkdir(parents=True, exist_ok=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; what comes back is the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--dev", action="store_true", help="install the linters as well")
    asked = parser.parse_args(arguments)
    try:
        prepare(PROJECT, with_linters=asked.dev)
    except CannotPrepare as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; run it again to go on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
