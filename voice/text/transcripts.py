"""Convert recognitions to the forms that are stored and sent."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from voice.text import subtitles
from voice.types import Recognition, Segment, Word


def stored_segment(segment: Segment) -> dict[str, Any]:
    """Return a segment as PostgreSQL stores it; words have the field names of the voice protocols."""
    return asdict(segment) | {"words": word_fields(segment)}


def stored_segment_fields(stored: dict[str, Any]) -> dict[str, Any]:
    """Convert a `stored_segment` to the form of `segment_fields`; a stored speaker is kept."""
    others = {name: value for name, value in stored.items() if name not in ("start_s", "end_s")}
    return {"start": stored["start_s"], "end": stored["end_s"], **others}


def recognition_fields(
    result: Recognition, *, speakers: Sequence[str | None] | None = None
) -> dict[str, Any]:
    """Return a recognition with the field names of the voice protocols.

    speakers: one name for each segment if speakers were told apart, None where no speaker is known.
    """
    segments = [segment_fields(segment) for segment in result.segments]
    if speakers is not None:
        segments = [fields | {"speaker": speaker} for fields, speaker in zip(segments, speakers, strict=True)]
    return {
        "text": result.text,
        "language": result.language,
        "language_probability": round(result.language_probability, 4),
        "duration": round(result.duration_s, 3),
        "confidence": round(result.confidence, 4),
        "segments": segments,
        "engine": result.engine,
        "model": result.model,
    }


def segment_fields(segment: Segment) -> dict[str, Any]:
    """Return a segment with the field names of the voice protocols, times in seconds."""
    return {
        "text": segment.text,
        "start": round(segment.start_s, 3),
        "end": round(segment.end_s, 3),
        "avg_logprob": round(segment.avg_logprob, 4),
        "no_speech_prob": round(segment.no_speech_prob, 4),
        "words": word_fields(segment),
    }


def word_fields(segment: Segment) -> list[dict[str, Any]]:
    """Return the words of a segment in the form that is stored and sent."""
    return [
        {
            "word": word.text,
            "start": round(word.start_s, 3),
            "end": round(word.end_s, 3),
            "confidence": round(word.confidence, 4),
        }
        for word in segment.words
    ]


def as_text(fields: dict[str, Any], format: str) -> str:  # noqa: A002  the field's name
    """Return a recognition (`recognition_fields`) as plain text or as subtitles: "text", "srt" or "vtt"."""
    if format == "text":
        return f"{fields['text']}\n"
    segments = [_segment(segment) for segment in fields["segments"]]
    speakers = [segment.get("speaker") for segment in fields["segments"]]
    write = {"srt": subtitles.srt, "vtt": subtitles.vtt}[format]
    return write(segments, speakers=speakers)


def _segment(fields: dict[str, Any]) -> Segment:
    words = (Word(word["word"], word["start"], word["end"], word["confidence"]) for word in fields["words"])
    return Segment(
        text=fields["text"],
        start_s=fields["start"],
        end_s=fields["end"],
        avg_logprob=fields["avg_logprob"],
        no_speech_prob=fields["no_speech_prob"],
        words=tuple(words),
    )
