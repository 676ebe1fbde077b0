"""Which candidates were erased, noted outside PostgreSQL: a database that is restored knows them again.

A note is a file in object storage. Its name is a hash of the random id of the invitation, which is erased
everywhere else: who holds the notes alone learns nothing but their number.
"""

import hashlib
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from voice.infra import object_storage

DIRECTORY = "erasures/"


def digest(invitation_id: UUID) -> str:
    """Return the name of the note about a candidate, in hexadecimal."""
    return hashlib.sha256(f"erased candidate {invitation_id}".encode()).hexdigest()


def write(note: str, source: str) -> None:
    """Keep a note and who asked for the erasure. It may be written again. Raises OSError."""
    default_storage.save(f"{DIRECTORY}{note}", ContentFile(source.encode()))


def read(note: str) -> str:
    """Return who asked for the erasure."""
    with default_storage.open(f"{DIRECTORY}{note}") as file:
        return file.read().decode()


def all_notes() -> set[str]:
    """Return every note."""
    return {name.removeprefix(DIRECTORY) for name in object_storage.names(DIRECTORY)}
