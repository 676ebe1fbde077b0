"""A program that never opens the admin: all of it by the API, with plain HTTP and with the Python client."""

import asyncio
import hashlib
import json
from pathlib import Path

import httpx
import pytest

from interview_client import AsyncClient, api
from interview_client.calls import Call
from interview_client.webhooks import verify
from tests.candidate import take_interview
from tests.conftest import STANDIN_SENTENCE
from tests.interviews.webhooks.receiver import receiving
from tests.speech import spoken
from tests.stack import link_token
from voice.audio import decoding
from voice.audio.pcm import s16le_from_samples

pytestmark = pytest.mark.flows

WITHIN_S = 240
INTERVIEW = {
    "title": "Keeper of bees",
    "consent_text": "I agree that my answers are recorded.",
    "questions": [{"text": "Why bees?", "think_seconds": 0}, {"text": "And honey?", "think_seconds": 0}],
}
SENTENCES = ("I keep bees.", "I like honey.")
TOLD_OF = ["interview.completed", "transcript.ready"]


class Http:
    """What a program does that has no client: requests to addresses."""

    def __init__(self, url: str, key: str) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        self._http = httpx.AsyncClient(base_url=f"{url}/api/v1", headers=headers, timeout=60)

    async def send(self, call: Call):
        headers = {"Idempotency-Key": f"{call.path} {json.dumps(call.body)}"} if call.method == "POST" else {}
        response = await self._http.request(
            call.method, call.path, json=call.body, params=call.params, headers=headers
        )
        assert response.is_success, response.text
        return response.json() if response.content else None

    async def download(self, url: str, to: Path) -> None:
        content = (await self._http.get(url, headers={"Authorization": ""})).content
        await asyncio.to_thread(to.write_bytes, content)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        await self._http.aclose()


@pytest.mark.parametrize("of", [Http, AsyncClient])
async def test_program_creates_invites_is_told_and_fetches(stack, tmp_path, of):
    with receiving() as receiver:
        async with of(stack.url, stack.demo["api_key"]) as client:
            webhook = await client.send(api.add_webhook(receiver.url, TOLD_OF))
            interview = await client.send(api.create_interview(**INTERVIEW))
            await client.send(api.publish(interview["id"]))
            call = api.invite(interview["id"], candidate_name="Ada", candidate_email="ada@alone.example")
            invitation = await client.send(call)
            stack.secrets |= {webhook["secret"], link_token(invitation["url"])}

            said = [s16le_from_samples(spoken(sentence, pause_s=1.0)) for sentence in SENTENCES]
            await take_interview(invitation["url"], said)
            told = await messages(receiver, webhook["secret"], invitation["id"])

            session_id = told["interview.completed"]["session_id"]
            document = await client.send(api.session_document(session_id))
            assert [answer["question"] for answer in document["answers"]] == ["Why bees?", "And honey?"]
            for answer, pcm in zip(document["answers"], said, strict=True):
                transcript = await client.send(api.transcript(answer["id"]))
                assert transcript["corrected_text"].lower().strip(" .") == STANDIN_SENTENCE
                recording = await client.send(api.recording(answer["id"]))
                stack.secrets.add(link_token(recording["url"]))
                assert recording["sha256"] == hashlib.sha256(pcm).hexdigest()
                await client.download(recording["url"], tmp_path / "answer.flac")
                assert decoding.decode_flac((tmp_path / "answer.flac").read_bytes())[0] == pcm
            await client.send(api.delete_webhook(webhook["id"]))


async def messages(receiver, secret: str, invitation_id: str) -> dict[str, dict]:
    """Wait for both messages about a candidate, checked with the specification's own library."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            found = [verify(secret, body, headers) for headers, body in receiver.received]
            own = {
                each["type"]: each["data"] for each in found if each["data"]["invitation_id"] == invitation_id
            }
            if own.keys() == set(TOLD_OF):
                return own
            await asyncio.sleep(0.1)
