"""The hours in which letters wait, since a telephone on a bedside table makes a noise for each of them."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

QUIET_FROM = time(21)
QUIET_UNTIL = time(9)


def quiet_since(at: datetime, zone: ZoneInfo) -> datetime | None:
    """When the quiet hours began in which that moment lies, by the clocks of the zone; None outside them."""
    local = at.astimezone(zone)
    if QUIET_UNTIL <= local.time() < QUIET_FROM:
        return None
    began_on = local.date() if local.time() >= QUIET_FROM else local.date() - timedelta(days=1)
    return datetime.combine(began_on, QUIET_FROM, zone)
