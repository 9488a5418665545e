"""What accounts refuse, each with a sentence for the person who reads it."""

from typing import ClassVar

from django.http import Http404
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext


class AccountsError(Exception):
    """A refusal; its text is in the language that is active when it is read."""

    sentence: ClassVar[str | Promise]

    def __str__(self) -> str:
        return str(self.sentence)


class InvalidMemberNumber(AccountsError):
    """The text is no member number."""

    sentence = _("This is not a member number. It has 12 digits, such as 2481 9073 6514.")


class MemberNumberLengthError(InvalidMemberNumber):
    """The text has `found_digits` digits, and a member number has 12."""

    def __init__(self, *, found_digits: int) -> None:
        super().__init__(found_digits)
        self.found_digits = found_digits

    def __str__(self) -> str:
        return ngettext(
            "A member number has 12 digits, and %(digits)d digit was entered.",
            "A member number has 12 digits, and %(digits)d digits were entered.",
            self.found_digits,
        ) % {"digits": self.found_digits}


class MistypedMemberNumber(InvalidMemberNumber):
    """There are 12 digits, but the check digit shows that one of them is wrong."""

    sentence = _(
        "A digit of this member number is wrong, or two have changed places. Check it and try again."
    )


class InvalidEmail(AccountsError):
    """The text is no e-mail address."""

    sentence = _("This is not an e-mail address. Write it like name@example.com.")


class InvalidPhone(AccountsError):
    """The text is no phone number that exists."""

    sentence = _(
        "This is not a phone number. Write it like +7 916 123-45-67; "
        "a number in another country begins with + and the country code."
    )


class EmailTaken(AccountsError):
    """Another member has that e-mail address."""

    sentence = _("Another member already has this e-mail address.")


class PhoneTaken(AccountsError):
    """Another member has that phone number."""

    sentence = _("Another member already has this phone number.")


class LoginTaken(AccountsError):
    """The login belongs to another member."""

    sentence = _("This login already belongs to another member.")


class NoMember(AccountsError, Http404):
    """The login has no member behind it, as with staff who are not in the programme.

    Being an Http404 it becomes the “not found” page, which shows the sentence.
    """

    sentence = _("This login is not a member of the programme.")
