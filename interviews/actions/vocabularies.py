"""The vocabulary of an organisation. What it pronounces otherwise is spoken anew before a candidate needs it.

It counts in published interviews at once, and speech is named by how it is pronounced.
"""

from datetime import datetime

from django.db import transaction

from interviews.actions import bank, interviews
from interviews.models import BankQuestion, Vocabulary


@transaction.atomic
def save(*, vocabulary: Vocabulary, by: object, now: datetime) -> None:
    """Save a vocabulary, and request the speech of what it counts in, and of what it counted in before."""
    of = Vocabulary.objects.filter(pk=vocabulary.pk).values_list("organisation", "language")
    counted_in = set(of)
    vocabulary.save()
    counted_in.add((vocabulary.organisation_id, vocabulary.language))
    for organisation_id, language in sorted(counted_in):
        _request_speech(organisation_id, language)


@transaction.atomic
def delete(*, vocabulary: Vocabulary, by: object, now: datetime) -> None:
    """Delete a vocabulary, and request the speech of what it counted in."""
    organisation_id, language = vocabulary.organisation_id, vocabulary.language
    vocabulary.delete()
    _request_speech(organisation_id, language)


def _request_speech(organisation_id: int, language: str) -> None:
    """Request every text of the organisation in this language. What is spoken already costs nothing."""
    for interview in interviews.spoken_in(language, organisation_id=organisation_id):
        interviews.request_texts(interview, texts=interviews.texts_of(interview))
    for question in BankQuestion.objects.filter(organisation=organisation_id, language=language):
        bank.request_speech(question=question)
