"""One id, of the request and of the trace, from NGINX's log to the stored transcript: with a real NGINX."""

import asyncio

import pytest

from tests import otlp
from tests.candidate import take_interview
from tests.deploy.tracing import nginx
from tests.faults.waiting import wait_for
from tests.speech import spoken
from tests.stack import Stack, link_token, small
from voice.audio.pcm import s16le_from_samples

pytestmark = [
    pytest.mark.proof,
    pytest.mark.skipif(not nginx.PROGRAM, reason="nginx is not installed"),
]

TRANSCRIBING = "voice.workers.transcription.transcribe"
WRITTEN = {"UPDATE voice_transcript", "put recordings"}


def test_one_id_leads_from_nginx_to_the_stored_transcript(tmp_path, whisper_model, piper_voices):
    models = {"WHISPER_MODEL": str(whisper_model), "PIPER_VOICES_DIR": str(piper_voices)}
    said = s16le_from_samples(spoken("I built a small service that reads invoices.", pause_s=1.0))
    with otlp.receiving() as traces:
        env = {**models, **traces.environment, "LOG_FORMAT": "json", "TRACE_OF_PROXY": "true"}
        with Stack(tmp_path / "stack", env=env, adapt=small) as stack:
            stack.wait_ready()
            upstream = stack.url.removeprefix("http://")
            with nginx.passing_to(upstream, tmp_path, sampled="100%") as url:
                link = stack.invite()
                asyncio.run(take_interview(link.replace(stack.url, url), [said] * 3))

            (handshake,) = [line.split() for line in logged(tmp_path) if "/ws/interviews/" in line]
            trace_id = handshake[0]
            wait_for(lambda: names_of(traces, trace_id) >= WRITTEN, lambda: str(names_of(traces, trace_id)))
            wait_for(lambda: is_in_a_line(stack, trace_id, TRANSCRIBING), "the job's line")
            uploads = [span for span in traces.trace(trace_id) if span.name == "upload answer"]

    assert handshake[1].split("-")[1] == trace_id
    assert len(uploads) == 3
    assert {span.attributes["http.request.id"] for span in uploads} == {trace_id}
    assert link_token(link).encode() not in traces.raw


def logged(directory) -> list[str]:
    return (directory / "access.log").read_text().splitlines()


def is_in_a_line(stack: Stack, *words: str) -> bool:
    return any(all(word in line for word in words) for line in stack.log.read_text().splitlines())


def names_of(traces: otlp.Receiver, trace_id: str) -> set[str]:
    return {span.name for span in traces.trace(trace_id)}
