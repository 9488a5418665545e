"""Filters of the console's lists."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.errors import InvalidMemberNumber, MemberNumberLengthError, MistypedMemberNumber
from accounts.models import AuditRecord, Member
from accounts.numbers import format_member_number, parse_member_number
from loyalty.fields import PointsField
from loyalty.forms.filters import DayField, FilterForm, Tag
from loyalty.models import Tier
from loyalty.templatetags.numbers import points
from supervisor.queries.journal import JournalFilter
from supervisor.queries.members import MemberFilter, Sort

YES, NO = "yes", "no"
UNREADABLE_CHOICE = {"invalid_choice": gettext_lazy("Choose one of the list.")}


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
        super().__init__(data, tier=[(str(tier.position), tier.shown_name) for tier in tiers])

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
