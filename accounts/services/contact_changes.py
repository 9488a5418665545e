"""Changing an e-mail or a phone: it happens only when the contact in use and the new one are confirmed.

Whoever has only got hold of a signed-in browser can do nothing without the member's own contact, and
learns nothing about whose the new contact is.
"""

import logging
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts import queries, sms
from accounts.contacts import normalise_email, normalise_phone
from accounts.errors import (
    AccountsError,
    ContactChangeExpired,
    ContactChangeOver,
    ContactChangeReplaced,
    MessageNotSent,
    NoTextMessages,
    SameContact,
    TooManyContactChanges,
    TooManyWrongCodes,
    WrongCodes,
)
from accounts.models import ContactChange, Member, User
from accounts.origin import Origin
from accounts.services import contact_messages
from accounts.services.members import TAKEN, broken_constraint
from accounts.services.security import SecurityKind, tell_of_security
from accounts.services.sessions import end_other_sessions

CODE_DIGITS = 6
CODES_LIFE = timedelta(minutes=15)
# How many times a member may ask within how long; five guesses at each leave no hope of guessing.
LIMITS = ((5, timedelta(hours=1)), (10, timedelta(days=1)))

Kind = ContactChange.Kind
Outcome = ContactChange.Outcome

logger = logging.getLogger(__name__)


class FollowUp(Protocol):
    """Something to be done once a member has proved to own a contact."""

    def __call__(self, *, member: Member, at: datetime) -> object: ...


class _Settled(NamedTuple):
    """What became of an attempt to confirm: a refusal, a change, or neither since it was done already."""

    change: ContactChange
    refusal: AccountsError | None = None
    # The contacts that the member had until then, when the attempt changed something.
    old_contacts: tuple[str, ...] | None = None


_follow_ups: list[FollowUp] = []


def when_contact_verified(follow_up: FollowUp) -> None:
    """From now on, call `follow_up(member=…, at=…)` after each change that `confirm_contact_change` makes.

    An app above this one cannot be called by its name from here: orders that waited for the contact
    are credited by `orders.services.joining.credit_waiting_orders`, which `orders.hooks` hands in.
    """
    _follow_ups.append(follow_up)


def ask_contact_change(*, member: Member, kind: str, new_contact: str, asked_at: datetime) -> ContactChange:
    """A request to change the e-mail or the phone, with both codes sent; an earlier request ends.

    A new contact that is somebody else's is sent a warning instead of a code, and everything else is
    the same. Where no contact of that kind is verified, the other one must allow the change.

    Raises:
        InvalidEmail, InvalidPhone: the new contact cannot be read.
        SameContact: it is the one that the member has, verified.
        TooManyContactChanges: codes were asked for too often.
        NoTextMessages: a phone cannot be confirmed here.
        MessageNotSent: a code could not be sent; the request has ended.
    """
    if kind == Kind.PHONE and not sms.is_available():
        raise NoTextMessages
    contact = normalise_email(new_contact) if kind == Kind.EMAIL else normalise_phone(new_contact)
    owner_language = queries.language_of_other_owner(kind=kind, contact=contact, member=member)
    current_code, new_code = _new_code(), _new_code()
    change = _open_change(
        member=member,
        kind=kind,
        new_contact=contact,
        current_code=current_code,
        new_code=new_code if owner_language is None else None,
        asked_at=asked_at,
    )
    try:
        contact_messages.send_current_code(change=change, code=current_code, language=member.language)
        if owner_language is None:
            contact_messages.send_new_code(change=change, code=new_code, language=member.language)
        else:
            contact_messages.send_already_taken(change=change, language=owner_language)
    except MessageNotSent:
        cancel_contact_change(change=change, cancelled_at=asked_at, outcome=Outcome.NOT_SENT)
        raise
    return change


def confirm_contact_change(
    *,
    change: ContactChange,
    current_code: str,
    new_code: str,
    confirmed_at: datetime,
    kept_session_key: str | None,
    origin: Origin,
) -> ContactChange:
    """Make the change if both codes are right, tell the old contact and the new one, and follow up.

    With an e-mail the login changes too, and every session but the kept one ends. A change that was
    confirmed before comes back as it is.

    Raises:
        WrongCodes: one code or both are wrong; the member may try again.
        TooManyWrongCodes: that was the last try.
        ContactChangeExpired, ContactChangeReplaced, ContactChangeOver: it cannot be confirmed any more.
        EmailTaken, PhoneTaken: another member has got the contact meanwhile.
    """
    settled = _settle(
        change_id=change.pk,
        current_code=current_code,
        new_code=new_code,
        at=confirmed_at,
        kept_session_key=kept_session_key,
        origin=origin,
    )
    if settled.refusal:
        raise settled.refusal
    if settled.old_contacts is not None:
        _tell(settled.change, settled.old_contacts, at=confirmed_at, origin=origin)
        for follow_up in _follow_ups:
            follow_up(member=settled.change.member, at=confirmed_at)
    return settled.change


