"""Normalise text for speaking and comparing: one form of each character, no control characters."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Sorting a long run of accents into Unicode's order takes time by the square of its length.
# Source: Unicode Standard Annex 15, Stream-Safe Text Format.
_MARKS_IN_A_ROW: Final = 30


def normalise(text: str) -> str:
    """Return `text` in Unicode NFC, without control and format characters, with single spaces, stripped.

    Marks of the writing direction and zero-width spaces are removed too. Zero-width joiners stay, because
    scripts such as Persian and Hindi need them for spelling. Accents beyond 30 on one letter are removed.
    """
    spaced = re.sub(r"\s+", " ", text)
    if not (spaced.isascii() and spaced.isprintable()):
        kept = "".join(char for char in spaced if char in "\u200c\u200d" or not _is_control(char))
        spaced = _without_piled_marks(unicodedata.normalize("NFC", _without_piled_marks(kept)))
    return re.sub(r"\s+", " ", spaced).strip()


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cs")


def _without_piled_marks(text: str) -> str:
    kept: list[str] = []
    n_marks = 0
    for char in text:
        n_marks = n_marks + 1 if unicodedata.combining(char) else 0
        if n_marks <= _MARKS_IN_A_ROW:
            kept.append(char)
    return "".join(kept)
