"""The answers of one candidate as subtitles."""

from collections.abc import Iterator
from typing import Any

from interviews.queries.records import Record
from voice.text import transcripts


def vtt(record: Record) -> str:
    """Return WebVTT for the recordings as if they were played one after the other, in their order."""
    return transcripts.as_text({"segments": list(_segments(record))}, "vtt")


def _segments(record: Record) -> Iterator[dict[str, Any]]:
    begins_s = 0.0
    for each in record.answers:
        if each.transcript is not None and each.is_transcribed:
            for stored in each.transcript.segments:
                yield _later(transcripts.stored_segment_fields(stored), begins_s)
        begins_s += (each.recording and each.recording.duration_s) or 0.0


def _later(segment: dict[str, Any], by_s: float) -> dict[str, Any]:
    words = [word | {"start": word["start"] + by_s, "end": word["end"] + by_s} for word in segment["words"]]
    return segment | {"start": segment["start"] + by_s, "end": segment["end"] + by_s, "words": words}
