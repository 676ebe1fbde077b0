"""Signals of the speech service that a recording was heard, or that somebody got an address to hear it by."""

from django.db.models import QuerySet
from django.dispatch import receiver

from accounts.audit.doors import Actor, Kind, noticed
from interviews.models import Answer
from voice import signals
from voice.models import Recording


@receiver(signals.recording_address_issued)
def address_issued(recording: Recording, **kwargs: object) -> None:
    noticed(Kind.ADDRESS, _answers(recording))


@receiver(signals.recording_played)
def played(recording: Recording, **kwargs: object) -> None:
    noticed(Kind.HEARD, _answers(recording), by=Actor.ADDRESS)


def _answers(recording: Recording) -> QuerySet[Answer]:
    return Answer.objects.filter(recording=recording.pk)
