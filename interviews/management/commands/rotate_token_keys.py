"""Writes every candidate's link anew with the newest key. Then older keys can be taken out of TOKEN_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from interviews.actions import accommodations, groups, idempotency, invitations, open_links, webhooks


class Command(BaseCommand):
    help = "Write every candidate's link anew with the first of TOKEN_KEYS. Then the others can be taken out."

    def handle(self, **options: Any) -> None:
        counts = invitations.rotate_keys()
        counts.update(open_links.rotate_keys())
        counts.update(accommodations.rotate_keys())
        counts.update(groups.rotate_keys())
        counts.update(webhooks.rotate_keys())
        counts.update(idempotency.rotate_keys())
        self.stdout.write(
            f"Links written anew: {counts['written']}. Links that had this key: {counts['current']}."
        )
        if counts["unreadable"]:
            raise CommandError(
                f"{counts['unreadable']} links cannot be read: add their key at the end of TOKEN_KEYS."
            )
