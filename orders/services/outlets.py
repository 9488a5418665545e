"""Where orders are from: the outlets of a source, made when they are first named, or by a supervisor."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from accounts.models import AuditRecord, User
from accounts.services.audit import record
from orders.errors import OutletNameInvalid, OutletNameTaken
from orders.models import Outlet, Source

NAME_LETTERS = 100


def make_outlets(source: Source, names: Iterable[str]) -> dict[str, Outlet]:
    """The outlets of a source by what the source calls them: code or name. Unknown ones are made."""
    outlets = _outlets_of(source)
    unknown = [name for name in names if name not in outlets]
    if unknown:
        with transaction.atomic():
            # Whoever else names them at this moment waits, and finds them afterwards.
            _lock(source)
            outlets = _outlets_of(source)
            _add_outlets(source, outlets, unknown)
    return outlets


def _outlets_of(source: Source) -> dict[str, Outlet]:
    known = list(source.outlets.all())
    return {outlet.name: outlet for outlet in known} | {outlet.code: outlet for outlet in known}


def _add_outlets(source: Source, outlets: dict[str, Outlet], names: Iterable[str]) -> None:
    taken = {outlet.code for outlet in outlets.values()}
    for name in names:
        if name in outlets:
            continue
        number = len(taken) + 1
        while f"outlet-{number}" in taken:
            number += 1
        outlets[name] = Outlet.objects.create(source=source, code=f"outlet-{number}", name=name)
        taken.add(outlets[name].code)


@transaction.atomic
def add_outlet(*, source: Source, name: str, at: datetime, by: User) -> Outlet:
    """A new outlet of a source; its code is the next free one.

    Raises:
        OutletNameInvalid: the name is empty or too long.
        OutletNameTaken: another outlet of the source is called so.
    """
    _lock(source)
    name = _free_name(source, name)
    outlets = _outlets_of(source)
    _add_outlets(source, outlets, [name])
    _note(outlets[name], "added", at=at, by=by)
    return outlets[name]


@transaction.atomic
def rename_outlet(*, outlet: Outlet, name: str, at: datetime, by: User) -> Outlet:
    """Call the outlet by another name; its code stays. The name that it has changes nothing.

    Raises:
        OutletNameInvalid: the name is empty or too long.
        OutletNameTaken: another outlet of the source is called so.
    """
    _lock(outlet.source)
    current = Outlet.objects.select_related("source").get(pk=outlet.pk)
    before = current.name
    current.name = _free_name(current.source, name, but=current)
    if current.name != before:
        current.save(update_fields=["name"])
        _note(current, "renamed", at=at, by=by, before=before)
    return current


def close_outlet(*, outlet: Outlet, at: datetime, by: User) -> Outlet:
    """Take no more sales of staff there; one that is closed stays closed since it was."""
    return _change_closing(outlet, is_closed=True, at=at, by=by)


def reopen_outlet(*, outlet: Outlet, at: datetime, by: User) -> Outlet:
    """Take sales of staff there again; one that is open stays so."""
    return _change_closing(outlet, is_closed=False, at=at, by=by)


@transaction.atomic
def _change_closing(outlet: Outlet, *, is_closed: bool, at: datetime, by: User) -> Outlet:
    current = Outlet.objects.select_for_update(no_key=True, of=("self",)).select_related("source")
    found = current.get(pk=outlet.pk)
    if (found.closed_at is not None) != is_closed:
        found.closed_at = at if is_closed else None
        found.save(update_fields=["closed_at"])
        _note(found, "closed" if is_closed else "reopened", at=at, by=by)
    return found


def _free_name(source: Source, name: str, but: Outlet | None = None) -> str:
    """The name without spaces around it, which no other outlet of the source is called by."""
    name = " ".join(name.split())
    if not 0 < len(name) <= NAME_LETTERS:
        raise OutletNameInvalid(NAME_LETTERS)
    # A shop may name an outlet by either, and upper and lower case are one for whoever reads.
    others = source.outlets.exclude(pk=but.pk) if but else source.outlets.all()
    called = {text.casefold() for outlet in others for text in (outlet.name, outlet.code)}
    if name.casefold() in called:
        raise OutletNameTaken(name)
    return name


def _note(outlet: Outlet, change: str, *, at: datetime, by: User, **facts: object) -> None:
    record(
        action=AuditRecord.Action.OUTLET_CHANGED,
        member=None,
        at=at,
        actor=by,
        source=outlet.source.code,
        outlet=outlet.code,
        name=outlet.name,
        change=change,
        **facts,
    )


def _lock(source: Source) -> None:
    """Let nobody else name outlets of the source until this transaction is over."""
    Source.objects.select_for_update(no_key=True).get(pk=source.pk)
