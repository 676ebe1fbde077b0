"""Names of files that are made of what people wrote: safe on every system, readable in every language."""

import re
import unicodedata
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils import timezone

MAX_CHARACTERS: Final = 60
"""Of a part that people wrote: at most 240 bytes, and file systems allow 255."""
ALLOWED: Final = "LNM"
"""Letters, numbers and marks of all scripts (Unicode's general categories), and what `KEPT` names."""
KEPT: Final = frozenset(" -_.,'’()+&")
OF_WINDOWS: Final = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
"""Names of devices, whatever follows the dot."""


def safe(text: str) -> str:
    """Return `text` as one part of a path: no separator, no control character, nothing hidden.

    "unnamed" if nothing is left of it.
    """
    kept = "".join(char if _is_kept(char) else " " for char in unicodedata.normalize("NFC", text))
    name = " ".join(kept.split())[:MAX_CHARACTERS].strip(" .")  # Windows drops both at the end
    if not name:
        return "unnamed"
    return f"_{name}" if OF_WINDOWS.fullmatch(name) else name


def _is_kept(char: str) -> bool:
    return char in KEPT or unicodedata.category(char)[0] in ALLOWED


def of_candidate(name: str, session_id: UUID) -> str:
    """Return the name of a candidate's folder or file; two candidates of the same name get different ones."""
    return f"{safe(name)} {session_id.hex[:8]}"


def of_list(title: str, now: datetime) -> str:
    """Return the name of a list, with its day."""
    return f"{safe(title)} {timezone.localtime(now):%Y-%m-%d}"
