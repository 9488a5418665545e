"""Giving points to another member: the form, the page that asks whether all is right, the receipt."""

from datetime import datetime, timedelta
from math import ceil
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import own_member, signed_in_user
from accounts.errors import AccountsError
from accounts.models import Member
from loyalty import access, wording
from loyalty.errors import (
    IntentOver,
    LoyaltyError,
    ProofNeeded,
    TooManyQuestions,
    TooManyWrongProofs,
    TransferEnded,
    WrongProof,
)
from loyalty.forms.transfers import CodeForm, PasswordForm, TransferForm
from loyalty.models import Transfer, TransferIntent
from loyalty.queries import transfers as queries
from loyalty.queries.balance import balance
from loyalty.queries.operations import operation
from loyalty.queries.transfers.proof import MOST_WRONG_PROOFS
from loyalty.services.blocking import block_member, transfer_of_freeze_token
from loyalty.services.transfers import ask_transfer, make_transfer, send_code, take_back_transfer
from loyalty.services.transfers.proving import CODE_LIFE
from loyalty.typed_recipients import forget_recipient, keep_recipient, kept_recipient

FORM_REFUSED = 422
TOO_MANY_REQUESTS = 429


class Proof(NamedTuple):
    """How a member proves once more who they are, and how else they could.

    The form is None when only a code would do and none has been sent; `ways` are None when there is
    nothing to prove.
    """

    form: Form | None
    ways: queries.ProofWays | None = None
    code_until_at: datetime | None = None


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def transfer(request: HttpRequest) -> HttpResponse:
    """To whom and how many; what was asked for leads on to the page that asks whether it is right."""
    member, now = own_member(request), timezone.now()
    allowance = queries.allowance(member=member, at=now)
    if request.method != "POST":
        return _form_page(request, member, allowance, _filled_form(request, member, allowance))
    form = TransferForm(request.POST, allowance=allowance)
    if allowance.refusal is None and form.is_valid():
        try:
            intent = ask_transfer(
                sender=member, **form.cleaned_data, at=now, actor_id=signed_in_user(request).pk
            )
        except LoyaltyError as refusal:
            form.refuse(refusal)
            return _refused_form(request, member, allowance, form, refusal)
        else:
            keep_recipient(request.session, intent.key, form.cleaned_data["recipient"])
            return redirect("loyalty:transfer_check", intent.key)
    return _form_page(request, member, allowance, form, status=FORM_REFUSED)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def lead_to_form(request: HttpRequest) -> HttpResponse:
    """Nothing can be checked that was not asked for."""
    return redirect("loyalty:transfer")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def check_transfer(request: HttpRequest, key: UUID) -> HttpResponse:
    """What the transfer will do, and the button that makes it; one that was made leads to its receipt."""
    member, now = own_member(request), timezone.now()
    made = queries.transfer_by_key(key)
    # What was about to be given is forgotten in time; what was given is not.
    if made is not None and made.sender_id == member.pk:
        return redirect("loyalty:transfer_receipt", made.number)
    intent = access.own_intent(member, key)
    if now >= intent.expires_at or intent.wrong_proofs >= MOST_WRONG_PROOFS:
        return _begin_again(request, intent)
    if request.method == "POST":
        return _make(request, intent, now)
    return _check_page(request, intent, _proof(request, intent, now), now)


@require_POST
@login_required
def send_transfer_code(request: HttpRequest, key: UUID) -> HttpResponse:
    """Send a code, and go back to where it is entered."""
    intent = access.own_intent(own_member(request), key)
    if queries.transfer_by_key(key) is None:
        try:
            send_code(intent=intent, at=timezone.now())
        except IntentOver:
            return _begin_again(request, intent)
        except (LoyaltyError, AccountsError) as refusal:
            messages.error(request, str(refusal))
    return redirect("loyalty:transfer_check", key)


