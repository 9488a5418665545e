"""What a library tells us: allauth has verified an e-mail address."""

from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language

from orders.services.joining import join_programme


@receiver(email_confirmed)
def welcome(request: HttpRequest, email_address: EmailAddress, **kwargs: object) -> None:
    """Whoever has proved their address is a member from now on."""
    join_programme(
        user=email_address.user,
        verified_email=email_address.email,
        joined_at=timezone.now(),
        language=get_language() or "ru",
    )
