"""Signals of the speech service, published to the candidate's connections."""

from uuid import UUID

from django.dispatch import receiver
from django.utils import timezone

from interviews.actions import follow_ups, interviews, outbox, retranscription, search_index
from interviews.events import publishing
from interviews.models import Answer
from interviews.queries import rows
from voice import signals
from voice.models import Recording, Speech, Transcript, TranscriptVersion


def _publish_for_recording(name: str, recording_id: UUID) -> Answer | None:
    answer = rows.answer_of(recording_id)
    if answer is not None:
        publishing.publish(name, answer.session, answer)
    return answer


@receiver(signals.transcript_finished)
def transcript_recorded(transcript: Transcript, **kwargs: object) -> None:
    answer = _publish_for_recording("transcript_recorded", transcript.recording_id)
    if answer is not None:
        search_index.index(answer_id=answer.pk)
        follow_ups.queue(answer)
        outbox.tell_transcript(answer, now=timezone.now())


@receiver(signals.recording_stored)
def recording_stored(recording: Recording, **kwargs: object) -> None:
    _publish_for_recording("recording_stored", recording.pk)


@receiver(signals.speech_rendered)
def speech_rendered(speech: Speech, **kwargs: object) -> None:
    open_answers = Answer.objects.filter(speech_key=speech.key).exclude(
        status__in=[Answer.Status.PENDING, Answer.Status.ACCEPTED]  # not told yet, or not needed any more
    )
    for answer in open_answers.select_related("session__invitation__interview"):
        publishing.publish("speech_rendered", answer.session, answer)
    follow_ups.speech_rendered(key=speech.key, now=timezone.now())


@receiver(signals.voice_failed)
def voice_failed(speech: Speech, voice: str, **kwargs: object) -> bool:
    return interviews.let_stand_in(speech=speech, voice=voice)


@receiver(signals.version_finished)
def version_finished(version: TranscriptVersion, **kwargs: object) -> None:
    retranscription.version_finished(version=version)
