"""The form by which a colleague corrects a balance."""

from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _

from loyalty.errors import LoyaltyError, NotEnoughPoints
from loyalty.fields import PointsField
from loyalty.models import Cause
from supervisor.forms.once import OnceField
from supervisor.services.adjustments import TEXT_LETTERS


class Direction(models.TextChoices):
    """Which way the points go."""

    GIVE = "give", _("Give points")
    TAKE = "take", _("Take points away")


class AdjustForm(forms.Form):
    """How many points, which way, and why."""

    key = OnceField()
    direction = forms.ChoiceField(
        label=_("What to do"),
        choices=Direction.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose whether points are given or taken."),
            "invalid_choice": _("Choose whether points are given or taken."),
        },
    )
    points = PointsField(label=_("How many points"))
    cause = forms.ChoiceField(
        label=_("Cause"),
        choices=[("", _("Choose the cause")), *Cause.choices],
        error_messages={
            "required": _("Choose the cause."),
            "invalid_choice": _("Choose the cause."),
        },
    )
    text = forms.CharField(
        label=_("In words"),
        max_length=TEXT_LETTERS,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The member reads it beside the points, and so do your colleagues."),
        error_messages={
            "required": _("Say in words why: the member and your colleagues will read it."),
            "max_length": _("Say it in 500 characters at most."),
        },
    )

    @property
    def signed_points(self) -> int:
        """The points, below 0 where they are taken."""
        points: int = self.cleaned_data["points"]
        return -points if self.cleaned_data["direction"] == Direction.TAKE else points

    @property
    def cause_of(self) -> Cause:
        """The cause that was chosen."""
        return Cause(self.cleaned_data["cause"])

    def refuse(self, refusal: LoyaltyError) -> None:
        """Show why it cannot be, at the field that it is about."""
        name = "points" if isinstance(refusal, NotEnoughPoints) else getattr(refusal, "field", "")
        self.add_error(name if name in self.fields else None, str(refusal))

    def kept(self) -> dict[str, Any]:
        """What was entered, as the page that asks whether it is right sends it again."""
        values = self.cleaned_data
        return {name: values[name] for name in ("key", "direction", "points", "cause", "text")}
