"""Stylesheets and scripts as production sends them: hashed, compressed and kept."""

import os
import re
import subprocess
import sys
from pathlib import Path

import brotli
import pytest

from tests.config.test_environment import PRODUCTION, PROJECT

EVERY_PAGE = ("base", "layout", "components", "forms", "tables")
# What a page may have beside that, and what comes together.
MORE_CSS = ("charts", "card", "console")
KINDS = [(), ("charts",), ("card",), ("console",), ("console", "charts")]
CODINGS = ("br", "gzip", "identity")
MOST_CSS_BYTES, MOST_RAW_BYTES = 20_000, 30_500
SHEETS = PROJECT / "static" / "css"
ASK = """
import sys
from django.conf import settings
settings.STATIC_ROOT = sys.argv[1]
# Ours alone: the pages of other packages take a minute to be compressed.
settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, sys.argv[2]]
import django
django.setup()
from django.core.management import call_command
call_command("collectstatic", interactive=False, verbosity=0)
from django.core.wsgi import get_wsgi_application
from django.test import RequestFactory
from django.templatetags.static import static
from whitenoise.middleware import WhiteNoiseMiddleware
served = WhiteNoiseMiddleware(lambda request: None)
for name in sys.argv[3:]:
    for coding in ("br", "gzip", "identity"):
        response = served(RequestFactory().get(static(name), HTTP_ACCEPT_ENCODING=coding))
        length = len(b"".join(response.streaming_content))
        print(
            static(name), coding, response.get("Content-Encoding", "identity"), length,
            response.get("Cache-Control").replace(" ", ""), sep=" ",
        )
"""


@pytest.fixture(scope="module")
def collected(tmp_path_factory) -> tuple[Path, list[list[str]]]:
    """The folder of what production sends, and for each stylesheet and coding what was answered."""
    folder, more = tmp_path_factory.mktemp("static"), tmp_path_factory.mktemp("more")
    (more / "probe.css").write_text('@layer base { a { background: url("img/mark.svg"); } }')
    names = [f"css/{name}.css" for name in EVERY_PAGE + MORE_CSS]
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(folder), str(more), *names],
        env=clean() | PRODUCTION | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder, [line.split(" ") for line in done.stdout.splitlines()]


def clean() -> dict[str, str]:
    """The environment without what the tests themselves run with."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BALLADA_")}


def test_files_carry_their_hash_and_are_kept_for_ever(collected):
    _folder, answers = collected

    for address, _asked, _sent, _length, kept in answers:
        assert re.fullmatch(r"/static/css/[a-z]+\.[0-9a-f]{12}\.css", address)
        assert {"max-age=315360000", "public", "immutable"} <= set(kept.split(","))


def test_files_are_sent_as_small_as_the_browser_can_read(collected):
    _folder, answers = collected

    assert [answer[1:3] for answer in answers] == [[one, one] for one in CODINGS] * len(EVERY_PAGE + MORE_CSS)


@pytest.mark.parametrize("more", KINDS, ids=lambda more: "-".join(more) or "cabinet")
@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_no_page_asks_for_many_styles(collected, more, coding):
    _folder, answers = collected

    sent = {re.split(r"[/.]", answer[0])[3]: int(answer[3]) for answer in answers if answer[1] == coding}
    assert sum(sent[name] for name in EVERY_PAGE + more) <= MOST_CSS_BYTES


def test_what_every_page_has_is_small_to_read():
    assert sum((SHEETS / f"{name}.css").stat().st_size for name in EVERY_PAGE) <= MOST_RAW_BYTES


def test_copies_hold_the_same(collected):
    folder, answers = collected

    for address, *_rest in answers:
        plain = folder / address.removeprefix("/static/")
        assert brotli.decompress(plain.with_name(plain.name + ".br").read_bytes()) == plain.read_bytes()


def test_addresses_within_stylesheets_are_hashed_too(collected):
    folder, _answers = collected

    [probe] = folder.glob("probe.????????????.css")
    [address] = re.findall(r'url\("([^"]+)"\)', probe.read_text())
    assert re.fullmatch(r"img/mark\.[0-9a-f]{12}\.svg", address)
    assert (folder / address).exists()


def test_what_is_drawn_is_in_the_layers_of_the_base():
    """A rule outside of the layers would win over all of them."""
    named = re.search(r"@layer ([^;{]+);", (PROJECT / "static/css/base.css").read_text())
    assert named
    names = named[1].split(", ")

    for sheet in SHEETS.glob("*.css"):
        text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
        opened = re.findall(r"^([^\s}][^{;]*)\{", text, flags=re.MULTILINE)
        assert opened
        assert {one.strip() for one in opened} <= {f"@layer {name}" for name in names}, sheet.name


def test_dark_differs_from_light_in_its_colours_alone():
    """In a browser dark pages are asked about their colours only."""
    for sheet in SHEETS.glob("*.css"):
        named = re.findall(r"^.*(?:light-dark\(|prefers-color-scheme).*$", sheet.read_text(), re.MULTILINE)
        assert all(re.match(r" +(?:--[a-z-]+: |0 10px )", line) for line in named), sheet.name


def test_wide_tables_become_rows_as_others_do():
    """The console's limit is another, what happens below it is the same."""
    cabinet, console = (
        re.search(r"\n +table.*:not\(\.scroll \*, \.sheet \*\) (\{\n.*?\n    \})", text, re.DOTALL)
        for text in ((SHEETS / f"{name}.css").read_text() for name in ("tables", "console"))
    )

    assert cabinet
    assert console
    assert cabinet[1] == console[1]
