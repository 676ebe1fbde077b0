#!/usr/bin/env python
"""Django's command-line entry point."""

import gc
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import BaseCommand, ManagementUtility


class Utility(ManagementUtility):
    """Django's own. It collects no garbage while it loads the apps, which stay: that saves 0.15 s."""

    def execute(self) -> None:
        gc.disable()
        try:
            super().execute()
        except ImproperlyConfigured as error:  # its lines say what to do; a traceback would hide them
            sys.exit(str(error))

    def fetch_command(self, subcommand: str) -> BaseCommand:
        gc.freeze()
        gc.enable()
        return super().fetch_command(subcommand)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "interview_platform.settings")
    Utility(sys.argv).execute()
