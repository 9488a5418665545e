"""How long work is told about in templates."""

from collections.abc import Mapping

from django import template
from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import get_language

from supervisor.models import JobRun

register = template.Library()


@register.filter
def said(texts: Mapping[str, str]) -> str:
    """The text in the language of the page; texts of a worker are kept in every language."""
    return texts.get((get_language() or "")[:2]) or texts.get(settings.LANGUAGE_CODE, "")


@register.filter
def is_for_later(run: JobRun) -> bool:
    """Whether the work is not to begin yet, such as the recount of an edition that is scheduled."""
    return run.begins_at > timezone.now()


@register.simple_tag
def subject_address(run: JobRun) -> str:
    """The page of what the work is about, or nothing where it has none."""
    match JobRun.Kind(run.kind):
        case JobRun.Kind.RECOUNT if run.facts.get("edition"):
            return reverse("supervisor:edition", args=[run.facts["edition"]])
        case JobRun.Kind.PREVIEW:
            preview = getattr(run, "preview", None)
            return reverse("supervisor:preview", args=[preview.pk]) if preview else ""
        case JobRun.Kind.TRY_IMPORT:
            file = getattr(run, "tried_file", None)
        case JobRun.Kind.IMPORT:
            file = getattr(run, "imported_file", None)
        case _:
            file = None
    return _import_address(file.pk) if file else ""


def _import_address(file_id: int) -> str:
    try:
        return reverse("supervisor:import", args=[file_id])
    except NoReverseMatch:
        return ""
