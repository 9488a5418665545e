"""What members think of the programme."""

from datetime import datetime

from django.db import transaction

from accounts.models import Member
from orders.models import Opinion
from orders.queries.opinions import may_be_asked


@transaction.atomic
def give_opinion(*, member: Member, score: int | None, at: datetime) -> Opinion | None:
    """Note the answer, or for None that the question was skipped; None comes back where nobody asked.

    Sent twice, the first answer stays.
    """
    member = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    if not may_be_asked(member, at):
        return None
    return Opinion.objects.create(member=member, score=score, given_at=at)
