"""Every setting of an edition beside its tiers, as a form."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _

from loyalty.fields import NumberField, PercentField, WholeNumberField
from loyalty.models import RuleSet
from loyalty.rules_wording import SETTING_TEXTS, Group, SettingText
from loyalty.services.rules import RuleSettings, settings_of

MOST_POINTS = Decimal(999_999_999)
MOST_SUM = Decimal("999999999.99")
# A hundred years are enough for every period.
MOST_MONTHS = Decimal(1200)
MOST_DAYS = Decimal(32_000)
MOST_ORDERS = Decimal(32_000)
CATEGORY_LETTERS = 100
# A period or a limit that is not there: an empty field.
MAY_BE_EMPTY = {name for name in SETTING_TEXTS if RuleSet._meta.get_field(name).null}
CHOICES = {
    "tier_lowering": RuleSet.TierLowering,
    "rounding": RuleSet.Rounding,
    "life_end": RuleSet.LifeEnd,
    "welcome_when": RuleSet.WelcomeWhen,
}
UNITS = {
    "months": MOST_MONTHS,
    "days": MOST_DAYS,
    "hours": MOST_DAYS,
    "orders": MOST_ORDERS,
    "points": MOST_POINTS,
}


class CategoriesField(forms.CharField):
    """Names of categories, one on each line."""

    widget = forms.Textarea(attrs={"rows": 3})

    def to_python(self, value: Any) -> Any:
        """The names, each once, in the order in which they were typed."""
        typed = super().to_python(value) or ""
        names = list(dict.fromkeys(line.strip() for line in typed.splitlines() if line.strip()))
        if any(len(name) > CATEGORY_LETTERS for name in names):
            raise ValidationError(_("Shorten the name of a category to 100 letters at most."), code="long")
        return names

    def prepare_value(self, value: Any) -> Any:
        """The names as lines; what was typed is left as it is."""
        return "\n".join(value) if isinstance(value, list) else value


class SettingsForm(forms.Form):
    """A field for each setting, called and explained as the members' rules have it."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, initial: Mapping[str, Any]) -> None:
        super().__init__(data, initial=dict(initial))
        for name, text in SETTING_TEXTS.items():
            self.fields[name] = _field(name, text)

    @classmethod
    def of(cls, rule_set: RuleSet) -> "SettingsForm":
        """The settings as an edition or a draft has them."""
        return cls(initial=settings_of(rule_set))

    def groups(self) -> Iterator[tuple[Group, list[BoundField]]]:
        """The fields that belong together, in the order in which people read them."""
        for group in Group:
            yield group, [self[name] for name, text in SETTING_TEXTS.items() if text.group == group]

    def valid_settings(self) -> RuleSettings:
        """The settings that are readable as they were typed."""
        self.is_valid()
        return cast(
            RuleSettings, {name: self.cleaned_data[name] for name in self.fields if name not in self.errors}
        )


def _field(name: str, text: SettingText) -> forms.Field:
    model_field = RuleSet._meta.get_field(name)
    facts: dict[str, Any] = {
        "label": text.label,
        "help_text": text.sentence,
        "required": name not in MAY_BE_EMPTY,
    }
    if name in CHOICES:
        return forms.ChoiceField(choices=CHOICES[name].choices, **facts)
    if name == "excluded_categories":
        return CategoriesField(**{**facts, "required": False})
    match model_field.get_internal_type():
        case "BooleanField":
            return forms.BooleanField(**{**facts, "required": False})
        case "DecimalField" if name.endswith("_rate"):
            return PercentField(**facts)
        case "DecimalField":
            return NumberField(most=MOST_SUM, places=2, **facts)
        case _:
            return WholeNumberField(most=UNITS[name.rpartition("_")[2]], **facts)
