"""Members by whatever a colleague types: what people are found by, a card of a shop, an order."""

from collections.abc import Sequence
from itertools import chain

from django.db import models
from django.utils.translation import pgettext_lazy

from accounts.queries import MOST_HITS, Found, Hit, Kind, find_members
from orders.models import Customer, Source
from orders.queries.sales import with_number

LEAST_CHARACTERS = 3


class ShopKind(models.TextChoices):
    """By what of a shop a member is found."""

    CARD = "card", pgettext_lazy("looked for", "card of a shop")
    ORDER = "order", pgettext_lazy("looked for", "order number")


KIND_LABELS = {**dict(Kind.choices), **dict(ShopKind.choices)}


def find(text: str) -> Found:
    """The members that a text may mean, exact ones first; nobody of the sandbox.

    Whatever is typed may be the number of a card or an order. `kinds` names these two only where the text
    has a digit, or where somebody is found by them.
    """
    people = find_members(text)
    text = " ".join(text.split())
    if len(text) < LEAST_CHARACTERS:
        return people
    of_shops = [*_by_card(text), *_by_order(text)]
    exact = (hit for hit in people.hits if hit.is_exact)
    others = (hit for hit in people.hits if not hit.is_exact)
    hits: dict[int, Hit] = {}
    for hit in chain(exact, of_shops, others):
        hits.setdefault(hit.member.pk, hit)
    has_digit = any(character.isdigit() for character in text)
    found_by = {hit.by for hit in of_shops}
    return Found(
        kinds=[*people.kinds, *(kind for kind in ShopKind.values if has_digit or kind in found_by)],
        hits=list(hits.values())[:MOST_HITS],
        has_more=people.has_more or len(hits) > MOST_HITS,
    )


def kind_labels(kinds: Sequence[str]) -> list[str]:
    """What they are called, in the active language."""
    return [str(KIND_LABELS[kind]) for kind in kinds]


def _by_card(text: str) -> list[Hit]:
    # By source, as the cards' index is; whoever reads one aloud or types it may leave spaces in it.
    cards = Customer.objects.filter(
        source__in=Source.objects.filter(is_sandbox=False), external_id__in={text, text.replace(" ", "")}
    )
    found = cards.select_related("member").order_by("member_id")[: MOST_HITS + 1]
    return [Hit(card.member, ShopKind.CARD, True) for card in found]


def _by_order(text: str) -> list[Hit]:
    orders = with_number({text, text.replace(" ", "")}).filter(member__isnull=False)
    found = orders.select_related("member").order_by("-placed_at", "-pk")[: MOST_HITS + 1]
    return [Hit(order.member, ShopKind.ORDER, True) for order in found if order.member]
