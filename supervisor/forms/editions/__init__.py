"""Forms about editions of the rules: a draft as a whole, and publishing what was seen of it."""

from supervisor.forms.editions.draft import DraftForm
from supervisor.forms.editions.publishing import PublishForm
from supervisor.forms.editions.settings import SettingsForm
from supervisor.forms.editions.tiers import TierForm

__all__ = ["DraftForm", "PublishForm", "SettingsForm", "TierForm"]
