"""Forms of a sale at the till: what was bought, and the code against which points are taken."""

from decimal import Decimal
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.forms import CodeField
from loyalty.errors import AccountBlocked, LoyaltyError, NotEnoughPoints
from loyalty.fields import NumberField, PointsField
from orders.errors import LARGEST_SUM
from orders.models import Outlet
from orders.queries.outlets import open_outlets
from supervisor.forms.once import OnceField

NUMBER_LETTERS = 50
# What a member reads of it says whom to write to.
ACCOUNT_BLOCKED = _("The account is blocked: no points can be taken. The sale still earns.")


class SaleForm(forms.Form):
    """A sale as it is typed at the till. It holds nothing that may not stand in an address."""

    key = OnceField()
    total = NumberField(
        label=_("Sum of the receipt, ₽"),
        most=LARGEST_SUM,
        places=2,
        help_text=_("With everything that points will pay for."),
        error_messages={"required": _("Enter the sum of the receipt.")},
    )
    points = PointsField(
        label=_("Points to take"),
        required=False,
        help_text=_("Empty when the member pays with money only. Points need a code from their cabinet."),
    )
    outlet = forms.ModelChoiceField(
        label=_("Outlet"),
        queryset=Outlet.objects.none(),
        empty_label=_("Choose the outlet"),
        error_messages={
            "required": _("Choose the outlet where it was bought."),
            "invalid_choice": _("This outlet takes no sales. Choose another one."),
        },
    )
    number = forms.CharField(
        label=pgettext_lazy("of a sale", "Receipt number"),
        required=False,
        max_length=NUMBER_LETTERS,
        help_text=_("Without one the sale gets a number of its own."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
        error_messages={"max_length": _("A receipt number has at most 50 letters and digits.")},
    )

    def __init__(self, data: QueryDict | None = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial)
        outlets = cast("forms.ModelChoiceField[Outlet]", self.fields["outlet"])
        outlets.queryset = open_outlets()
        # Browsers bring back what was typed, on the way back from the next page, only where they may keep it.
        for field in self.fields.values():
            field.widget.attrs.pop("autocomplete", None)
        if not self.is_bound:
            self.fields["total"].widget.attrs["autofocus"] = True
        # Where the programme has no outlets nobody has to choose one.
        if not outlets.queryset.exists():
            del self.fields["outlet"]

    def clean_total(self) -> Decimal:
        """The sum; a sale of nothing is none."""
        total: Decimal = self.cleaned_data["total"]
        if not total:
            raise ValidationError(_("Enter the sum of the receipt: more than 0."))
        return total

    @property
    def asked_points(self) -> int:
        """How many points are to be taken."""
        return self.cleaned_data.get("points") or 0

    def refuse(self, refusal: LoyaltyError) -> None:
        """Show why it cannot be, at the field that it is about."""
        name = "points" if isinstance(refusal, NotEnoughPoints) else getattr(refusal, "field", "")
        text = ACCOUNT_BLOCKED if isinstance(refusal, AccountBlocked) else str(refusal)
        self.add_error(name if name in self.fields else None, text)


class ConfirmForm(forms.Form):
    """What was seen on the page that asks whether a sale is right."""

    taken = forms.IntegerField(widget=forms.HiddenInput, min_value=0, required=False)


class CodeConfirmForm(ConfirmForm):
    """The same with the code, where points are taken."""

    code = CodeField()

    def __init__(self, data: QueryDict | None = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial)
        code = self.fields["code"]
        code.label = _("Code from the member’s cabinet")
        code.help_text = _("The member opens “Pay at the till” and shows six digits.")
        # It is the member's code, which no browser of ours was sent.
        code.widget.attrs["autocomplete"] = "off"
        if not self.is_bound:
            code.widget.attrs["autofocus"] = True
