"""One request id leads from the proxy to the stored transcript, with a trace for each answer.

Neither the log nor the traces tell anything of the candidate.
"""

import asyncio
import json
import secrets
from dataclasses import dataclass

import pytest

from tests.candidate import take_interview
from tests.conftest import STANDIN_SENTENCE
from tests.faults.waiting import wait_for
from tests.otlp import Receiver, Span
from tests.speech import spoken
from tests.stack import Stack, link_token
from voice.audio.pcm import s16le_from_samples

pytestmark = pytest.mark.flows

SENTENCE = "I built a small service that reads invoices."
NAME, EMAIL = "Alex Demo", "alex@example.com"
TRANSCRIBING, STORING = "voice.workers.transcription.transcribe", "voice.workers.storing.store"


@dataclass(frozen=True)
class Taken:
    """An interview of three answers; its connection came with this request id."""

    request_id: str
    stack: Stack
    traces: Receiver
    begins: int

    def log(self) -> str:
        """Return what was logged since it began."""
        return self.stack.log.read_text()[self.begins :]

    def lines(self) -> list[dict]:
        """Return the lines of its request; before each stands the name of the process."""
        lines = [line.partition(" ")[2] for line in self.log().splitlines() if self.request_id in line]
        return [json.loads(line) for line in lines]

    def uploads(self) -> list[Span]:
        """Return the first span of each answer's trace."""
        spans = list(self.traces.spans)
        return [span for span in spans if span.name == "upload answer" and self.is_its(span)]

    def is_its(self, span: Span) -> bool:
        return span.attributes.get("http.request.id") == self.request_id

    def jobs(self, upload: Span) -> dict[str, Span]:
        """Return the jobs in the trace of an answer, by their function."""
        spans = self.traces.trace(upload.trace_id)
        return {str(s.attributes["code.function.name"]): s for s in spans if s.kind == "CONSUMER"}


@pytest.fixture(scope="module")
def taken(stack, traces) -> Taken:
    request_id, link = secrets.token_hex(16), stack.invite(candidate_email=EMAIL)
    stack.secrets.add(link_token(link))
    said = s16le_from_samples(spoken(SENTENCE, pause_s=1.0))
    taken = Taken(request_id, stack, traces, stack.log.stat().st_size)
    asyncio.run(take_interview(link, [said] * 3, headers={"X-Request-ID": request_id}))
    return taken


def test_request_id_goes_from_the_handshake_to_the_last_jobs(taken):
    def done(function: str) -> int:
        lines = [line for line in taken.lines() if line["log"]["logger"] == "voice.jobs"]
        return len([line for line in lines if line["event"]["action"] == function])

    wait_for(lambda: (done(TRANSCRIBING), done(STORING)) == (3, 3), "the jobs of three answers")
    messages = [line["message"] for line in taken.lines()]
    assert "GET /ws/interviews/<str:token>/ connected" in messages
    assert len([message for message in messages if " is now recording by " in message]) == 3
    assert all(line["service"]["name"] == "interview-platform" for line in taken.lines())


def test_answer_is_one_trace_from_the_upload_to_the_transcript(taken):
    def is_whole(upload: Span) -> bool:
        return {TRANSCRIBING, STORING} <= taken.jobs(upload).keys()

    wait_for(lambda: len(uploads := taken.uploads()) == 3 and all(map(is_whole, uploads)), "three traces")
    for upload in taken.uploads():
        spans = {span.span_id: span for span in taken.traces.trace(upload.trace_id)}

        def path(span: Span, spans: dict[str, Span] = spans) -> list[str]:
            """The names from the first span of the trace to this one."""
            return [*(path(spans[span.parent_id]) if span.parent_id else []), f"{span.kind} {span.name}"]

        finished = ["SERVER upload answer", "SERVER command finish_answer"]
        transcription, storing = (taken.jobs(upload)[job] for job in (TRANSCRIBING, STORING))
        assert path(transcription) == [*finished, "PRODUCER send stt", "CONSUMER process stt"]
        assert path(storing) == [*finished, "PRODUCER send default", "CONSUMER process default"]
        within = {(span.parent_id, span.name) for span in spans.values()}
        assert (transcription.span_id, "UPDATE voice_transcript") in within
        assert (storing.span_id, "put recordings") in within
        assert not any(span.has_failed for span in spans.values())
        assert upload.links  # to the connection, which has three of them


def test_line_of_a_job_names_its_trace(taken):
    (upload, *_) = taken.uploads()
    named = [line for line in taken.lines() if line.get("trace", {}).get("id") == upload.trace_id]
    assert {line["event"].get("action") for line in named} >= {TRANSCRIBING, STORING}


def test_neither_log_nor_traces_tell_anything_of_the_candidate(taken):
    log, traced = taken.log().lower(), taken.traces.raw.lower()
    for told in (SENTENCE, STANDIN_SENTENCE, NAME, EMAIL):
        assert told.lower() not in log
        assert told.lower().encode() not in traced
    secrets = [secret.encode().lower() for secret in taken.stack.secrets]
    assert not [secret for secret in secrets if secret in traced]
