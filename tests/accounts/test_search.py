"""Members are found by what a colleague types, however a name is spelt."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, connections, transaction

from accounts.models import Member, NameKey
from accounts.queries import find_members, read_typed
from tests.clock import NOON
from tests.factories import MemberFactory

# Each row is one name in the spellings that people, shops and passports use: they all are one key.
SPELLINGS = """
    Юлия Yulia Julia Yuliya Iuliia Julija
    Щербаков Scherbakov Shcherbakov Sherbakov
    Пётр Петр ПЕТР Petr Pyotr Piotr
    Алексей Alexey Aleksey Aleksei Alexei Aleksej
    Наталья Наталия Natalia Natalya Nataliya Natalja
    Дмитрий Dmitry Dmitriy Dmitri Dmitrii
    Сергей Sergey Sergei Sergej
    Евгений Evgeny Yevgeny Evgenii Yevgeniy Evgenij
    Юрий Yuri Yury Yuriy Iurii Jurij
    Екатерина Ekaterina Yekaterina
    Александр Alexander Aleksandr Alexandr
    Мария Maria Mariya Marija
    Софья София Sofia Sofya Sophia
    Фёдор Федор Fedor Fyodor Fjodor
    Семён Semyon Semen
    Ксения Ksenia Xenia Kseniya
    Илья Ilya Ilia
    Михаил Mikhail Mihail
    Анна Anna Ana
    Виктор Victor Viktor
    Вячеслав Vyacheslav Viacheslav
    Филипп Philipp Filipp
    Асхат Askhat
    Жуков Zhukov Žukov
    Чайковский Tchaikovsky Chaikovskiy Chaykovskii
    Цой Tsoy Tsoi
    Васильев Vasiliev Vasilyev Vasilev
    Соловьёв Соловьев Solovyov Soloviev Solovyev Solovev
    Андреев Andreev Andreyev
    Хачатурян Khachaturyan Khachaturian
    Шмидт Schmidt Shmidt
    Кузнецов Kuznetsov Kuznetzov
    Кузьмин Kuzmin Kuz'min Kuz’min
    Мамин-Сибиряк Mamin-Sibiryak МАМИН‑СИБИРЯК
