"""Who someone is: the login, the member of the programme, what they agreed to and what they are told."""

from accounts.models.colleagues import StaffInvitation
from accounts.models.consents import CONSENT_TEXT_VERSION, Consent, ContactChange
from accounts.models.journal import AuditRecord, Device
from accounts.models.messages import LetterPreference, Message, Topic
from accounts.models.people import Language, Member, NameKey, User, UserManager

__all__ = [
    "CONSENT_TEXT_VERSION",
    "AuditRecord",
    "Consent",
    "ContactChange",
    "Device",
    "Language",
    "LetterPreference",
    "Member",
    "Message",
    "NameKey",
    "StaffInvitation",
    "Topic",
    "User",
    "UserManager",
]
