"""Whose operation is this."""

from django.http import Http404

from accounts.models import Member
from loyalty.queries.operations import Operation, operation


def own_operation(member: Member, posting_id: int) -> Operation:
    """The member's own operation; somebody else's is “not found”."""
    own = operation(account_id=member.pk, posting_id=posting_id)
    if own is None:
        raise Http404
    return own
