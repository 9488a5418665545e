"""Keys of sources: what is kept of them, how they follow one another, and how many requests they let in."""

import re
from collections import Counter
from datetime import timedelta
from functools import partial
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.errors import (
    AlreadyRotated,
    ApiKeyRefused,
    KeyEnded,
    KeyExpired,
    KeyMadeBefore,
    KeyMissing,
    KeyNameInvalid,
    KeyRevoked,
    KeyUnknown,
    LimitOutOfRange,
    ScopeMissing,
    ScopesMissing,
    ScopeUnknown,
    SourceCodeInvalid,
    SourceCodeTaken,
    SourceNameInvalid,
    TooManyRequests,
)
from orders.models import ApiKey, Scope, Source
from orders.queries.api_keys import State, keys_by_source, state_of
from orders.services.api_keys import (
    admit,
    create_key,
    create_source,
    require_scope,
    revoke_key,
    rotate_key,
)
from tests.clock import AN_HOUR_LATER, NOON, TOMORROW_NOON
from tests.loyalty.races import race

SECOND = timedelta(seconds=1)


@pytest.fixture
def new_key(shop):
    """Makes a key of the shop; it may do everything unless told otherwise."""

    def make(**asked):
        return create_key(
            **{"source": shop, "name": "Online shop", "scopes": Scope.values, "at": NOON, **asked}
        )

    return make


# What is made


def test_a_key_says_what_it_is_for_and_looks_like_no_other(shop, new_key):
    sandbox = Source.objects.create(code="sandbox", name="Sandbox", is_sandbox=True)

    live, other, test = new_key(), new_key(), new_key(source=sandbox)

    assert re.fullmatch(r"ballada_live_[a-z2-9]{12}_[A-Za-z0-9_-]{43}", live.text)
    assert test.text.startswith(f"ballada_test_{test.key.public_id}_")
    assert len({live.text, other.text}) == len({live.key.public_id, other.key.public_id}) == 2
    assert set("il1o0").isdisjoint(live.key.public_id + other.key.public_id + test.key.public_id)


def test_only_the_hash_of_a_key_is_kept(new_key):
    made = new_key()
    secret = made.text.removeprefix(f"ballada_live_{made.key.public_id}_")
    admit(text=made.text, at=NOON)

    with connection.cursor() as cursor:
        cursor.execute("select orders_api_key::text from orders_api_key")
        (row,) = cursor.fetchone()

    assert made.key.public_id in row
    assert secret not in row
    assert secret not in repr(made)


def test_a_key_has_the_limit_of_the_settings_unless_it_has_its_own(settings, new_key):
    settings.API_REQUESTS_A_MINUTE = 123

    assert new_key().key.requests_a_minute == 123
    assert new_key(requests_a_minute=7).key.requests_a_minute == 7


def test_scopes_are_kept_once_and_in_their_order(new_key):
    made = new_key(scopes=["orders:write", "members:read", "orders:write"])

    assert ApiKey.objects.get(pk=made.key.pk).scopes == ["members:read", "orders:write"]


@pytest.mark.parametrize(
    ("asked", "refusal", "field"),
    [
        ({"name": "  "}, KeyNameInvalid, "name"),
        ({"name": "x" * 101}, KeyNameInvalid, "name"),
        ({"scopes": []}, ScopesMissing, "scopes"),
        ({"scopes": ["orders:read", "orders:eat"]}, ScopeUnknown, "scopes"),
        ({"requests_a_minute": 0}, LimitOutOfRange, "requests_a_minute"),
        ({"requests_a_minute": 60_001}, LimitOutOfRange, "requests_a_minute"),
    ],
)
def test_a_key_that_cannot_be_is_refused(new_key, in_english, asked, refusal, field):
    with pytest.raises(refusal) as refused:
        new_key(**asked)

    assert refused.value.field == field
    assert str(refused.value).endswith(".")
    assert not ApiKey.objects.exists()


def test_one_request_for_a_key_makes_one_key_however_often_it_is_sent(new_key):
    new_key(public_id="k7w2m9x4h3qd")

    with pytest.raises(KeyMadeBefore):
        new_key(public_id="k7w2m9x4h3qd")


