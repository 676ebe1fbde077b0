"""A database with as many rows as a large customer has after years, made by PostgreSQL in a few minutes.

The rows are copies of rows from the factories, with other values where it matters. The words of the answers
are drawn by Zipf's law; a text is given many times, which changes nothing for an index of words.
"""

import json
import random
from dataclasses import dataclass
from itertools import accumulate

from django.db import connection

from interviews.models import Message
from interviews.texts.searching import configuration_of
from tests import factories

SHARES = (50, 25, 15, 9, 1)
"""Of the rows, in percent, for each organisation."""
LANGUAGES = ("en", "en", "en", "de", "pl")
ANSWERS = 10
VOCABULARY, TEXTS, WORDS = 30_000, 20_000, 30
SYLLABLES = [a + b for a in "bdfgklmnprstvw" for b in ("a", "e", "i", "o", "u", "ei")]


@dataclass(frozen=True, slots=True)
class Size:
    interviews: int
    sessions: int


@dataclass(frozen=True, slots=True)
class Filled:
    """organisations: in the order of `SHARES`. texts: those of the answers."""

    organisations: list
    texts: list[str]

    def word_in(self, share: float) -> str:
        """Return the word whose share of the answers is nearest to this one."""
        counts: dict[str, int] = {}
        for text in self.texts:
            for word in set(text.split()):
                counts[word] = counts.get(word, 0) + 1
        return min(counts, key=lambda word: (abs(counts[word] / len(self.texts) - share), word))


def fill(size: Size) -> Filled:
    """Fill the empty database."""
    organisations = [factories.OrganisationFactory() for _ in SHARES]
    texts = _texts()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # no look at each foreign key
        _pool(cursor, texts)
        _copy(cursor, size, organisations)
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("DROP TABLE pool; ANALYZE")
    return Filled(organisations, texts)


