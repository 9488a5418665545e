"""Days as the programme's zone has them."""

from datetime import date, datetime, time

from django.utils import timezone


def midnight(on: date) -> datetime:
    """When that day begins."""
    return timezone.make_aware(datetime.combine(on, time.min), timezone.get_default_timezone())


def month_after(month: date, count: int) -> date:
    """The first day of the month so many months later, or earlier where it is below 0."""
    years, index = divmod(month.month - 1 + count, 12)
    return date(month.year + years, index + 1, 1)
