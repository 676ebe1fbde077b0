"""A candidate's interview as sections for people to read. A further one is one more line in `SECTIONS`."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Final

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from interviews.exports import judgement
from interviews.exports.blocks import Block, Heading, Pair, Run, Section, Spoken, Text, moment
from interviews.models import Answer
from interviews.queries.answers import AnswerRecord
from interviews.queries.corrections import Stretch, by_segment
from interviews.queries.moments import clock
from interviews.queries.records import Record
from interviews.queries.reliability import DOUBTFUL_BELOW
from interviews.texts.languages import LANGUAGES
from voice.models import Recording, Transcript

ROUND: Final = str.maketrans("[]{}", "()()")
"""For candidates' words: other brackets are the document's own, around what was recognised."""


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
    runs = [run for each in record.answers for spoken in _spoken(each) for run in spoken.runs]
    if any(run.is_doubtful for run in runs):
        percent = round(100 * DOUBTFUL_BELOW)
        note = _(
            "Words that are underlined and followed by (?) were recognised with less than %d %% certainty."
        )
        yield Text(note % percent, is_note=True)
    if any(run.is_by_candidate for run in runs):
        by_candidate = _(
            "Words in curly brackets were recognised; those before were written by the candidate afterwards."
        )
        yield Text(by_candidate, is_note=True)
    if any(run.recognised and not run.is_by_candidate for run in runs):
        corrected = _(
            "Words in brackets were recognised; a person who listened corrected them to those before."
        )
        yield Text(corrected, is_note=True)
    for each in record.answers:
        yield from _answer(each)


def _answer(each: AnswerRecord) -> Iterator[Block]:
    answer = each.answer
    yield Heading(f"{answer.number}. {answer.question_text}")
    yield Text(" · ".join(_circumstances(each)), is_note=True)
    if answer.typed_text:
        yield Pair(_("Typed"), answer.typed_text)
    if each.is_transcribed:
        if answer.flagged_at:
            flagged = _("The candidate says that this was heard wrongly (%s): listen.")
            yield Text(flagged % moment(answer.flagged_at), is_note=True)
        if each.corrected_elsewhere is not None:
            elsewhere = _("The candidate corrected version %(n)s, which is not used: listen.")
            yield Text(elsewhere % {"n": each.corrected_elsewhere}, is_note=True)
        if each.is_unsure:
            unreliable = _("Unreliable transcript: listen. The computer was %d %% sure of its words.")
            yield Text(unreliable % each.confidence_percent, is_note=True)
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
        yield (
            _("Scripted follow-up question")
            if answer.is_scripted
            else _("Follow-up question of the language model")
        )
    yield capfirst(str(answer.get_status_display()))
    if answer.asked_at:
        yield _("asked %s") % moment(answer.asked_at)
    if recording is not None and recording.duration_s is not None:
        yield _("%s recorded") % clock(recording.duration_s)
    if transcript is not None and each.is_transcribed:
        language = dict(LANGUAGES).get(transcript.language, transcript.language)
        yield _("recognised by %(engine)s, %(language)s") % {
            "engine": f"{transcript.engine} {transcript.model}".strip(),
            "language": language,
        }
        if transcript.version > 1:
            yield _("version %(n)s") % {"n": transcript.version}


def _spoken(each: AnswerRecord) -> Iterator[Spoken]:
    transcript = each.transcript
    if transcript is None or not each.is_transcribed:
        return
    found = by_segment(transcript, each.layers)
    for segment, stretches in zip(transcript.segments, found, strict=True):
        if stretches:
            yield Spoken(clock(segment["start_s"]), list(_runs(stretches, each.separator)), each.separator)
        elif not segment["words"]:
            yield Spoken(clock(segment["start_s"]), [Run(segment["text"].strip())])
    if not transcript.segments and transcript.text:
        yield Spoken("", [Run(transcript.text)])


def _runs(stretches: Sequence[Stretch], separator: str) -> Iterator[Run]:
    for (is_doubtful, layer), found in groupby(stretches, lambda one: (one.is_doubtful, one.correction)):
        text = separator.join(one.text for one in found) or _("(nothing said)")
        is_by_candidate = layer is not None and layer.is_by_candidate
        if is_by_candidate:
            text = text.translate(ROUND)
        yield Run(text, is_doubtful, layer.recognised if layer else "", is_by_candidate)


def _facts(record: Record) -> Iterator[Block]:
    for fact in record.facts:
        label = _("Question %s") % fact.number if fact.answer else _("Interview")
        yield Pair(label, f"{fact.text} {moment(fact.at)}" if fact.at else fact.text)


def _recordings(record: Record) -> Iterator[Block]:
    for each in record.answers:
        if each.recording is not None:
            stored = each.recording.status == Recording.Status.STORED
            text = each.recording.sha256 if stored else str(each.recording.get_status_display())
            yield Pair(_("Answer %s") % each.answer.number, text)


SECTIONS: Final[Sequence[tuple[Callable[[], str], Callable[[Record], Iterator[Block]]]]] = (
    (lambda: _("Interview"), _candidate),
    (lambda: _("Scores and decision"), judgement.blocks),
    (lambda: _("Questions and answers"), _answers),
    (lambda: _("What the platform noticed"), _facts),
    (lambda: _("SHA-256 of the recordings (samples of 16 bits, 16 000 Hz, mono)"), _recordings),
    (lambda: _("Consent"), _consent),
)
"""In the order of the document. Titles are functions, because they are translated for each request."""
