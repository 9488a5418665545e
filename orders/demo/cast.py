"""The people of the demo: names as in any Russian town, contacts that nobody has."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from accounts.models import Language


@dataclass(frozen=True)
class Person:
    """Somebody who may join."""

    first_name: str
    last_name: str
    email: str
    phone: str
    language: Language = Language.RUSSIAN


# No subscriber has a number that begins with 000.
PHONE = "+7900000{:04d}"

ADA = Person("Ада", "Ларина", "ada@ballada.example", PHONE.format(1))
STAN = Person("Станислав", "Козлов", "stan@ballada.example", PHONE.format(2))
SUE = Person("Сусанна", "Орлова", "sue@ballada.example", PHONE.format(3))
BEN = Person("Вениамин", "Смирнов", "ben@example.com", PHONE.format(4))
# Ada's other friends, and those to whom something happens that is worth a look.
CLARA = Person("Клара", "Зимина", "clara.zimina@example.ru", PHONE.format(5))
LEV = Person("Лев", "Дубровский", "lev.dubrovsky@example.ru", PHONE.format(6))
DEBTOR = Person("Борис", "Чалый", "boris.chaly@example.ru", PHONE.format(7))
BLOCKED = Person("Вадим", "Кротов", "vadim.krotov@example.com", PHONE.format(8))
BARISTA = Person("Полина", "Журавлёва", "polina.zhuravleva@example.ru", PHONE.format(9))
LATECOMER = Person("Глеб", "Нестеров", "gleb.nesterov@example.com", PHONE.format(10))
STRANGER = Person("Кира", "Мальцева", "kira.maltseva@example.com", PHONE.format(11))
VISITOR = Person("Emma", "Wilson", "emma.wilson@example.com", PHONE.format(12), Language.ENGLISH)
OFFICES = (
    Person("Ольга", "Бережная", "office.neva@example.ru", PHONE.format(13)),
    Person("Марат", "Галиев", "galiev.studio@example.com", PHONE.format(14)),
    Person("Татьяна", "Римская-Корсакова", "events.most@example.ru", PHONE.format(15)),
)
# Whom Ada's link has brought of late, each one step further than the one before.
INGA = Person("Инга", "Соловей", "inga.solovey@example.ru", PHONE.format(16))
ZOYA = Person("Зоя", "Ким", "zoya.kim@example.com", PHONE.format(17))
ROMAN = Person("Роман", "Ларин", "roman.larin@example.com", PHONE.format(18))
TIMUR = Person("Тимур", "Бойко", "timur.boyko@example.ru", PHONE.format(19))
# The second supervisor, without whom a large step cannot be made.
SAM = Person("Семён", "Ветров", "sam@ballada.example", PHONE.format(20))
CAST_SIZE = 20

WOMEN = """
    Александра Алина Алла Анастасия Анна Валентина Валерия Вера Вероника Галина Дарья Диана Ева Евгения
    Екатерина Елена Елизавета Жанна Зоя Инна Ирина Карина Кристина Ксения Лариса Лидия Любовь Людмила
    Маргарита Марина Мария Надежда Наталья Нина Оксана Ольга Полина Раиса Светлана София Тамара Ульяна Юлия
"""
MEN = """
    Александр Алексей Анатолий Андрей Антон Аркадий Артём Борис Вадим Валерий Василий Виктор Виталий
    Владимир Вячеслав Георгий Глеб Григорий Даниил Денис Дмитрий Евгений Егор Иван Игорь Илья Кирилл
    Константин Максим Матвей Михаил Никита Николай Олег Павел Пётр Роман Руслан Сергей Степан Тимур Фёдор
"""
# As men bear them; women's end in “а”.
SURNAMES = """
    Абрамов Алексеев Андреев Антонов Баранов Белов Беляев Богданов Борисов Власов Волков Воробьёв Герасимов
    Голубев Григорьев Гусев Давыдов Данилов Егоров Ершов Жуков Зайцев Захаров Иванов Ильин Казаков Калинин
    Карпов Киселёв Климов Ковалёв Комаров Королёв Крылов Кузнецов Лебедев Макаров Мельников Миронов Морозов
    Никитин Новиков Осипов Павлов Петров Поляков Пономарёв Прохоров Романов Рябов Савельев Семёнов Сидоров
    Соболев Соколов Тарасов Титов Фёдоров Филиппов Фомин Чернов Шестаков Щербаков Яковлев
"""
LATIN = str.maketrans("абвгдеёзийклмнопрстуфыэ", "abvgdeeziyklmnoprstufye") | str.maketrans(
    {
        "ж": "zh",
        "х": "kh",
        "ц": "ts",
        "ч": "ch",
        "ш": "sh",
        "щ": "sch",
        "ъ": "",
        "ь": "",
        "ю": "yu",
        "я": "ya",
    }
)


def townspeople(dice: random.Random, count: int) -> Iterator[Person]:
    """So many people, no two with the same name; some have given no e-mail at the till."""
    women, men, surnames = WOMEN.split(), MEN.split(), SURNAMES.split()
    taken: set[tuple[str, str]] = set()
    while len(taken) < count:
        is_woman = dice.random() < 0.6
        first_name = dice.choice(women if is_woman else men)
        last_name = dice.choice(surnames) + ("а" if is_woman else "")
        if (first_name, last_name) in taken:
            continue
        taken.add((first_name, last_name))
        email = f"{in_latin(first_name)}.{in_latin(last_name)}@example.{dice.choice(('ru', 'com'))}"
        yield Person(
            first_name,
            # Not everybody says their surname at the till.
            last_name if dice.random() < 0.95 else "",
            email if dice.random() < 0.8 else "",
            PHONE.format(CAST_SIZE + len(taken)),
        )


def in_latin(name: str) -> str:
    """The name in the letters of an address."""
    return name.lower().translate(LATIN)
