"""The job that synthesises a text and stores the audio."""

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import F

from voice.models import Speech
from voice.speech import rendering
from voice.workers.attempts import MAX_ATTEMPTS, postpone, retry_s


def render_speech(key: str) -> None:
    """Synthesise a requested text and store it."""
    from voice.inference import synthesizer

    try:
        row = Speech.objects.exclude(status=Speech.Status.READY).get(pk=key)
    except ObjectDoesNotExist:
        return
    Speech.objects.filter(pk=key).update(attempts=F("attempts") + 1)
    try:
        result = synthesizer.synthesizer().synthesize(
            row.text, voice=row.voice or None, language=row.language
        )
    except Exception as error:
        postpone(row, error, retry_s(row.attempts + 1))
        if row.attempts + 1 >= MAX_ATTEMPTS:
            Speech.objects.filter(pk=key, status=Speech.Status.WAITING).update(status=Speech.Status.FAILED)
        raise
    rendering.store(
        row,
        samples=result.samples,
        sample_rate_hz=result.sample_rate_hz,
        engine=result.engine,
        engine_voice=result.voice,
        is_last_resort=result.is_last_resort,
    )
