"""Which statuses an operation may refuse with, for its document."""

from orders.api.problems import Problem

READ = dict.fromkeys((401, 403, 422, 429, 503), Problem)
"""What has no body."""
SEND = {**READ, **dict.fromkeys((400, 413, 415), Problem)}
"""What has one."""
UNKNOWN = {404: Problem}
"""What names a member, an order or a transfer that may not be there, or looks for one."""
CONFLICT = {409: Problem}
"""What may not fit what is already there."""
