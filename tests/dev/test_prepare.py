"""What preparing recognises as done, and what it does again."""

import json
import os
import sys
from pathlib import Path

import pytest

from dev.prepare import Environment, Progress, compile_translations


@pytest.fixture
def environment(tmp_path):
    """A project whose environment is this Python, with everything installed."""
    (tmp_path / "requirements.txt").write_text("Django\n")
    (tmp_path / "requirements-dev.txt").write_text("-r requirements.txt\nruff\n")
    environment = Environment(tmp_path)
    environment.python.parent.mkdir(parents=True)
    environment.python.symlink_to(sys.executable)
    names = ("requirements.txt", "requirements-dev.txt")
    stamp = {
        "python": str(environment.python.resolve()),
        **{name: environment.fingerprint(name) for name in names},
    }
    environment.stamp.write_text(json.dumps(stamp))
    return environment


def test_environment_has_what_its_stamp_says(environment):
    assert environment.has("requirements.txt")
    assert environment.has("requirements-dev.txt")


def test_changed_requirements_are_installed_again_with_what_includes_them(environment):
    (environment.project / "requirements.txt").write_text("Django~=5.2\n")

    assert not environment.has("requirements.txt")
    assert not environment.has("requirements-dev.txt")


def test_changed_linters_do_not_hold_up_a_run(environment):
    (environment.project / "requirements-dev.txt").write_text("-r requirements.txt\nruff\nmypy\n")

    assert environment.has("requirements.txt")
    assert not environment.has("requirements-dev.txt")


@pytest.mark.parametrize(
    "stamp", ["", "{", "[]", '{"python": "/usr/bin/python3.9"}', '{"unfinished": "requirements.txt"}']
)
def test_broken_or_foreign_stamp_means_nothing_is_there(environment, stamp):
    environment.stamp.write_text(stamp)

    assert not environment.has("requirements.txt")


def test_environment_without_its_python_is_not_whole(environment):
    environment.python.unlink()
    environment.python.symlink_to("/no/such/python")

    assert not environment.has("requirements.txt")
    assert not environment.is_whole()


def test_compile_translations_compiles_what_changed(environment):
    path = environment.project / "locale" / "ru" / "LC_MESSAGES" / "django.po"
    path.parent.mkdir(parents=True)
    path.write_text(
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "Order"\nmsgstr "Заказ"\n'
    )
    environment.python = Path(sys.executable)  # a link to it would not find Babel

    compile_translations(environment)
    compiled = path.with_suffix(".mo")
    first = compiled.stat().st_mtime_ns
    compile_translations(environment)

    assert "Заказ".encode() in compiled.read_bytes()
    assert compiled.stat().st_mtime_ns == first
    os.utime(path, ns=(first + 1, first + 1))
    compile_translations(environment)
    assert compiled.stat().st_mtime_ns > first + 1


def test_progress_in_a_log_says_each_thing_once(capsys):
    progress = Progress("Packages")
    progress.show("collecting")
    progress.show("collecting")
    progress.show("installing", 1, 10)
    progress.finish("10 installed")

    assert capsys.readouterr().out == "Packages: collecting\nPackages: 10 installed\n"
