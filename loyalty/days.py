"""Days as the programme's zone has them."""

from datetime import date, datetime, time

from django.utils import timezone


def midnight(on: date) -> datetime:
    """When that day begins."""
    return timezone.make_aware(datetime.combine(on, time.min), timezone.get_default_timezone())
