"""A candidate is asked a spoken follow-up question by a language model, and answers it."""

import json

import httpx
import pytest

from tests.candidate import connected, consent
from tests.conftest import STANDIN_SENTENCE
from tests.follow_ups import link_with_follow_up
from tests.speech import spoken
from tests.stack import link_token
from voice.audio import decoding
from voice.audio.pcm import s16le_from_samples

pytestmark = pytest.mark.flows

PCM = s16le_from_samples(spoken("I built a small service that reads invoices.", pause_s=1.0))


@pytest.fixture
def link(stack):
    with link_with_follow_up(stack) as link:
        yield link


async def answer(candidate) -> str:
    resume = await candidate.begin()
    await candidate.speak(PCM)
    await candidate.finish(resume["answer"], PCM)
    finished = await candidate.event("answer_finished")
    if finished["answer"]["status"] == "recorded":
        await candidate.say("accept_answer", answer=resume["answer"])
        await candidate.event("answer_accepted")
    return resume["answer"]


async def test_candidate_gets_a_spoken_follow_up(stack, link, language_model_server):
    stack.secrets.update({link_token(link), STANDIN_SENTENCE, "hardest part"})  # none of it may be logged
    await consent(link)
    async with connected(link) as candidate, httpx.AsyncClient(timeout=120) as http:
        await candidate.say("skip_practice")
        await candidate.event("practice_skipped")
        first = await answer(candidate)
        assert candidate.state["session"]["is_follow_up_awaited"]
        assert candidate.current == first

        added = (await candidate.event("follow_up_added"))["answer"]
        assert (added["kind"], added["position"], added["follow_up"]) == ("follow_up", 1, 1)
        assert candidate.current == added["id"]
        assert added["question"] is None  # told when it is asked
        await candidate.say("ask", answer=added["id"])
        await candidate.event("question_asked")

        asked = candidate.answer(added["id"])
        assert asked["question"].lower() == "what was the hardest part of “measured the answer and”?"
        audio = await http.get(stack.url + asked["speech_url"])
        assert len(decoding.decode_flac(audio.content)[0]) > 0

        await answer(candidate)
        assert not candidate.state["session"]["is_follow_up_awaited"]
        assert candidate.answer(candidate.current)["position"] == 2
    sent = language_model_server.sent[-1]
    assert STANDIN_SENTENCE in json.loads(sent["messages"][1]["content"])["answer"].lower()
    assert language_model_server.complaints == []
