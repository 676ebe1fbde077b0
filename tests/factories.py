"""Rows for tests: one factory for each model, with traits for later states.

InterviewFactory(questions=3)                                published, with three questions
InterviewFactory(questions=3, published=False)               a draft
SessionFactory(status="under_way", answers=2)                consent given, two questions copied, none asked
AnswerFactory(session=session, accepted=True)                recorded, stored (a real FLAC file), transcribed
ApiKeyFactory(organisation=organisation).plain               the key itself, which is not in the database
"""

import hashlib
from datetime import timedelta
from functools import cache

import factory
import numpy as np
from django.contrib.auth.hashers import make_password
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from factory.django import DjangoModelFactory

from accounts.models import SCOPES_OF_BEFORE, ApiKey, Membership, Organisation, User
from interviews.actions.interviews import speech_name
from interviews.actions.versions import written
from interviews.models import (
    Answer,
    BankQuestion,
    Correction,
    Criterion,
    Interview,
    InterviewVersion,
    Invitation,
    Observation,
    Question,
    Session,
)
from interviews.queries.corrections import recognised
from voice.audio import encoding
from voice.audio.peaks import peaks_of
from voice.encryption import files
from voice.models import Recording, Speech, Transcript
from voice.speech.names import text_name

PASSWORD = "correct horse battery staple"
WORDS = [
    "I",
    "built",
    "a",
    "small",
    "service",
    "that",
    "reads",
    "invoices",
    "and",
    "checks",
    "them",
    "for",
    "mistakes",
]


@cache
def tone(seconds: float, hz: float = 220.0) -> bytes:
    """A sine at a tenth of full scale: s16le[16 000 * seconds], mono, 16 000 Hz."""
    phase = 2 * np.pi * hz * np.arange(round(16_000 * seconds)) / 16_000
    return np.rint(3276 * np.sin(phase)).astype("<i2").tobytes()


@cache
def flac(pcm: bytes) -> bytes:
    """A FLAC file of this speech."""
    return encoding.encode_flac(pcm)


def spoken_words(text: str, *, word_s: float = 0.4) -> list[dict]:
    """Consecutive word timings for `text`; every fifth word is doubtful."""
    return [
        {
            "word": word,
            "start": round(n * word_s, 3),
            "end": round((n + 0.9) * word_s, 3),
            "confidence": 0.35 if n % 5 == 4 else 0.94,
        }
        for n, word in enumerate(text.split())
    ]


def segments_of(text: str) -> list[dict]:
    """A transcript with `text` as its only segment."""
    words = spoken_words(text)
    end_s = words[-1]["end"] if words else 0.0
    return [
        {
            "text": text,
            "start_s": 0.0,
            "end_s": end_s,
            "avg_logprob": -0.2,
            "no_speech_prob": 0.01,
            "words": words,
        }
    ]


class OrganisationFactory(DjangoModelFactory):
    class Meta:
        model = Organisation

    name = factory.Sequence(lambda n: f"Organisation {n}")
    slug = factory.Sequence(lambda n: f"organisation-{n}")


@cache
def password_hash() -> str:
    """Return the hash of `PASSWORD`, made once."""
    return make_password(PASSWORD)


class UserFactory(DjangoModelFactory):
    """A member of staff; the password is `PASSWORD`."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user-{n}")
    email = factory.LazyAttribute(lambda o: f"{o.username}@example.com")
    is_staff = True
    password = factory.LazyFunction(password_hash)


class MembershipFactory(DjangoModelFactory):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    organisation = factory.SubFactory(OrganisationFactory)
    role = Membership.Role.RECRUITER


class ApiKeyFactory(DjangoModelFactory):
    """Issued as in production; the key itself is the row's `plain`."""

    class Meta:
        model = ApiKey

    organisation = factory.SubFactory(OrganisationFactory)
    name = "Applicant tracking"
    scopes = factory.LazyFunction(lambda: list(SCOPES_OF_BEFORE["interviews"]))

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        revoked_at = kwargs.pop("revoked_at", None)
        row, row_plain = model_class.issue(**kwargs)
        row.plain = row_plain
        if revoked_at is not None:
            row.revoked_at = revoked_at
            row.save(update_fields=["revoked_at"])
        return row


