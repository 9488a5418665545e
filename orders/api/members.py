"""Members over the API: register them, find them, read their points."""

from datetime import datetime
from typing import Annotated

from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Path, Query, Router

from accounts.contacts import normalise_email, normalise_phone
from accounts.models import Language, Member
from accounts.queries import members_by_contact
from loyalty.queries.balance import balance
from loyalty.queries.operations import operations_since
from loyalty.queries.standing import standing_card
from orders.api.answers.members import (
    BalanceAnswer,
    MemberAnswer,
    OperationsAnswer,
    balance_answer,
    member_answer,
    operation_answer,
)
from orders.api.doors import IdempotencyKey, Key, source_of, write_once
from orders.api.feeds import Feed, numbers_of, place_of
from orders.api.people import member_number
from orders.api.questions import MemberSearch, NewMember
from orders.api.refusals import CONFLICT, READ, SEND, UNKNOWN
from orders.api.types import READABLE_PATTERN, Answer
from orders.errors import MemberNotFound
from orders.models import Customer, Scope, Source
from orders.services.members import register_member

router = Router(tags=["Members"])

MemberNumber = Annotated[str, Path(max_length=50, pattern=READABLE_PATTERN, example="248190736514")]


@router.post(
    "/members",
    response={201: MemberAnswer, **SEND, **CONFLICT},
    auth=Key(Scope.MEMBERS_WRITE),
    operation_id="register_member",
    summary="Register a member",
)
def register(request: HttpRequest, idempotency_key: IdempotencyKey, member: NewMember) -> HttpResponse:
    """Somebody joins at your shop. Contacts stay unverified until they sign in with them."""

    def act(source: Source, now: datetime) -> tuple[int, Answer]:
        registered = register_member(
            source=source,
            first_name=member.first_name,
            last_name=member.last_name or "",
            email=member.email,
            phone=member.phone,
            language=Language(member.language),
            customer_id=member.customer_id,
            agrees_to_programme=member.agrees_to_programme,
            agrees_to_advertising=member.agrees_to_advertising,
            at=now,
        )
        return 201, member_answer(registered, member.customer_id)

    return write_once(request, key=idempotency_key, act=act)


@router.post(
    "/members/search",
    response={200: MemberAnswer, **SEND, **UNKNOWN},
    auth=Key(Scope.MEMBERS_READ),
    operation_id="find_member",
    summary="Find a member",
)
def find(request: HttpRequest, search: MemberSearch) -> MemberAnswer:
    """By number, e-mail, phone or your customer id. A POST, since contacts do not belong into addresses."""
    source = source_of(request)
    members = visible_members(source)
    if search.number:
        members = members.filter(number=member_number(search.number))
    elif search.customer_id:
        members = members.filter(customers__source=source, customers__external_id=search.customer_id)
    else:
        members = members & members_by_contact(
            email=normalise_email(search.email) if search.email else None,
            phone=normalise_phone(search.phone) if search.phone else None,
            is_sandbox=source.is_sandbox,
        )
    return described(members.first())


@router.get(
    "/members/{number}",
    response={200: MemberAnswer, **READ, **UNKNOWN},
    auth=Key(Scope.MEMBERS_READ),
    operation_id="get_member",
    summary="Read a member",
)
def show(request: HttpRequest, number: MemberNumber) -> MemberAnswer:
    """A member by their number."""
    return described(visible_members(source_of(request)).filter(number=number).first())


@router.get(
    "/members/{number}/balance",
    response={200: BalanceAnswer, **READ, **UNKNOWN},
    auth=Key(Scope.POINTS_READ),
    operation_id="get_balance",
    summary="Read a balance",
)
def show_balance(request: HttpRequest, number: MemberNumber) -> BalanceAnswer:
    """What a member may spend now, what waits, what is set aside, what expires when, and their tier."""
    member, now = member_by_number(source_of(request), number), timezone.now()
    return balance_answer(balance(account_id=member.pk, at=now), standing_card(member, now))


@router.get(
    "/members/{number}/operations",
    response={200: OperationsAnswer, **READ, **UNKNOWN},
    auth=Key(Scope.POINTS_READ),
    operation_id="list_operations",
    summary="List a member's operations",
)
def list_operations(
    request: HttpRequest, number: MemberNumber, feed: Annotated[Feed, Query()]
) -> OperationsAnswer:
    """Everything that moved the member's points, oldest first, from a moment or a cursor on."""
    member = member_by_number(source_of(request), number)
    after_version = numbers_of(feed.cursor, count=1)[0] if feed.cursor else 0
    found = operations_since(
        account_id=member.pk,
        after_version=after_version,
        changed_since=feed.changed_since,
        limit=feed.limit + 1,
    )
    page = found[: feed.limit]
    return OperationsAnswer(
        operations=[operation_answer(operation) for operation in page],
        cursor=place_of(page[-1].version if page else after_version),
        has_more=len(found) > feed.limit,
    )


def visible_members(source: Source) -> QuerySet[Member]:
    """The members that a source may see: a sandbox its own kind, a live one the live ones."""
    own = Customer.objects.filter(source=source)
    return Member.objects.filter(is_sandbox=source.is_sandbox).prefetch_related(
        Prefetch("customers", queryset=own, to_attr="own_customers")
    )


def member_by_number(source: Source, number: str) -> Member:
    """The member of that number.

    Raises:
        MemberNotFound: there is none whom the source may see.
    """
    member = Member.objects.filter(is_sandbox=source.is_sandbox, number=number).first()
    if member is None:
        raise MemberNotFound
    return member


def described(member: Member | None) -> MemberAnswer:
    """A member out of `visible_members`.

    Raises:
        MemberNotFound: there is none.
    """
    if member is None:
        raise MemberNotFound
    customers: list[Customer] = member.own_customers  # type: ignore[attr-defined]
    return member_answer(member, customers[0].external_id if customers else None)
