"""Members by what a colleague types: a name, a number, a phone, an e-mail."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from django.db import connection, models
from django.db.models import Q, QuerySet
from django.db.models.functions import Collate, Reverse
from django.utils.translation import pgettext_lazy

from accounts.contacts import normalise_email, normalise_phone, tidy_name
from accounts.errors import AccountsError, InvalidEmail, InvalidMemberNumber, InvalidPhone
from accounts.models import Member
from accounts.numbers import parse_member_number

MOST_HITS = 20
# Less of a name, or of a phone, would let anybody leaf through the members.
LEAST_LETTERS = 3
LEAST_KEY = 2
LEAST_DIGITS = 4
# A phone with its country has more digits; fewer are looked for at the end of phones.
MOST_LAST_DIGITS = 10
# What people put into a phone or a number beside its digits.
AROUND_DIGITS = frozenset("+()-.\u2010\u2011\u2012\u2013\u2014\u2212/ ")
# No key goes on with this, so a beginning ends before it.
AFTER_ALL = "\U0010ffff"
# A first and a last name.
PAIR = 2
# Of two parts of names, so many names are tried for each, the shortest first.
MOST_KEYS = 300
# What a beginning may go on with so that its last letters are read anew: “Андри” is “andri”, but
# “Андриенко” is “andrenko”, as “Andrienko” is and “Andriyenko”.
CONTINUATIONS = (
    ("ande", "r"),
    *((ending, "h") for ending in "sczkpt"),
    *((ending, "e") for ending in "iyjиы"),
    ("й", "о"),
    ("с", "ч"),
    ("т", "ч"),
)


class Kind(models.TextChoices):
    """By what somebody is found."""

    NUMBER = "number", pgettext_lazy("looked for", "member number")
    PHONE = "phone", pgettext_lazy("looked for", "phone")
    LAST_DIGITS = "last_digits", pgettext_lazy("looked for", "last digits of a phone")
    EMAIL = "email", pgettext_lazy("looked for", "e-mail")
    NAME = "name", pgettext_lazy("looked for", "a person’s name")


@dataclass(frozen=True)
class Hit:
    """A member, and by what they were found; an exact hit is theirs alone, or their whole name."""

    member: Member
    by: str
    is_exact: bool


@dataclass(frozen=True)
class Found:
    """Who was found, the best first; `kinds` are what the text was taken for, whether found or not."""

    kinds: Sequence[str]
    hits: Sequence[Hit]
    has_more: bool


@dataclass(frozen=True)
class Typed:
    """What was typed, in the forms that it is looked for in; empty where it cannot be meant."""

    text: str
    number: str
    phone: str
    last_digits: str
    email: str
    words: Sequence[str]

    @property
    def kinds(self) -> list[str]:
        """What it may be."""
        said = {
            Kind.NUMBER: self.number,
            Kind.PHONE: self.phone,
            Kind.LAST_DIGITS: self.last_digits,
            Kind.EMAIL: self.email,
            Kind.NAME: self.words,
        }
        return [kind.value for kind, value in said.items() if value]


def read_typed(text: str) -> Typed:
    """What a text may mean; a text too short to look for means nothing."""
    text = " ".join(text.split())
    digits = "".join(character for character in text if character.isdigit())
    is_figures = digits.isascii() and not set(text) - AROUND_DIGITS - set(digits)
    phone = _or_nothing(normalise_phone, text, InvalidPhone) if is_figures else ""
    is_part = is_figures and not phone and LEAST_DIGITS <= len(digits) <= MOST_LAST_DIGITS
    letters = sum(character.isalpha() for character in text)
    return Typed(
        text=text,
        number=_or_nothing(parse_member_number, text, InvalidMemberNumber) if is_figures else "",
        phone=phone,
        last_digits=digits if is_part else "",
        email=_or_nothing(normalise_email, text, InvalidEmail),
        words=tidy_name(text).split() if letters >= LEAST_LETTERS and "@" not in text else [],
    )


def find_members(text: str) -> Found:
    """The members that a text may mean: exact ones first, then names that begin so, then that have it inside.

    Nobody of the sandbox is found. The text is looked for in one way after the other, each a query that
    ends when there are enough hits.
    """
    typed = read_typed(text)
    hits: dict[int, Hit] = {}
    for hit in _hits(typed, MOST_HITS + 1):
        hits.setdefault(hit.member.pk, hit)
        if len(hits) > MOST_HITS:
            break
    return Found(kinds=typed.kinds, hits=list(hits.values())[:MOST_HITS], has_more=len(hits) > MOST_HITS)


def _hits(typed: Typed, limit: int) -> Iterator[Hit]:
    members = Member.objects.filter(is_sandbox=False)
    if typed.number:
        yield from (Hit(member, Kind.NUMBER, True) for member in members.filter(number=typed.number))
    if typed.phone:
        yield from (Hit(member, Kind.PHONE, True) for member in members.filter(phone=typed.phone))
    if typed.email:
        yield from (Hit(member, Kind.EMAIL, True) for member in members.filter(email=typed.email))
    if typed.last_digits:
        with_phone = members.filter(phone__isnull=False).annotate(backwards=Collate(Reverse("phone"), "C"))
        found = with_phone.filter(_begins("backwards", typed.last_digits[::-1])).order_by("backwards")
        yield from (Hit(member, Kind.LAST_DIGITS, False) for member in found[:limit])
    if typed.words:
        name = read_name(typed.words)
        for way in _ways(name, members):
            for member in way(limit):
                yield Hit(member, Kind.NAME, name.is_whole_of(member))


@dataclass(frozen=True)
class Name:
    """The keys of typed words, and those of the last one if it went on in a way that reads it anew."""

    words: Sequence[str]
    last_words: Sequence[str]

    @property
    def whole(self) -> str:
        """All words in their order."""
        return " ".join(self.words)

    @property
    def wholes(self) -> list[str]:
        """All words, as they are and as the last one may go on."""
        return [" ".join((*self.words[:-1], last)) for last in self.last_words]

    @property
    def splits(self) -> list[tuple[str, list[str]]]:
        """Every way to take the words for two names: the first of them, and what the other may begin with."""
        return [
            (" ".join(self.words[:end]), [" ".join((*self.words[end:-1], last)) for last in self.last_words])
            for end in range(1, len(self.words))
        ]

    def is_whole_of(self, member: Member) -> bool:
        """Whether it is all of the member's name, in either order."""
        orders = (
            f"{member.first_key} {member.last_key}",
            f"{member.last_key} {member.first_key}",
        )
        return self.whole in [order.strip() for order in orders]


