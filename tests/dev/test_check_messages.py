"""What the check of the translations lets through, and what not."""

import pytest

from dev.check_messages import has_gettext, missing_in, problems, problems_in

HEAD = """
msgid ""
msgstr ""
"Language: ru\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && "
"(n%100<10 || n%100>=20) ? 1 : 2);\\n"
"""
WHOLE = """
msgid "Balance"
msgstr "Баланс"

#, python-format
msgid "%(points)s point"
msgid_plural "%(points)s points"
msgstr[0] "%(points)s балл"
msgstr[1] "%(points)s балла"
msgstr[2] "%(points)s баллов"
"""


@pytest.fixture
def catalogue(tmp_path):
    """Writes a Russian catalogue and gives its path."""

    def write(text: str):
        path = tmp_path / "locale" / "ru" / "LC_MESSAGES" / "django.po"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEAD + text)
        return path

    return write


def test_problems_in_lets_a_complete_catalogue_through(catalogue):
    assert problems_in(catalogue(WHOLE)) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('msgid "Order"\nmsgstr ""', "“Order” is not translated in every form."),
        ('#, fuzzy\nmsgid "Order"\nmsgstr "Заказы"', "“Order” is marked fuzzy."),
        (
            'msgid "%d day"\nmsgid_plural "%d days"\nmsgstr[0] "%d день"\nmsgstr[1] "%d дня"\nmsgstr[2] ""',
            "“%d day” is not translated in every form.",
        ),
        ('#~ msgid "Old"\n#~ msgstr "Старое"', "“Old” is obsolete; delete it."),
        (
            '#, python-format\nmsgid "%(name)s came"\nmsgstr "Пришёл %(nam)s"',
            "“%(name)s came”: unknown named placeholder 'nam'",
        ),
    ],
)
def test_problems_in_names_what_is_wrong(catalogue, text, expected):
    found = problems_in(catalogue(f"{WHOLE}\n{text}\n"))

    assert [problem.partition(": ")[2] for problem in found] == [expected]


def test_missing_in_compares_code_and_catalogue(catalogue, tmp_path):
    path = catalogue(WHOLE)
    collected = tmp_path / "new" / "ru" / "LC_MESSAGES" / "django.po"
    collected.parent.mkdir(parents=True)
    collected.write_text(HEAD + WHOLE.replace("Balance", "Your balance"))

    assert missing_in(path, collected) == [
        f"{path}: “Your balance” is in the code and not here; run make messages.",
        f"{path}: “Balance” is not in the code any more; run make messages.",
    ]


def test_problems_asks_for_a_translation_where_there_is_none(tmp_path):
    assert problems(tmp_path) == ["There is no translation into “ru”; run make messages."]


@pytest.mark.skipif(not has_gettext(), reason="gettext is not installed")
def test_problems_finds_a_new_text_in_the_code_and_writes_nothing(catalogue, tmp_path):
    path = catalogue('\nmsgid "Balance"\nmsgstr "Баланс"\n')
    before = path.read_text()
    (tmp_path / "views.py").write_text('title = _("Balance")\nhelp = _("What expires next")\n')

    found = problems(tmp_path)

    assert found == [f"{path}: “What expires next” is in the code and not here; run make messages."]
    assert path.read_text() == before
