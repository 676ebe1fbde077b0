"""Where a restore is rehearsed, customers' systems are not told of what happens there."""

from typing import Any

from django.core.management.base import BaseCommand

from interviews.actions import webhooks


class Command(BaseCommand):
    """manage.py switch_webhooks_off"""

    help = (
        "Switch the webhooks of all organisations off, so that a copy of the platform tells no other system."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"webhooks switched off: {webhooks.switch_all_off()}")