def test_a_source_has_a_code_of_its_own(shop):
    assert create_source(code="till", name="Till", is_sandbox=True).is_sandbox
    with pytest.raises(SourceCodeTaken):
        create_source(code=shop.code, name="Another")
    for code in ("", "касса", "a b", "a+b", "a" * 51, "till\n"):
        with pytest.raises(SourceCodeInvalid):
            create_source(code=code, name="Another")
    assert Source.objects.count() == 2


# Who is let in


def test_a_key_lets_its_source_in_and_notes_when(shop, new_key):
    made = new_key()
    with CaptureQueriesContext(connection) as queries:
        key = admit(text=made.text, at=AN_HOUR_LATER)
        assert key.source.code == shop.code
        assert key.source.name == shop.name

    assert len(queries) == 1
    assert key == made.key
    assert key.last_used_at == AN_HOUR_LATER
    made.key.refresh_from_db()
    assert [getattr(key, name) for name in vars(key) if not name.startswith("_")] == [
        getattr(made.key, name) for name in vars(key) if not name.startswith("_")
    ]


def test_the_last_use_never_goes_back(new_key):
    made = new_key()
    admit(text=made.text, at=NOON)

    # Another server, whose clock is a little behind.
    assert admit(text=made.text, at=NOON - SECOND).last_used_at == NOON


def test_a_request_without_a_key_is_refused(db):
    with pytest.raises(KeyMissing):
        admit(text="", at=NOON)


def test_whatever_is_wrong_with_a_key_the_answer_is_the_same(new_key, in_english):
    made = new_key()
    other = new_key()
    revoke_key(key=other.key, at=NOON)
    public_id, secret = made.text.split("_", 3)[2:]
    wrong = [
        "nonsense",
        "ballada_live_",
        f"ballada_live_{public_id}_",
        f"ballada_live_{public_id}_{secret}\n",
        f"ballada_live_{public_id}_{secret[:-1]}",
        f"ballada_live_{public_id}_{'A' * 43}",
        f"ballada_test_{public_id}_{secret}",
        f"ballada_live_{'z' * 12}_{secret}",
        f"ballada_live_{other.key.public_id}_{secret}",
        f"ballada_live_{public_id[:-1]}\0_{secret}",
        f"ballada_live_{public_id}_{secret[:-1]}ю",
        made.text.upper(),
    ]

    answers = set()
    for text in wrong:
        with pytest.raises(KeyUnknown) as refused:
            admit(text=text, at=NOON)
        answers.add((refused.value.code, str(refused.value)))

    assert len(answers) == 1
    made.key.refresh_from_db()
    assert made.key.last_used_at is None
    assert made.key.next_place_at is None


def test_wrong_secrets_take_no_places_from_the_right_one(new_key):
    made = new_key(requests_a_minute=1)
    for _attempt in range(3):
        with pytest.raises(KeyUnknown):
            admit(text=made.text[:-2] + "xx", at=NOON)

    assert admit(text=made.text, at=NOON)


def test_a_revoked_key_is_refused_at_once_and_says_so_to_its_owner(new_key):
    made = new_key()
    admit(text=made.text, at=NOON)
    revoke_key(key=made.key, at=AN_HOUR_LATER)
    revoke_key(key=made.key, at=TOMORROW_NOON)

    with pytest.raises(KeyRevoked):
        admit(text=made.text, at=AN_HOUR_LATER)
    assert made.key.revoked_at == AN_HOUR_LATER
    assert ApiKey.objects.get().last_used_at == NOON


def test_a_key_is_good_for_its_scopes_only(new_key, in_english):
    key = new_key(scopes=["orders:read"]).key

    require_scope(key, Scope.ORDERS_READ)
    with pytest.raises(ScopeMissing) as refused:
        require_scope(key, Scope.ORDERS_WRITE)
    assert "orders:write" in str(refused.value)


# One key after another


