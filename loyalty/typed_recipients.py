"""What a member typed to name a recipient: kept in their session, and nowhere else.

It may be somebody's e-mail or phone, so it stands in no address, and in no table but the sessions':
there until the transfer is confirmed or the session ends. The page that asks whether all is right shows
a masked name, and “Change” finds here what to show again.
"""

from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase

KEPT = "transfer_recipients"
MOST_KEPT = 5


def keep_recipient(session: SessionBase, key: UUID, recipient: str) -> None:
    """Remember what was typed for that intent; of many intents the latest are remembered."""
    kept = {**session.get(KEPT, {})}
    kept.pop(str(key), None)
    kept[str(key)] = recipient
    session[KEPT] = dict(list(kept.items())[-MOST_KEPT:])


def kept_recipient(session: SessionBase, key: UUID) -> str:
    """What was typed for that intent; empty when this session does not know it."""
    return str(session.get(KEPT, {}).get(str(key), ""))


def forget_recipient(session: SessionBase, key: UUID) -> None:
    """Forget it, once the points have been given."""
    kept = {**session.get(KEPT, {})}
    if kept.pop(str(key), None) is not None:
        session[KEPT] = kept
