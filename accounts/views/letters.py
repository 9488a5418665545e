"""Which letters come: the page of a member who is signed in, and that behind the links of letters.

The links show and change these choices alone. They sign nobody in, and the address is masked there.
"""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from accounts import queries
from accounts.access import own_member
from accounts.contacts import masked_contact
from accounts.errors import LetterLinkOver, LettersAlwaysOn
from accounts.forms import LettersForm
from accounts.models import Member
from accounts.services.preferences import choose_letters, stop_letters, try_address_again
from accounts.views.forms import FORM_REFUSED, posted
from accounts.wording import letter_choices

# What a mail program posts when its reader presses “unsubscribe” (RFC 8058).
ONE_CLICK = "List-Unsubscribe"


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def letters(request: HttpRequest) -> HttpResponse:
    """A form with what letters come about."""
    member = own_member(request)
    form = LettersForm(posted(request))
    if form.is_valid():
        _choose(request, member, form, is_by_link=False)
        return redirect("accounts:letters")
    return render(
        request,
        "accounts/letters.html",
        _context(member, form),
        status=FORM_REFUSED if form.is_bound else 200,
    )


@require_POST
@login_required
def try_again(request: HttpRequest) -> HttpResponse:
    """Send letters once more to an address that refused them, since its owner says that it works."""
    if try_address_again(member=own_member(request)):
        messages.success(request, _("Letters go to your address again."))
    return redirect("accounts:letters")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def letters_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """The same form behind the link of a letter, without signing in; it shows nothing else of the member."""
    try:
        member, _topic = queries.member_of_letter(token)
    except LetterLinkOver:
        return _over(request)
    with translation.override(_language(request, member)):
        form = LettersForm(posted(request))
        if form.is_valid():
            _choose(request, member, form, is_by_link=True)
            return redirect("accounts:letters_by_link", token)
        context = _context(member, form) | {
            "masked_address": masked_contact(member.letter_address or ""),
            "is_by_link": True,
        }
        status = FORM_REFUSED if form.is_bound else 200
        return _apart(render(request, "accounts/letters_by_link.html", context, status=status))


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """End letters about the topic of a letter: a page with a button, which mail programs press by themselves.

    Looking changes nothing, since programs that look for viruses open every link.
    """
    try:
        member, topic = queries.member_of_letter(token)
    except LetterLinkOver:
        return _over(request)
    with translation.override(_language(request, member)):
        context: dict[str, Any] = {
            "topic": topic,
            "token": token,
            "masked_address": masked_contact(member.letter_address or ""),
        }
        if request.method == "POST":
            try:
                stop_letters(member=member, topic=topic, at=timezone.now())
            except LettersAlwaysOn as refusal:
                page = render(
                    request, "accounts/letters/stop.html", context | {"refusal": refusal}, status=409
                )
                return _apart(page)
            # A mail program does not follow, and a browser would ask the same again when it goes back.
            if ONE_CLICK not in request.POST:
                return redirect("accounts:stop_letters", token)
        context["is_wanted"] = queries.wants_letters(member, topic)
        return _apart(render(request, "accounts/letters/stop.html", context))


def _choose(request: HttpRequest, member: Member, form: LettersForm, *, is_by_link: bool) -> None:
    wanted = form.cleaned_data["topics"]
    changed = choose_letters(member=member, wanted=wanted, at=timezone.now(), is_by_link=is_by_link)
    if changed:
        messages.success(request, _("Your choice is saved."))
    else:
        messages.info(request, _("Nothing was changed: it is so already."))


def _context(member: Member, form: LettersForm) -> dict[str, Any]:
    preferences = queries.letter_preferences(member)
    return {
        "member": member,
        "form": form,
        "choices": letter_choices(preferences),
        "is_refused": member.is_letter_address_refused,
    }


def _language(request: HttpRequest, member: Member) -> str:
    """The language that was chosen in this browser, or else the one that the letter was in."""
    is_chosen = settings.LANGUAGE_COOKIE_NAME in request.COOKIES
    return translation.get_language() if is_chosen else member.language


def _over(request: HttpRequest) -> HttpResponse:
    return _apart(render(request, "accounts/letters/over.html", status=404))


def _apart(response: HttpResponse) -> HttpResponse:
    """Found by nobody who only searches, and its address told to no other site."""
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
