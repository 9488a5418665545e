#!/usr/bin/env python
"""Ballada's command line: `manage.py help` lists what it can do."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if not os.environ.get("DATABASE_URL"):
        from dev.postgres import ensure_running

        ensure_running()
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # A wrong setting is for whoever set it: a sentence, not a traceback.
        sys.exit(str(error))


if __name__ == "__main__":
    main()
