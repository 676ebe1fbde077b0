"""Language tags (BCP 47) in any usual spelling."""

from __future__ import annotations


def primary_language(tag: str) -> str:
    """Return the language without region or script, in lower case: "de_DE", "de-DE" and "DE" give "de"."""
    return tag.replace("_", "-").split("-", 1)[0].strip().lower()


def canonical_tag(tag: str) -> str:
    """Return a tag for comparison: "de_DE" and "de-de" give "de-de"."""
    return tag.replace("_", "-").strip().lower()
