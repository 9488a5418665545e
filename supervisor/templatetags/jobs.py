"""How long work is told about in templates."""

from collections.abc import Mapping

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language

from supervisor.models import JobRun

register = template.Library()


@register.filter
def said(texts: Mapping[str, str]) -> str:
    """The text in the language of the page; texts of a worker are kept in every language."""
    return texts.get((get_language() or "")[:2]) or texts.get(settings.LANGUAGE_CODE, "")


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
    return reverse("supervisor:import", args=[file.pk]) if file else ""
