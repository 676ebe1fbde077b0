"""A program does a recruiter's work over the API while a candidate takes the interview."""

import hashlib

import httpx
import pytest

from tests.candidate import connected, consent
from tests.conftest import STANDIN_SENTENCE
from tests.speech import spoken
from tests.stack import link_token
from voice.audio import decoding
from voice.audio.pcm import s16le_from_samples

pytestmark = pytest.mark.flows

SENTENCES = (
    "I built a small service that reads invoices.",
    "It found mistakes that people had missed for years.",
    "Next time I would ask the people who use it first.",
)


def pcm(sentence: str) -> bytes:
    return s16le_from_samples(spoken(sentence, pause_s=1.0))


@pytest.fixture
async def api(stack):
    facts = stack.demo
    headers = {"Authorization": f"Bearer {facts['api_key']}"}
    async with httpx.AsyncClient(base_url=f"{stack.url}/api/v1", headers=headers, timeout=120) as client:
        yield client


async def get(api: httpx.AsyncClient, path: str, **params) -> dict:
    response = await api.get(path, params=params)
    assert response.status_code == 200, response.text
    return response.json()


async def english_interview(api) -> dict:
    interviews = await get(api, "/interviews")
    return next(i for i in interviews["items"] if i["language"] == "en")


async def invite(api) -> dict:
    interview = await english_interview(api)
    response = await api.post(
        f"/interviews/{interview['id']}/invitations", json={"candidate_name": "Ada Example"}
    )
    assert response.status_code == 201, response.text
    return response.json()


async def take_interview(url: str, said: list[bytes]) -> None:
    await consent(url)
    async with connected(url) as candidate:
        await candidate.say("devices_checked")
        await candidate.event("devices_checked")
        await candidate.say("skip_practice")
        await candidate.event("practice_skipped")
        for answer in said:
            resume = await candidate.begin()
            await candidate.speak(answer)
            await candidate.finish(resume["answer"], answer)
            event = await candidate.event("answer_finished")
            if event["answer"]["status"] == "recorded":
                await candidate.say("accept_answer", answer=resume["answer"])
                await candidate.event("answer_accepted")
        await candidate.until(lambda m: is_over(candidate.state))


def is_over(state: dict) -> bool:
    questions = [a for a in state["answers"] if a["kind"] == "question"]
    return all(
        a["recording"] and a["recording"]["status"] == "stored" and a["transcript"]["status"] == "done"
        for a in questions
    )


async def test_script_invites_follows_and_reads_an_interview(api, stack):
    invitation = await invite(api)
    stack.secrets.add(link_token(invitation["url"]))
    said = [pcm(sentence) for sentence in SENTENCES]
    await take_interview(invitation["url"], said)

    progress = await get(api, f"/invitations/{invitation['id']}")
    assert (progress["status"], progress["answered"], progress["total"]) == ("finished", 3, 3)
    answers = (await get(api, f"/sessions/{progress['session_id']}/answers"))["items"]
    for expected, answer in zip(said, answers, strict=True):
        transcript = await get(api, f"/answers/{answer['id']}/transcript")
        assert transcript["text"].lower().strip(" .") == STANDIN_SENTENCE
        assert [w["word"].strip().lower() for w in transcript["words"]] == STANDIN_SENTENCE.split()
        recording = await get(api, f"/answers/{answer['id']}/recording")
        assert recording["sha256"] == hashlib.sha256(expected).hexdigest()
        stack.secrets.add(link_token(recording["url"]))
        flac = (await api.get(recording["url"], headers={"Authorization": ""})).content
        assert decoding.decode_flac(flac)[0] == expected


async def test_spoken_questions_are_ready_before_the_candidate_comes(api, stack):
    invitation = await invite(api)
    await consent(invitation["url"])
    async with connected(invitation["url"]) as candidate:
        assert not any(a["speech_url"] or a["question"] for a in candidate.state["answers"])
        response = await api.get(stack.url + await candidate.ask_first_question())
        assert response.headers["content-type"] == "audio/flac"
        assert "immutable" in response.headers["cache-control"]
        assert len(decoding.decode_flac(response.content)[0]) > 0


async def test_connection_lost_in_an_answer_goes_on_at_any_process(api):
    invitation = await invite(api)
    await consent(invitation["url"])
    said = pcm(SENTENCES[0])
    async with connected(invitation["url"]) as candidate:
        await candidate.say("skip_practice")
        await candidate.event("practice_skipped")
        resume = await candidate.begin()
        await candidate.speak(said[:64_000])
        answer_id = resume["answer"]
    for _ in range(3):  # probably served by another process at least once
        async with connected(invitation["url"]) as candidate:
            assert candidate.current == answer_id
            resume = await candidate.select(answer_id)
            assert resume["offset"] == 64_000
    async with connected(invitation["url"]) as candidate:
        await candidate.select(answer_id)
        await candidate.speak(said, start=64_000)
        await candidate.finish(answer_id, said)
        await candidate.event("recording_stored")
        assert candidate.answer(answer_id)["recording"]["bytes"] == len(said)
    recording = await get(api, f"/answers/{answer_id}/recording")
    assert recording["sha256"] == hashlib.sha256(said).hexdigest()
