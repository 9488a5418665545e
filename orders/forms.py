"""What a member asks of an unpaid order."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from loyalty.fields import PointsField
from loyalty.templatetags.numbers import figures
from orders.errors import BelowMinimum
from orders.queries.opinions import MOST_SCORE
from orders.queries.quotes import Quote


class PointsForm(forms.Form):
    """How many points are to be spent on the order."""

    points = PointsField(label=gettext_lazy("How many points to spend"))

    @property
    def asked_points(self) -> int | None:
        """What was asked for; None where nothing was, or no number."""
        return self.cleaned_data.get("points") if self.is_bound and self.is_valid() else None

    def hold_against(self, offer: Quote) -> None:
        """Refuse a number beyond what the quote for it allows, with a sentence that names the limit."""
        points = self.asked_points
        if points is None:
            return
        if not offer.spendable_points:
            self.add_error("points", offer.limit_sentence)
        elif points > offer.spendable_points:
            self.add_error("points", f"{_enter_at_most(offer.spendable_points)} {offer.limit_sentence}")
        elif points < offer.least_points:
            self.add_error("points", str(BelowMinimum(offer.minimum_points)))


class OpinionForm(forms.Form):
    """A number from 0 to 10; None is the wish not to say one."""

    score = forms.IntegerField(min_value=0, max_value=MOST_SCORE)


class StepForm(forms.Form):
    """The key that makes one step of a form which is sent twice."""

    key = forms.UUIDField(widget=forms.HiddenInput())


class SetAsideForm(StepForm, PointsForm):
    """The points that were confirmed."""

    def clean(self) -> dict[str, Any]:
        """Say of a lost key what the person can do about it."""
        values = super().clean() or {}
        if self.errors.pop("key", None):
            self.add_error(None, _("This page was out of date. Look at the numbers and confirm again."))
        return values


def _enter_at_most(points: int) -> str:
    return ngettext("Enter %(count)s point at most.", "Enter %(count)s points at most.", points) % {
        "count": figures(points)
    }