def test_rotation_leaves_no_gap(shop, sue, new_key):
    old = new_key(scopes=["orders:read"], requests_a_minute=50)

    new = rotate_key(key=old.key, at=NOON, created_by=sue)

    assert new.text != old.text
    copied = ("source", "name", "scopes", "requests_a_minute")
    assert [getattr(new.key, name) for name in copied] == [getattr(old.key, name) for name in copied]
    assert (new.key.replaces, new.key.created_by, new.key.created_at) == (old.key, sue, NOON)
    for moment in (NOON, AN_HOUR_LATER, TOMORROW_NOON - SECOND):
        assert admit(text=old.text, at=moment) == old.key
        assert admit(text=new.text, at=moment) == new.key
    with pytest.raises(KeyExpired):
        admit(text=old.text, at=TOMORROW_NOON)
    assert admit(text=new.text, at=TOMORROW_NOON)


def test_the_time_in_which_both_work_can_be_chosen(new_key):
    old = new_key()
    rotate_key(key=old.key, at=NOON, overlap=timedelta(hours=1))

    assert admit(text=old.text, at=AN_HOUR_LATER - SECOND)
    with pytest.raises(KeyExpired):
        admit(text=old.text, at=AN_HOUR_LATER)


def test_a_key_is_rotated_once(new_key):
    old = new_key()
    new = rotate_key(key=old.key, at=NOON)

    with pytest.raises(AlreadyRotated):
        rotate_key(key=old.key, at=AN_HOUR_LATER)

    assert ApiKey.objects.get(pk=old.key.pk).expires_at == TOMORROW_NOON
    assert rotate_key(key=new.key, at=AN_HOUR_LATER).key.replaces == new.key


def test_an_ended_key_is_not_rotated(new_key):
    revoked = new_key()
    revoke_key(key=revoked.key, at=NOON)

    with pytest.raises(KeyEnded):
        rotate_key(key=revoked.key, at=NOON)
    assert ApiKey.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_rotations_at_once_make_one_key(new_key):
    old = new_key()

    outcomes = race(*[partial(rotate_key, key=old.key, at=NOON)] * 4)

    assert Counter(type(outcome).__name__ for outcome in outcomes) == {"NewKey": 1, "AlreadyRotated": 3}
    assert ApiKey.objects.count() == 2


# How many are let in


@pytest.mark.django_db(transaction=True)
def test_of_fifty_parallel_requests_exactly_as_many_pass_as_there_are_places(new_key):
    made = new_key(requests_a_minute=10)

    outcomes = race(*[partial(admit, text=made.text, at=NOON)] * 50)

    assert Counter(type(outcome).__name__ for outcome in outcomes) == {"ApiKey": 10, "TooManyRequests": 40}
    assert {outcome.retry_after_seconds for outcome in outcomes if isinstance(outcome, TooManyRequests)} == {
        6
    }
    outcomes = race(*[partial(admit, text=made.text, at=NOON + 12 * SECOND)] * 20)
    assert sum(isinstance(outcome, ApiKey) for outcome in outcomes) == 2


@pytest.mark.parametrize("requests_a_minute", [1, 7, 10, 600, 999])
def test_a_minutes_worth_may_come_at_once_and_then_there_is_a_pace(new_key, requests_a_minute):
    made = new_key(requests_a_minute=requests_a_minute)

    # However long nobody asked, no more than a minute's worth is saved up.
    for moment in (NOON, NOON + timedelta(minutes=1), AN_HOUR_LATER):
        for _request in range(requests_a_minute):
            admit(text=made.text, at=moment)
        with pytest.raises(TooManyRequests):
            admit(text=made.text, at=moment)


@pytest.mark.parametrize(("requests_a_minute", "seconds"), [(1, 60), (7, 9), (10, 6), (600, 1)])
def test_who_waits_as_long_as_told_is_let_in(new_key, requests_a_minute, seconds):
    made = new_key(requests_a_minute=requests_a_minute)
    for _request in range(requests_a_minute):
        admit(text=made.text, at=NOON)

    with pytest.raises(TooManyRequests) as refused:
        admit(text=made.text, at=NOON)

    assert refused.value.retry_after_seconds == seconds
    assert admit(text=made.text, at=NOON + seconds * SECOND)
    if seconds > 1:
        with pytest.raises(TooManyRequests):
            admit(text=made.text, at=NOON + seconds * SECOND)


