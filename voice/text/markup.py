"""Detect markup, which a voice would read aloud."""

from __future__ import annotations

import re
from typing import Final

# Names of the elements of SSML 1.1 (W3C, 2010), of its dialects, and of HTML as people paste it.
_ELEMENTS: Final = """
    speak break prosody say-as emphasis voice phoneme sub audio mark lang p s w token lexicon lookup meta
    metadata desc b i u em strong br hr span div a ul ol li h1 h2 h3 h4 table tr td script style html
    head body img
"""
_ELEMENT_NAMES: Final = frozenset(_ELEMENTS.split())
# "<name ...>" without a blank after "<". The lengths are bounded, so the search takes time linear in the
# text.
_TAG: Final = re.compile(r"<(/?)([A-Za-z][\w:.-]{0,40}+)((?:\s[^<>]{0,1000}+)?/?)>")
_ATTRIBUTE: Final = re.compile(r"\s[\w:.-]{1,40}\s*=\s*[\"']")
_PROLOGUE: Final = re.compile(r"<\?xml\b|<!--|<!\[CDATA\[|<!DOCTYPE\b", re.IGNORECASE)


def looks_like_markup(text: str) -> bool:
    """Whether `text` is SSML, HTML or XML. Spoken text is plain text, so callers refuse markup.

    Elements of SSML and HTML count, and anything with attributes or a closing tag; "a < b", "<3",
    "List<String>" and "<name>" do not.
    """
    if "<" not in text:
        return False
    return bool(_PROLOGUE.search(text)) or any(_is_tag(found) for found in _TAG.finditer(text))


def _is_tag(found: re.Match[str]) -> bool:
    closing, name, rest = found.group(1), found.group(2).lower(), found.group(3) or ""
    return bool(
        closing or name in _ELEMENT_NAMES or ":" in name or rest.endswith("/") or _ATTRIBUTE.search(rest)
    )
