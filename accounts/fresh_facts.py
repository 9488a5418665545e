"""What letters say is read when they are sent: apps tell here how.

An app has, in its module `letters`, a dict `FRESH_FACTS` from kinds of messages to functions. Such a
function is given the message, its member and the moment of sending, within the transaction in which the
letter is sent. It returns facts that take the place of those which were told, with days and moments as
such; or None when what was told is no longer true, and then no letter is sent.
"""

from collections.abc import Callable
from datetime import datetime
from functools import cache

from accounts.collected import collected
from accounts.models import Member, Message

FreshFacts = Callable[[Message, Member, datetime], dict[str, object] | None]


def fresh_facts(message: Message, member: Member, at: datetime) -> dict[str, object] | None:
    """The message's facts that are read anew for its letter; None when it is no longer true."""
    read = every_fresh_facts().get(message.kind)
    return {} if read is None else read(message, member, at)


@cache
def every_fresh_facts() -> dict[str, FreshFacts]:
    """The functions of all installed apps, by the kind of message."""
    known: dict[str, FreshFacts] = {}
    for functions in collected("letters", "FRESH_FACTS"):
        known |= functions
    return known
