import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.environment import Environment

PROJECT = Path(__file__).resolve().parents[2]


def test_text_takes_the_default_when_it_is_unset_or_blank():
    env = Environment({"NAME": " Ballada ", "BLANK": "  "})

    assert env.text("NAME", "x") == "Ballada"
    assert env.text("BLANK", "x") == "x"
    assert env.text("UNSET", "x") == "x"


def test_values_are_read_as_what_they_are():
    env = Environment({"MODE": "production", "DEMO": "true", "HOURS": "36", "HOSTS": "a.example, b.example,"})

    assert env.choice("MODE", ("development", "production"), "development") == "production"
    assert env.flag("DEMO", default=False) is True
    assert env.flag("UNSET", default=True) is True
    assert env.number("HOURS", default=24, least=1) == 36
    assert env.number("UNSET", default=24, least=1) == 24
    assert env.names("HOSTS", "") == ["a.example", "b.example"]
    assert env.names("UNSET", "localhost,127.0.0.1") == ["localhost", "127.0.0.1"]
    assert env.time_zone("UNSET", "Europe/Moscow") == "Europe/Moscow"


@pytest.mark.parametrize(
    ("read", "value", "sentence"),
    [
        (
            lambda env: env.choice("NAME", ("development", "production"), "development"),
            "prod",
            "NAME is “prod”; set it to one of: development, production.",
        ),
        (
            lambda env: env.flag("NAME", default=False),
            "True",
            "NAME is “True”; set it to one of: true, false.",
        ),
        (
            lambda env: env.number("NAME", default=24, least=1),
            "0",
            "NAME is “0”; set it to a whole number from 1 on.",
        ),
        (
            lambda env: env.number("NAME", default=24, least=1),
            "-5",
            "NAME is “-5”; set it to a whole number from 1 on.",
        ),
        (
            lambda env: env.number("NAME", default=24, least=1),
            "1.5",
            "NAME is “1.5”; set it to a whole number from 1 on.",
        ),
        (
            lambda env: env.number("NAME", default=24, least=1),
            "²",
            "NAME is “²”; set it to a whole number from 1 on.",
        ),
        (
            lambda env: env.time_zone("NAME", "Europe/Moscow"),
            "Moscow",
            "NAME is “Moscow”, which is no time zone; set it to a name such as Europe/Moscow.",
        ),
        (
            lambda env: env.time_zone("NAME", "Europe/Moscow"),
            "../etc/passwd",
            "NAME is “../etc/passwd”, which is no time zone; set it to a name such as Europe/Moscow.",
        ),
        (
            lambda env: env.database("NAME"),
            "mysql://host/ballada",
            "NAME names no PostgreSQL database; set it like postgresql://user:password@host:5432/ballada.",
        ),
        (
            lambda env: env.database("NAME"),
            "postgresql://host/",
            "NAME names no PostgreSQL database; set it like postgresql://user:password@host:5432/ballada.",
        ),
    ],
)
def test_a_wrong_value_is_refused_with_name_value_and_what_was_expected(read, value, sentence):
    with pytest.raises(ImproperlyConfigured) as refusal:
        read(Environment({"NAME": value}))

    assert str(refusal.value) == sentence


@pytest.mark.parametrize("url", ["postgresql://host:port/ballada", "postgresql://host:99999/ballada"])
def test_database_refuses_a_port_that_is_none(url):
    with pytest.raises(ImproperlyConfigured, match=r"^NAME cannot be read \(.+\); set it like postgresql://"):
        Environment({"NAME": url}).database("NAME")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgresql://ada:p%40ss@db.example:5433/ballada?sslmode=require",
            {
                "NAME": "ballada",
                "USER": "ada",
                "PASSWORD": "p@ss",
                "HOST": "db.example",
                "PORT": "5433",
                "OPTIONS": {"sslmode": "require"},
            },
        ),
        (
            "postgres://ada@%2Fvar%2Frun%2Fpostgresql/ballada",
            {"NAME": "ballada", "USER": "ada", "HOST": "/var/run/postgresql", "PORT": "", "OPTIONS": {}},
        ),
        (
            "postgresql:///ballada?host=%2Frun%2Fpg&user=ada",
            {"NAME": "ballada", "USER": "ada", "PASSWORD": "", "HOST": "/run/pg", "OPTIONS": {}},
        ),
    ],
)
def test_database_reads_hosts_and_sockets(url, expected):
    found = Environment({"DATABASE_URL": url}).database("DATABASE_URL")

    assert found is not None
    assert {**found, **expected} == found
    assert found["ENGINE"] == "django.db.backends.postgresql"


