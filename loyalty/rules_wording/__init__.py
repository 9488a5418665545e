"""An edition of the rules in words: its settings, its sentences, and what changed between two."""

from loyalty.rules_wording.differences import Difference, difference_in_words
from loyalty.rules_wording.in_short import EXAMPLE_SUM, Line, rules_in_short
from loyalty.rules_wording.sentences import GroupInWords, groups_in_words
from loyalty.rules_wording.settings import SETTING_TEXTS, Group, SettingText, setting_in_words

__all__ = [
    "EXAMPLE_SUM",
    "SETTING_TEXTS",
    "Difference",
    "Group",
    "GroupInWords",
    "Line",
    "SettingText",
    "difference_in_words",
    "groups_in_words",
    "rules_in_short",
    "setting_in_words",
]
