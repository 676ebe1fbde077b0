"""The speech of interviews: of what is being written, and of the versions that candidates get."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from interviews import states
from interviews.models import Answer, Interview, InterviewVersion
from interviews.texts import vocabulary
from interviews.texts.practice import PRACTICE
from voice.models import Speech
from voice.speech import rendering, voices
from voice.speech.names import text_name
from voice.text.pronunciation import pronounced

Written = Interview | InterviewVersion


def practice_text(interview: Written) -> str:
    """Return the recruiter's practice question, or a standard one in the interview's language."""
    return interview.practice_question or PRACTICE.get(interview.language, PRACTICE["en"])


def request_speech(*, interview: Interview) -> list[Speech]:
    """Request speech for the introduction and every question, so that candidates need not wait for it.

    Texts that are already synthesised in this voice and language cost nothing. A voice that could not speak
    speaks again from now on, if it can. A recogniser listens to those that none has listened to.
    """
    if interview.stand_in_voice and voices.is_spoken(interview.voice, interview.language):
        interview.stand_in_voice = ""
        interview.save(update_fields=["stand_in_voice"])
    rows = request_texts(interview, texts=texts_of(interview))
    for row in rows:
        if row.status == Speech.Status.READY and row.misheard is None:
            rendering.queue_listening(row.key, tenant=interview.owner)
    return rows


def request_texts(interview: Written, *, texts: Sequence[str]) -> list[Speech]:
    """Request these texts in the interview's voice. Return their speech rows in order."""
    return rendering.request(
        texts=texts,
        language=interview.language,
        voice=interview.spoken_voice,
        tenant=interview.owner,
        pronunciations=_pronunciations(interview),
    )


def introduction_url(interview: Written) -> str | None:
    """Return the address of the spoken introduction; None if there is none, or it is not spoken yet."""
    if not interview.introduction:
        return None
    name = speech_name(interview, interview.introduction)
    is_ready = Speech.objects.filter(pk=name, status=Speech.Status.READY).exists()
    return rendering.url(name) if is_ready else None


def speech_name(interview: Written, text: str) -> str:
    """Return the name of the speech of `text` in the interview's voice."""
    return _name(interview, text, voice=interview.spoken_voice)


def _name(interview: Written, text: str, *, voice: str) -> str:
    said = pronounced(text, _pronunciations(interview))
    return text_name(said, voice=voice, language=interview.language, tenant=interview.owner)


def _pronunciations(interview: Written) -> dict[str, str]:
    return vocabulary.pronunciations(interview.vocabulary, interview.shared_vocabulary)


def let_stand_in(*, speech: Speech, voice: str) -> bool:
    """Let `voice` speak the interviews that this text belongs to, as their own voice cannot.

    An interview is spoken by one voice: all its texts are requested in the new one. Candidates who are at it
    hear the new voice only in questions that the first could not speak. Returns whether there is such an
    interview, also where its voice was changed for another text.
    """
    had_voice = Q(stand_in_voice=speech.voice) | Q(voice=speech.voice)
    written = Interview.objects.filter(had_voice, language=speech.language).prefetch_related("questions")
    found: list[Written] = [*written, *_in_use().filter(had_voice, language=speech.language)]
    spoken = [each for each in found if speech.key in _texts_by_name(each, speech.voice)]
    for each in spoken:
        _change_voice(each, before=speech.voice, after=voice)
    return bool(spoken)


def _in_use() -> QuerySet[InterviewVersion]:
    """Return the versions that candidates get or are at."""
    is_open = Q(sessions__status__in=states.OPEN_SESSION_STATUSES)
    is_published = Q(pk__in=Interview.objects.filter(published__isnull=False).values("published"))
    return InterviewVersion.objects.filter(is_open | is_published).select_related("interview").distinct()


def spoken_in(language: str, *, organisation_id: int) -> list[Written]:
    """Return an organisation's interviews in a language: as written, and as candidates get them."""
    written = Interview.objects.filter(organisation=organisation_id, language=language)
    in_use = _in_use().filter(interview__organisation=organisation_id, language=language)
    not_archived = written.exclude(status=states.InterviewStatus.ARCHIVED).prefetch_related("questions")
    return [*not_archived, *in_use]


@transaction.atomic
def _change_voice(interview: Written, *, before: str, after: str) -> None:
    rows: QuerySet[Any] = type(interview)._default_manager.select_for_update(no_key=True)  # noqa: SLF001  a documented name
    interview = rows.get(pk=interview.pk)
    if interview.spoken_voice != before:
        return
    texts = _texts_by_name(interview, before)
    interview.stand_in_voice = after
    interview.save(update_fields=["stand_in_voice"])
    request_texts(interview, texts=list(texts.values()))
    if isinstance(interview, InterviewVersion):
        _rename_speech(interview, texts)


def _rename_speech(version: InterviewVersion, texts: dict[str, str]) -> None:
    """Let those who are at this version hear the new voice where the first could not speak."""
    spoken = Speech.objects.filter(pk__in=texts, status=Speech.Status.READY).values_list("pk", flat=True)
    is_unversioned = Q(session__definition=None, session__invitation__interview=version.interview_id)
    asked = Answer.objects.filter(
        Q(session__definition=version) | is_unversioned,
        session__status__in=states.OPEN_SESSION_STATUSES,
    )
    for name in texts.keys() - set(spoken):
        asked.filter(speech_key=name).update(speech_key=speech_name(version, texts[name]))


def _texts_by_name(interview: Written, voice: str) -> dict[str, str]:
    """Return the texts of an interview by their names in a voice."""
    return {_name(interview, text, voice=voice): text for text in texts_of(interview)}


def texts_of(interview: Written) -> list[str]:
    """Return every text that the interview's voice says."""
    questions = interview.asked if isinstance(interview, InterviewVersion) else interview.questions.all()
    introduction = [interview.introduction] if interview.introduction else []
    asked = [text for question in questions for text in (question.text, *question.scripted_follow_ups)]
    return [*introduction, practice_text(interview), *asked]
