"""What became of points in months, as far as it is counted."""

from django.db import models


class CountedMonth(models.Model):
    """The points of the month that begins on `month`, of postings up to the last that is counted.

    The ledger only grows, so what is counted stays right, and later postings are added to it: also those
    that took effect in a month long over. `last_posting_id` is the greatest of this month; all postings up
    to the greatest of all months are counted.
    """

    month = models.DateField(primary_key=True)
    credited_points = models.BigIntegerField()
    taken_back_points = models.BigIntegerField()
    spent_points = models.BigIntegerField()
    given_back_points = models.BigIntegerField()
    expired_points = models.BigIntegerField()
    adjusted_points = models.BigIntegerField()
    last_posting_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"
