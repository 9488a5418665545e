"""An edition of the rules in words: its settings, its sentences, and what changed between two."""

from loyalty.rules_wording.differences import Difference, difference_in_words
from loyalty.rules_wording.sentences import GroupInWords, groups_in_words
from loyalty.rules_wording.settings import SETTING_TEXTS, Group, SettingText, setting_in_words

__all__ = [
    "SETTING_TEXTS",
    "Difference",
    "Group",
    "GroupInWords",
    "SettingText",
    "difference_in_words",
    "groups_in_words",
    "setting_in_words",
]
