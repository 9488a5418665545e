"""Checks that every translation is complete, and collects the texts to translate.

A catalogue (locale/<language>/LC_MESSAGES/django.po) is complete when it has no empty, uncertain
(“fuzzy”) or obsolete message, all plural forms, and the placeholders of the original. Where gettext
is installed, the code's own texts are compared with the catalogue as well.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import PoFileError, read_po

PROJECT = Path(__file__).resolve().parent.parent
# English is what the code says, so it needs no catalogue; one that is made all the same is checked.
LANGUAGE = "ru"
# Places without texts for people, or with those of others.
NOT_COLLECTED = (".*", "var", "tests", "bench", "dev", "__pycache__", "*.mo")


def problems_in(path: Path) -> list[str]:
    """What is wrong with one catalogue, a sentence for each, with the line to look at."""
    try:
        catalogue = _read(path)
    except PoFileError as error:
        return [f"{path}: {error}"]
    found = [
        f"{path}:{message.lineno}: {what}" for message in catalogue for what in _faults(message, catalogue)
    ]
    return found + [
        f"{path}: “{_shorten(message)}” is obsolete; delete it." for message in catalogue.obsolete.values()
    ]


def missing_in(path: Path, collected: Path) -> list[str]:
    """What the code says (`collected`) and the catalogue does not, or the other way round."""
    theirs, ours = (_texts(_read(catalogue)) for catalogue in (collected, path))
    return [
        f"{path}: “{text}” is in the code and not here; run make messages." for text in sorted(theirs - ours)
    ] + [
        f"{path}: “{text}” is not in the code any more; run make messages." for text in sorted(ours - theirs)
    ]


def collect(project: Path) -> None:
    """Bring the project's catalogues up to date with its code, by gettext's tools."""
    ignored = [f"--ignore={pattern}" for pattern in NOT_COLLECTED]
    languages = [
        f"--locale={language}" for language in {LANGUAGE, *(path.parts[-3] for path in _catalogues(project))}
    ]
    (project / "locale").mkdir(exist_ok=True)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "django",
            "makemessages",
            "--no-obsolete",
            "--add-location=file",
            *languages,
            *ignored,
        ],
        cwd=project,
        # Reading the settings would take the project's modules, which a copy need not have.
        env={name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
        check=True,
        stdout=subprocess.DEVNULL,
    )


def has_gettext() -> bool:
    """Whether the tools that collect are installed."""
    return all(shutil.which(tool) for tool in ("xgettext", "msgmerge", "msguniq", "msgattrib"))


def problems(project: Path) -> list[str]:
    """What is wrong with the catalogues of a project."""
    catalogues = _catalogues(project)
    if not any(path.parts[-3] == LANGUAGE for path in catalogues):
        return [f"There is no translation into “{LANGUAGE}”; run make messages."]
    found = [problem for path in catalogues for problem in problems_in(path)]
    if not has_gettext() or found:
        return found
    with tempfile.TemporaryDirectory() as folder:
        # A check must not write into the tree, so it collects in a copy.
        copy = Path(folder, "project")
        shutil.copytree(project, copy, ignore=shutil.ignore_patterns(*NOT_COLLECTED))
        collect(copy)
        for path in catalogues:
            found += missing_in(path, copy / path.relative_to(project))
    return found


def _catalogues(project: Path) -> list[Path]:
    return sorted(project.glob("locale/*/LC_MESSAGES/*.po"))


def _read(path: Path) -> Catalog:
    with open(path, "rb") as file:
        return read_po(file, locale=path.parts[-3], abort_invalid=True)


def _faults(message: Message, catalogue: Catalog) -> list[str]:
    if not message.id:
        return ["the head is marked fuzzy, so nothing is used."] if catalogue.fuzzy else []
    faults = [f"“{_shorten(message)}”: {error}" for error in message.check(catalogue)]
    forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
    if message.fuzzy:
        faults.append(f"“{_shorten(message)}” is marked fuzzy.")
    if not all(forms) or (message.pluralizable and len(forms) != catalogue.num_plurals):
        faults.append(f"“{_shorten(message)}” is not translated in every form.")
    return faults


def _texts(catalogue: Catalog) -> set[str]:
    return {
        " | ".join(filter(None, (message.context, _original(message)))) for message in catalogue if message.id
    }


def _original(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _shorten(message: Message) -> str:
    text = " ".join(_original(message).split())
    return text if len(text) <= 60 else f"{text[:59]}…"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; what comes back is the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m dev.check_messages", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--collect", action="store_true", help="write the code's texts into the catalogues")
    asked = parser.parse_args(arguments)
    if asked.collect:
        if not has_gettext():
            print(
                "Collecting needs gettext's tools; on Debian and Ubuntu: apt-get install gettext",
                file=sys.stderr,
            )
            return 1
        collect(PROJECT)
        return 0
    found = problems(PROJECT)
    print(*found or ["Translations are complete."], sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
