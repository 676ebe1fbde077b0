"""Prove that the audit is as it was written, or say what is not."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from accounts.audit import keys, roles, verification
from accounts.audit.recording import Actor, Entry, Kind, Outcome, record


class Command(BaseCommand):
    help = (
        "Compare each entry of the audit with its link, the links with each other, and their end with the "
        "heads in object storage. It finds what was altered, removed, inserted or cut off. "
        "The exit status is 1 if anything was found."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        report = verification.verify(now=now)
        self.stdout.write(f"{report.chains} chains, {report.entries} entries")
        for finding in report.findings:
            self.stdout.write(f"organisation {finding.organisation}: {finding.what}")
        self._say_what_is_weak()
        outcome = Outcome.FAILED if report.findings else Outcome.ALLOWED
        record(Entry(Kind.VERIFIED, "verify_audit", now, actor=Actor.COMMAND, outcome=outcome))
        if report.findings:
            raise CommandError(f"{len(report.findings)} findings", returncode=1)
        self.stdout.write("found: nothing")

    def _say_what_is_weak(self) -> None:
        if roles.may_change(connection, settings.DATABASE_ROLE):
            self.stdout.write(
                f"note: the application's role {settings.DATABASE_ROLE} may change entries (docs/audit.md)"
            )
        if not keys.is_own():
            self.stdout.write(
                "note: AUDIT_KEYS is not set; the key is derived from SECRET_KEY (docs/audit.md)"
            )
