"""Words that a voice says otherwise than their spelling suggests.

pronounced("We use Kubernetes.", {"Kubernetes": "koo ber net ees"})    # "We use koo ber net ees."
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from voice.text.normalisation import normalise

_LETTER: Final = r"[^\W\u3040-\u30ff\u3400-\u9fff]"
"""Part of a word. Chinese and Japanese signs are none: a Latin name stands between them without spaces."""


def pronounced(text: str, pronunciations: Mapping[str, str]) -> str:
    """Return the text with each word or term in the form in which it is to be spoken.

    Only whole words count, written exactly so: "Go" leaves "go" and "Google" alone. Longer terms come first,
    and what was put in is not replaced again.
    """
    forms = {normalise(written): spoken for written, spoken in pronunciations.items() if spoken}
    if not forms:
        return text
    longest_first = sorted(forms, key=len, reverse=True)
    written = "|".join(re.escape(each) for each in longest_first)
    whole = re.compile(rf"(?<!{_LETTER})(?:{written})(?!{_LETTER})")
    return whole.sub(lambda found: forms[found[0]], normalise(text))