def test_a_refused_request_takes_no_place_and_is_no_use(new_key):
    made = new_key(requests_a_minute=1)
    admit(text=made.text, at=NOON)

    for seconds in (10, 20, 59):
        with pytest.raises(TooManyRequests) as refused:
            admit(text=made.text, at=NOON + seconds * SECOND)
        assert refused.value.retry_after_seconds == 60 - seconds

    assert ApiKey.objects.get().last_used_at == NOON
    assert admit(text=made.text, at=NOON + timedelta(minutes=1))


def test_each_key_has_its_own_places(new_key):
    one, other = new_key(requests_a_minute=1), new_key(requests_a_minute=1)
    admit(text=one.text, at=NOON)

    assert admit(text=other.text, at=NOON)


def test_every_refusal_has_a_code_of_its_own_and_a_sentence(in_english):
    refusals = [
        KeyMissing(),
        KeyUnknown(),
        KeyRevoked(),
        KeyExpired(),
        ScopeMissing("orders:read"),
        TooManyRequests(1),
        AlreadyRotated(),
        KeyEnded(),
        KeyMadeBefore(),
        KeyNameInvalid(100),
        ScopesMissing(),
        ScopeUnknown("eat", "orders:read"),
        LimitOutOfRange(60_000),
        SourceCodeInvalid(50),
        SourceCodeTaken("noon"),
    ]

    assert all(isinstance(refusal, ApiKeyRefused) for refusal in refusals)
    assert len({refusal.code for refusal in refusals}) == len(refusals)
    assert all(str(refusal)[0].isupper() and str(refusal)[-1] == "." for refusal in refusals)


# The list and the command


def test_a_key_has_a_state_at_every_moment(new_key):
    made = new_key()
    assert state_of(made.key, NOON) == State.UNUSED
    assert state_of(admit(text=made.text, at=NOON), NOON) == State.WORKS

    rotate_key(key=made.key, at=NOON)
    old = ApiKey.objects.get(pk=made.key.pk)
    assert state_of(old, TOMORROW_NOON - SECOND) == State.REPLACED
    assert state_of(old, TOMORROW_NOON) == State.EXPIRED
    revoke_key(key=old, at=NOON)
    assert state_of(old, TOMORROW_NOON) == State.REVOKED


def test_keys_stand_under_their_source_and_apart_when_they_have_ended(shop, new_key):
    till = Source.objects.create(code="till", name="Касса")
    first, second, of_till = new_key(), new_key(at=AN_HOUR_LATER), new_key(source=till)
    ended = new_key()
    revoke_key(key=ended.key, at=NOON)
    rotated = rotate_key(key=first.key, at=NOON)

    def listed(**asked):
        return [
            (of_source.source, [card.key for card in of_source.cards])
            for of_source in keys_by_source(**asked)
        ]

    in_force = [(till, [of_till.key]), (shop, [second.key, rotated.key, first.key])]
    assert listed(at=AN_HOUR_LATER, is_ended=False) == in_force
    assert listed(at=AN_HOUR_LATER, is_ended=True) == [(shop, [ended.key])]
    assert listed(at=TOMORROW_NOON, is_ended=True) == [(shop, [ended.key, first.key])]