def read_name(words: Sequence[str]) -> Name:
    """The keys of the words; one query, since the database alone brings names to one spelling."""
    last = words[-1].casefold()
    longer = [last + letter for ending, letter in CONTINUATIONS if last.endswith(ending)]
    with connection.cursor() as cursor:
        cursor.execute(
            "select accounts_name_key(word) from unnest(%s::text[]) with ordinality as typed (word, place)"
            " order by place",
            [[*words, *longer]],
        )
        keys = [key for (key,) in cursor.fetchall()]
    own, continued = [key for key in keys[: len(words)] if key], keys[len(words) :]
    last_words = own[-1:]
    for key in continued:
        # One that begins with another finds nothing more.
        if not any(key.startswith(known) for known in last_words):
            last_words.append(key)
    return Name(words=own, last_words=last_words)


Way = Callable[[int], Iterable[Member]]


def _ways(name: Name, members: QuerySet[Member]) -> Iterator[Way]:
    """How a name is looked for, the best way first; each reads an index in its order, up to the limit."""
    if len(name.whole) < LEAST_KEY:
        return
    last_first = members.order_by("last_key", "first_key", "pk")
    first_last = members.order_by("first_key", "last_key", "pk")
    if len(name.words) == 1:
        yield _limited(last_first.filter(last_key=name.whole))
        yield _limited(first_last.filter(first_key=name.whole))
    for end, beginnings in name.splits:
        for beginning in beginnings:
            yield _limited(last_first.filter(last_key=end).filter(_begins("first_key", beginning)))
            yield _limited(first_last.filter(first_key=end).filter(_begins("last_key", beginning)))
    for whole in name.wholes:
        yield _limited(last_first.filter(_begins("last_key", whole)))
        yield _limited(first_last.filter(_begins("first_key", whole)))
    for beginning, beginnings in name.splits:
        for other in beginnings:
            yield _pairs(last_begins=beginning, first_begins=other)
            yield _pairs(last_begins=other, first_begins=beginning)
    if len(name.whole) >= LEAST_LETTERS:
        yield _part(name.whole, is_last=True)
        yield _part(name.whole, is_last=False)
    for part, others in name.splits:
        yield _parts(last_part=part, first_part=others[0])
        yield _parts(last_part=others[0], first_part=part)
    # A patronymic stands nowhere: of three words two may be the name.
    if len(name.words) > PAIR:
        for one, other in combinations(name.words, PAIR):
            yield _limited(last_first.filter(last_key=one).filter(_begins("first_key", other)))
            yield _limited(first_last.filter(first_key=one).filter(_begins("last_key", other)))


