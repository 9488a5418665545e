"""What accounts refuse, each with a sentence for the person who reads it."""

from datetime import timedelta
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


class NoFirstName(AccountsError):
    """There is no letter in the first name."""

    sentence = _("Enter your first name: it is what letters begin with and friends see.")


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


class SameContact(AccountsError):
    """The member has that contact already, and has confirmed it."""

    sentence = _("This is what you have now. Enter something different.")


class TooManyContactChanges(AccountsError):
    """Codes were asked for too often; `wait` is how long it takes until they may be again."""

    def __init__(self, *, wait: timedelta) -> None:
        super().__init__(wait)
        self.wait = wait

    def __str__(self) -> str:
        minutes = max(1, -(-self.wait // timedelta(minutes=1)))
        if minutes < 60:
            return ngettext(
                "You have asked for codes too often. Try again in %(count)d minute.",
                "You have asked for codes too often. Try again in %(count)d minutes.",
                minutes,
            ) % {"count": minutes}
        hours = -(-minutes // 60)
        return ngettext(
            "You have asked for codes too often. Try again in %(count)d hour.",
            "You have asked for codes too often. Try again in %(count)d hours.",
            hours,
        ) % {"count": hours}


class WrongCodes(AccountsError):
    """One code or both are not the ones that were sent; `wrong_fields` names them."""

    def __init__(self, *, wrong_fields: list[str], tries_left: int) -> None:
        super().__init__(wrong_fields, tries_left)
        self.wrong_fields = wrong_fields
        self.tries_left = tries_left

    def __str__(self) -> str:
        return ngettext(
            "This is not the code we sent. Check it; %(count)d try is left.",
            "This is not the code we sent. Check it; %(count)d tries are left.",
            self.tries_left,
        ) % {"count": self.tries_left}


class ContactChangeOver(AccountsError):
    """The request to change a contact cannot be confirmed any more."""

    sentence = _("This request has ended. Nothing was changed; ask for new codes.")


class ContactChangeExpired(ContactChangeOver):
    """The codes are too old."""

    sentence = _("These codes are too old. Nothing was changed; ask for new ones.")


class ContactChangeReplaced(ContactChangeOver):
    """Newer codes were asked for, perhaps in another tab."""

    sentence = _("Newer codes were asked for since then, and these no longer work. Use the newest ones.")


class TooManyWrongCodes(ContactChangeOver):
    """Wrong codes were entered too often."""

    sentence = _("Wrong codes were entered too often. Nothing was changed; ask for new codes.")


class MessageNotSent(AccountsError):
    """A letter or a text message could not be handed over for sending."""

    sentence = _("The message could not be sent. Nothing was changed; try again in a few minutes.")


class AddressRefused(MessageNotSent):
    """The mail server takes no letters to that address, now or later."""

    sentence = _("Letters to this address are refused. Nothing was changed; check the address.")


class LetterRefused(MessageNotSent):
    """The mail server does not take this letter, now or later; others to the same address it may take."""


class LettersAlwaysOn(AccountsError):
    """Letters about the topic come in any case."""

    sentence = _(
        "Letters about the security of your account always come: they tell you when somebody else is at it."
    )


class LetterLinkOver(AccountsError):
    """A letter's link is none of ours, or the letter went to an address that is no longer the member's."""

    sentence = _("The link no longer works. Sign in to choose which letters come.")


class NoTextMessages(AccountsError):
    """No text messages can be sent from here, so no phone can be confirmed."""

    sentence = _("We cannot send text messages at the moment, so a phone cannot be confirmed here.")


class LoginTaken(AccountsError):
    """The login belongs to another member."""

    sentence = _("This login already belongs to another member.")


class NoMember(AccountsError, Http404):
    """The login has no member behind it, as with staff who are not in the programme.

    Being an Http404 it becomes the “not found” page, which shows the sentence.
    """

    sentence = _("This login is not a member of the programme.")


class StaffRefused(AccountsError):
    """Something about colleagues and their roles is refused; `field` is the form's field it belongs to."""

    field = ""


class NoStaffRole(StaffRefused):
    """The role is none of the console's."""

    field = "role"
    sentence = _("Choose one of the two roles.")


class AlreadyColleague(StaffRefused):
    """The address is that of a login which may already do what it is invited to."""

    field = "email"
    sentence = _("Whoever has this address is a colleague with this role already.")


class InvitationOver(StaffRefused):
    """The link is unknown, used, taken back, replaced or too old: one sentence for all of these."""

    sentence = _("The link no longer works. Ask whoever invited you for a new one.")


class LoginNeeded(StaffRefused):
    """The invited address has a login already, so that its owner accepts with that one."""

    sentence = _("This address has a login already. Sign in with it to accept.")


class OtherLogin(StaffRefused):
    """The invitation is for another address than that of the login which wants to accept it."""

    sentence = _("The invitation is for another address. Sign in with that one to accept.")


class OwnRole(StaffRefused):
    """Nobody changes what they may do themselves."""

    sentence = _("This is your own login. Ask another supervisor to change it.")


class LastSupervisor(StaffRefused):
    """Without this supervisor nobody could change the programme or its staff."""

    sentence = _("There must be a supervisor. Make somebody else one first.")
