"""Publishing what a preview has shown: when, why, and whether somebody else has to agree."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import role_required, signed_in_user
from accounts.roles import Role
from loyalty.errors import AlreadyPublished, EffectiveTooEarly, ReasonMissing, RulesRefused
from loyalty.models import RuleSet
from loyalty.rules_wording import difference_in_words
from supervisor.errors import ApprovalWaiting, EffectiveInThePast, PreviewNotReady, PreviewOutdated
from supervisor.fall_wording import FallNotices, fall_notices
from supervisor.forms.editions import PublishForm
from supervisor.models import Preview
from supervisor.queries.editions import holds
from supervisor.queries.preview_card import PreviewCard, preview_card
from supervisor.services.editions import MOST_WORSE_SHARE, ask_publication, needs_second_person


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.SUPERVISOR)
def publish(request: HttpRequest, preview_id: int) -> HttpResponse:
    """Says what publishing does to the members, asks when and why, and does it or asks a second person."""
    preview = get_object_or_404(Preview.objects.select_related("draft", "compared_with"), pk=preview_id)
    if preview.draft.number is not None:
        return _to_edition(request, preview.draft)
    form = PublishForm(request.POST if request.method == "POST" else None)
    is_outdated = not holds(preview, at=timezone.now())
    if form.is_valid() and request.POST.get("do") != "change":
        try:
            if request.POST.get("do") == "publish":
                return _published(request, preview, form)
            _refuse_the_past(form)
        except AlreadyPublished as refusal:
            draft = RuleSet.objects.filter(pk=preview.draft_id).first()
            if draft is None:
                messages.info(request, str(refusal))
                return redirect("supervisor:editions")
            return _to_edition(request, draft)
        except ApprovalWaiting as refusal:
            messages.info(request, str(refusal))
            return redirect("supervisor:preview", preview_id)
        except (PreviewNotReady, PreviewOutdated):
            is_outdated = True
            form.add_error(None, _("Nothing was published: what was shown no longer holds."))
        except (EffectiveInThePast, EffectiveTooEarly) as refusal:
            form.add_error("on_date", str(refusal))
        except ReasonMissing as refusal:
            form.add_error("reason", str(refusal))
        except RulesRefused as refusal:
            form.add_error(None, str(refusal))
    card = preview_card(preview)
    context = {
        "form": form,
        "preview": preview,
        "draft": preview.draft,
        "card": card,
        "notices": None if is_outdated else _notices(preview, card, form),
        "warning_days": settings.TIER_WARNING_DAYS,
        "before": preview.compared_with,
        "differences": difference_in_words(preview.compared_with, preview.draft),
        "effective_at": form.effective_at() if form.is_valid() else None,
        "is_outdated": is_outdated,
        "most_worse_share": MOST_WORSE_SHARE,
        "needs_second_person": needs_second_person(preview),
    }
    is_to_be_confirmed = form.is_valid() and not is_outdated and request.POST.get("do") != "change"
    template = "check_publish" if is_to_be_confirmed else "publish"
    return render(
        request, f"supervisor/editions/{template}.html", context, status=422 if form.errors else 200
    )


def _notices(preview: Preview, card: PreviewCard | None, form: PublishForm) -> FallNotices | None:
    """What members who fall will read, if there are any; until it is chosen, as of the moment proposed."""
    if card is None or not card.falling:
        return None
    effective_at = form.effective_at() if form.is_valid() else form.proposed_at()
    return fall_notices(
        preview=preview, example=card.falling[0], effective_at=effective_at, at=timezone.now()
    )


def _refuse_the_past(form: PublishForm) -> None:
    """Say at once, before anything is confirmed, that a moment has passed."""
    effective_at = form.effective_at()
    if effective_at is not None and effective_at < timezone.now():
        raise EffectiveInThePast


def _published(request: HttpRequest, preview: Preview, form: PublishForm) -> HttpResponse:
    """Where it goes on: to the recount, to the edition that is yet to take effect, or to what waits."""
    effective_at = form.effective_at()
    publication = ask_publication(
        preview=preview,
        effective_at=effective_at,
        reason=form.cleaned_data["reason"],
        at=timezone.now(),
        by=signed_in_user(request),
    )
    if publication.job_run is None:
        messages.success(request, _("A second supervisor is asked. Until somebody agrees, nothing changes."))
        return redirect("supervisor:preview", preview.pk)
    number = {"number": publication.rule_set.number}
    if effective_at is not None:
        messages.success(request, _("Edition %(number)s is published for later.") % number)
        return redirect("supervisor:edition", publication.rule_set.number)
    messages.success(
        request, _("Edition %(number)s is in force. The members’ tiers are being recounted.") % number
    )
    return redirect("supervisor:job", publication.job_run.pk)


def _to_edition(request: HttpRequest, rule_set: RuleSet) -> HttpResponse:
    """The edition that the draft has become, as by a confirmation before this one."""
    messages.info(
        request,
        _("Edition %(number)s is published already. Nothing was done twice.") % {"number": rule_set.number},
    )
    return redirect("supervisor:edition", rule_set.number)