"""
ROWS = [row.split() for row in SPELLINGS.strip().splitlines()]
DIFFERENT = "Иван Ирина Мария Марина Мира Саша Маша Жуков Шуков Чуков Лев Елена Алёна Ольга Олег Ким Ян Яна"


def keys(names: list[str]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("select accounts_name_key(name) from unnest(%s::text[]) as name", [names])
        return [key for (key,) in cursor.fetchall()]


def member(first_name: str, last_name: str = "", **more: object) -> Member:
    return MemberFactory(first_name=first_name, last_name=last_name, **more)


def names(text: str) -> list[str]:
    """The full names of who is found, in their order."""
    return [hit.member.full_name for hit in find_members(text).hits]


# Spellings


@pytest.mark.django_db
@pytest.mark.parametrize("spellings", ROWS, ids=lambda row: row[0])
def test_all_spellings_of_a_name_are_one(spellings):
    assert len(set(keys(spellings))) == 1, dict(zip(spellings, keys(spellings), strict=True))


@pytest.mark.django_db
def test_different_names_stay_different():
    names_of_others = DIFFERENT.split()
    assert len(set(keys(names_of_others))) == len(names_of_others)


@pytest.mark.django_db
def test_white_space_marks_and_letters_in_two_parts_do_not_matter():
    assert set(keys(["  анна   мария ", "АННА\u00a0МАРИЯ", "анна\u200b-мария", "А\u0301нна Мария"])) == {
        "ana maria"
    }
    assert keys(["И\u0306од", "Се\u0308ма"]) == keys(["Йод", "Сёма"])


@pytest.mark.django_db
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_whoever_is_written_one_way_is_found_by_all_the_others(row):
    somebody = member(row[0], "Тестов")
    for spelling in row:
        found = find_members(f"{spelling} Тестов")
        assert [hit.member for hit in found.hits] == [somebody], spelling
        assert found.hits[0].is_exact


# What is typed of a name


@pytest.fixture
def town(db) -> None:
    for first, last in (
        ("Иван", "Петров"),
        ("Пётр", "Иванов"),
        ("Ива", "Ли"),
        ("Мария", "Иваненко"),
        ("Анна", "Мамина-Сибиряк"),
        ("Ада", "Андриенко"),
        ("Ольга", "Андреева"),
        ("Anna", "Pushkina"),
        ("Борис", ""),
    ):
        member(first, last)


def test_whole_names_come_before_beginnings_and_beginnings_before_parts(town):
    assert names("ива") == ["Ива Ли", "Мария Иваненко", "Пётр Иванов", "Иван Петров"]
    assert names("ван") == ["Пётр Иванов", "Мария Иваненко", "Иван Петров"]
    member("Иван", "Ива")
    assert names("ива")[0] == "Иван Ива"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Петров Иван", ["Иван Петров"]),
        ("  иван   ПЕТРОВ ", ["Иван Петров"]),
        ("petrov ivan", ["Иван Петров"]),
        ("Петров И", ["Иван Петров"]),
        ("и петров", ["Иван Петров"]),
        ("пет ив", ["Иван Петров", "Пётр Иванов"]),
        ("етров", ["Иван Петров"]),
        ("тров ван", ["Иван Петров"]),
        ("Петров Иван Сергеевич", ["Иван Петров"]),
        ("Иван Сергеевич Петров", ["Иван Петров"]),
        ("мамина сиб", ["Анна Мамина-Сибиряк"]),
        ("сибиряк", ["Анна Мамина-Сибиряк"]),
        ("сибиряк анна", ["Анна Мамина-Сибиряк"]),
        ("пушкина", ["Anna Pushkina"]),
        ("борис", ["Борис"]),
        ("Петров Борис", []),
        ("ььь", []),
        ("%%%", []),
        ("п%тр", []),
    ],
)
def test_part_of_a_name_in_any_order_is_enough(town, text, found):
    assert sorted(names(text)) == sorted(found)


@pytest.mark.parametrize("text", ["андри", "Андрие", "andri", "andriye", "АНДРИЕНКО"])
def test_a_name_is_found_all_the_while_it_is_typed(town, text):
    assert "Ада Андриенко" in names(text)


@pytest.mark.parametrize("text", ["pus", "push", "Пуш", "pushk"])
def test_a_letter_that_latin_writes_with_two_is_found_by_its_first(town, text):
    assert names(text) == ["Anna Pushkina"]


def test_a_shorter_text_than_three_letters_is_not_looked_for(town, django_assert_num_queries):
    with django_assert_num_queries(0):
        for text in ("", "ив", " и ", "12", "123"):
            assert find_members(text).kinds == []


def test_at_most_twenty_are_shown(db):
    for number in range(20):
        member("Иван", f"Петров{'аеиоу'[number % 5]}{'кнтр'[number // 5]}")
    assert not find_members("петров").has_more
    member("Иван", "Петровых")
    found = find_members("петров")
    assert (len(found.hits), found.has_more) == (20, True)


# Numbers and contacts


@pytest.fixture
def julia(db) -> Member:
    return member("Юлия", "Щербакова", phone="+79161234567", email="julia@example.com", number="248190736514")


@pytest.mark.parametrize(
    ("text", "by", "is_exact"),
    [
        ("+7 916 123-45-67", "phone", True),
        ("8 (916) 123 45 67", "phone", True),
        ("89161234567", "phone", True),
        ("9161234567", "phone", True),
        ("4567", "last_digits", False),
        ("45-67", "last_digits", False),
        ("123 45 67", "last_digits", False),
        (" JULIA@example.com ", "email", True),
        ("щербакова юлия", "name", True),
        ("щербакова", "name", False),
    ],
)
def test_a_member_is_found_by_a_contact_in_any_spelling(julia, text, by, is_exact):
    member("Мария", "Орлова", phone="+79031112233", email="maria@example.com")
    [hit] = find_members(text).hits
    assert (hit.member, hit.by, hit.is_exact) == (julia, by, is_exact)


@pytest.mark.parametrize("spelling", ["{}", "{0[0]}{0[1]}{0[2]}{0[3]} {1}", "{0}-{1}"])
def test_a_member_is_found_by_the_number_in_any_spelling(db, spelling):
    somebody = member("Юлия")
    text = spelling.format(somebody.number[:4], somebody.number[4:]) if "1" in spelling else somebody.number
    [hit] = find_members(text).hits
    assert (hit.member, hit.by, hit.is_exact) == (somebody, "number", True)


@pytest.mark.parametrize(
    "text", ["3456", "1234", "julia@example", "julia@example.co", "+7916123456", "248190736513"]
)
def test_a_contact_that_is_not_theirs_finds_nobody(julia, text):
    assert find_members(text).hits == []


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("4567", ["last_digits"]),
        ("89161234567", ["phone"]),
        ("a@example.com", ["email"]),
        ("Иван", ["name"]),
        ("12", []),
        ("W-0012", []),
    ],
)
def test_what_a_text_may_be_is_known(text, kinds):
    assert read_typed(text).kinds == kinds


# Who is never found


def test_nobody_of_the_sandbox_is_found(db):
    somebody = member("Юлия", "Щербакова", phone="+79161234567", email="julia@example.com", is_sandbox=True)
    for text in (
        "Юлия",
        "щерб",
        "рбак",
        "юлия щерб",
        "4567",
        "+79161234567",
        "julia@example.com",
        somebody.number,
    ):
        assert find_members(text).hits == [], text
    assert not NameKey.objects.exists()


# Whoever writes members


def test_names_written_past_the_models_are_found(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into accounts_member (number, first_name, last_name, language, joined_at)"
            " select '20000000000' || place, 'Аксинья', 'Рогожина' || place, 'ru', %s"
            "   from generate_series(1, 3) as place",
            [NOON],
        )
    assert len(names("аксинья")) == len(names("огожин")) == len(names("rogoj"[:4])) == 3
    # One key for the first name they share.
    assert NameKey.objects.filter(is_last=False).count() == 1


def test_a_changed_name_is_found_and_the_former_one_is_not(db):
    somebody = member("Юлия", "Щербакова")
    Member.objects.filter(pk=somebody.pk).update(last_name="Громыхалова")
    assert names("громых") == names("рмыха"[1:]) == ["Юлия Громыхалова"]
    assert names("щербак") == names("рбако") == []
    somebody.first_name = "Ульяна"
    somebody.save(update_fields=["first_name"])
    assert names("льяна") == ["Ульяна Громыхалова"]


@pytest.mark.django_db(transaction=True)
def test_those_who_add_the_same_new_name_at_once_do_not_wait_for_each_other():
    both_have_written = Barrier(2, timeout=10)

    def join() -> None:
        try:
            with transaction.atomic():
                member("Феврония", "Единственная")
                # Each is still in its transaction: were one to wait for the other, nobody would come here.
                both_have_written.wait()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(join) for _ in range(2)]:
            future.result()

    assert names("врони") == ["Феврония Единственная"] * 2
