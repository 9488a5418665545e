"""A draft of the rules as one form: its tiers row by row, and its settings group by group."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from loyalty.cursors import number_of
from loyalty.errors import RulesRefused
from loyalty.models import RuleSet, Tier
from loyalty.queries.rules import tiers_of
from loyalty.rules_wording import Difference, difference_in_words
from loyalty.services.rules import RuleSettings, TierSpec, draft_problems, settings_of, specs_of
from loyalty.services.rules.specs import tier_in_place
from supervisor.forms.editions.settings import SettingsForm
from supervisor.forms.editions.tiers import TierForm

MOST_TIERS = 100
# Behind all thresholds that can be read.
UNREADABLE = Decimal("Infinity")

TypedRow = dict[str, Any]


class Mistake(NamedTuple):
    """What is wrong with a field, as the summary above the form says it and leads to it."""

    field_id: str
    label: str
    sentence: str


class DraftForm:
    """Tiers and settings of a draft together, and the revision that whoever types has read.

    Rows can be added and left out without saving anything, and without losing what was typed.
    """

    def __init__(
        self, draft: RuleSet, *, revision: int, rows: Sequence[TierForm], settings: SettingsForm
    ) -> None:
        self.draft = draft
        self.revision = revision
        self.rows = rows
        self.settings = settings
        self.refusals: list[str] = []
        # What colleagues have saved meanwhile, and how what was typed differs from it.
        self.conflicts: Sequence[Difference] | None = None
        self._mark_rows()

    @classmethod
    def of(cls, draft: RuleSet) -> "DraftForm":
        """The draft as it is kept."""
        rows = [TierForm.of(tier) for tier in tiers_of(draft)]
        return cls(draft, revision=draft.revision, rows=rows, settings=SettingsForm.of(draft))

    @classmethod
    def sent(cls, draft: RuleSet, data: Mapping[str, Any]) -> "DraftForm":
        """The draft as somebody wants it to be."""
        places = range(min(number_of(data.get("tiers")) or 1, MOST_TIERS))
        return cls(
            draft,
            revision=number_of(data.get("revision")) or 0,
            rows=[TierForm(data, place=place) for place in places],
            settings=SettingsForm(data, initial=settings_of(draft)),
        )

    @property
    def can_add(self) -> bool:
        """Whether there may be one more row."""
        return len(self.rows) < MOST_TIERS

    def with_rows(
        self, *, add: bool = False, leave_out: int | None = None, keep: int | None = None
    ) -> "DraftForm":
        """The same form with a row more, or with one marked; rows stand in the order of their thresholds."""
        first, *others = (self._typed(row) for row in self.rows)
        touched = None
        for place, typed in enumerate(others, start=1):
            if place in (leave_out, keep):
                typed["is_left_out"] = "1" if place == leave_out else ""
                touched = typed
        others = [typed for typed in others if not typed["is_left_out"] or typed["name"]]
        rows = [first, *sorted(others, key=_threshold)]
        is_added = add and self.can_add
        if is_added:
            rows.append({})
        return DraftForm(
            self.draft,
            revision=self.revision,
            rows=[
                TierForm(
                    place=place,
                    initial=typed,
                    is_new=is_added and place == len(rows) - 1,
                    is_touched=typed is touched,
                )
                for place, typed in enumerate(rows)
            ],
            settings=SettingsForm(
                initial={name: self.settings[name].value() for name in self.settings.fields}
            ),
        )

    def is_valid(self) -> bool:
        """Whether the draft may become what was typed; what is wrong stands at its field then."""
        kept = self._kept_rows()
        # Every row is looked at, also behind one that is wrong.
        unread = [row for row in kept if not row.is_valid()]
        are_rows_read = not unread
        problems = draft_problems(
            draft=self.draft,
            tiers=[row.spec() for row in kept] if are_rows_read else specs_of(self.draft),
            settings=self.settings.valid_settings(),
        )
        for problem in problems:
            if problem.tier_position is None:
                self._refuse(self.settings, problem)
            elif are_rows_read:
                self._refuse(kept[problem.tier_position], problem)
        return not self.mistakes()

    def specs(self) -> list[TierSpec]:
        """The tiers of a valid form that are not left out."""
        return [row.spec() for row in self._kept_rows()]

    def asked_settings(self) -> RuleSettings:
        """The settings of a valid form."""
        return self.settings.valid_settings()

    def note_conflict(self, current: RuleSet) -> None:
        """Say how the typed draft differs from what a colleague has saved; to save it again replaces that."""
        self.draft, self.revision = current, current.revision
        self.conflicts = difference_in_words(
            current, RuleSet(**self.asked_settings()), tiers_after=self._tiers()
        )

    def mistakes(self) -> list[Mistake]:
        """Everything that is wrong, from top to bottom."""
        rows = [
            Mistake(mistake.field_id, _in_tier(row, mistake.label), mistake.sentence)
            for row in self._kept_rows()
            for mistake in _mistakes(row)
        ]
        return [*rows, *_mistakes(self.settings)]

    def _mark_rows(self) -> None:
        """Mark the rows that are left out, and say in which tier the members of each will be.

        Who is in it because it was set by hand will be in the one that has its place then.
        """
        name_below = ""
        for row in self.rows:
            row.is_out = not row.is_first and bool(row["is_left_out"].value())
            row.name_below = name_below
            if not row.is_out:
                name_below = row.shown_name
        kept = self._kept_rows()
        for row in self.rows:
            row.name_in_place = kept[min(row.place, len(kept) - 1)].shown_name

    def _kept_rows(self) -> list[TierForm]:
        return [row for row in self.rows if not row.is_out]

    def _typed(self, row: TierForm) -> TypedRow:
        typed = {name: row[name].value() for name in row.fields}
        return {**typed, "is_left_out": "1" if row.is_out else ""}

    def _tiers(self) -> list[Tier]:
        specs = sorted(self.specs(), key=lambda spec: spec.threshold_sum)
        return [tier_in_place(spec, place) for place, spec in enumerate(specs)]

    def _refuse(self, form: forms.Form, problem: RulesRefused) -> None:
        if problem.field not in form.fields:
            self.refusals.append(str(problem))
        elif problem.field not in form.errors:
            form.add_error(problem.field, str(problem))


def _mistakes(form: forms.Form) -> Iterator[Mistake]:
    for field in form:
        for sentence in field.errors:
            yield Mistake(field.id_for_label, str(field.label), str(sentence))


def _in_tier(row: TierForm, label: str) -> str:
    return _("Tier %(place)s, %(field)s") % {"place": row.place + 1, "field": label}


def _threshold(typed: TypedRow) -> Decimal:
    """The threshold of a row, whatever was typed there."""
    try:
        threshold = TierForm.base_fields["threshold_sum"].clean(typed["threshold_sum"])
    except ValidationError:
        return UNREADABLE
    return threshold
