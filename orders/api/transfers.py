"""Transfers over the API, for a shop that offers them: check, prove, make, read, take back."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from ninja import Path, Router

from loyalty.models import Posting, Transfer, TransferIntent
from loyalty.queries.transfers import transfer_by_key
from loyalty.services.transfers import ask_transfer, make_transfer, send_code, take_back_transfer
from orders.api.answers.transfers import (
    CheckAnswer,
    CodeAnswer,
    TransferAnswer,
    check_answer,
    code_answer,
    transfer_answer,
)
from orders.api.doors import IdempotencyKey, Key, source_of, write_once
from orders.api.errors import CheckNotFound, TransferNotFound
from orders.api.people import named_member
from orders.api.questions import NewCheck, NewTransfer, NothingMore
from orders.api.refusals import CONFLICT, READ, SEND, UNKNOWN
from orders.api.types import READABLE_PATTERN, Answer, Id
from orders.models import Scope, Source
from orders.services.api_requests import wait_for_turn

router = Router(tags=["Transfers"])

CheckId = Annotated[Id, Path(description="The id of the check.")]
TransferNumber = Annotated[str, Path(max_length=50, pattern=READABLE_PATTERN, example="4817203965")]


@router.post(
    "/transfer-checks",
    response={201: CheckAnswer, **SEND, **UNKNOWN, **CONFLICT},
    auth=Key(Scope.TRANSFERS_WRITE),
    operation_id="check_transfer",
    summary="Check a transfer",
)
def check_transfer(request: HttpRequest, idempotency_key: IdempotencyKey, wanted: NewCheck) -> HttpResponse:
    """Who would get the points and what would be left, to be shown to the sender. Nothing moves."""

    def act(source: Source, now: datetime) -> tuple[int, Answer]:
        intent = ask_transfer(
            sender=named_member(source, wanted.sender, field="sender"),
            recipient=wanted.recipient,
            points=wanted.points,
            at=now,
            actor_id=None,
            source_code=source.code,
        )
        return 201, check_answer(intent, now)

    return write_once(request, key=idempotency_key, act=act, counts_tries=True)


@router.post(
    "/transfer-checks/{check}/code",
    response={202: CodeAnswer, **SEND, **UNKNOWN, **CONFLICT},
    auth=Key(Scope.TRANSFERS_WRITE),
    operation_id="send_transfer_code",
    summary="Send the sender a code",
)
def send_transfer_code(
    request: HttpRequest, check: CheckId, idempotency_key: IdempotencyKey, nothing: NothingMore
) -> HttpResponse:
    """To the sender's own e-mail, or phone without one. Ask them for it: you do not learn it otherwise."""

    def act(source: Source, now: datetime) -> tuple[int, Answer]:
        intent = intent_by_key(source, check)
        send_code(intent=intent, at=now, source_code=source.code)
        return 202, code_answer(intent)

    return write_once(request, key=idempotency_key, act=act, counts_tries=True)


@router.post(
    "/transfers",
    response={200: TransferAnswer, 201: TransferAnswer, **SEND, **UNKNOWN, **CONFLICT},
    auth=Key(Scope.TRANSFERS_WRITE),
    operation_id="make_transfer",
    summary="Make a transfer",
)
def make(request: HttpRequest, idempotency_key: IdempotencyKey, wanted: NewTransfer) -> HttpResponse:
    """What was checked, once the sender agrees. 200: it was made before; a check becomes one transfer."""

    def act(source: Source, now: datetime) -> tuple[int, Answer]:
        intent = intent_by_key(source, wanted.check)
        # Of many that come at once, under keys of their own, one is new.
        wait_for_turn(source, f"transfer {intent.key}")
        is_known = transfer_by_key(intent.key) is not None
        transfer = make_transfer(
            intent=intent,
            at=now,
            how=Transfer.How.SHOP,
            actor_id=None,
            code=wanted.code or "",
            source_code=source.code,
        )
        return 200 if is_known else 201, transfer_answer(transfer)

    return write_once(request, key=idempotency_key, act=act, counts_tries=True)


@router.get(
    "/transfers/{number}",
    response={200: TransferAnswer, **READ, **UNKNOWN},
    auth=Key(Scope.TRANSFERS_WRITE),
    operation_id="get_transfer",
    summary="Read a transfer",
)
def show(request: HttpRequest, number: TransferNumber) -> TransferAnswer:
    """A transfer that you made, as it stands."""
    return transfer_answer(transfer_by_number(source_of(request), number))


@router.post(
    "/transfers/{number}/take-back",
    response={200: TransferAnswer, **SEND, **UNKNOWN, **CONFLICT},
    auth=Key(Scope.TRANSFERS_WRITE),
    operation_id="take_back_transfer",
    summary="Take a transfer back",
)
def take_back(
    request: HttpRequest, number: TransferNumber, idempotency_key: IdempotencyKey, nothing: NothingMore
) -> HttpResponse:
    """For its sender, who thinks better of it: in time, and while the recipient still has the points."""

    def act(source: Source, now: datetime) -> tuple[int, Answer]:
        transfer = transfer_by_number(source, number)
        return 200, transfer_answer(
            take_back_transfer(transfer=transfer, at=now, actor_id=None, source_code=source.code)
        )

    return write_once(request, key=idempotency_key, act=act)


def intent_by_key(source: Source, key: UUID) -> TransferIntent:
    """The check of that id, with its two members.

    Raises:
        CheckNotFound: there is none between members whom the source may see.
    """
    intents = TransferIntent.objects.select_related("sender", "recipient")
    intent = intents.filter(key=key, sender__is_sandbox=source.is_sandbox).first()
    if intent is None:
        raise CheckNotFound
    return intent


def transfer_by_number(source: Source, number: str) -> Transfer:
    """The transfer of that number that the source made, with its two members.

    Its posting says who asked for it. A number is no secret: it stands on both receipts, and whoever
    reads it there must not be able to move the points back by way of another shop.

    Raises:
        TransferNotFound: the source made none with that number.
    """
    asked_by_source = Posting.objects.filter(pk=OuterRef("posting_id"), explanation__source=source.code)
    transfers = Transfer.objects.select_related("sender", "recipient")
    transfer = transfers.filter(Exists(asked_by_source), number=number, how=Transfer.How.SHOP).first()
    if transfer is None:
        raise TransferNotFound
    return transfer
