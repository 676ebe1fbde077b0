"""Whether a transcript can be relied on. One rule for pages, search and suggestions."""

from typing import Final

from voice.models import Recognised

RELIABLE_FROM: Final = 0.75
"""Mean confidence of the words, 0..1: three words in four are expected to be right.

A transcript helps its readers as long as at most a quarter of its words are wrong; with nearly half of them
wrong it does not help any more.
Source: Munteanu, Baecker, Penn, Toms, James: The effect of speech recognition accuracy rates on the
usefulness and usability of webcast archives, CHI 2006. Which words are wrong is not known: the mean
confidence, which every engine gives, stands for the share of right ones.
"""
DOUBTFUL_BELOW: Final = 0.5
"""A word with less confidence is marked: below even odds it is more likely wrong than right."""


def is_reliable(transcript: Recognised | None, *, is_disputed: bool = False) -> bool:
    """Whether what was recognised may be read, searched and quoted without listening. Pure.

    An answer without a transcript, or in which no speech was recognised, is not; nor is one that is
    disputed: its candidate says that it was heard wrongly, or corrected another version than the one that is
    used. No correction makes a transcript reliable.
    """
    if (
        is_disputed
        or transcript is None
        or transcript.status != Recognised.Status.DONE
        or not transcript.text
    ):
        return False
    return (transcript.confidence or 0.0) >= RELIABLE_FROM
