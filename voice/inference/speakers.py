"""Assign speakers to a transcript: merge speaker turns with segments and words.

turns = diarizer.turns(samples)
for said in assign_speakers(recognition.segments, turns):
    print(speaker_name(said.speaker), said.segment.text)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from voice.text.spelling import spelt_words
from voice.types import Segment, SpeakerTurn, Word

# A word further than this from every turn has no speaker.
REACH_S: Final = 1.0

_SpeltWord = tuple[str, Word]


@dataclass(frozen=True, slots=True)
class SpokenSegment:
    """A segment and its speaker: counted from 0, None if no speaker was detected there."""

    speaker: int | None
    segment: Segment


def assign_speakers(segments: Sequence[Segment], turns: Sequence[SpeakerTurn]) -> tuple[SpokenSegment, ...]:
    """`segments` with their speakers, cut where the speaker changes between two words.

    A word belongs to the turn that overlaps it most, else to the nearest one within a second, else it has no
    speaker. A segment without words stays whole. The pieces of a cut segment keep its `avg_logprob` and its
    `no_speech_prob`.
    """
    assigned: list[SpokenSegment] = []
    for segment in segments:
        near = _near(segment, turns)
        runs = _runs(spelt_words(segment) or [(word.text, word) for word in segment.words], near)
        if len(runs) > 1:
            assigned += [SpokenSegment(speaker, _part(segment, words)) for speaker, words in runs]
        else:
            speaker = runs[0][0] if runs else _speaker(segment.start_s, segment.end_s, near)
            assigned.append(SpokenSegment(speaker, segment))
    return tuple(assigned)


def speaker_name(speaker: int | None) -> str | None:
    """Return "Speaker 1" for 0; None without a speaker."""
    return None if speaker is None else f"Speaker {speaker + 1}"


def _near(segment: Segment, turns: Sequence[SpeakerTurn]) -> list[SpeakerTurn]:
    """The turns that may matter to `segment`: a long recording has thousands."""
    start_s = min([segment.start_s, *(word.start_s for word in segment.words)]) - REACH_S
    end_s = max([segment.end_s, *(word.end_s for word in segment.words)]) + REACH_S
    return [turn for turn in turns if turn.end_s >= start_s and turn.start_s <= end_s]


def _runs(
    words: Sequence[_SpeltWord], turns: Sequence[SpeakerTurn]
) -> list[tuple[int | None, list[_SpeltWord]]]:
    """Words that follow each other and have the same speaker; a word of nobody goes with those before it."""
    speakers: list[int | None] = []
    for _, word in words:
        speaker = _speaker(word.start_s, word.end_s, turns)
        speakers.append(speaker if speaker is not None or not speakers else speakers[-1])
    pairs = zip(speakers, words, strict=True)
    return [(speaker, [word for _, word in run]) for speaker, run in groupby(pairs, key=lambda pair: pair[0])]


def _speaker(start_s: float, end_s: float, turns: Sequence[SpeakerTurn]) -> int | None:
    def nearness_s(turn: SpeakerTurn) -> float:
        """Seconds of overlap; below zero the seconds between."""
        return min(end_s, turn.end_s) - max(start_s, turn.start_s)

    best = max(turns, key=nearness_s, default=None)
    return best.speaker if best and nearness_s(best) >= -REACH_S else None


def _part(segment: Segment, words: list[_SpeltWord]) -> Segment:
    return replace(
        segment,
        text="".join(spelt for spelt, _ in words).strip(),
        start_s=words[0][1].start_s,
        end_s=words[-1][1].end_s,
        words=tuple(word for _, word in words),
    )
