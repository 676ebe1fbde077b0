"""One request id and one trace lead from the handshake to the stored transcript of an answer.

Neither the log nor the traces tell anything of the candidate.
"""

import asyncio
import json
import secrets
from dataclasses import dataclass

import pytest

from tests.candidate import connected, consent
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
    """An answer was given on a connection that came with this request id."""

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

    def trace(self) -> list[Span]:
        """Return the spans of the answer's trace, once its first one has come."""
        uploads = [span for span in list(self.traces.spans) if span.name == "upload answer"]
        ids = [s.trace_id for s in uploads if s.attributes["http.request.id"] == self.request_id]
        return self.traces.trace(ids[0]) if ids else []

    def jobs(self, function: str) -> list[Span]:
        """Return the jobs of that trace which ran this function; the sweeper may have queued one again."""
        jobs = [span for span in self.trace() if span.kind == "CONSUMER"]
        return [span for span in jobs if span.attributes["code.function.name"] == function]


async def answer_once(link: str, said: bytes, headers: dict[str, str]) -> None:
    """Answer the first question, and wait until it is stored and transcribed."""
    await consent(link)
    async with connected(link, headers) as candidate:
        await candidate.say("skip_practice")
        await candidate.event("practice_skipped")
        answer_id = (await candidate.begin())["answer"]
        await candidate.speak(said)
        await candidate.finish(answer_id, said)
        await candidate.until(lambda _: is_written(candidate.answer(answer_id)))


def is_written(answer: dict) -> bool:
    recording = answer["recording"]
    return bool(recording) and recording["status"] == "stored" and answer["transcript"]["status"] == "done"


@pytest.fixture(scope="module")
def taken(stack, traces) -> Taken:
    request_id, link = secrets.token_hex(16), stack.invite(candidate_email=EMAIL)
    stack.secrets.add(link_token(link))
    said = s16le_from_samples(spoken(SENTENCE, pause_s=1.0))
    taken = Taken(request_id, stack, traces, stack.log.stat().st_size)
    asyncio.run(answer_once(link, said, {"X-Request-ID": request_id}))
    return taken


def test_request_id_goes_from_the_handshake_to_the_last_jobs(taken):
    def jobs() -> set[str]:
        return {line["event"]["action"] for line in taken.lines() if line["log"]["logger"] == "voice.jobs"}

    wait_for(lambda: {TRANSCRIBING, STORING} <= jobs(), "the jobs of the answer")
    messages = [line["message"] for line in taken.lines()]
    assert "GET /ws/interviews/<str:token>/ connected" in messages
    assert [message for message in messages if " is now recording by " in message]
    assert all(line["service"]["name"] == "interview-platform" for line in taken.lines())


def test_answer_is_one_trace_from_the_upload_to_the_transcript(taken):
    wait_for(
        lambda: taken.jobs(TRANSCRIBING) and taken.jobs(STORING), lambda: f"both jobs in {taken.trace()}"
    )
    spans = {span.span_id: span for span in taken.trace()}

    def path(span: Span) -> list[str]:
        """The spans from the first of the trace to this one."""
        return [*(path(spans[span.parent_id]) if span.parent_id else []), f"{span.kind} {span.name}"]

    finished = ["SERVER upload answer", "SERVER command finish_answer"]
    for job, list_name, written in (
        (TRANSCRIBING, "stt", "UPDATE voice_transcript"),
        (STORING, "default", "put recordings"),
    ):
        expected = [*finished, f"PRODUCER send {list_name}", f"CONSUMER process {list_name}"]
        assert expected in map(path, taken.jobs(job))
        parents = {span.parent_id for span in spans.values() if span.name == written}
        assert parents & {span.span_id for span in taken.jobs(job)}
    assert not any(span.has_failed for span in spans.values())
    (upload,) = [span for span in spans.values() if not span.parent_id]
    assert upload.links  # to the connection, which may have more answers


def test_line_of_a_job_names_its_trace(taken):
    trace_id = taken.trace()[0].trace_id
    named = [line for line in taken.lines() if line.get("trace", {}).get("id") == trace_id]
    assert {line["event"].get("action") for line in named} >= {TRANSCRIBING, STORING}


def test_neither_log_nor_traces_tell_anything_of_the_candidate(taken):
    log, traced = taken.log().lower(), taken.traces.raw.lower()
    for told in (SENTENCE, STANDIN_SENTENCE, NAME, EMAIL):
        assert told.lower() not in log
        assert told.lower().encode() not in traced
    secrets = [secret.encode().lower() for secret in taken.stack.secrets]
    assert not [secret for secret in secrets if secret in traced]
