"""What every app adds to something that an app below it runs, so that none has to know those above it."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from django.apps import apps
from django.utils.module_loading import module_has_submodule


def collected(module: str, name: str) -> Iterator[Any]:
    """What is called `name` in the module of that dotted name, of each installed app that has it."""
    for app in apps.get_app_configs():
        found: Any = app.module
        for part in module.split("."):
            if not found or not module_has_submodule(found, part):
                break
            found = import_module(f"{found.__name__}.{part}")
        else:
            if hasattr(found, name):
                yield getattr(found, name)
