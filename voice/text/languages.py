"""Language tags (BCP 47) in any usual spelling."""

from __future__ import annotations

import re
from typing import Final

_CODES: Final = """
    en de es fr it nl pl pt hi ja zh aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs
    ca ce ch co cr cs cu cv cy da dv dz ee el eo et eu fa ff fi fj fo fy ga gd gl gn gu gv ha he ho hr
    ht hu hy hz ia id ie ig ii ik io is iu jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li
    ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nn no nr nv ny oc oj om or os pa pi ps
    qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to
    tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zu haw yue
"""
CODES: Final = tuple(_CODES.split())
"""The primary languages that engines are asked about; those of interviews first.

Source: ISO 639-1, and two that Whisper knows.
"""
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
