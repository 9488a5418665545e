"""The moments that tests happen at, in the programme's own time zone."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

MOSCOW = ZoneInfo("Europe/Moscow")

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=MOSCOW)
AN_HOUR_LATER = NOON + timedelta(hours=1)
TOMORROW_NOON = NOON + timedelta(days=1)
YESTERDAY_NOON = NOON - timedelta(days=1)
