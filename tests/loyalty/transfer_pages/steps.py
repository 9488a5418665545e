"""The steps of a transfer as a browser without JavaScript takes them."""

import re
from uuid import UUID

from django.http import HttpResponse
from django.test import Client

from accounts.models import Member
from loyalty.models import Transfer, TransferIntent
from tests.factories import PASSWORD
from tests.pages import Page

FORM = "/transfer/"
CHECK = re.compile(r"/transfer/check/([0-9a-f-]{36})/")
RECEIPT = re.compile(r"/transfer/done/([0-9]{10})/")


def ask(client: Client, recipient: str | Member, points: int | str) -> HttpResponse:
    """Fill the form in and send it."""
    named = recipient.number if isinstance(recipient, Member) else recipient
    return client.post(FORM, {"recipient": named, "points": str(points)})


def check_address(client: Client, recipient: str | Member, points: int | str) -> str:
    """Where the form leads: the page that asks whether all is right."""
    response = ask(client, recipient, points)
    assert response.status_code == 302, Page(response).text
    assert CHECK.fullmatch(response["Location"])
    return response["Location"]


def confirm(client: Client, address: str, **proof: str) -> HttpResponse:
    """Press the button of that page, with the password unless something else is given."""
    return client.post(address, proof or {"password": PASSWORD})


def transfer(client: Client, recipient: str | Member, points: int | str) -> Transfer:
    """All the steps; what comes back is what was made."""
    response = confirm(client, check_address(client, recipient, points))
    assert response.status_code == 302, Page(response).text
    found = RECEIPT.fullmatch(response["Location"])
    assert found, response["Location"]
    return Transfer.objects.select_related("sender", "recipient").get(number=found[1])


def intent_at(address: str) -> TransferIntent:
    """The intent whose page that is."""
    found = CHECK.match(address)
    assert found
    return TransferIntent.objects.get(key=UUID(found[1]))


def opened(client: Client, address: str, status: int = 200) -> Page:
    """The page at that address."""
    response = client.get(address)
    assert response.status_code == status
    return Page(response)


def title_of(response: HttpResponse) -> str:
    """What stands in the browser’s tab."""
    found = re.search(r"<title>(.*?)</title>", response.content.decode(), re.DOTALL)
    assert found
    return " ".join(found[1].split())


def attributes_of(page: Page, name: str) -> dict[str, str]:
    """The attributes of the field of that name."""
    (field,) = [attributes for _tag, attributes in page.tags if attributes.get("name") == name]
    return field


def has_field(page: Page, name: str) -> bool:
    """Whether the page asks for it."""
    return any(attributes.get("name") == name for _tag, attributes in page.tags)
