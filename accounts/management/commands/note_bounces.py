"""`manage.py note_bounces`: which mailboxes have sent letters back.

A mail server often takes a letter and sends it back later. What reads these answers, such as the mail
provider's list of bounces, hands the addresses over on standard input, one in each line.
"""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from accounts.services.preferences import refuse_addresses


class Command(BaseCommand):
    help = "Read addresses that send letters back, one a line, and send no more letters there."

    def handle(self, *args: Any, **options: Any) -> None:
        """Note each address of a member's; what is nobody's is passed over."""
        addresses = [line.strip() for line in sys.stdin if line.strip()]
        members = refuse_addresses(addresses)
        self.stdout.write(
            f"Addresses read: {len(addresses)}. Members who get no more letters: {len(members)}."
        )
