"""What we are told from below: allauth has verified an e-mail address, or a member a new contact."""

from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from django.contrib import messages
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language

from accounts.devices import device_token_of
from accounts.services.contact_changes import when_contact_verified
from orders.services.joining import credit_waiting_orders, join_programme
from referrals.cookies import forget_click, remembered_click
from referrals.queries.acceptance import acceptance
from referrals.wording import accepted_text

when_contact_verified(credit_waiting_orders)


@receiver(email_confirmed)
def welcome(request: HttpRequest, email_address: EmailAddress, **kwargs: object) -> None:
    """Whoever has proved their address is a member from now on, and invited by whose link they came."""
    click = remembered_click(request)
    member = join_programme(
        user=email_address.user,
        verified_email=email_address.email,
        joined_at=timezone.now(),
        language=get_language() or "ru",
        click=click,
        device_token=device_token_of(request),
    )
    if click is None:
        return
    forget_click(request)
    accepted = acceptance(invited=member, token=click.token)
    if accepted is not None:
        messages.success(request, accepted_text(accepted))
