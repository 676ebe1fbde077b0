"""Language tags (BCP 47) in any usual spelling."""

from __future__ import annotations

import re
from typing import Final

_TAG: Final = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")


def is_tag(text: str) -> bool:
    """Whether it looks like a tag: a language of two or three letters, then subtags."""
    return _TAG.fullmatch(text) is not None


def hyphenated(tag: str) -> str:
    """The tag as BCP 47 writes it, its case as it came: "de_DE" gives "de-DE"."""
    return tag.replace("_", "-")


def primary_language(tag: str) -> str:
    """The language without region or script, lower case: "de_DE", "de-DE" and "DE" give "de"."""
    return hyphenated(tag).split("-", 1)[0].strip().lower()


def canonical_tag(tag: str) -> str:
    """A tag for comparison: "de_DE" and "de-de" give "de-de"."""
    return hyphenated(tag).strip().lower()