def _limited(members: QuerySet[Member]) -> Way:
    return lambda limit: members[:limit]


def _begins(field: str, key: str) -> Q:
    return Q(**{f"{field}__gte": key, f"{field}__lt": key + AFTER_ALL})


# Of two beginnings the longer one leads: fewer names begin so, and each is looked up with the other one.
PAIRS = """
    select member.*
      from (select distinct key from accounts_name_key
             where is_last = %(is_last)s and key >= %(leading)s and key < %(leading_end)s
             order by key) as known
     cross join lateral (
           select * from accounts_member
            where not is_sandbox and {leading} = known.key
              and {other} >= %(other)s and {other} < %(other_end)s
            order by {other}, id limit %(limit)s) as member
     limit %(limit)s
"""
PART = """
    select member.*
      from (select key from accounts_name_key where is_last = %(is_last)s and key like %(pattern)s
             group by key order by length(key), key) as known
     cross join lateral (
           select * from accounts_member where not is_sandbox and {name} = known.key
            order by {other}, id limit %(limit)s) as member
     limit %(limit)s
"""
PARTS = """
    select member.*
      from (select key from accounts_name_key where is_last and key like %(last)s
             group by key order by length(key), key limit %(keys)s) as known_last
     cross join (
           select key from accounts_name_key where not is_last and key like %(first)s
            group by key order by length(key), key limit %(keys)s) as known_first
     cross join lateral (
           select * from accounts_member
            where not is_sandbox and last_key = known_last.key and first_key = known_first.key
            order by id limit %(limit)s) as member
     limit %(limit)s
"""


def _pairs(*, last_begins: str, first_begins: str) -> Way:
    """Members with two names that begin so."""
    is_last = len(last_begins) >= len(first_begins)
    leading, other = (last_begins, first_begins) if is_last else (first_begins, last_begins)
    columns = ("last_key", "first_key") if is_last else ("first_key", "last_key")
    values = {
        "is_last": is_last,
        "leading": leading,
        "leading_end": leading + AFTER_ALL,
        "other": other,
        "other_end": other + AFTER_ALL,
    }
    query = PAIRS.format(leading=columns[0], other=columns[1])
    return lambda limit: Member.objects.raw(query, {**values, "limit": limit})


def _part(part: str, *, is_last: bool) -> Way:
    """Members with that part in a name, those with the shortest names first."""
    columns = (
        {"name": "last_key", "other": "first_key"} if is_last else {"name": "first_key", "other": "last_key"}
    )
    values = {"is_last": is_last, "pattern": _pattern(part)}
    return lambda limit: Member.objects.raw(PART.format(**columns), {**values, "limit": limit})


def _parts(*, last_part: str, first_part: str) -> Way:
    """Members with these parts in their two names."""
    values = {"last": _pattern(last_part), "first": _pattern(first_part), "keys": MOST_KEYS}
    return lambda limit: Member.objects.raw(PARTS, {**values, "limit": limit})


def _pattern(part: str) -> str:
    """What names with that part are like; a very short one has to stand at their beginning."""
    escaped = re.sub(r"([\\%_])", r"\\\1", part)
    return f"%{escaped}%" if len(part) >= LEAST_LETTERS else f"{escaped}%"


def _or_nothing(read: Callable[[str], str], text: str, refusal: type[AccountsError]) -> str:
    try:
        return read(text)
    except refusal:
        return ""