@require_safe
@login_required
def show_receipt(request: HttpRequest, number: str) -> HttpResponse:
    """What was given, as the one side or the other sees it."""
    member = own_member(request)
    made = access.own_transfer(member, number)
    own = operation(account_id=member.pk, posting_id=made.posting_id)
    context = {
        "transfer": made,
        "is_sender": made.sender_id == member.pk,
        "available_after": own and own.available_after,
        "moved": queries.moved_by(made),
        "can_be_taken_back": queries.can_be_taken_back(made, timezone.now()),
    }
    return render(request, "loyalty/transfer/receipt.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def take_back(request: HttpRequest, number: str) -> HttpResponse:
    """What taking the points back does, and the button that does it; only their sender may."""
    member, now = own_member(request), timezone.now()
    made = access.own_sent_transfer(member, number)
    refusal: LoyaltyError | None = None
    if made.taken_back_at is None and request.method == "POST":
        try:
            take_back_transfer(transfer=made, at=now, actor_id=signed_in_user(request).pk)
        except TransferEnded:
            return redirect("loyalty:transfer_receipt", number)
        except LoyaltyError as refused:
            refusal = refused
    if refusal is None and (request.method == "POST" or not queries.can_be_taken_back(made, now)):
        return redirect("loyalty:transfer_receipt", number)
    context = {"transfer": made, "moved": queries.moved_by(made), "refusal": refusal}
    return render(
        request, "loyalty/transfer/take_back.html", context, status=FORM_REFUSED if refusal else 200
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stop_transfers(request: HttpRequest, token: str) -> HttpResponse:
    """Where the letter's “Was it not you?” leads: a button that blocks the sender's account.

    The link is enough: whoever cannot sign in any more needs it most, and all it does is protect.
    """
    made = transfer_of_freeze_token(token)
    if made is None:
        return render(request, "loyalty/transfer/not_me_over.html")
    if request.method == "POST":
        block_member(member=made.sender, at=timezone.now(), actor_id=None, reason=wording.not_me(made))
        return redirect("loyalty:transfer_not_me", token)
    is_blocked = balance(account_id=made.sender_id, at=timezone.now()).is_blocked
    return render(request, "loyalty/transfer/not_me.html", {"transfer": made, "is_blocked": is_blocked})


def _make(request: HttpRequest, intent: TransferIntent, now: datetime) -> HttpResponse:
    """Give the points, or say why not: where it is proved, or in the form where it can be changed."""
    proof = _proof(request, intent, now)
    form = proof.form
    if form is not None and form.is_valid():
        try:
            made = make_transfer(
                intent=intent,
                at=now,
                how=Transfer.How.CABINET,
                actor_id=signed_in_user(request).pk,
                **form.cleaned_data,
            )
        except ProofNeeded:
            proof = _proof(request, intent, now)
        except WrongProof as refusal:
            form.add_error(next(iter(form.fields)), str(refusal))
        except IntentOver:
            return _begin_again(request, intent)
        except LoyaltyError as refusal:
            return _back_to_form(request, intent, refusal, now)
        else:
            forget_recipient(request.session, intent.key)
            return redirect("loyalty:transfer_receipt", made.number)
    return _check_page(request, intent, proof, now, status=FORM_REFUSED)


def _proof(request: HttpRequest, intent: TransferIntent, now: datetime) -> Proof:
    """What is asked for before points are given: nothing, the code that was sent, or the password."""
    posted = request.POST if request.method == "POST" else None
    if not queries.proof_needed(intent=intent, at=now):
        return Proof(Form(posted))
    ways = queries.proof_ways(intent.sender)
    wants_password = ways.has_password and (
        request.GET.get("proof") == "password" if posted is None else "password" in posted
    )
    code_until_at = intent.code_sent_at and intent.code_sent_at + CODE_LIFE
    if code_until_at is not None and now < code_until_at and not wants_password:
        return Proof(CodeForm(posted), ways, code_until_at)
    return Proof(PasswordForm(posted) if ways.has_password else None, ways)


def _check_page(
    request: HttpRequest, intent: TransferIntent, proof: Proof, now: datetime, status: int = 200
) -> HttpResponse:
    """What will happen; where that has become impossible, the form, which says why."""
    allowance = queries.allowance(member=intent.sender, at=now)
    if not allowance.least_points <= intent.points <= allowance.most_points:
        return redirect(_form_address(intent))
    context = {
        "intent": intent,
        "allowance": allowance,
        "left_points": allowance.available_points - intent.points,
        "moved": queries.moved_lots(allowance, intent.points),
        "take_back_until_at": now + timedelta(hours=allowance.cooling_hours),
        "before": queries.same_transfer_before(intent=intent, at=now),
        "form": proof.form,
        "ways": proof.ways,
        "code_until_at": proof.code_until_at,
    }
    return render(request, "loyalty/transfer/check.html", context, status=status)


def _form_page(
    request: HttpRequest,
    member: Member,
    allowance: queries.Allowance,
    form: TransferForm,
    status: int = 200,
) -> HttpResponse:
    """The form, or why there is none at present."""
    template = "loyalty/transfer/closed.html" if allowance.refusal else "loyalty/transfer/form.html"
    context = {"member": member, "allowance": allowance, "form": form}
    return render(request, template, context, status=status)


def _filled_form(request: HttpRequest, member: Member, allowance: queries.Allowance) -> TransferForm:
    """The empty form, or the one that “Change” leads to; it says at once what has become impossible."""
    intent = access.intent_named(member, request.GET.get("change", ""))
    if intent is None:
        return TransferForm(allowance=allowance)
    typed = _typed(request, intent)
    form = TransferForm(typed, allowance=allowance)
    if "points" in form.errors:
        form.errors.pop("recipient", None)
        return form
    return TransferForm(initial=typed, allowance=allowance)


def _back_to_form(
    request: HttpRequest, intent: TransferIntent, refusal: LoyaltyError, now: datetime
) -> HttpResponse:
    """The form with what was typed, and why it cannot be."""
    allowance = queries.allowance(member=intent.sender, at=now)
    form = TransferForm(_typed(request, intent), allowance=allowance)
    form.refuse(refusal)
    return _refused_form(request, intent.sender, allowance, form, refusal)


def _refused_form(
    request: HttpRequest,
    member: Member,
    allowance: queries.Allowance,
    form: TransferForm,
    refusal: LoyaltyError,
) -> HttpResponse:
    """The form with the refusal; who did something too often is told when to come back."""
    if not isinstance(refusal, TooManyQuestions | TooManyWrongProofs):
        return _form_page(request, member, allowance, form, status=FORM_REFUSED)
    response = _form_page(request, member, allowance, form, status=TOO_MANY_REQUESTS)
    wait = refusal.allowed_at - allowance.as_of
    response.headers["Retry-After"] = str(max(ceil(wait.total_seconds()), 1))
    return response


def _begin_again(request: HttpRequest, intent: TransferIntent) -> HttpResponse:
    """To the form, filled in, since what was asked for is over."""
    messages.warning(request, str(IntentOver()))
    return redirect(_form_address(intent))


def _typed(request: HttpRequest, intent: TransferIntent) -> dict[str, str]:
    """What was typed for an intent, as the form takes it."""
    return {"recipient": kept_recipient(request.session, intent.key), "points": str(intent.points)}


def _form_address(intent: TransferIntent) -> str:
    """Where what was typed for an intent is shown again."""
    return f"{reverse('loyalty:transfer')}?{urlencode({'change': intent.key})}"
