"""The answers of one candidate as subtitles, as they are corrected."""

from collections.abc import Iterator, Sequence
from typing import Any

from interviews.queries.corrections import Stretch, by_segment
from interviews.queries.records import Record
from voice.text import transcripts


def vtt(record: Record) -> str:
    """Return WebVTT for the recordings as if they were played one after the other, in their order."""
    return transcripts.as_text({"segments": list(_segments(record))}, "vtt")


def _segments(record: Record) -> Iterator[dict[str, Any]]:
    begins_s = 0.0
    for each in record.answers:
        if each.transcript is not None and each.is_transcribed:
            found = by_segment(each.transcript, each.layers)
            for stored, stretches in zip(each.transcript.segments, found, strict=True):
                yield _later(_corrected(stored, stretches, each.separator), begins_s)
        begins_s += (each.recording and each.recording.duration_s) or 0.0


def _corrected(stored: dict[str, Any], stretches: Sequence[Stretch], separator: str) -> dict[str, Any]:
    """Return a segment with the words as they are corrected; each keeps its times."""
    segment = transcripts.stored_segment_fields(stored)
    count = len(segment["words"])
    if len(stretches) == count and not any(one.correction for one in stretches):
        return segment
    said = [one for one in stretches if one.text]
    words = [
        {"word": one.text, "start": one.start_s, "end": one.end_s, "confidence": one.confidence}
        for one in said
    ]
    return segment | {"text": separator.join(one.text for one in said), "words": words}


def _later(segment: dict[str, Any], by_s: float) -> dict[str, Any]:
    words = [word | {"start": word["start"] + by_s, "end": word["end"] + by_s} for word in segment["words"]]
    return segment | {"start": segment["start"] + by_s, "end": segment["end"] + by_s, "words": words}
