"""Forms for the keys of the API."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, cast

from django import forms
from django.conf import settings
from django.forms.boundfield import BoundWidget
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orders.models import Scope, Source
from orders.services.api_keys import (
    NAME_LETTERS,
    PUBLIC_ID,
    ROTATION_OVERLAP,
    new_public_id,
)

# No source has this code: a plus sign cannot be part of one.
NEW_SOURCE = "+"

SCOPE_SENTENCES: dict[Scope, Promise] = {
    Scope.MEMBERS_READ: _("By number, e-mail, phone, or the number that the shop itself gave them."),
    Scope.MEMBERS_WRITE: _("At the till or when somebody buys in the shop for the first time."),
    Scope.POINTS_READ: _("How many points a member has, when they expire, and where they came from."),
    Scope.ORDERS_READ: _("Also asks what an order would earn, and how many points may pay for it."),
    Scope.ORDERS_WRITE: _("Points are earned, spent and taken back by this, so give it with care."),
    Scope.TRANSFERS_WRITE: _("Only for a shop that lets its customers give points to each other."),
}


class ScopeBoxes(forms.CheckboxSelectMultiple):
    """Boxes to tick. Whoever follows a link to the field, as from an error, comes to the first one."""

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        """The id of one of the boxes."""
        return super().id_for_label(id_, index or "0")


class NewKeyForm(forms.Form):
    """What a key is for. The source may be one that there is, or a new one."""

    # Thought up with the form, so that a form sent twice makes one key.
    public_id = forms.RegexField(regex=rf"^{PUBLIC_ID}\Z", widget=forms.HiddenInput, initial=new_public_id)
    source = forms.ChoiceField(
        label=_("Source"),
        help_text=_("The shop or till whose orders come with this key. It sees no orders of other sources."),
        error_messages={"required": _("Choose the source that the key is for.")},
    )
    source_name = forms.CharField(
        label=_("Name of the new source"),
        required=False,
        max_length=NAME_LETTERS,
        help_text=_("As your colleagues call it: “Online shop”."),
    )
    source_code = forms.CharField(
        label=_("Code of the new source"),
        required=False,
        help_text=_("Latin letters, digits and hyphens: “online-shop”. It never changes."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    is_sandbox = forms.BooleanField(
        label=_("The new source is a sandbox"),
        required=False,
        help_text=_("For trying things out: it has members of its own and never meets live ones."),
    )
    name = forms.CharField(
        label=_("Where the key is used"),
        max_length=NAME_LETTERS,
        help_text=_("One key for each place, so that one can be ended without the others."),
        error_messages={"required": _("Say where the key is used, such as “checkout of the online shop”.")},
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may be used for"),
        choices=Scope.choices,
        widget=ScopeBoxes,
        error_messages={"required": _("Choose at least one thing that the key may be used for.")},
    )
    requests_a_minute = forms.IntegerField(
        label=_("Requests a minute"),
        help_text=_("A shop that sends more is told to wait. A minute’s worth may come all at once."),
        error_messages={"required": _("Say how many requests the key may make in a minute.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sources = [(source.code, _in_words(source)) for source in Source.objects.order_by("name", "code")]
        nothing = [("", _("Choose a source"))] if sources else []
        chosen = cast(forms.ChoiceField, self.fields["source"])
        chosen.choices = [*nothing, *sources, (NEW_SOURCE, _("A new source"))]
        self.fields["requests_a_minute"].initial = settings.API_REQUESTS_A_MINUTE

    def clean(self) -> dict[str, Any]:
        """What was entered; a new source needs a name and a code."""
        if self.makes_source:
            required = {
                "source_name": _("Give the new source a name."),
                "source_code": _("Give the new source a code."),
            }
            for name, sentence in required.items():
                if not self.cleaned_data.get(name) and name not in self.errors:
                    self.add_error(name, sentence)
        return self.cleaned_data

    def scope_boxes(self) -> Iterable[tuple[BoundWidget, Promise]]:
        """A box for each scope, with a sentence that says what it is for."""
        return zip(self["scopes"], SCOPE_SENTENCES.values(), strict=True)

    @property
    def makes_source(self) -> bool:
        """Whether the key is for a source that is not there yet."""
        return self.cleaned_data.get("source") == NEW_SOURCE


class ReplaceKeyForm(forms.Form):
    """How long the old key works on."""

    overlap = forms.TypedChoiceField(
        label=_("How long the old key still works"),
        coerce=lambda hours: timedelta(hours=int(hours)),
        choices=[(1, _("1 hour")), (24, _("1 day")), (7 * 24, _("1 week"))],
        initial=ROTATION_OVERLAP // timedelta(hours=1),
    )


def _in_words(source: Source) -> str:
    name = f"{source.name} · {source.code}"
    return gettext("%(name)s (sandbox)") % {"name": name} if source.is_sandbox else name
