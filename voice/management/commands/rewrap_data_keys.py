"""Wraps every data key by the newest key. Then older keys can be taken out of ENCRYPTION_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from voice.encryption import keys


class Command(BaseCommand):
    help = "Wrap every data key by the first of ENCRYPTION_KEYS. Then the others can be taken out."

    def handle(self, **options: Any) -> None:
        counts = keys.rewrap()
        self.stdout.write(
            f"Data keys wrapped anew: {counts['written']}. Wrapped so before: {counts['current']}."
        )
        if counts["unreadable"]:
            raise CommandError(
                f"{counts['unreadable']} data keys cannot be read: add the key that wrapped them at the end "
                "of ENCRYPTION_KEYS, or restore them."
            )