class InterviewFactory(DjangoModelFactory):
    class Meta:
        model = Interview
        skip_postgeneration_save = True

    organisation = factory.SubFactory(OrganisationFactory)
    title = factory.Sequence(lambda n: f"Backend developer {n}")
    job_title = "Backend developer"
    language = "en"
    consent_text = "Your answers are recorded and read by the people who hire."

    @factory.post_generation
    def questions(self, create, count, **kwargs):
        if create:
            QuestionFactory.create_batch(count or 0, interview=self, **kwargs)

    @factory.post_generation
    def published(self, create, is_published, **kwargs):
        if create and is_published is not False:
            publish(self)


def publish(interview: Interview) -> InterviewVersion:
    """Publish an interview as it is, whether a candidate could finish it or not."""
    number = interview.versions.count() + 1
    version = InterviewVersion.objects.create(interview=interview, number=number, **written(interview))
    interview.status, interview.published = Interview.Status.PUBLISHED, version
    interview.save(update_fields=["status", "published"])
    return version


def change(interview: Interview, **fields: object) -> InterviewVersion:
    """Change an interview, and publish the change."""
    for name, value in fields.items():
        setattr(interview, name, value)
    interview.save()
    return publish(interview)


class QuestionFactory(DjangoModelFactory):
    class Meta:
        model = Question

    interview = factory.SubFactory(InterviewFactory)
    position = factory.Sequence(lambda n: n)
    text = factory.Sequence(lambda n: f"What did you learn in project {n}?")
    think_seconds = 10
    answer_limit_seconds = 60


class CriterionFactory(DjangoModelFactory):
    """With four levels. Publish the interview afterwards."""

    class Meta:
        model = Criterion

    interview = factory.SubFactory(InterviewFactory, questions=2)
    position = factory.Sequence(lambda n: n)
    name = factory.Sequence(lambda n: f"Judgement {n}")
    levels = factory.LazyFunction(lambda: ["names nothing", "names it", "gives a reason", "weighs reasons"])


class BankQuestionFactory(DjangoModelFactory):
    class Meta:
        model = BankQuestion

    organisation = factory.SubFactory(OrganisationFactory)
    text = factory.Sequence(lambda n: f"What would you do on day {n}?")
    answer_limit_seconds = 45


class InvitationFactory(DjangoModelFactory):
    class Meta:
        model = Invitation

    interview = factory.SubFactory(InterviewFactory, questions=2)
    candidate_name = factory.Sequence(lambda n: f"Candidate {n:04}")
    candidate_email = factory.Sequence(lambda n: f"candidate-{n}@example.com")
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=14))


class SessionFactory(DjangoModelFactory):
    class Meta:
        model = Session
        skip_postgeneration_save = True

    class Params:
        finished = factory.Trait(
            status=Session.Status.FINISHED,
            finished_at=factory.LazyFunction(timezone.now),
            invitation__status=Invitation.Status.FINISHED,
        )
        started = factory.Trait(
            invitation__status=Invitation.Status.STARTED
        )  # else the other trait unsets it

    invitation = factory.SubFactory(InvitationFactory, status=Invitation.Status.STARTED)
    definition = factory.LazyAttribute(lambda o: o.invitation.definition)
    consent_text = factory.LazyAttribute(lambda o: o.definition.consent_text)

    @factory.post_generation
    def answers(self, create, count, **kwargs):
        """Make answers at positions 1 to `count`; each gets the other arguments."""
        for position in range(1, (count or 0) + 1 if create else 1):
            AnswerFactory(session=self, position=position, **kwargs)


def _stored(sha256: str, pcm: bytes, data_key) -> str:
    name = f"recordings/{sha256}.flac"
    files.save(name, flac(pcm), key_id=data_key)
    return name


class RecordingFactory(DjangoModelFactory):
    """Open and empty; `sealed=True` is complete (row only), `stored=True` has a FLAC file in storage."""

    class Meta:
        model = Recording

    class Params:
        pcm = factory.LazyFunction(lambda: tone(2.0))
        sealed = factory.Trait(
            status=Recording.Status.SEALED,
            byte_count=factory.LazyAttribute(lambda o: len(o.pcm)),
            sealed_at=factory.LazyFunction(timezone.now),
        )
        stored = factory.Trait(
            sealed=True,
            status=Recording.Status.STORED,
            stored_at=factory.LazyFunction(timezone.now),
            sha256=factory.LazyAttribute(lambda o: hashlib.sha256(o.pcm).hexdigest()),
            peaks=factory.LazyAttribute(lambda o: peaks_of(o.pcm)),
            storage_name=factory.LazyAttribute(lambda o: _stored(o.sha256, o.pcm, o.data_key)),
        )

    data_key = None
    language = "en"
    max_bytes = 60 * 32_000


