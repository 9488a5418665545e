"""The console's card of a member, and the lists behind it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.access import role_required, signed_in_user
from accounts.queries import messages_page
from accounts.roles import Role
from accounts.wording import message_cards
from loyalty import wording
from loyalty.cursors import number_of
from loyalty.queries.operations import operations_page
from loyalty.queries.transfers import transfer_numbers
from orders.queries.orders import orders_page
from orders.wording import row as order_row
from supervisor.access import limited, others_account
from supervisor.queries.card import member_card
from supervisor.services.looks import note_contacts, note_look

LATEST = 5
# Whose contacts the next page shows: the session keeps the member's number, never the contacts.
SHOWN_CONTACTS = "contacts_of"


@require_safe
@role_required(Role.STAFF)
@limited("staff_card")
def show_member(request: HttpRequest, number: str) -> HttpResponse:
    """A member at a glance: summary, balance, tier, the latest of each list, and what may be done."""
    member, now = others_account(request, number), timezone.now()
    note_look(members=[member], page="member", at=now, actor=signed_in_user(request))
    operations = operations_page(account_id=member.pk, limit=LATEST)
    orders = orders_page(member=member, limit=LATEST)
    messages = messages_page(member=member, limit=LATEST)
    context = {
        "card": member_card(member, now),
        "member": member,
        "shows_contacts": request.session.pop(SHOWN_CONTACTS, None) == member.number,
        "operations": [wording.row(operation) for operation in operations.operations],
        "operations_page": operations,
        "orders": [order_row(order) for order in orders.orders],
        "orders_page": orders,
        "messages_cards": message_cards(messages.messages, member),
        "messages_page": messages,
    }
    return render(request, "supervisor/member/card.html", context)


@require_POST
@role_required(Role.STAFF)
@limited("staff_contacts")
def show_contacts(request: HttpRequest, number: str) -> HttpResponse:
    """Write down that the contacts are shown, and show them on the card, once."""
    member = others_account(request, number)
    note_contacts(member=member, at=timezone.now(), actor=signed_in_user(request))
    request.session[SHOWN_CONTACTS] = member.number
    return redirect("supervisor:member", number)


@require_safe
@role_required(Role.STAFF)
def show_operations(request: HttpRequest, number: str) -> HttpResponse:
    """The member's operations with their reasons, newest first."""
    member = others_account(request, number)
    before, after = _place(request)
    page = operations_page(account_id=member.pk, before=before, after=after)
    if not page.operations and (before, after) != (None, None):
        return redirect("supervisor:member_operations", number)
    note_look(members=[member], page="operations", at=timezone.now(), actor=signed_in_user(request))
    numbers = transfer_numbers(operation.posting_id for operation in page.operations)
    rows = [wording.row(operation, numbers.get(operation.posting_id, "")) for operation in page.operations]
    context = {"member": member, "page": page, "operations": rows}
    return render(request, "supervisor/member/operations.html", context)


@require_safe
@role_required(Role.STAFF)
def show_orders(request: HttpRequest, number: str) -> HttpResponse:
    """The member's orders, newest first."""
    member = others_account(request, number)
    before, after = _place(request)
    page = orders_page(member=member, before=before, after=after)
    if not page.orders and (before, after) != (None, None):
        return redirect("supervisor:member_orders", number)
    note_look(members=[member], page="orders", at=timezone.now(), actor=signed_in_user(request))
    context = {"member": member, "page": page, "orders": [order_row(order) for order in page.orders]}
    return render(request, "supervisor/member/orders.html", context)


@require_safe
@role_required(Role.STAFF)
def show_messages(request: HttpRequest, number: str) -> HttpResponse:
    """What the member was told, newest first; looking marks nothing as seen."""
    member = others_account(request, number)
    before, after = _place(request)
    page = messages_page(member=member, before=before, after=after)
    if not page.messages and (before, after) != (None, None):
        return redirect("supervisor:member_messages", number)
    note_look(members=[member], page="messages", at=timezone.now(), actor=signed_in_user(request))
    context = {"member": member, "page": page, "cards": message_cards(page.messages, member)}
    return render(request, "supervisor/member/messages.html", context)


def _place(request: HttpRequest) -> tuple[int | None, int | None]:
    before, after = (number_of(request.GET.get(name)) for name in ("before", "after"))
    return before, after
