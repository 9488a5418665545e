"""What «Полдень» sells, and baskets as people fill them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from orders.queries.figures import LineSpec

COFFEE, BAKERY, BEANS = "Кофе", "Выпечка", "Кофе в зёрнах"
CAKES, GIFT_CARDS, WARE, CATERING = "Торты", "Подарочные карты", "Посуда", "Кейтеринг"

# The outlets' codes, names, and what stands before their numbers.
TILLS = (
    ("nevsky", "Невский", "1"),
    ("petrogradskaya", "Петроградская", "2"),
    ("vasilievsky", "Васильевский", "3"),
)
SITE = ("site", "Сайт", "W")

DELIVERY_SUM = Decimal(290)
FREE_DELIVERY_FROM_SUM = Decimal(3000)
KOPECK = Decimal("0.01")


@dataclass(frozen=True)
class Good:
    """Something on the shelf; `price` is that of one piece, or of a kilogram."""

    name: str
    category: str
    price: Decimal


def _goods(category: str, prices: dict[str, int]) -> list[Good]:
    return [Good(name, category, Decimal(price)) for name, price in prices.items()]


CAPPUCCINO = Good("Капучино", COFFEE, Decimal(290))
DRINKS = [
    CAPPUCCINO,
    *_goods(
        COFFEE,
        {"Эспрессо": 180, "Американо": 200, "Фильтр-кофе": 240, "Какао": 310, "Латте": 320, "Раф": 370},
    ),
]
PASTRIES = _goods(
    BAKERY,
    {
        "Круассан": 210,
        "Булочка с корицей": 240,
        "Сырник": 260,
        "Пирог с капустой": 280,
        "Миндальный круассан": 290,
        "Хлеб на закваске": 320,
    },
)
PACKS = [
    Good("Бразилия Серрадо, 250 г", BEANS, Decimal(690)),
    Good("Колумбия Уила, 250 г", BEANS, Decimal(820)),
    Good("Эфиопия Иргачеффе, 250 г", BEANS, Decimal(890)),
    Good("Смесь «Полдень», 1 кг", BEANS, Decimal(2390)),
]
BEANS_BY_WEIGHT = Good("Кения АА на развес", BEANS, Decimal(3640))
WHOLE_CAKES = _goods(CAKES, {"Медовик": 2190, "Наполеон": 2290, "Прага": 2350, "Чизкейк": 2450})
CARDS = [Good(f"Подарочная карта на {price} ₽", GIFT_CARDS, Decimal(price)) for price in (1000, 2000, 3000)]
SHELF = _goods(WARE, {"Кружка «Полдень»": 890, "Воронка для кофе": 1490, "Термос": 2190})
BANQUETS = [
    Good("Завтрак для офиса на 20 человек", CATERING, Decimal(20400)),
    Good("Кофе-брейк на 40 человек", CATERING, Decimal(26800)),
    Good("Фуршет на 40 человек", CATERING, Decimal(36500)),
]
OFFICE_BREAKFAST = Good("Завтрак для офиса на 15 человек", CATERING, Decimal(16800))
CAKE_TO_ORDER = "Торт на заказ"


def line(good: Good, quantity: int = 1) -> LineSpec:
    """So many pieces of a good."""
    return LineSpec(
        name=good.name,
        category=good.category,
        quantity=Decimal(quantity),
        line_sum=good.price * quantity,
    )


def basket(dice: random.Random) -> list[LineSpec]:
    """What somebody takes on an ordinary visit: 180 to some 6 000 ₽."""
    taken = {
        good.name: line(good, dice.choice((1, 1, 1, 2)))
        for good in dice.sample(DRINKS, dice.choice((1, 1, 2)))
    }
    for good in dice.sample(PASTRIES, dice.choice((0, 0, 1, 1, 2))):
        taken[good.name] = line(good, dice.choice((1, 1, 2)))
    more = dice.random()
    if more < 0.10:
        good = dice.choice(PACKS)
        taken[good.name] = line(good)
    elif more < 0.16:
        grams = dice.randrange(150, 600)
        taken[BEANS_BY_WEIGHT.name] = LineSpec(
            name=BEANS_BY_WEIGHT.name,
            category=BEANS_BY_WEIGHT.category,
            quantity=Decimal(grams) / 1000,
            line_sum=(BEANS_BY_WEIGHT.price * grams / 1000).quantize(KOPECK),
        )
    elif more < 0.24:
        good = dice.choice(WHOLE_CAKES)
        taken[good.name] = line(good)
    elif more < 0.27:
        good = dice.choice(CARDS)
        taken[good.name] = line(good)
    elif more < 0.31:
        good = dice.choice(SHELF)
        taken[good.name] = line(good)
    return list(taken.values())


def big_basket(dice: random.Random) -> list[LineSpec]:
    """A family's order: an ordinary visit with coffee for home or a cake."""
    extra = dice.choice((*PACKS, *WHOLE_CAKES))
    return [*(item for item in basket(dice) if item.name != extra.name), line(extra)]


def goods_sum(lines: Sequence[LineSpec]) -> Decimal:
    """What the lines cost together."""
    return sum((item.line_sum for item in lines), Decimal(0))
