"""What the worker does for invitations by the clock."""

from django.utils import timezone
from procrastinate.contrib.django import app

from referrals import services


# This is a quarter to five in the morning in Moscow.
@app.periodic(cron="45 1 * * *")
@app.task(queueing_lock="flag_silent_friends")
def flag_silent_friends(timestamp: int) -> int:
    """Flag the invitations of inviters whose friends never come back; returns how many."""
    return services.flag_silent_friends(at=timezone.now())


# Half past four in the morning in Moscow.
@app.periodic(cron="30 1 * * *")
@app.task(queueing_lock="flag_shared_devices")
def flag_shared_devices(timestamp: int) -> int:
    """Flag the invitations whose two members have one browser by now; returns how many."""
    return services.flag_shared_devices(at=timezone.now())