def check_is_not_over(change: ContactChange, *, at: datetime) -> None:
    """Nothing, while the codes may be entered, or once they were right.

    Raises:
        ContactChangeExpired, ContactChangeReplaced, TooManyWrongCodes, ContactChangeOver: they may not.
    """
    refusal = _refusal(change, at)
    if refusal:
        raise refusal


def cancel_contact_change(
    *, change: ContactChange, cancelled_at: datetime, outcome: Outcome = Outcome.CANCELLED
) -> None:
    """End the request; one that has ended already stays as it is."""
    ContactChange.objects.filter(pk=change.pk, ended_at=None).update(ended_at=cancelled_at, outcome=outcome)


@transaction.atomic
def _open_change(
    *,
    member: Member,
    kind: str,
    new_contact: str,
    current_code: str,
    new_code: str | None,
    asked_at: datetime,
) -> ContactChange:
    """The new request, which has replaced the one before it."""
    # Two tabs that ask at once come one after the other, or both would count the same requests.
    member = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    if new_contact == (member.verified_email if kind == Kind.EMAIL else member.verified_phone):
        raise SameContact
    asked = queries.contact_changes(member).filter(asked_at__gt=asked_at - LIMITS[-1][1])
    wait = _wait(list(asked.order_by("-asked_at").values_list("asked_at", flat=True)), asked_at)
    if wait:
        raise TooManyContactChanges(wait=wait)
    queries.contact_changes(member).filter(ended_at=None).update(ended_at=asked_at, outcome=Outcome.REPLACED)
    return ContactChange.objects.create(
        member=member,
        kind=kind,
        current_contact=queries.confirming_contact(member, kind),
        new_contact=new_contact,
        current_code_hash=_hash(member, "current", current_code),
        new_code_hash=_hash(member, "new", new_code) if new_code else None,
        asked_at=asked_at,
        expires_at=asked_at + CODES_LIFE,
    )


def _wait(asked: Sequence[datetime], at: datetime) -> timedelta | None:
    """How long until codes may be asked for again, of requests given newest first; None for now."""
    waits = [
        asked[most - 1] + period - at
        for most, period in LIMITS
        if len(asked) >= most and asked[most - 1] > at - period
    ]
    return max(waits, default=None)


@transaction.atomic
def _settle(
    *,
    change_id: int,
    current_code: str,
    new_code: str,
    at: datetime,
    kept_session_key: str | None,
    origin: Origin,
) -> _Settled:
    """Confirm, or count a wrong code, or find out why neither is possible; an error would undo the count."""
    # The login, the member, the request: in the same order as whoever else takes two of them.
    member_id = ContactChange.objects.values_list("member_id", flat=True).get(pk=change_id)
    user = User.objects.select_for_update(of=["self"], no_key=True).get(member=member_id)
    member = Member.objects.select_for_update(no_key=True).get(pk=member_id)
    change = ContactChange.objects.select_for_update().get(pk=change_id)
    change.member, member.user = member, user
    refusal = _refusal(change, at)
    if refusal or change.outcome == Outcome.CONFIRMED:
        return _Settled(change, refusal)
    wrong_fields = [
        f"{side}_code"
        for side, known_hash, code in (
            ("current", change.current_code_hash, current_code),
            ("new", change.new_code_hash, new_code),
        )
        if not _is_code(known_hash, member, side, code)
    ]
    if wrong_fields:
        change.wrong_codes += 1
        if change.wrong_codes < ContactChange.MOST_WRONG_CODES:
            change.save(update_fields=["wrong_codes"])
            tries_left = ContactChange.MOST_WRONG_CODES - change.wrong_codes
            return _Settled(change, WrongCodes(wrong_fields=wrong_fields, tries_left=tries_left))
        _end(change, Outcome.WRONG_CODES, at)
        return _Settled(change, TooManyWrongCodes())
    old_contacts = (change.current_contact, user.email)
    try:
        with transaction.atomic():
            _write(change, member=member, user=user, at=at)
    except IntegrityError as error:
        taken = TAKEN.get(broken_constraint(error) or "")
        if taken is None:
            raise
        _end(change, Outcome.TAKEN, at)
        return _Settled(change, taken())
    _end(change, Outcome.CONFIRMED, at)
    if _is_another(change, old_contacts):
        is_email = change.kind == Kind.EMAIL
        tell_of_security(
            member=member,
            kind=SecurityKind.EMAIL_CHANGED if is_email else SecurityKind.PHONE_CHANGED,
            at=at,
            origin=origin,
            contact=change.new_contact,
            **({"before": old_contacts[-1]} if is_email else {}),
        )
    if change.kind == Kind.EMAIL:
        end_other_sessions(user=user, kept_session_key=kept_session_key)
    return _Settled(change, old_contacts=old_contacts)