class TranscriptFactory(DjangoModelFactory):
    """Waiting; `done=True` has `text` and word timings."""

    class Meta:
        model = Transcript

    class Params:
        done = factory.Trait(
            status=Transcript.Status.DONE,
            text=" ".join(WORDS),
            segments=factory.LazyAttribute(lambda o: segments_of(o.text)),
            language="en",
            language_probability=0.99,
            confidence=0.87,
            engine="faster_whisper",
            model="base",
            engine_ms=640,
            attempts=1,
            finished_at=factory.LazyFunction(timezone.now),
        )

    recording = factory.SubFactory(RecordingFactory, sealed=True)


class SpeechFactory(DjangoModelFactory):
    """Waiting for synthesis; `ready=True` has a FLAC file of one second in storage."""

    class Meta:
        model = Speech

    class Params:
        interview = None  # whose text it is
        ready = factory.Trait(
            status=Speech.Status.READY,
            engine="piper",
            engine_voice="piper:en_US-lessac-medium",
            duration_ms=1000,
            storage_name=factory.LazyAttribute(
                lambda o: default_storage.save(f"speech/{o.key}.flac", ContentFile(flac(tone(1.0))))
            ),
        )
        failed = factory.Trait(
            status=Speech.Status.FAILED, attempts=5, last_error="No voice speaks this language: add one."
        )

    key = factory.LazyAttribute(
        lambda o: text_name(
            o.text,
            voice=o.voice,
            language=o.language,
            tenant=o.interview.owner if o.interview else "",
        )
    )
    text = factory.Sequence(lambda n: f"What did you learn in project {n}?")
    language = "en"
    voice = ""


class AnswerFactory(DjangoModelFactory):
    """Not asked yet; `accepted=True` is recorded, stored and transcribed."""

    class Meta:
        model = Answer
        skip_postgeneration_save = True

    class Params:
        practice = factory.Trait(kind=Answer.Kind.PRACTICE, position=0)
        asked = factory.Trait(status=Answer.Status.ASKED, asked_at=factory.LazyFunction(timezone.now))
        recording_now = factory.Trait(
            asked=True,
            status=Answer.Status.RECORDING,
            began_at=factory.LazyFunction(timezone.now),
            recording=factory.SubFactory(RecordingFactory),
        )
        accepted = factory.Trait(
            asked=True,
            status=Answer.Status.ACCEPTED,
            began_at=factory.LazyFunction(timezone.now),
            completed_at=factory.LazyFunction(timezone.now),
            recording=factory.SubFactory(RecordingFactory, stored=True),
            transcript=factory.PostGeneration(
                lambda row, create, text, **kwargs: (
                    create
                    and TranscriptFactory(
                        recording=row.recording, done=True, **({"text": text} if text else {}), **kwargs
                    )
                )
            ),
        )

    session = factory.SubFactory(SessionFactory)
    position = factory.Sequence(lambda n: n + 1)
    question_text = factory.Sequence(lambda n: f"What did you learn in project {n}?")
    speech_key = factory.LazyAttribute(lambda o: speech_name(o.session.definition, o.question_text))
    think_seconds = 10
    answer_limit_seconds = 60


class CorrectionFactory(DjangoModelFactory):
    """Of one recognised word unless `last_word` is given; the answer has a transcript."""

    class Meta:
        model = Correction

    first_word = 0
    last_word = factory.SelfAttribute("first_word")
    recognised = factory.LazyAttribute(
        lambda o: recognised(o.answer.recording.transcript, o.first_word, o.last_word)
    )
    text = "corrected"


class ObservationFactory(DjangoModelFactory):
    class Meta:
        model = Observation

    session = factory.SubFactory(SessionFactory)
    kind = Observation.Kind.RECONNECTED
