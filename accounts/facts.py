"""Facts are kept as they were told; what people have named twice is kept in both languages.

A name that somebody has entered, such as that of a tier, stands under its key, and its English form, where
there is one, under the key with `_en`. Facts of earlier times, and of what has no English
name, have the one name only.
"""

from collections.abc import Mapping

from django.utils.translation import get_language

ENGLISH = "en"


def in_both(key: str, text: str, english: str) -> dict[str, str]:
    """The facts that keep a name; without an English one, the name alone."""
    return {key: text, **({english_key(key): english} if english else {})}


def in_language(text: str, english: str) -> str:
    """The name as the reader is shown it: the English one on English pages, where there is one."""
    return english if english and (get_language() or "").startswith(ENGLISH) else text


def worded(facts: Mapping[str, object], key: str) -> str:
    """A name that was kept with `in_both`, as the reader is shown it; empty where there is none."""
    return in_language(str(facts.get(key) or ""), str(facts.get(english_key(key)) or ""))


def all_worded(facts: Mapping[str, object]) -> dict[str, object]:
    """All facts, each name that has two forms in the reader's own."""
    return {
        key: worded(facts, key) if english_key(key) in facts and isinstance(fact, str) else fact
        for key, fact in facts.items()
    }


def english_key(key: str) -> str:
    """Where the English form of a name stands."""
    return f"{key}_{ENGLISH}"
