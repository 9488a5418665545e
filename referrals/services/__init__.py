"""Everything that writes invitations: codes, visits, inviters, what they bring, and decisions."""

from referrals.services.attaching import Click, answer_invitation, attach_at_till, attach_inviter, count_visit
from referrals.services.codes import code_of, reissue_code, show_name
from referrals.services.flags import decide_flags, flag_shared_devices, flag_silent_friends, raise_flag
from referrals.services.rewards import (
    FriendsOrder,
    count_friends_order,
    give_welcome,
    reward_inviter,
    take_back_rewards,
    welcome_at_sign_up,
)

__all__ = [
    "Click",
    "FriendsOrder",
    "answer_invitation",
    "attach_at_till",
    "attach_inviter",
    "code_of",
    "count_friends_order",
    "count_visit",
    "decide_flags",
    "flag_shared_devices",
    "flag_silent_friends",
    "give_welcome",
    "raise_flag",
    "reissue_code",
    "reward_inviter",
    "show_name",
    "take_back_rewards",
    "welcome_at_sign_up",
]
