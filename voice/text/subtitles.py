"""Subtitles of a transcript: SubRip (SRT) and WebVTT, two short lines a cue.

srt(recognition.segments)
vtt(recognition.segments, speakers=["Speaker 1", "Speaker 2"])      # a name or None for each segment
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from voice.text.normalisation import normalise
from voice.text.spelling import spelt_words
from voice.types import Segment

# Source: BBC Subtitle Guidelines and Netflix Timed Text Style Guide: two lines of about 42 characters, 7 s.
LINE_COLUMNS: Final = 42
CUE_LINES: Final = 2
CUE_LIMIT_S: Final = 7.0


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle. `lines`: at most two of 42 columns (wide characters take two). Times in seconds."""

    start_s: float
    end_s: float
    lines: tuple[str, ...]
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class _Piece:
    """A word, or part of an overlong one, with the space before it."""

    text: str
    start_s: float
    end_s: float


def srt(segments: Sequence[Segment], *, speakers: Sequence[str | None] | None = None) -> str:
    """Return a SubRip file. The format has no escapes, so an arrow in the text loses a stroke.

    speakers: a name or None for each segment; written where the speaker changes.
    """
    blocks = []
    for number, cue in enumerate(cues(segments, speakers=speakers, is_labelled=True), start=1):
        text = "\n".join(cue.lines).replace("-->", "->")
        blocks.append(f"{number}\n{_time(cue.start_s, ',')} --> {_time(cue.end_s, ',')}\n{text}\n")
    return "\n".join(blocks)


def vtt(segments: Sequence[Segment], *, speakers: Sequence[str | None] | None = None) -> str:
    """Return a WebVTT file.

    speakers: a name or None for each segment; written as the voice of its cues.

    Source: W3C WebVTT, section 4 (syntax).
    """
    blocks = ["WEBVTT\n"]
    for cue in cues(segments, speakers=speakers):
        text = _escaped("\n".join(cue.lines))
        voice = f"<v {_escaped(cue.speaker)}>" if cue.speaker else ""
        blocks.append(f"{_time(cue.start_s, '.')} --> {_time(cue.end_s, '.')}\n{voice}{text}\n")
    return "\n".join(blocks)


def cues(
    segments: Sequence[Segment], *, speakers: Sequence[str | None] | None = None, is_labelled: bool = False
) -> list[Cue]:
    """Return the subtitles of `segments`, in their order.

    A long segment is cut by the times of its words; without them, evenly by characters.
    is_labelled: a new speaker's name is part of the text ("Speaker 1: ...").
    """
    names = [
        normalise(name or "") or None
        for name in (speakers if speakers is not None else [None] * len(segments))
    ]
    made: list[Cue] = []
    last_name = None
    for segment, name in zip(segments, names, strict=True):
        pieces = list(_pieces(segment))
        if pieces and is_labelled and name and name != last_name:
            label = _Piece(f"{name}:", pieces[0].start_s, pieces[0].start_s)
            pieces[:1] = [label, _Piece(f" {pieces[0].text}", pieces[0].start_s, pieces[0].end_s)]
        last_name = name
        made += [
            Cue(group[0].start_s, max(piece.end_s for piece in group), _lines(group), name)
            for group in _groups([part for piece in pieces for part in _cut(piece)])
        ]
    return made


def _pieces(segment: Segment) -> Iterator[_Piece]:
    """Yield the words of a segment with their times, spelt and spaced as in the segment's text."""
    spelt = spelt_words(segment)
    if spelt is None:
        yield from _evenly(normalise(segment.text), segment.start_s, segment.end_s)
        return
    for text, word in spelt:
        yield _Piece(text, max(0.0, word.start_s), max(0.0, word.start_s, word.end_s))


def _evenly(text: str, start_s: float, end_s: float) -> Iterator[_Piece]:
    start_s, length_s = max(0.0, start_s), max(0.0, end_s - max(0.0, start_s))
    for match in re.finditer(r"\s?\S+", text):
        begin, end = (start_s + length_s * index / len(text) for index in match.span())
        yield _Piece(match.group(), begin, end)


def _cut(piece: _Piece) -> Iterator[_Piece]:
    """Cut a word wider than a line into parts that share its time; scripts without spaces need this."""
    word = piece.text.strip()
    if _columns(word) <= LINE_COLUMNS:
        yield piece
        return
    size = LINE_COLUMNS // 2  # as many wide characters as fit a line
    step_s = (piece.end_s - piece.start_s) / len(word)
    for start in range(0, len(word), size):
        part = word[start : start + size]
        space = " " if start == 0 and piece.text[0] == " " else ""
        begin_s = piece.start_s + start * step_s
        yield _Piece(space + part, begin_s, begin_s + len(part) * step_s)


def _groups(pieces: list[_Piece]) -> Iterator[list[_Piece]]:
    group: list[_Piece] = []
    for piece in pieces:
        is_long = group and piece.end_s - group[0].start_s > CUE_LIMIT_S
        if group and (is_long or len(_lines([*group, piece])) > CUE_LINES):
            yield group
            group = []
        group.append(piece)
    if group:
        yield group


def _lines(pieces: Sequence[_Piece]) -> tuple[str, ...]:
    lines = [""]
    for piece in pieces:
        longer = lines[-1] + piece.text if lines[-1] else piece.text.lstrip()
        if lines[-1] and _columns(longer) > LINE_COLUMNS:
            lines.append(piece.text.lstrip())
        else:
            lines[-1] = longer
    return tuple(lines)


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _time(seconds: float, mark: str) -> str:
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}{mark}{milliseconds % 1000:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
