"""The inbox: what the member was told."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts import queries, wording
from accounts.access import own_member
from accounts.forms import MessagesPlaceForm, SeenMessagesForm
from accounts.services.messages import mark_seen


@require_safe
@login_required
def show_messages(request: HttpRequest) -> HttpResponse:
    """What the member was told, newest first; a place beyond the list leads to its beginning.

    Looking marks nothing as seen, since a browser may fetch the page before anybody looks: the page
    itself says so by `see_messages`, or the member by its button.
    """
    member = own_member(request)
    before, after = MessagesPlaceForm(request.GET).place()
    page = queries.messages_page(member=member, before=before, after=after)
    if not page.messages and (before, after) != (None, None):
        return redirect("accounts:messages")
    context = {
        "member": member,
        "page": page,
        "cards": wording.message_cards(page.messages, member),
        "new_messages": queries.new_messages(member),
    }
    return render(request, "accounts/messages.html", context)


@require_POST
@login_required
def see_messages(request: HttpRequest) -> HttpResponse:
    """Note that the member has seen their messages: those a page shows, or all of them."""
    member = own_member(request)
    form = SeenMessagesForm(request.POST)
    if form.is_valid():
        mark_seen(
            member=member,
            from_id=form.cleaned_data["first"] or 0,
            up_to_id=form.cleaned_data["last"],
            at=timezone.now(),
        )
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(status=204)
    return redirect("accounts:messages")