def test_database_keeps_the_case_of_a_socket_folder():
    found = Environment({"DATABASE_URL": "postgresql://%2Fsrv%2FBallada%2Frun/ballada"}).database(
        "DATABASE_URL"
    )

    assert found is not None
    assert found["HOST"] == "/srv/Ballada/run"


def test_database_is_none_when_it_is_not_given():
    assert Environment({}).database("DATABASE_URL") is None


def test_refuse_unknown_names_the_misspelt_variable_and_those_that_exist():
    env = Environment({"BALLADA_DEMMO": "true", "OTHER": "x"})
    env.flag("BALLADA_DEMO", default=False)

    with pytest.raises(ImproperlyConfigured) as refusal:
        env.refuse_unknown("BALLADA_")

    assert str(refusal.value) == (
        "BALLADA_DEMMO is not a setting of Ballada; those that begin like it are: BALLADA_DEMO."
    )


def start(**variables):
    """Load the settings in a process of their own, as every start does."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BALLADA_")}
    return subprocess.run(
        [sys.executable, "-c", "import config.settings"],
        cwd=PROJECT,
        env={**inherited, "DATABASE_URL": "postgresql://localhost/ballada", **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


PRODUCTION = {
    "BALLADA_MODE": "production",
    "BALLADA_SECRET_KEY": "a key of some length that is nobody's",
    "BALLADA_HOSTS": "points.example",
    "BALLADA_SITE_URL": "https://points.example",
    "BALLADA_SMTP_HOST": "mail.example",
}


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"BALLADA_HOLD_HOURS": "soon"}, "BALLADA_HOLD_HOURS is “soon”; set it to a whole number from 1 on."),
        ({"BALLADA_DEMMO": "true"}, "BALLADA_DEMMO is not a setting of Ballada;"),
        (
            {"BALLADA_SMS_URL": "sms.example"},
            "BALLADA_SMS_URL is no address; set it like https://sms.example/send.",
        ),
        (
            {"BALLADA_SITE_URL": "points.example"},
            "BALLADA_SITE_URL is no address; set it like https://club.example.",
        ),
        (
            {**PRODUCTION, "BALLADA_SITE_URL": ""},
            "BALLADA_SITE_URL is not set; production does not start without it.",
        ),
        (
            {**PRODUCTION, "BALLADA_SECRET_KEY": ""},
            "BALLADA_SECRET_KEY is not set; production does not start without it.",
        ),
        (
            {**PRODUCTION, "BALLADA_HOSTS": ""},
            "BALLADA_HOSTS is not set; production does not start without it.",
        ),
        (
            {**PRODUCTION, "DATABASE_URL": ""},
            "DATABASE_URL is not set; production does not start without it.",
        ),
        (
            {**PRODUCTION, "BALLADA_DEMO": "true"},
            "BALLADA_DEMO and BALLADA_DEBUG are for development; set both to false.",
        ),
    ],
)
def test_a_wrong_setting_stops_the_start_with_a_sentence(variables, sentence):
    started = start(**variables)

    assert started.returncode != 0
    assert sentence in started.stderr.splitlines()[-1]


@pytest.mark.parametrize("variables", [{}, PRODUCTION])
def test_right_settings_start(variables):
    started = start(**variables)

    assert (started.returncode, started.stderr) == (0, "")


def test_readme_names_every_setting():
    named = set(re.findall(r"BALLADA_[A-Z_]+", (PROJECT / "README.md").read_text()))
    read = set(re.findall(r"\"(BALLADA_[A-Z_]+)\"", (PROJECT / "config" / "settings.py").read_text()))

    assert named == read
