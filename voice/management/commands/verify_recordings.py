"""Compare recordings with object storage: after a restore, or to know that all of them can be heard.

manage.py verify_recordings                    read every file, compare every sample
manage.py verify_recordings --names-only       only look whether the files are there
manage.py verify_recordings --hours 24         only what is new
manage.py verify_recordings --mend             after a restore, before the platform starts
"""

from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q, QuerySet
from django.utils import timezone

from voice.models import PendingErasure, Recording
from voice.privacy import scanning
from voice.queues import erasing
from voice.recordings import recovery


class Command(BaseCommand):
    """manage.py verify_recordings"""

    help = (
        "Say which recordings object storage lacks, and which of its files belong to no row. "
        "The exit status is 1 if a recording is not whole."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--names-only", action="store_true", help="do not read the files")
        parser.add_argument(
            "--hours",
            type=float,
            help="only recordings stored in the last so many hours or not at all; no files without a row",
        )
        parser.add_argument(
            "--mend",
            action="store_true",
            help="make recordings agree with object storage, and erase files without a row; "
            "only while no other process of the platform runs",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        rows = Recording.objects.exclude(status=Recording.Status.DISCARDED).order_by("pk")
        if is_recent := options["hours"] is not None:
            since = timezone.now() - timedelta(hours=options["hours"])
            rows = rows.filter(Q(stored_at=None) | Q(stored_at__gte=since))
        faults = self._mend(rows, erases_strangers=not is_recent) if options["mend"] else 0
        for row, fault in _faults(rows, is_read=not options["names_only"]):
            self.stdout.write(f"recording {row.pk} ({row.status}): {fault}")
            faults += 1
        counts = f"recordings: {rows.count()}, not whole: {faults}"
        if not is_recent:
            counts += f", without a row: {sum(map(len, scanning.keys_without_row().values()))}"
        self.stdout.write(counts)
        if faults:
            raise CommandError(f"{faults} recordings are not whole", returncode=1)

    def _mend(self, rows: QuerySet[Recording], *, erases_strangers: bool) -> int:
        """Mend what can be mended, and return how many recordings are not whole."""
        lost = 0
        for recording_id in list(rows.values_list("pk", flat=True)):
            if not recovery.mend(recording_id):
                self.stdout.write(f"recording {recording_id}: not whole, unless its source sends it again")
                lost += 1
        for store, keys in scanning.keys_without_row().items() if erases_strangers else ():
            noted = erasing.note(PendingErasure.Store(store), sorted(keys))
            self.stdout.write(f"without a row, being erased: {len(noted)} of {store}")
        return lost


def _faults(rows: QuerySet[Recording], *, is_read: bool) -> Iterator[tuple[Recording, str]]:
    for row in rows.iterator(chunk_size=500):
        if fault := recovery.fault(row, is_read=is_read):
            yield row, fault
