"""Making editions of the rules: a draft, what is wrong with it, publishing and withdrawing it."""

from loyalty.services.rules.drafts import (
    copy_edition,
    create_draft,
    delete_draft,
    draft_problems,
    update_draft,
)
from loyalty.services.rules.problems import rule_problems
from loyalty.services.rules.publishing import lock_publishing, publish_rule_set, withdraw_rule_set
from loyalty.services.rules.specs import SETTING_NAMES, RuleSettings, TierSpec, settings_of, specs_of

__all__ = [
    "SETTING_NAMES",
    "RuleSettings",
    "TierSpec",
    "copy_edition",
    "create_draft",
    "delete_draft",
    "draft_problems",
    "lock_publishing",
    "publish_rule_set",
    "rule_problems",
    "settings_of",
    "specs_of",
    "update_draft",
    "withdraw_rule_set",
]
