"""What the worker does for accounts: letters."""

from django.utils import timezone
from procrastinate.contrib.django import app

from accounts.services import waiting_letters
from accounts.services.messages import SEND_LETTERS_LOCK


@app.periodic(cron="* * * * *")
@app.task(queueing_lock=SEND_LETTERS_LOCK)
def send_waiting_letters(timestamp: int) -> int:
    """Send the letters that wait; returns how many. It is asked for as soon as one does, too."""
    return waiting_letters.send_waiting_letters(at=timezone.now(), clock=timezone.now)
