"""The look-up: one field, and whoever it finds."""

from allauth.core import ratelimit
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.access import role_required, signed_in_user
from accounts.errors import InvalidMemberNumber, MistypedMemberNumber
from accounts.models import Member
from accounts.numbers import parse_member_number
from accounts.queries import Found, Hit, Kind
from accounts.roles import Role
from loyalty.access import signed_in
from loyalty.templatetags.numbers import figures
from supervisor.access import is_own
from supervisor.forms.find import FindForm
from supervisor.queries.card import contacts_of
from supervisor.queries.find import find as find_anybody
from supervisor.queries.find import kind_labels
from supervisor.services.lists import note_search

TOO_MANY_REQUESTS = 429
REFUSED = 422
# For how long a colleague who has searched very often has to wait.
WAIT_SECONDS = 60


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@role_required(Role.STAFF)
def find(request: HttpRequest) -> HttpResponse:
    """The page with the field. What is typed is posted: addresses are kept in many places.

    htmx asks for the answers while somebody types. Who presses Enter and is answered by one member, who is
    meant and nobody else, gets that member's card.
    """
    form = FindForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _answer(request, {"form": form})
    if not form.is_valid():
        return _answer(request, {"form": form, "refusal": form.errors["text"][0]}, status=REFUSED)
    text = form.cleaned_data["text"]
    if not text:
        return _answer(request, {"form": form})
    if not ratelimit.consume(request, action="staff_search", user=request.user):
        refusal = _("You have searched 60 times within a minute. Wait a minute and search again.")
        response = _answer(request, {"form": form, "refusal": refusal}, status=TOO_MANY_REQUESTS)
        response["Retry-After"] = str(WAIT_SECONDS)
        return response
    found = find_anybody(text)
    if not found.kinds:
        refusal = _mistyped(text) or _("Type at least 3 letters of a name or 4 digits.")
        return _answer(request, {"form": form, "refusal": refusal})
    note_search(found=found, letters=len(text), at=timezone.now(), actor=signed_in_user(request))
    if not request.htmx and (only := _only_one(request, found)):  # type: ignore[attr-defined]
        return redirect("supervisor:member", only.number)
    context = {
        "form": form,
        "found": found,
        "rows": [_row(request, hit) for hit in found.hits],
        "count": _count(found),
        "kinds": kind_labels(found.kinds),
        "advice": "" if found.hits else _mistyped(text) or _advice(found),
    }
    return _answer(request, context)


def _answer(request: HttpRequest, context: dict[str, object], status: int = 200) -> HttpResponse:
    template = "answers" if request.htmx else "find"  # type: ignore[attr-defined]
    return render(request, f"supervisor/find/{template}.html", context, status=status)


def _only_one(request: HttpRequest, found: Found) -> Member | None:
    """The one member who was found and is meant; not the colleague, whose own card stays closed to them."""
    if len(found.hits) != 1 or not found.hits[0].is_exact or is_own(request.user, found.hits[0].member):
        return None
    return found.hits[0].member


def _row(request: HttpRequest, hit: Hit) -> dict[str, object]:
    return {
        "member": hit.member,
        "contacts": contacts_of(hit.member),
        "by": kind_labels([hit.by])[0],
        "is_own": is_own(request.user, hit.member),
    }


def _count(found: Found) -> str:
    """“3 members found”."""
    count = len(found.hits)
    if not count:
        return _("Nobody found")
    number = {"number": figures(count)}
    if found.has_more:
        return ngettext("More than %(number)s member", "More than %(number)s members", count) % number
    return ngettext("%(number)s member found", "%(number)s members found", count) % number


def _mistyped(text: str) -> str:
    """What is wrong with a number of twelve digits that can be nobody's; empty for anything else."""
    try:
        parse_member_number(text)
    except MistypedMemberNumber as refusal:
        return str(refusal)
    except InvalidMemberNumber:
        return ""
    return ""


def _advice(found: Found) -> str:
    """What to try where nobody was found."""
    if Kind.NAME in found.kinds:
        return _("Type less of the name or spell it otherwise, or search by phone or e-mail.")
    if Kind.EMAIL in found.kinds:
        return _("Compare it letter by letter, or search by phone or name.")
    return _("Compare the digits: an order is found by its whole number. Or search by name or e-mail.")
