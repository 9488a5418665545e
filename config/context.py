"""What every template may show of the programme itself."""

from django.conf import settings
from django.http import HttpRequest


def programme(request: HttpRequest) -> dict[str, object]:
    """The programme's name, its contact and whether this is a demo."""
    return {
        "programme_name": settings.PROGRAMME_NAME,
        "support_email": settings.SUPPORT_EMAIL,
        "is_demo": settings.IS_DEMO,
    }
