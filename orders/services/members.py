"""A shop registers a member, or finds one it may see."""

from datetime import datetime

from django.db import IntegrityError, transaction

from accounts import services as accounts
from accounts.contacts import tidy_name
from accounts.errors import NoFirstName
from accounts.models import Consent, Language, Member
from loyalty.services.retry import ledger_write
from loyalty.services.standing import standing_of
from orders.errors import ConsentMissing, CustomerTaken
from orders.models import Customer, Source


@ledger_write
def register_member(
    *,
    source: Source,
    first_name: str,
    last_name: str,
    email: str | None,
    phone: str | None,
    language: Language,
    customer_id: str | None,
    agrees_to_programme: bool,
    agrees_to_advertising: bool,
    at: datetime,
) -> Member:
    """A new member without a login, in the lowest tier; what they agreed to is kept.

    Contacts are kept unverified: they find their member once the person has proved to own them.
    `customer_id` is what the source calls them. A sandbox registers members of the sandbox.

    Raises:
        ConsentMissing: they have not agreed to the programme's rules.
        NoFirstName: there is no letter in the first name.
        InvalidEmail, InvalidPhone: a contact cannot be read.
        EmailTaken, PhoneTaken: another member has it.
        CustomerTaken: the source calls another member so.
    """
    if not agrees_to_programme:
        raise ConsentMissing
    if not tidy_name(first_name):
        raise NoFirstName
    member = accounts.create_member(
        first_name=tidy_name(first_name),
        last_name=tidy_name(last_name),
        email=email,
        phone=phone,
        language=language,
        joined_at=at,
        is_sandbox=source.is_sandbox,
    )
    for kind, is_given in (
        (Consent.Kind.PROGRAMME, agrees_to_programme),
        (Consent.Kind.ADVERTISING, agrees_to_advertising),
    ):
        if is_given:
            accounts.record_consent(
                member=member, kind=kind, is_given=True, how=Consent.How.SHOP, recorded_at=at
            )
    if customer_id:
        try:
            with transaction.atomic():
                Customer.objects.create(source=source, external_id=customer_id, member=member)
        except IntegrityError as error:
            raise CustomerTaken from error
    standing_of(member=member, at=at)
    return member
