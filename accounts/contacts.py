"""E-mail addresses, phone numbers and names: one spelling of each, and what others may see."""

import unicodedata

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext

from accounts.errors import InvalidEmail, InvalidPhone

EMAIL_LENGTH = 254
NO_BREAK_SPACE = "\u00a0"
HIDDEN = "•••"
# What some scripts join their letters by; every other invisible character could turn a name around.
JOINERS = "\u200c\u200d"
# What stands inside of names beside letters. With dots, slashes or digits a “name” could be an address,
# and it stands in the letters that others get.
NAME_SIGNS = "-‐‑'’"
NAME_LENGTH = 30


def normalise_email(text: str) -> str:
    """The address in lower case, without what stands around it.

    Raises:
        InvalidEmail: the text is no e-mail address.
    """
    email = text.strip().lower()
    if len(email) > EMAIL_LENGTH:
        raise InvalidEmail
    try:
        validate_email(email)
    except ValidationError as error:
        raise InvalidEmail from error
    return email


def normalise_phone(text: str) -> str:
    """The number in E.164, such as +79161234567, from any spelling of the home country or abroad.

    Raises:
        InvalidPhone: no such number can exist, or it has an extension, which is nobody's own phone.
    """
    try:
        phone = phonenumbers.parse(text, settings.PHONENUMBER_DEFAULT_REGION)
    except phonenumbers.NumberParseException as error:
        raise InvalidPhone from error
    if phone.extension or not phonenumbers.is_valid_number(phone):
        raise InvalidPhone
    return phonenumbers.format_number(phone, phonenumbers.PhoneNumberFormat.E164)


def readable_phone(phone: str) -> str:
    """The number of E.164 as people write it, on one line: “+7 916 123-45-67”."""
    number = phonenumbers.format_number(
        phonenumbers.parse(phone), phonenumbers.PhoneNumberFormat.INTERNATIONAL
    )
    return number.replace(" ", NO_BREAK_SPACE)


def readable_contact(contact: str) -> str:
    """The e-mail as it is, or the phone as people write it."""
    return contact if "@" in contact else readable_phone(contact)


def masked_contact(contact: str) -> str:
    """The contact as its owner recognises it, and nobody else: “a•••@example.com”, “+7 ••• 67”."""
    if "@" in contact:
        name, _, domain = contact.partition("@")
        return f"{name[:1]}{HIDDEN}@{domain}"
    if not contact:
        return ""
    readable = readable_phone(contact)
    return NO_BREAK_SPACE.join((readable.split(NO_BREAK_SPACE)[0], HIDDEN, readable[-2:]))


def tidy_name(text: str) -> str:
    """The name with single spaces and without characters that nobody sees; empty if it has no letter."""
    seen = "".join(
        character
        for character in text
        if character.isspace() or character in JOINERS or unicodedata.category(character) not in ("Cc", "Cf")
    )
    return " ".join(seen.split()) if any(character.isalpha() for character in seen) else ""


def masked_name(first_name: str, last_name: str) -> str:
    """What one member sees of another: “Мария П.”.

    Whoever wrote the whole name as the first one shows an initial all the same. What is no name, such as
    an address of a page, is not shown at all.
    """
    words = first_name.split()
    if words and not _is_name(words[0]):
        return gettext("Member")
    surname = last_name.strip() or (words[-1] if len(words) > 1 else "")
    shown = [*words[:1], *([f"{surname[0].upper()}."] if surname[:1].isalpha() else [])]
    return " ".join(shown) or gettext("Member")


def _is_name(word: str) -> bool:
    """Whether it is of letters of any script, their marks and what joins them, and not too long."""
    return (
        len(word) <= NAME_LENGTH
        and any(character.isalpha() for character in word)
        and all(
            unicodedata.category(character)[0] in "LM" or character in NAME_SIGNS + JOINERS
            for character in word
        )
    )
