"""Colleagues who are mentioned in a text, as @username. Pure."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

_MENTION: Final = re.compile(r"(?<![\w.+@-])@(\w[\w.+@-]*)")
"""Not inside of a word: an e-mail address mentions nobody. The signs are those of Django's usernames."""


def mentioned(text: str, usernames: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the usernames that are mentioned, and the mentions that are no username, in order."""
    known = {name.casefold(): name for name in usernames}
    found: dict[str, None] = {}  # a dictionary keeps the order, and each name once
    unknown: dict[str, None] = {}
    for word in _MENTION.findall(text):
        name = next((known[part] for part in _readings(word.casefold()) if part in known), None)
        if name is None:
            unknown[word.rstrip(".+@-") or word] = None
        else:
            found[name] = None
    return list(found), list(unknown)


def _readings(word: str) -> Iterator[str]:
    """The word, and then without the signs at its end one by one: a full stop belongs to the sentence."""
    yield word
    while word and word[-1] in ".+@-":
        word = word[:-1]
        yield word
