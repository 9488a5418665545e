"""What a member types to give points away: to whom, how many, and the proof that it is them."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.contacts import EMAIL_LENGTH
from accounts.forms import CodeField
from loyalty.errors import LoyaltyError, NotEnoughPoints
from loyalty.errors.transfers import (
    DayLimitReached,
    MonthLimitReached,
    TooFewToTransfer,
    TooManyAtOnce,
)
from loyalty.fields import Bound, PointsField
from loyalty.queries.transfers import Allowance
from loyalty.templatetags.numbers import figures


class TransferForm(forms.Form):
    """To whom, and how many: a number is held against what may be given at present."""

    recipient = forms.CharField(
        label=_("To whom"),
        max_length=EMAIL_LENGTH,
        help_text=_("Member number, e-mail or phone"),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
        error_messages={
            "required": _("Enter the member number, e-mail or phone of the person you give to."),
            "max_length": _("Enter a member number, an e-mail or a phone: this is too long for one."),
            "null_characters_not_allowed": _("Enter a member number, an e-mail or a phone."),
        },
    )
    points = PointsField(label=_("How many points"))

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        initial: dict[str, Any] | None = None,
        allowance: Allowance,
    ) -> None:
        super().__init__(data, initial=initial)
        self.use_required_attribute = False
        field = cast(PointsField, self.fields["points"])
        field.least, field.most = least_bound(allowance), most_bound(allowance)
        field.help_text = gettext("At least %(least)s, at most %(most)s") % {
            "least": figures(allowance.least_points),
            "most": figures(allowance.most_points),
        }

    def refuse(self, refusal: LoyaltyError) -> None:
        """Show why it cannot be, at the field it is about, where nothing is wrong with that yet."""
        name = "points" if isinstance(refusal, NotEnoughPoints) else getattr(refusal, "field", "")
        if name not in self.errors:
            self.add_error(name if name in self.fields else None, str(refusal))


class PasswordForm(forms.Form):
    """The password again."""

    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": _("Enter your password.")},
    )


class CodeForm(forms.Form):
    """The code that was sent."""

    code = CodeField()

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        self.fields["code"].label = _("Code")


def least_bound(allowance: Allowance) -> Bound:
    """The fewest that may be given."""
    return Bound(allowance.least_points, str(TooFewToTransfer(allowance.least_points)))


def most_bound(allowance: Allowance) -> Bound:
    """The most that may be given, and the sentence that names the limit which decides it."""
    most = Bound(allowance.available_points, str(NotEnoughPoints(allowance.available_points)))
    if (limit := allowance.limit_points) is not None and limit < most.points:
        most = Bound(limit, str(TooManyAtOnce(limit)))
    for limit, left, refusal in [
        (allowance.day_limit_points, allowance.day_left_points, DayLimitReached),
        (allowance.month_limit_points, allowance.month_left_points, MonthLimitReached),
    ]:
        if limit is not None and left is not None and left < most.points:
            most = Bound(left, str(refusal(limit, left)))
    return most
