"""Searching what candidates said and typed, the newest first.

    found = transcript_search.newest("invoices", sessions=rows, organisation_ids={7})

The index of words knows organisations (`models/search_entry.py`), so a search costs what the hits of the own
organisation cost. What is shown is then read from the answers that the user may see, as they are now, so an
entry that is out of date shows nothing. A reviewer by assignment sees few answers of the organisation: there
the sessions choose before the newest are taken.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.db.models import QuerySet

from interviews.models import Answer, SearchEntry, Session
from interviews.queries import corrections, reliability, snippets
from interviews.queries.moments import clock, moment_url
from interviews.queries.snippets import Piece, Span
from interviews.texts import searching
from voice.infra import sql
from voice.models import Recording, Transcript

MOST: Final = 50
LONGEST_QUERY: Final = 200


@dataclass(frozen=True, slots=True)
class Hit:
    """An answer with the words, in its language.

    second: where the first of the words is heard; None if it was typed. is_unreliable: it was recognised so
    badly that it has to be listened to. has_words_of_candidate: the candidate corrected some words of it.
    """

    answer: Answer
    language: str
    pieces: list[Piece]
    second: float | None
    is_unreliable: bool
    has_words_of_candidate: bool = False

    @property
    def address(self) -> str:
        """The review page, which plays from the hit."""
        return moment_url(self.answer.session_id, self.answer.number, self.second or 0.0)

    @property
    def time(self) -> str:
        """Minutes and seconds of the hit, as 1:07. Empty if it was typed."""
        return "" if self.second is None else clock(self.second)


@dataclass(frozen=True, slots=True)
class Found:
    """hits: the newest; has_more: there are older ones."""

    hits: list[Hit]
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """Filters. interview_ids: None is any; since, until: when it was answered, `until` excluded."""

    interview_ids: Sequence[UUID] | None = None
    since: datetime | None = None
    until: datetime | None = None


NO_LIMITS: Final = Limits()


def newest(
    words: str,
    *,
    sessions: QuerySet[Session],
    organisation_ids: frozenset[int] | None,
    is_by_assignment: bool = False,
    limits: Limits = NO_LIMITS,
) -> Found:
    """Return the newest answers with these words.

    words: as in search engines of the web: all of them, "a phrase", `or`, `-not`. No text is a mistake.
    sessions: those that may be read. organisation_ids: theirs; None for all organisations. is_by_assignment:
    not all counted sessions of these organisations may be read.
    """
    queries = _queries(words[:LONGEST_QUERY])
    if not queries or organisation_ids == frozenset():
        return Found([])
    rows = _entries(_combined(queries, organisation_ids), organisation_ids, limits)
    if is_by_assignment:
        rows = rows.filter(answer__session__in=sessions)
    ids = list(rows.order_by("-answered_at").values_list("pk", flat=True)[: MOST + 1])
    hits = _hits(ids[:MOST], sessions, queries, words)
    return Found(hits, has_more=len(ids) > MOST)


_PARSED = "SELECT c, websearch_to_tsquery(c::regconfig, %s)::text FROM unnest(%s::text[]) c"


def _queries(words: str) -> dict[str, str]:
    """Return the words as a tsquery for each configuration in which something of them is searched for."""
    stems = [name for name in searching.ALL if name != searching.PAIRS]
    parsed = dict(sql.fetch(_PARSED, words, stems)) | {searching.PAIRS: searching.query_of_pairs(words)}
    return {name: query for name, query in parsed.items() if query}


def _combined(queries: Mapping[str, str], organisation_ids: Collection[int] | None) -> str:
    """Return one tsquery: in an organisation, each text by the configuration of its language."""
    configurations: dict[str, list[str]] = {}
    for name, query in queries.items():
        configurations.setdefault(query, []).append(searching.mark_of(name))
    by_language = " | ".join(f"({_any(marks)} & ({query}))" for query, marks in configurations.items())
    if organisation_ids is None:
        return by_language
    return f"{_any(map(searching.mark_of_organisation, sorted(organisation_ids)))} & ({by_language})"


def _any(marks: Iterable[str]) -> str:
    return "(" + " | ".join(f"'{mark}'" for mark in marks) + ")"


class _Parsed(SearchQuery):
    """A tsquery as PostgreSQL writes it."""

    template = "%(expressions)s::tsquery"


def _entries(query: str, organisation_ids: Collection[int] | None, limits: Limits) -> QuerySet[SearchEntry]:
    """Return the entries with these words.

    The ORM sends the values inside the statement, so PostgreSQL sees how frequent the words are: it looks for
    frequent ones from the newest entry on, and for others in the index of words.
    """
    rows = SearchEntry.objects.filter(lexemes=_Parsed(query))
    if organisation_ids is not None:
        own = sorted(organisation_ids)
        rows = rows.filter(organisation=own[0]) if len(own) == 1 else rows.filter(organisation__in=own)
    if limits.interview_ids is not None:
        rows = rows.filter(interview__in=limits.interview_ids)
    if limits.since is not None:
        rows = rows.filter(answered_at__gte=limits.since)
    if limits.until is not None:
        rows = rows.filter(answered_at__lt=limits.until)
    return rows


def _hits(
    ids: Sequence[UUID], sessions: QuerySet[Session], queries: Mapping[str, str], words: str
) -> list[Hit]:
    rows = Answer.objects.filter(pk__in=ids, session__in=sessions)
    rows = rows.select_related(
        "session__invitation__interview", "session__definition", "recording__transcript"
    ).prefetch_related("corrections")
    texts = [_Text.of(answer) for answer in rows.order_by("-completed_at")]
    return [
        hit
        for text, spans in zip(texts, _spans(texts, queries, words), strict=True)
        if spans and (hit := text.hit(spans))
    ]


@dataclass(frozen=True, slots=True)
class _Text:
    """What was said in an answer, as it was corrected, and after it what was typed."""

    answer: Answer
    said: str
    text: str
    language: str
    transcript: Transcript | None

    @classmethod
    def of(cls, answer: Answer) -> "_Text":
        recording = answer.recording
        is_kept = recording is not None and recording.status != Recording.Status.DISCARDED
        transcript = getattr(recording, "transcript", None) if is_kept else None
        layers = list(answer.corrections.all())
        said = snippets.without_marks(corrections.corrected_text(transcript, layers)) if transcript else ""
        typed = snippets.without_marks(answer.typed_text)
        language = (transcript and transcript.language) or answer.session.agreed.language
        text = "\n".join(filter(None, [said, typed]))
        return cls(answer, said, text, language, transcript)

    @property
    def configuration(self) -> str:
        return searching.configuration_of(self.language)

    def hit(self, spans: Sequence[Span]) -> Hit:
        begin = spans[0][0]
        is_spoken = begin < len(self.said)
        second = snippets.second_of(begin, self.said, self._words) if is_spoken else None
        elsewhere = corrections.corrected_elsewhere(self.transcript, self.answer.corrections.all())
        is_disputed = self.answer.flagged_at is not None or elsewhere is not None
        return Hit(
            self.answer,
            self.language,
            snippets.cut(self.text, spans),
            second,
            is_unreliable=is_spoken and not reliability.is_reliable(self.transcript, is_disputed=is_disputed),
            has_words_of_candidate=is_spoken and any(one.is_by_candidate for one in self._stretches),
        )

    @property
    def _stretches(self) -> list[corrections.Stretch]:
        layers = self.answer.corrections.all()
        return corrections.wording(self.transcript, layers) if self.transcript else []

    @property
    def _words(self) -> list[dict[str, Any]]:
        """The words of `said` with their times."""
        return [{"word": stretch.text, "start": stretch.start_s} for stretch in self._stretches]


_MARKED = """
SELECT ts_headline(configuration::regconfig, words, query::tsquery, %s)
FROM unnest(%s::text[], %s::text[], %s::text[]) WITH ORDINALITY AS t(configuration, words, query, n)
ORDER BY n
"""
_MARKS: Final = f"HighlightAll=true, StartSel={snippets.START}, StopSel={snippets.END}"


def _spans(texts: Sequence[_Text], queries: Mapping[str, str], words: str) -> list[list[Span]]:
    """Return where the hits lie in each text; in one that changed meanwhile, nowhere."""
    spaced = [
        each for each in texts if each.configuration in queries and each.configuration != searching.PAIRS
    ]
    columns = [(each.configuration, each.text, queries[each.configuration]) for each in spaced]
    marked = (
        sql.fetch(_MARKED, _MARKS, *(list(column) for column in zip(*columns, strict=True)))
        if columns
        else []
    )
    found = {id(each): snippets.marked_spans(row[0]) for each, row in zip(spaced, marked, strict=True)}
    return [
        snippets.spans_of_runs(each.text, words)
        if each.configuration == searching.PAIRS
        else found.get(id(each), [])
        for each in texts
    ]
