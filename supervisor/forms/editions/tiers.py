"""One tier of a draft, as a row of its form."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.facts import in_language
from loyalty.fields import NumberField, PercentField
from loyalty.models import Tier
from loyalty.services.rules import TierSpec

MOST_SUM = Decimal("999999999999.99")
MOST_PERCENT = Decimal("9999.99")
USUAL_COLOUR = "#7a7f99"


class TierForm(forms.Form):
    """A tier: from which paid sum on, and what it gives.

    The first one is that of every newcomer: it begins at 0 and cannot be left out. Another that is
    left out stays in the form until the draft is saved, so that it can be kept after all. The row that
    was added, left out or kept just now has the focus.
    """

    is_left_out = forms.CharField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(
        label=pgettext_lazy("of a tier", "Name"), error_messages={"required": _("Give this tier a name.")}
    )
    name_en = forms.CharField(
        label=_("Name in English"),
        required=False,
        help_text=_("While it is empty, English pages and letters show the name above."),
        widget=forms.TextInput(attrs={"lang": "en"}),
    )
    threshold_sum = NumberField(
        label=_("Paid sum from, ₽"),
        most=MOST_SUM,
        places=2,
        error_messages={"required": _("Enter the paid sum from which on a member is in this tier.")},
    )
    coefficient = PercentField(
        label=_("Points of own orders, %"),
        most=MOST_PERCENT,
        error_messages={"required": _("Enter how many percent of an order come back in points.")},
    )
    referral_rate = PercentField(
        label=_("Points of friends’ orders, %"),
        most=MOST_PERCENT,
        error_messages={
            "required": _("Enter how many percent of a friend’s order the inviter gets; 0: none.")
        },
    )
    redemption_cap_rate = PercentField(label=_("Points pay at most, %"), required=False)
    colour = forms.CharField(label=_("Colour"), required=False, widget=forms.ColorInput)
    gives = forms.CharField(
        label=_("What else the tier gives"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    gives_en = forms.CharField(
        label=_("What else the tier gives, in English"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "lang": "en"}),
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        place: int,
        initial: Mapping[str, Any] | None = None,
        is_new: bool = False,
        is_touched: bool = False,
    ) -> None:
        super().__init__(data, prefix=f"tier-{place}", initial={"colour": USUAL_COLOUR, **(initial or {})})
        self.place = place
        self.is_new = is_new
        self.is_touched = is_touched
        self.is_first = place == 0
        # Whether the row is left out, the tier that its members will be in then, and the one in its place.
        self.is_out = False
        self.name_below = self.name_in_place = ""
        if self.is_first:
            del self.fields["threshold_sum"], self.fields["is_left_out"]
        if is_new or is_touched:
            self.fields["name"].widget.attrs["autofocus"] = True

    @classmethod
    def of(cls, tier: Tier) -> "TierForm":
        """A tier as the draft has it."""
        names = [name for name in cls.base_fields if name != "is_left_out"]
        return cls(place=tier.position, initial={name: getattr(tier, name) for name in names})

    @property
    def shown_name(self) -> str:
        """The name that the row has, in the active language."""
        return in_language(str(self["name"].value() or ""), str(self["name_en"].value() or ""))

    def spec(self) -> TierSpec:
        """The tier that the row asks for; the row is valid."""
        asked = self.cleaned_data
        return TierSpec(
            name=asked["name"],
            name_en=asked["name_en"],
            threshold_sum=asked.get("threshold_sum", Decimal(0)),
            coefficient=asked["coefficient"],
            referral_rate=asked["referral_rate"],
            redemption_cap_rate=asked["redemption_cap_rate"],
            colour=asked["colour"],
            gives=asked["gives"],
            gives_en=asked["gives_en"],
        )
