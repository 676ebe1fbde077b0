"""A candidate's interview as sections for people to read. A further one is one more line in `SECTIONS`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final, NamedTuple

from django.utils import formats, timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from interviews.models import Answer
from interviews.queries.records import AnswerRecord, Fact, FactKind, Record
from interviews.queries.reliability import DOUBTFUL_BELOW
from interviews.texts.languages import LANGUAGES
from voice.models import Recording, Transcript
from voice.text.writing_systems import UNSPACED_LANGUAGES


class Pair(NamedTuple):
    """A label and what it says, such as "E-mail" and an address."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Heading:
    """The beginning of a part of a section."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph. is_note: ours, about the words of the candidate."""

    text: str
    is_note: bool = False


class Run(NamedTuple):
    """Words that follow each other, all of them doubtful or none."""

    text: str
    is_doubtful: bool


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was said from a time of the recording on, as 1:07."""

    time: str
    runs: Sequence[Run]
    separator: str = " "


Block = Pair | Heading | Text | Spoken


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the document, with a title."""

    title: str
    blocks: Sequence[Block]


def of(record: Record) -> list[Section]:
    """Return the sections that have something to say."""
    made = (Section(title(), list(blocks(record))) for title, blocks in SECTIONS)
    return [section for section in made if section.blocks]


def _candidate(record: Record) -> Iterator[Block]:
    invitation, version, session = record.invitation, record.version, record.session
    yield Pair(_("Candidate"), invitation.candidate_name)
    yield Pair(_("E-mail"), invitation.candidate_email or "–")
    yield Pair(_("Organisation"), invitation.interview.organisation.name)
    yield Pair(_("Interview"), version.title)
    if version.job_title:
        yield Pair(_("Job"), version.job_title)
    if version.number:
        since = {"number": version.number, "time": moment(version.published_at)}
        yield Pair(_("Version"), _("%(number)d, published %(time)s") % since)
    yield Pair(_("Language"), str(version.get_language_display()))
    yield Pair(_("Status"), capfirst(str(session.get_status_display())))
    yield Pair(_("Invited"), moment(invitation.created_at))
    if session.finished_at:
        yield Pair(_("Finished"), moment(session.finished_at))
    else:
        yield Pair(_("Last seen"), moment(session.last_seen_at))


def _consent(record: Record) -> Iterator[Block]:
    yield Pair(_("Given"), moment(record.session.consented_at))
    yield Text(record.session.consent_text)


def _answers(record: Record) -> Iterator[Block]:
    if any(run.is_doubtful for each in record.answers for spoken in _spoken(each) for run in spoken.runs):
        percent = round(100 * DOUBTFUL_BELOW)
        note = _(
            "Words that are underlined and followed by (?) were recognised with less than %d %% certainty."
        )
        yield Text(note % percent, is_note=True)
    for each in record.answers:
        yield from _answer(each)


def _answer(each: AnswerRecord) -> Iterator[Block]:
    answer = each.answer
    yield Heading(f"{answer.number}. {answer.question_text}")
    yield Text(" · ".join(_circumstances(each)), is_note=True)
    if answer.typed_text:
        yield Pair(_("Typed"), answer.typed_text)
    if each.is_transcribed:
        said: list[Block] = list(_spoken(each))
        yield from said or [Text(_("No speech was recognised in this recording."), is_note=True)]
    elif each.transcript is not None:
        yield Text(_NOT_TRANSCRIBED[Transcript.Status(each.transcript.status)](), is_note=True)
    elif each.recording is None and not answer.typed_text:
        yield Text(_("No answer."), is_note=True)


_NOT_TRANSCRIBED: Final[dict[Transcript.Status, Callable[[], str]]] = {
    Transcript.Status.WAITING: lambda: _("The transcript is still waiting."),
    Transcript.Status.FAILED: lambda: _("The transcript failed. The recording is safe."),
    Transcript.Status.NO_ENGINE: lambda: _("No engine for this language. The recording is safe."),
}


def _circumstances(each: AnswerRecord) -> Iterator[str]:
    answer, recording, transcript = each.answer, each.recording, each.transcript
    if answer.kind == Answer.Kind.FOLLOW_UP:
        yield _("Follow-up question of the language model")
    yield capfirst(str(answer.get_status_display()))
    if answer.asked_at:
        yield _("asked %s") % moment(answer.asked_at)
    if recording is not None and recording.duration_s is not None:
        lengths = {"length": _clock(recording.duration_s), "limit": _clock(answer.answer_limit_seconds)}
        yield _("%(length)s recorded, %(limit)s allowed") % lengths
    if transcript is not None and each.is_transcribed:
        language = dict(LANGUAGES).get(transcript.language, transcript.language)
        yield _("recognised by %(engine)s, %(language)s") % {
            "engine": f"{transcript.engine} {transcript.model}".strip(),
            "language": language,
        }


def _spoken(each: AnswerRecord) -> Iterator[Spoken]:
    if each.transcript is None or not each.is_transcribed:
        return
    separator = "" if each.transcript.language in UNSPACED_LANGUAGES else " "
    for segment in each.transcript.segments:
        runs = list(_runs(segment["words"], separator)) or [Run(segment["text"].strip(), False)]
        yield Spoken(_clock(segment["start_s"]), runs, separator)
    if not each.transcript.segments and each.transcript.text:
        yield Spoken("", [Run(each.transcript.text, False)])


def _runs(words: Sequence[dict], separator: str) -> Iterator[Run]:
    for is_doubtful, found in groupby(words, lambda word: word["confidence"] < DOUBTFUL_BELOW):
        yield Run(separator.join(word["word"].strip() for word in found), is_doubtful)


def _facts(record: Record) -> Iterator[Block]:
    for fact in record.facts:
        yield Pair(_("Question %s") % fact.answer.number, _fact(fact))


def _fact(fact: Fact) -> str:
    said = {
        FactKind.ASKED_AGAIN: _("Asked once more: nothing was heard until the limit."),
        FactKind.SILENT: _("Nothing was heard until the limit, the second time too."),
        FactKind.TYPED: _("Answered in writing."),
    }[fact.kind]
    return f"{said} {moment(fact.at)}" if fact.at else said


def _recordings(record: Record) -> Iterator[Block]:
    for each in record.answers:
        if each.recording is not None:
            stored = each.recording.status == Recording.Status.STORED
            text = each.recording.sha256 if stored else str(each.recording.get_status_display())
            yield Pair(_("Answer %s") % each.answer.number, text)


SECTIONS: Final[Sequence[tuple[Callable[[], str], Callable[[Record], Iterator[Block]]]]] = (
    (lambda: _("Interview"), _candidate),
    (lambda: _("Questions and answers"), _answers),
    (lambda: _("What the platform noticed"), _facts),
    (lambda: _("SHA-256 of the recordings (samples of 16 bits, 16 000 Hz, mono)"), _recordings),
    (lambda: _("Consent"), _consent),
)
"""In the order of the document. Titles are functions, because they are translated for each request."""


def moment(time: datetime) -> str:
    """Return a time in the time zone of the request, as people read it."""
    return formats.date_format(timezone.localtime(time), "DATETIME_FORMAT")


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
