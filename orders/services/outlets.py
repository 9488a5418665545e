"""Where orders are from: the outlets of a source, made when they are first named."""

from collections.abc import Iterable

from django.db import transaction

from orders.models import Outlet, Source


def make_outlets(source: Source, names: Iterable[str]) -> dict[str, Outlet]:
    """The outlets of a source by what the source calls them: code or name. Unknown ones are made."""
    outlets = _outlets_of(source)
    unknown = [name for name in names if name not in outlets]
    if unknown:
        with transaction.atomic():
            # Whoever else names them at this moment waits, and finds them afterwards.
            Source.objects.select_for_update(no_key=True).get(pk=source.pk)
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
