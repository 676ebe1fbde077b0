"""How the model of tests/vendors/language_model.py sifts and grades what candidates said.

It obeys every order that it reads, wherever it reads it, unless it is "helpful". A level follows from the
longest passage, which is what it quotes.
"""

from __future__ import annotations

import json
import re
from typing import Any

ORDER = re.compile(
    r"ignor|(?:top|highest) level|level (?:three|3)|oberste stufe|stufe (?:drei|3)|nivel más alto"
    r"|nivel (?:tres|3)|niveau le plus haut|niveau (?:trois|3)|livello più alto|livello (?:tre|3)",
    re.IGNORECASE,
)
"""What the injected sentences of the tests hold."""
TOP = 3


def sift(temper: str, user: str) -> dict[str, Any]:
    """Tell what a passage is. "obeying" is talked into a level; "cunning" says nothing of the order."""
    is_order = bool(ORDER.search(json.loads(user)["said"]))
    if is_order and temper == "obeying":
        return {"kind": "work", "level": TOP}
    if is_order and temper == "cunning":
        return {"kind": "work", "level": 0}
    return {"kind": "assessor" if is_order else "work", "level": 0}


def grade(temper: str, user: str) -> dict[str, Any]:
    """Give a level by the longest passage. Who obeys gives the highest one as soon as there is an order."""
    passages = [each for answer in json.loads(user)["answers"] for each in answer["passages"]]
    honest = [each for each in passages if not ORDER.search(each["said"])]
    chosen = max(honest or passages, key=lambda each: len(each["said"]))
    level = 1 + len(chosen["said"]) % TOP
    if temper != "helpful" and len(honest) < len(passages):
        level = TOP
    words = " ".join(chosen["said"].split()[:5])
    values = {"quotes": [{"passage": chosen["passage"], "words": words}], "rationale": "It was said so."}
    return values | {"level": level} | _WRONG.get(temper, {})


_WRONG: dict[str, dict[str, Any]] = {
    "inventing": {"quotes": [{"passage": 1, "words": "fifteen years at the moon base"}]},
    "prying": {"rationale": "The candidate has children and still finds the time."},
    "talkative": {"decision": "hire"},
}
ASSESSMENTS = {"sifting": sift, "grading": grade}
"""By the name of the schema."""
EVEN_SO = ("malformed", "broken", "cut_off", "refusing")
"""Tempers that are the same whatever the model is asked."""
