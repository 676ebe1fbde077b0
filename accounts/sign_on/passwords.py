"""Passwords that are known from breaches are refused, without asking anybody outside.

The file has a line for each password: its SHA-1 in capitals, a colon, and how often it was seen; sorted by
hash. A search reads some thirty blocks of it, so 40 GB are no slower than 40 MB.
"""

import hashlib
import os
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

HASH_BYTES = 40
LONGEST_LINE = 64


class NotBreachedValidator:
    """Refuses what `BREACHED_PASSWORDS_FILE` lists; without that file everything passes."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError for a listed password."""
        path = settings.BREACHED_PASSWORDS_FILE
        if path and is_listed(path, password):
            raise ValidationError(
                _(
                    "This password is known from a breach of another site. "
                    "Choose one that you use nowhere else."
                ),
                code="password_breached",
            )

    def get_help_text(self) -> str:
        """Return what is asked of a password; nothing without the file."""
        if not settings.BREACHED_PASSWORDS_FILE:
            return ""
        return _("Your password can’t be one that is known from a breach of another site.")


def is_listed(path: str, password: str) -> bool:
    """Whether a sorted file of hashes has this password."""
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with open(path, "rb") as file:  # noqa: PTH123
        low, high = 0, os.fstat(file.fileno()).st_size
        while high - low > LONGEST_LINE:
            middle = (low + high) // 2
            if _line_after(file, middle)[:HASH_BYTES].upper() < wanted:
                low = middle
            else:
                high = middle
        return _is_within(file, low, high + LONGEST_LINE, wanted)


def _line_after(file: IO[bytes], position: int) -> bytes:
    """Return the first line that begins after this position; past the end what sorts last."""
    file.seek(position)
    file.readline()
    return file.readline() or b"~"


def _is_within(file: IO[bytes], low: int, high: int, wanted: bytes) -> bool:
    file.seek(max(0, low - LONGEST_LINE))
    lines = file.read(high - max(0, low - LONGEST_LINE) + LONGEST_LINE).splitlines()
    return any(line[:HASH_BYTES].upper() == wanted for line in lines)
