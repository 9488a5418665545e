"""What the worker does for invitations by the clock."""

from django.utils import timezone
from procrastinate.contrib.django import app

from referrals.services import flag_silent_friends as flag_them


# This is a quarter to five in the morning in Moscow.
@app.periodic(cron="45 1 * * *")
@app.task(queueing_lock="flag_silent_friends")
def flag_silent_friends(timestamp: int) -> int:
    """Flag the invitations of inviters whose friends never come back; returns how many."""
    return flag_them(at=timezone.now())
