"""Publishing a draft: when, and why."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from loyalty.days import midnight
from supervisor.forms.transfers import ReasonForm


class PublishForm(ReasonForm):
    """When the edition takes effect, by the clock of the programme, and why it is made."""

    class When(TextChoices):
        AT_ONCE = "at_once", _("At once")
        LATER = "later", _("At a later moment")

    when = forms.ChoiceField(
        label=_("When the rules take effect"),
        choices=When.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose when the rules take effect.")},
    )
    on_date = forms.DateField(
        label=_("Date"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d", "%d.%m.%Y"],
        error_messages={"invalid": _("Enter the date as day, month and year: 31.12.2026.")},
    )
    at_time = forms.TimeField(
        label=_("Time"),
        required=False,
        initial="00:00",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        input_formats=["%H:%M"],
        error_messages={"invalid": _("Enter the time as hours and minutes: 00:00.")},
    )
    field_order = ("when", "on_date", "at_time", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(
            *args,
            help_text=gettext(
                "The history of the rules shows it to colleagues, for as long as the programme runs."
            ),
            **kwargs,
        )
        self.fields["on_date"].initial = self.proposed_at().date()

    @staticmethod
    def proposed_at() -> datetime:
        """The next midnight in the programme's zone: what the form proposes."""
        tomorrow = timezone.localdate() + timedelta(days=1)
        return midnight(tomorrow)

    def clean(self) -> dict[str, Any]:
        """What was entered; a later moment needs its date and time."""
        if self.cleaned_data.get("when") == self.When.LATER:
            required = {
                "on_date": _("Enter the date on which the rules take effect."),
                "at_time": _("Enter the time at which the rules take effect."),
            }
            for name, sentence in required.items():
                if self.cleaned_data.get(name) is None and name not in self.errors:
                    self.add_error(name, sentence)
        else:
            for name in ("on_date", "at_time"):
                self.errors.pop(name, None)
        return self.cleaned_data

    def effective_at(self) -> datetime | None:
        """The moment of a valid form in the programme's zone; None for at once."""
        asked = self.cleaned_data
        if asked["when"] == self.When.AT_ONCE:
            return None
        return timezone.make_aware(
            datetime.combine(asked["on_date"], asked["at_time"]), timezone.get_default_timezone()
        )
