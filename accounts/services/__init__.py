"""Everything that writes who someone is.

What other apps call stands here; the profile's own parts are in `contact_changes` and `sessions`.
"""

from accounts.services.members import (
    assign_role,
    change_consent,
    change_language,
    change_name,
    claim_member,
    create_member,
    hide_first_steps,
    record_consent,
    remove_role,
)

__all__ = [
    "assign_role",
    "change_consent",
    "change_language",
    "change_name",
    "claim_member",
    "create_member",
    "hide_first_steps",
    "record_consent",
    "remove_role",
]