def _refusal(change: ContactChange, at: datetime) -> ContactChangeOver | None:
    """Why the request cannot be confirmed at that moment, if it cannot and was not before."""
    if change.outcome == Outcome.CONFIRMED:
        return None
    if change.outcome == Outcome.REPLACED:
        return ContactChangeReplaced()
    if change.outcome == Outcome.WRONG_CODES:
        return TooManyWrongCodes()
    if change.ended_at:
        return ContactChangeOver()
    if at >= change.expires_at:
        return ContactChangeExpired()
    # Who has meanwhile lost the contact that allowed the change must not allow it any more.
    if change.current_contact != queries.confirming_contact(change.member, change.kind):
        return ContactChangeOver()
    return None


def _write(change: ContactChange, *, member: Member, user: User, at: datetime) -> None:
    """Give the member the new contact as a verified one, and let the login follow the e-mail."""
    if change.kind == Kind.PHONE:
        member.phone, member.phone_verified_at = change.new_contact, at
        member.save(update_fields=["phone", "phone_verified_at"])
        return
    free_unproven(change.new_contact)
    user.email = change.new_contact
    user.save(update_fields=["email"])
    EmailAddress.objects.filter(user=user).delete()
    EmailAddress.objects.create(user=user, email=change.new_contact, verified=True, primary=True)
    member.email, member.email_verified_at = change.new_contact, at
    member.save(update_fields=["email", "email_verified_at"])


def free_unproven(email: str) -> None:
    """Delete the login that signed up with that address and never proved it, if there is one.

    Without the address there is nothing left of it to keep: nobody has ever signed in with it, it has
    no member, and its name and consents were given under an address that is another person's.
    """
    # Whoever proves the address at this moment waits for these locks and then finds no login. One who
    # was quicker is not found when we look again, once the locks are ours, and keeps the address.
    login = queries.unproven_logins(email).select_for_update(of=["self"]).first()
    if login is not None:
        list(EmailAddress.objects.select_for_update(of=["self"]).filter(user=login))
        queries.unproven_logins(email).filter(pk=login.pk).delete()


def _end(change: ContactChange, outcome: Outcome, at: datetime) -> None:
    change.outcome, change.ended_at = outcome, at
    change.save(update_fields=["wrong_codes", "outcome", "ended_at"])


def _tell(change: ContactChange, old_contacts: tuple[str, ...], *, at: datetime, origin: Origin) -> None:
    """Write to the contacts from before, and to a new phone, what has changed.

    The address that the member's letters go to is left out: the message about it has a letter, unless
    none goes there. The change is made whether or not the others can be reached; who could not be is in
    the log.
    """
    if not _is_another(change, old_contacts):
        return
    language = change.member.language
    told = dict.fromkeys([*old_contacts, change.new_contact])
    if not change.member.is_letter_address_refused:
        told.pop(change.member.letter_address or "", None)
    for contact in told:
        try:
            if change.kind == Kind.PHONE:
                contact_messages.send_phone_changed(
                    to=contact, phone=change.new_contact, language=language, at=at, origin=origin
                )
            else:
                contact_messages.send_email_changed(
                    to=contact,
                    old_email=old_contacts[-1],
                    new_email=change.new_contact,
                    language=language,
                    at=at,
                    origin=origin,
                )
        except AccountsError:
            logger.exception("Contact change %s is made, but one of the contacts was not told.", change.pk)


def _is_another(change: ContactChange, old_contacts: tuple[str, ...]) -> bool:
    """Whether it is not the contact that the member had all the time, and has only proved now."""
    return any(contact != change.new_contact for contact in old_contacts)


def _new_code() -> str:
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def _hash(member: Member, side: str, code: str) -> str:
    """The code's hash under the site's key: without the key a million tries would find the code."""
    return salted_hmac(
        "accounts.contact_change", f"{member.pk}/{side}/{code}", algorithm="sha256"
    ).hexdigest()


def _is_code(known_hash: str | None, member: Member, side: str, code: str) -> bool:
    return constant_time_compare(known_hash or "", _hash(member, side, code))
