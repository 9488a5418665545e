"""Filters of the console's lists: forms that are sent by GET, whose every field may be left empty."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, cast

from django import forms
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.errors import InvalidMemberNumber, MemberNumberLengthError, MistypedMemberNumber
from accounts.models import AuditRecord, Member
from accounts.numbers import format_member_number, parse_member_number
from loyalty.fields import PointsField
from loyalty.forms.history import DayField, Tag, period_text
from loyalty.models import Tier
from loyalty.templatetags.numbers import points
from supervisor.queries.journal import JournalFilter
from supervisor.queries.members import MemberFilter, Sort

YES, NO = "yes", "no"
UNREADABLE_CHOICE = {"invalid_choice": gettext_lazy("Choose one of the list.")}


class FilterForm(forms.Form):
    """A filter with a period of days, its parts in words, and the addresses of lists with others."""

    # What has a default is no part of the filter: it hides nothing.
    NO_PARTS: ClassVar[Sequence[str]] = ()

    def __init__(self, data: Mapping[str, Any], **choices: Sequence[tuple[str, str]]) -> None:
        super().__init__(data)
        self.use_required_attribute = False
        for name, own in choices.items():
            field = cast(forms.ChoiceField, self.fields[name])
            field.choices = [*_choices(field), *own]
        # A calendar shows no day that does not exist, so a text field keeps what was typed.
        for name in ("since", "until"):
            if name in self.errors:
                self.fields[name].widget.input_type = "text"

    def clean(self) -> dict[str, Any]:
        """Both ends of the period, in their order."""
        values = super().clean() or {}
        since_on, until_on = values.get("since"), values.get("until")
        if since_on and until_on and until_on < since_on:
            self.add_error("until", _("The period ends before it begins."))
        return values

    def query(self, **changes: object) -> str:
        """The filter as the query of an address, such as “?tier=1”; empty when there is none."""
        values = {name: self.data.get(name) for name in self.fields} | changes
        given = {name: str(value) for name, value in values.items() if value not in (None, "")}
        return f"?{urlencode(given)}" if given else ""

    def is_set(self) -> bool:
        """Whether the filter leaves anything out."""
        return any(
            value not in (None, "") for name, value in self.cleaned_data.items() if name not in self.NO_PARTS
        )

    def tags(self) -> list[Tag]:
        """Each part of the filter that is set, in words."""
        values = self.cleaned_data
        found = [
            Tag(f"{field.label}: {dict(_choices(field))[values[name]]}", self.query(**{name: None}))
            for name, field in self.fields.items()
            if isinstance(field, forms.ChoiceField) and values[name] and name not in self.NO_PARTS
        ]
        if values.get("since") or values.get("until"):
            text = period_text(values["since"], values["until"])
            found.append(Tag(text, self.query(since=None, until=None)))
        return found


def _choices(field: forms.ChoiceField) -> list[tuple[str, str]]:
    return list(cast("Iterable[tuple[str, str]]", field.choices))


class MembersForm(FilterForm):
    """Which members to list, and in which order."""

    NO_PARTS = ("sort",)

    tier = forms.ChoiceField(
        label=gettext_lazy("Tier"),
        required=False,
        choices=[("", gettext_lazy("Every tier"))],
        error_messages=UNREADABLE_CHOICE,
    )
    account = forms.ChoiceField(
        label=gettext_lazy("Account of points"),
        required=False,
        choices=[
            ("", gettext_lazy("Any")),
            ("open", pgettext_lazy("accounts", "Open")),
            ("blocked", pgettext_lazy("accounts", "Blocked")),
        ],
        error_messages=UNREADABLE_CHOICE,
    )
    login = forms.ChoiceField(
        label=gettext_lazy("Cabinet"),
        required=False,
        choices=[
            ("", gettext_lazy("With or without")),
            (YES, gettext_lazy("Has a login")),
            (NO, gettext_lazy("Without a login")),
        ],
        error_messages=UNREADABLE_CHOICE,
    )
    points = PointsField(label=gettext_lazy("Points, at least"), required=False)
    since = DayField(label=gettext_lazy("Joined from"))
    until = DayField(label=gettext_lazy("Joined until"))
    sort = forms.ChoiceField(
        label=gettext_lazy("Order of the list"),
        required=False,
        choices=[
            (Sort.LATEST.value, gettext_lazy("Last added first")),
            (Sort.EARLIEST.value, gettext_lazy("First added first")),
            (Sort.NAME.value, gettext_lazy("By last name")),
            (Sort.NAME_DOWN.value, gettext_lazy("By last name, from the end")),
        ],
        error_messages=UNREADABLE_CHOICE,
    )

    def __init__(self, data: Mapping[str, Any], *, tiers: Sequence[Tier]) -> None:
        super().__init__(data, tier=[(str(tier.position), tier.name) for tier in tiers])

    def tags(self) -> list[Tag]:
        """As every filter, with the points in their unit."""
        found = super().tags()
        if least := self.cleaned_data["points"]:
            text = _("%(points)s or more") % {"points": points(least)}
            found.append(Tag(text, self.query(points=None)))
        return found

    def filters(self) -> MemberFilter:
        """Which members are wanted."""
        values = self.cleaned_data
        return MemberFilter(
            tier_position=int(values["tier"]) if values["tier"] else None,
            joined_since_on=values["since"],
            joined_until_on=values["until"],
            is_blocked={"open": False, "blocked": True}.get(values["account"]),
            has_login={YES: True, NO: False}.get(values["login"]),
            least_points=values["points"],
        )

    def sort_order(self) -> Sort:
        """In which order: the last added first, unless another was chosen."""
        return Sort(self.cleaned_data["sort"] or Sort.LATEST)


class JournalForm(FilterForm):
    """Which records of the journal to list. A member number says nothing about a person by itself."""

    action = forms.ChoiceField(
        label=gettext_lazy("What was done"),
        required=False,
        choices=[("", gettext_lazy("Anything")), *AuditRecord.Action.choices],
        error_messages=UNREADABLE_CHOICE,
    )
    colleague = forms.ChoiceField(
        label=gettext_lazy("Who did it"),
        required=False,
        choices=[("", gettext_lazy("Anybody"))],
        error_messages=UNREADABLE_CHOICE,
    )
    number = forms.CharField(
        label=gettext_lazy("Member number"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    since = DayField(label=pgettext_lazy("a period", "From"))
    until = DayField(label=pgettext_lazy("a period", "Until"))

    def __init__(self, data: Mapping[str, Any], *, colleagues: Mapping[int, str]) -> None:
        super().__init__(data, colleague=[(str(key), name) for key, name in colleagues.items()])

    def clean_number(self) -> Member | None:
        """The member with that number."""
        text = self.cleaned_data["number"]
        if not text:
            return None
        try:
            number = parse_member_number(text)
        except (InvalidMemberNumber, MemberNumberLengthError, MistypedMemberNumber) as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        member = Member.objects.filter(number=number, is_sandbox=False).first()
        if member is None:
            raise forms.ValidationError(_("Nobody has this member number."))
        return member

    def tags(self) -> list[Tag]:
        """As every filter, with the member by the number."""
        found = super().tags()
        if member := self.cleaned_data["number"]:
            text = _("Member %(number)s") % {"number": format_member_number(member.number)}
            found.append(Tag(text, self.query(number=None)))
        return found

    def filters(self) -> JournalFilter:
        """Which records are wanted."""
        values = self.cleaned_data
        return JournalFilter(
            action=values["action"],
            actor_id=int(values["colleague"]) if values["colleague"] else None,
            member=values["number"],
            since_on=values["since"],
            until_on=values["until"],
        )
