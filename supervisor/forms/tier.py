"""The form by which a supervisor sets a tier by hand."""

from collections.abc import Sequence
from typing import cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from loyalty.models import Tier
from supervisor.forms.transfers import ReasonForm

NO_FLOOR = "none"


class TierForm(ReasonForm):
    """The tier below which the member does not fall, or none."""

    floor = forms.ChoiceField(
        label=_("The member does not fall below"),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose a tier, or that there is none by hand."),
            "invalid_choice": _("The edition in force has no such tier. Choose another one."),
        },
    )
    field_order = ("floor", "reason")

    def __init__(
        self, data: QueryDict | None = None, *, tiers: Sequence[Tier], floor_position: int | None
    ) -> None:
        initial = NO_FLOOR if floor_position is None else str(floor_position)
        super().__init__(
            data,
            initial={"floor": initial},
            help_text=gettext("Colleagues read it in the journal, and on the member’s page."),
        )
        floor = cast(forms.ChoiceField, self.fields["floor"])
        floor.choices = [
            (NO_FLOOR, _("No tier by hand: the paid sum decides alone")),
            *((str(tier.position), tier.shown_name) for tier in tiers),
        ]

    @property
    def position(self) -> int | None:
        """The place of the chosen tier; None for none."""
        chosen = self.cleaned_data["floor"]
        return None if chosen == NO_FLOOR else int(chosen)
