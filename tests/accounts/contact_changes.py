"""Small words for stories about changed contacts: the codes that arrive, the forms that are sent."""

import re

from django.core import mail
from django.http import HttpResponse
from django.test import Client

from accounts.models import ContactChange, Member
from tests.pages import Page

EMAIL_PAGE, PHONE_PAGE = "/profile/email/", "/profile/phone/"
OLD_EMAIL, OLD_PHONE = "ada@example.com", "+79160000001"
NEW_EMAIL, NEW_PHONE = "ada.new@example.com", "+79161234567"


class Phones:
    """The text messages that were sent in development: they are in the log."""

    def __init__(self, caplog) -> None:
        caplog.set_level("INFO", logger="accounts.sms")
        self.caplog = caplog

    @property
    def messages(self) -> list[tuple[str, str]]:
        """To whom and what, in order."""
        return [record.args for record in self.caplog.records if record.name == "accounts.sms"]

    def to(self, phone: str) -> list[str]:
        return [text for to, text in self.messages if to == phone]


def letters_to(address: str) -> list[str]:
    return [f"{letter.subject}\n{letter.body}" for letter in mail.outbox if letter.to == [address]]


def code_in(text: str) -> str:
    """The one code in a message."""
    (code,) = set(re.findall(r"\b\d{6}\b", text))
    return code


def text_of(response: HttpResponse) -> str:
    """What the page says."""
    return Page(response).text


def codes_in(text: str) -> set[str]:
    return set(re.findall(r"\b\d{6}\b", text))


def other_than(code: str) -> str:
    """A code that is not that one."""
    return f"{(int(code) + 1) % 10**6:06d}"


def ask(client: Client, page: str, contact: str) -> HttpResponse:
    return client.post(page, {"contact": contact})


def confirm(client: Client, page: str, current_code: str, new_code: str) -> HttpResponse:
    return client.post(page, {"current_code": current_code, "new_code": new_code})


def ask_email(client: Client, new_email: str = NEW_EMAIL, old_email: str = OLD_EMAIL):
    """Ask for the new e-mail; the page for the codes, and both codes as they arrived."""
    mail.outbox.clear()
    page = ask(client, EMAIL_PAGE, new_email).headers["Location"]
    return page, code_in(letters_to(old_email)[-1]), code_in(letters_to(new_email.strip().lower())[-1])


def give_phone(member: Member, phone: str, *, verified_at: object) -> None:
    member.phone, member.phone_verified_at = phone, verified_at
    member.save()


def outcomes() -> list[str]:
    return list(ContactChange.objects.order_by("pk").values_list("outcome", flat=True))
