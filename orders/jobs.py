"""What the worker does for orders by the clock."""

from django.utils import timezone
from procrastinate.contrib.django import app

from orders.services.joining import credit_left_waiting


@app.periodic(cron="*/10 * * * *")
@app.task(queueing_lock="credit_orders_left_waiting")
def credit_orders_left_waiting(timestamp: int) -> int:
    """Give members the orders that came while they joined, or whose crediting was cut short."""
    return credit_left_waiting(at=timezone.now())
