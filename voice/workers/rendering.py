"""The job that synthesises a text and stores the audio."""

from typing import TYPE_CHECKING

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import F

from voice.errors import VoiceUnavailable
from voice.models import Speech
from voice.queues import pools
from voice.speech import rendering, voices
from voice.workers import handing_on, slot
from voice.workers.attempts import MAX_ATTEMPTS, postpone, retry_s, take_back_drained

if TYPE_CHECKING:
    from voice.inference.synthesizer import Synthesis


def render_speech(key: str) -> None:
    """Synthesise a requested text and store it."""
    try:
        row = Speech.objects.exclude(status=Speech.Status.READY).get(pk=key)
    except ObjectDoesNotExist:
        return
    take_back_drained(row)
    Speech.objects.filter(pk=key).update(attempts=F("attempts") + 1)
    is_last_attempt = row.attempts + 1 >= MAX_ATTEMPTS
    try:
        result = _spoken(row, is_stand_in_allowed=is_last_attempt)
    except Exception as error:
        postpone(row, error, retry_s(row.attempts + 1))
        if isinstance(error, VoiceUnavailable) and handing_on.hand_on():
            return
        if is_last_attempt:
            Speech.objects.filter(pk=key, status=Speech.Status.WAITING).update(status=Speech.Status.FAILED)
        raise
    if not (_is_stand_in(row, result) and rendering.leave_to_stand_in(row, result.voice)):
        _store(row, result)


def _spoken(row: Speech, *, is_stand_in_allowed: bool) -> "Synthesis":
    """Return the text in its own voice.

    A stand-in would change the voice in the middle of an interview. So it speaks only at the last attempt,
    and then it speaks all of it.

    Raises:
        VoiceUnavailable: only another voice can speak it now.
        VoiceError: see `Synthesizer.synthesize`.
    """
    from voice.inference import synthesizer

    result = synthesizer.synthesizer().synthesize(row.text, voice=row.voice or None, language=row.language)
    if _is_stand_in(row, result) and not is_stand_in_allowed:
        raise VoiceUnavailable("The voice cannot speak right now; it is tried again.")
    return result


def _is_stand_in(row: Speech, result: "Synthesis") -> bool:
    return result.is_stand_in or _meant_engine(row) not in ("", result.engine)


def _meant_engine(row: Speech) -> str:
    """Return the engine that the job was queued for; this process may not have it. "" is any."""
    running = slot.running()
    needs = running[1].note("needs") if running else ""
    return pools.engine_in(needs) or voices.engine_of(row.voice, row.language)


def _store(row: Speech, result: "Synthesis") -> None:
    rendering.store(
        row,
        samples=result.samples,
        sample_rate_hz=result.sample_rate_hz,
        engine=result.engine,
        engine_voice=result.voice,
        is_last_resort=result.is_last_resort,
    )