def empty() -> None:
    """Delete everything at once."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE accounts_organisation, accounts_user, voice_recording CASCADE")


def _texts() -> list[str]:
    """Texts of pseudo-words; the word at rank n is drawn with a frequency of 1/n."""
    random_ = random.Random(15)
    made = ("".join(random_.choices(SYLLABLES, k=random_.randint(2, 4))) for _ in range(2 * VOCABULARY))
    vocabulary = list(dict.fromkeys(made))[:VOCABULARY]
    weights = list(accumulate(1 / rank for rank in range(1, VOCABULARY + 1)))
    return [" ".join(random_.choices(vocabulary, cum_weights=weights, k=WORDS)) for _ in range(TEXTS)]


def _pool(cursor, texts: list[str]) -> None:
    cursor.execute(
        "CREATE TEMP TABLE pool (number int PRIMARY KEY, language text, words text, segments jsonb, "
        "lexemes tsvector)"
    )
    with cursor.copy("COPY pool (number, language, words, segments) FROM STDIN") as copy:
        for n, text in enumerate(texts):
            copy.write_row((n, LANGUAGES[n % len(LANGUAGES)], text, json.dumps(factories.segments_of(text))))
    for language in set(LANGUAGES):
        cursor.execute(
            "UPDATE pool SET lexemes = to_tsvector(%s::regconfig, words) WHERE language = %s",
            [configuration_of(language), language],
        )


def _copy(cursor, size: Size, organisations: list) -> None:
    owners = [row.pk for share, row in zip(SHARES, organisations, strict=True) for _ in range(share)]
    values = {"owners": owners, "languages": list(LANGUAGES), "interviews": size.interviews}
    counts = {"interviews": size.interviews, "sessions": size.sessions, "answers": size.sessions * ANSWERS}
    for (table, of), key in zip(COUNTED.items(), _templates(organisations[0]), strict=True):
        cursor.execute(
            f"""
            INSERT INTO {table} SELECT r.*
            FROM {table} t, generate_series(1::bigint, %(count)s) n {MORE.get(table, "")},
              LATERAL jsonb_populate_record(t, jsonb_build_object({CHANGES[table]})) r
            WHERE t.id = %(key)s
            """,
            {"count": counts[of], "key": key, **values},
        )
    cursor.execute("SELECT pg_get_indexdef('search_by_word'::regclass)")
    [index] = cursor.fetchone()
    cursor.execute("DROP INDEX search_by_word")  # made at once it takes a tenth of the time
    cursor.execute(ENTRIES, {"count": counts["answers"], **values})
    cursor.execute("SET maintenance_work_mem = '512MB'")
    cursor.execute(index)


def _templates(organisation) -> list:
    """Return the keys of one row for each of the tables, of which all others are copies."""
    session = factories.SessionFactory(finished=True, invitation__interview__organisation=organisation)
    answer = factories.AnswerFactory(session=session, position=1, accepted=True)
    recording = answer.recording
    message = Message.objects.create(invitation=session.invitation, kind=Message.Kind.INVITATION)
    rows = [session.interview, session.definition, session.invitation, session, message]
    return [row.pk for row in [*rows, recording, recording.transcript, answer]]


COUNTED = {
    "interviews_interview": "interviews",
    "interviews_interviewversion": "interviews",
    "interviews_invitation": "sessions",
    "interviews_session": "sessions",
    "interviews_message": "sessions",
    "voice_recording": "answers",
    "voice_transcript": "answers",
    "interviews_answer": "answers",
}
# Keys follow from numbers, so that nothing has to be looked up.
INTERVIEW_N = "1 + (n * 7919) %% %(interviews)s"
SESSION_N = f"1 + (n - 1) / {ANSWERS}"
OF_SESSION = f"1 + (({SESSION_N}) * 7919) %% %(interviews)s"
TEXT_N = f"(n * 31337) %% {TEXTS}"
AT = "current_date - ({}) * interval '10 minutes'"  # a session every ten minutes, for two years


def _key(kind: str, number: str) -> str:
    return f"md5('{kind}' || ({number}))::uuid"


MORE = {"voice_transcript": f"JOIN pool p ON p.number = {TEXT_N}"}
CHANGES = {
    "interviews_interview": f"""
        'id', {_key("interview", "n")}, 'title', 'Interview ' || n,
        'created_at', current_date - n * interval '6 hours',
        'organisation_id', (%(owners)s::bigint[])[1 + n %% 100], 'published_id', 1000000 + n,
        'language', (%(languages)s::text[])[1 + n %% 5]""",
    "interviews_interviewversion": f"""
        'id', 1000000 + n, 'interview_id', {_key("interview", "n")}, 'title', 'Interview ' || n,
        'language', (%(languages)s::text[])[1 + n %% 5]""",
    "interviews_invitation": f"""
        'id', {_key("invitation", "n")}, 'interview_id', {_key("interview", INTERVIEW_N)},
        'candidate_name', 'Candidate ' || n, 'candidate_email', 'c' || n %% 80000 || '@example.com',
        'token_hash', '\\x' || md5('token' || n), 'created_at', {AT.format("n")}""",
    "interviews_session": f"""
        'id', {_key("session", "n")}, 'invitation_id', {_key("invitation", "n")},
        'definition_id', 1000000 + {INTERVIEW_N}, 'consented_at', {AT.format("n")},
        'last_seen_at', {AT.format("n")}, 'finished_at', {AT.format("n")}""",
    "interviews_message": f"""
        'id', {_key("message", "n")}, 'invitation_id', {_key("invitation", "n")},
        'created_at', {AT.format("n")}""",
    "voice_recording": f"""'id', {_key("recording", "n")}""",
    "voice_transcript": f"""
        'id', 1000000 + n, 'recording_id', {_key("recording", "n")}, 'text', p.words, 'segments', p.segments,
        'language', (%(languages)s::text[])[1 + ({TEXT_N}) %% 5]""",
    "interviews_answer": f"""
        'id', {_key("answer", "n")}, 'session_id', {_key("session", SESSION_N)},
        'position', 1 + (n - 1) %% {ANSWERS}, 'recording_id', {_key("recording", "n")},
        'completed_at', {AT.format(SESSION_N)}""",
}
ENTRIES = f"""
INSERT INTO interviews_searchentry (answer_id, organisation_id, interview_id, answered_at, lexemes)
SELECT {_key("answer", "n")}, w.organisation_id, w.id, {AT.format(SESSION_N)},
  array_to_tsvector(ARRAY['=' || w.organisation_id, CASE p.language WHEN 'en' THEN '=english'
    WHEN 'de' THEN '=german' ELSE '=simple' END]) || p.lexemes
FROM generate_series(1::bigint, %(count)s) n
JOIN pool p ON p.number = {TEXT_N}
JOIN interviews_interview w ON w.id = {_key("interview", OF_SESSION)}
"""
