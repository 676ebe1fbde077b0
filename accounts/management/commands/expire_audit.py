"""Delete the oldest months of the audit, under signed checkpoints. It connects as the owner of the tables."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from accounts.audit import chain, expiry


class Command(BaseCommand):
    help = (
        "Delete the entries of whole months, after AUDIT_MONTHS or before --before, and leave signed "
        "checkpoints. It needs DATABASE_DIRECT_URL, whose role owns the tables, and AUDIT_KEYS."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--before", help="the first month that is kept, as 2026-01")

    def handle(self, *args: Any, **options: Any) -> None:
        connection.use_owner()  # type: ignore[attr-defined]  # interview_platform.backends.postgresql
        if not expiry.may_expire():
            raise CommandError("This role may delete no entries: let DATABASE_DIRECT_URL name the owner.")
        now = timezone.now()
        before = self._before(options["before"], now.date())
        chain.extend()  # what is not linked yet could not expire
        gone = expiry.expire(before=before, now=now)
        self.stdout.write(f"{gone.entries} entries of {gone.chains} chains before {before:%Y-%m} are gone")

    def _before(self, month: str | None, today: date) -> date:
        try:
            first = date.fromisoformat(f"{month}-01") if month else None
        except ValueError as error:
            raise CommandError("Write the month as 2026-01.") from error
        if first is None and not settings.AUDIT_MONTHS:
            raise CommandError("AUDIT_MONTHS is 0, so all is kept: give --before.")
        return min(first or expiry.first_kept(settings.AUDIT_MONTHS, today), today.replace(day=1))
