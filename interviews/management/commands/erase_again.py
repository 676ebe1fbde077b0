"""After a restore of PostgreSQL, erase the candidates again who were erased after the moment it is at."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from interviews.actions import erasure


class Command(BaseCommand):
    """manage.py erase_again"""

    help = "Erase the candidates again who were erased after the moment to which PostgreSQL was restored."

    def handle(self, *args: Any, **options: Any) -> None:
        count = erasure.erase_again(now=timezone.now())
        self.stdout.write(f"candidates erased again: {count}")
