"""What the rules may refuse, in words for the person who reads them."""

from datetime import datetime
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.errors.base import LoyaltyError


class RulesRefused(LoyaltyError):
    """The edition cannot be as it is asked for.

    `field` is the setting or the tier's field that it is about, and `tier_position` the tier, where
    there is one: so a form can show the sentence where it belongs.
    """

    code = "rules_refused"

    def __init__(self, field: str, tier_position: int | None = None) -> None:
        super().__init__(field, tier_position)
        self.field = field
        self.tier_position = tier_position


class TiersMissing(RulesRefused):
    """An edition without tiers."""

    code = "tiers_missing"

    def __str__(self) -> str:
        return _("The rules need at least one tier.")


class TierNameMissing(RulesRefused):
    """A tier without a name."""

    code = "tier_name_missing"

    def __str__(self) -> str:
        return _("Give this tier a name.")


class TierNameRepeated(RulesRefused):
    """Two tiers of the same name."""

    code = "tier_name_repeated"

    def __str__(self) -> str:
        return _("Another tier has this name already. Choose a different one.")


class TierNameTooLong(RulesRefused):
    """A tier with a name that would not fit on a page."""

    code = "tier_name_too_long"

    def __init__(self, field: str, tier_position: int | None = None, *, most_letters: int) -> None:
        super().__init__(field, tier_position)
        self.most_letters = most_letters

    def __str__(self) -> str:
        return ngettext(
            "Shorten the name: it may have at most %(count)s letter.",
            "Shorten the name: it may have at most %(count)s letters.",
            self.most_letters,
        ) % {"count": self.most_letters}


class LowestThresholdNotZero(RulesRefused):
    """Somebody who has paid nothing yet would have no tier."""

    code = "lowest_threshold_not_zero"

    def __str__(self) -> str:
        return _("The lowest tier must begin at 0, so that every member has a tier.")


class ThresholdsNotRising(RulesRefused):
    """A tier that does not begin above the one below it."""

    code = "thresholds_not_rising"

    def __str__(self) -> str:
        return _("This tier must begin at a higher sum than the tier before it.")


class NumberOutOfRange(RulesRefused):
    """A number that is too small, too large, or has too many decimal places."""

    code = "number_out_of_range"

    def __init__(
        self, field: str, tier_position: int | None = None, *, least: Decimal, most: Decimal, places: int
    ) -> None:
        super().__init__(field, tier_position)
        self.least = least
        self.most = most
        self.places = places

    def __str__(self) -> str:
        return ngettext(
            "Enter a number from %(least)s to %(most)s with at most %(places)s decimal place.",
            "Enter a number from %(least)s to %(most)s with at most %(places)s decimal places.",
            self.places,
        ) % {"least": self.least, "most": self.most, "places": self.places}


class ColourInvalid(RulesRefused):
    """A colour that a page could not show."""

    code = "colour_invalid"

    def __str__(self) -> str:
        return _("Enter the colour as # and six digits from 0 to 9 or letters from a to f, such as #c99700.")


class SettingInvalid(RulesRefused):
    """A setting whose value is of the wrong kind; `sentence` says what was expected."""

    code = "setting_invalid"

    def __init__(self, field: str, tier_position: int | None = None, *, sentence: str) -> None:
        super().__init__(field, tier_position)
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


class LifeTooShort(RulesRefused):
    """Points that would expire before they can be used."""

    code = "life_too_short"

    def __str__(self) -> str:
        return _(
            "Points would expire before they become available. "
            "Choose a longer life or a shorter waiting time."
        )


class PeriodMissing(RulesRefused):
    """Tiers by the orders of the last 0 months."""

    code = "period_missing"

    def __str__(self) -> str:
        return _("Enter at least 1 month, or leave this empty to count the orders of all time.")


class ReasonMissing(RulesRefused):
    """An edition that does not say why it was made."""

    code = "reason_missing"

    def __str__(self) -> str:
        return _("Say in a few words why the rules change: the history of the rules shows it.")


class EffectiveTooEarly(RulesRefused):
    """An edition that would take effect before the one that it follows."""

    code = "effective_too_early"

    def __init__(self, previous_effective_at: datetime) -> None:
        super().__init__("effective_at")
        self.previous_effective_at = previous_effective_at

    def __str__(self) -> str:
        return _(
            "The rules published before these take effect on %(moment)s. Choose that moment or a later one."
        ) % {"moment": timezone.localtime(self.previous_effective_at).strftime("%d.%m.%Y %H:%M")}


class AlreadyPublished(RulesRefused):
    """The draft became an edition in the meantime, or was deleted."""

    code = "already_published"

    def __init__(self) -> None:
        super().__init__("number")

    def __str__(self) -> str:
        return _("These rules are no longer a draft. Published rules never change: make a new draft.")


class DraftChanged(RulesRefused):
    """Somebody has saved the draft since it was read."""

    code = "draft_changed"

    def __init__(self) -> None:
        super().__init__("")

    def __str__(self) -> str:
        return _(
            "A colleague has changed this draft in the meantime. Nothing was saved: look at the draft "
            "as it is now, and enter your changes again."
        )


class DraftKept(RulesRefused):
    """The draft was put before a second person, and stays as the record of it."""

    code = "draft_kept"

    def __init__(self) -> None:
        super().__init__("")

    def __str__(self) -> str:
        return _("This draft was put before a second person, so it is kept. Make a new draft instead.")


class AlreadyInForce(RulesRefused):
    """The edition has taken effect, so it cannot be withdrawn any more."""

    code = "already_in_force"

    def __init__(self) -> None:
        super().__init__("")

    def __str__(self) -> str:
        return _(
            "These rules have taken effect already, or do so within seconds. "
            "To go back, publish an older edition as a new one."
        )


class AlreadyWithdrawn(RulesRefused):
    """The edition was withdrawn before."""

    code = "already_withdrawn"

    def __init__(self) -> None:
        super().__init__("")

    def __str__(self) -> str:
        return _("These rules have been withdrawn already.")


class RulesFileInvalid(LoyaltyError):
    """A file of rules that cannot be read; `sentence` says where and what was expected."""

    code = "rules_file_invalid"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


class NoRulesInForce(LoyaltyError):
    """The moment lies before the first edition."""

    code = "no_rules_in_force"

    def __str__(self) -> str:
        return _("No rules were in force at that time. Check the date.")


class TierUnknown(LoyaltyError):
    """A tier set by hand that the edition in force does not have."""

    code = "tier_unknown"

    def __str__(self) -> str:
        return _("The rules in force have no such tier. Choose one of their tiers.")


class FloorIgnored(LoyaltyError):
    """A tier set by hand, while the edition in force lowers tiers at once."""

    code = "floor_ignored"

    def __str__(self) -> str:
        return _(
            "The rules in force lower tiers at once, so a tier cannot be set by hand. Change the rules first."
        )