def run(*arguments: str) -> tuple[str, str]:
    """What the command wrote for programs to read and for people."""
    out, err = StringIO(), StringIO()
    call_command("api_key", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_command_makes_a_key_and_its_source(db, in_english):
    source = ("--source", "try-out", "--source-name", "Try-out", "--sandbox")

    text, words = run("create", *source, "--name", "Developer", "--scopes", "all")

    key = admit(text=text.strip(), at=NOON)
    assert (key.source.name, key.source.is_sandbox, key.scopes) == ("Try-out", True, Scope.values)
    assert words.strip() == "This is the key “Developer” of Try-out. Keep it now: it is not shown again."
    text, _words = run(
        "create",
        *source,
        "--name",
        "Till",
        "--scopes",
        "orders:read, points:read",
        "--requests-a-minute",
        "5",
    )
    second = admit(text=text.strip(), at=NOON)
    assert (second.source, second.scopes) == (key.source, ["points:read", "orders:read"])
    assert second.requests_a_minute == 5


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--source", "elsewhere"],
            "There is no source “elsewhere”. To make it, name it with --source-name.",
        ),
        (["--source", "noon", "--sandbox"], "The source “noon” is live."),
        (
            ["--source", "no on", "--source-name", "Noon"],
            "Make the code of Latin letters, digits and hyphens",
        ),
        (["--source", "noon", "--scopes", "all,most"], "There is no scope “all”."),
        (["--source", "till", "--source-name", "Till", "--scopes", "most"], "There is no scope “most”."),
        (["--source", "noon", "--requests-a-minute", "0"], "Enter a whole number of requests"),
    ],
)
def test_the_command_says_why_it_makes_no_key(shop, in_english, arguments, sentence):
    with pytest.raises(CommandError, match=re.escape(sentence)):
        run("create", "--name", "Till", "--scopes", "all", *arguments)
    assert (ApiKey.objects.count(), Source.objects.count()) == (0, 1)


def test_the_command_rotates_and_revokes(new_key, in_english):
    old = new_key()

    text, words = run("rotate", old.key.public_id, "--overlap-hours", "2")

    new = ApiKey.objects.get(replaces=old.key)
    assert admit(text=text.strip(), at=NOON) == new
    old.key.refresh_from_db()
    assert old.key.expires_at - new.created_at == timedelta(hours=2)
    assert f"The old key {old.key.public_id} works until" in words
    with pytest.raises(CommandError, match="replaced before"):
        run("rotate", old.key.public_id)
    with pytest.raises(CommandError, match="from 0 to 8760"):
        run("rotate", new.public_id, "--overlap-hours", "-1")

    assert "was revoked on" in run("revoke", new.public_id)[1]
    with pytest.raises(KeyRevoked):
        admit(text=text.strip(), at=NOON)
    with pytest.raises(CommandError, match="There is no key “nobody”"):
        run("revoke", "nobody")


def test_the_command_lists_keys_without_their_secrets(shop, new_key, in_english):
    assert "There are no keys yet." in run("list")[0]
    made = new_key()
    ended = new_key(name="Old till", scopes=["orders:read"])
    admit(text=made.text, at=NOON)
    revoke_key(key=ended.key, at=NOON)
    in_a_century = timedelta(days=36_500)
    rotate_key(key=new_key(name="Till", at=NOON - SECOND).key, at=NOON, overlap=in_a_century)

    table, _words = run("list")

    headings, rotated, first, replaced, second = (re.split(r" {2,}", line) for line in table.splitlines())
    assert headings == ["source", "name", "id", "state", "made", "last used", "scopes"]
    when = "2026-03-10 12:00"
    assert first == ["noon", "Online shop", made.key.public_id, "works", when, when, "all"]
    assert rotated[3] == "never used"
    assert replaced[3] == "replaced, works until 2126-02-14 12:00"
    assert second == ["noon", "Old till", ended.key.public_id, "revoked", when, "–", "orders:read"]
    assert made.text not in table


@pytest.mark.parametrize("name", ["", "   ", "x" * 101])
def test_a_source_needs_a_name_that_fits(db, name):
    with pytest.raises(SourceNameInvalid):
        create_source(code="new", name=name)
    assert not Source.objects.exists()


def test_a_clock_that_ran_ahead_does_not_close_a_key(db, shop):
    new = create_key(source=shop, name="Till", scopes=list(Scope), at=NOON, requests_a_minute=10)
    for _ in range(10):
        admit(text=new.text, at=NOON + timedelta(hours=1))

    for _ in range(10):
        admit(text=new.text, at=NOON)
    with pytest.raises(TooManyRequests):
        admit(text=new.text, at=NOON)
