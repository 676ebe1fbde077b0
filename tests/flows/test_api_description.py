"""Requests made from the API's own description, with ids that exist: answers are as described, never 5xx."""

import asyncio
from http import HTTPStatus

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.candidate import take_interview
from tests.factories import tone
from tests.sizes import sizes
from tests.sounds import encode_wav
from tests.speech import spoken
from voice.audio.pcm import s16le_from_samples

pytestmark = [pytest.mark.flows, pytest.mark.timeout(3600)]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
"""Not that every value of the described form is accepted: no form can say which languages have an engine."""
OF_THE_BODY = [response_schema_conformance]
"""An answer with sparse fields lacks what its description requires."""
SHARE_OF_REAL_IDS = 4
"""Of five cases so many have ids that exist; the others have any."""
BUSY = (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS)
"""Answers that every address may give, with `Retry-After`."""


INTERVIEW = {
    "title": "Keeper of bees",
    "consent_text": "I agree that my answers are recorded.",
    "questions": [{"text": text, "think_seconds": 0} for text in ("Why bees?", "And honey?", "And wax?")],
}
OWN_KEY = """
from accounts.models import ApiKey, Organisation
own = Organisation.objects.create(name="Described", slug="described")
print(ApiKey.issue(organisation=own, name="described", scopes=ApiKey.Scope.values)[1])
"""
"""The requests change everything that a key may change: other tests need the demo's organisation."""


@pytest.fixture(scope="module")
def client(stack):
    key = stack.manage("shell", "--no-imports", "--command", OWN_KEY).split()[-1]
    stack.secrets.add(key)
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=stack.url, headers=headers, timeout=120) as client:
        yield client


@pytest.fixture(scope="module")
def ids(client) -> dict[str, str | int]:
    """An id for each parameter of the description that names something."""
    interview = client.post("/api/v1/interviews", json=INTERVIEW).raise_for_status().json()["id"]
    client.post(f"/api/v1/interviews/{interview}/publish").raise_for_status()
    invited = client.post(
        f"/api/v1/interviews/{interview}/invitations", json={"candidate_name": "Ada Example"}
    )
    path = f"/api/v1/invitations/{invited.raise_for_status().json()['id']}"
    said = [s16le_from_samples(spoken(text, pause_s=1.0)) for text in ("One.", "Two.", "Three.")]
    asyncio.run(take_interview(invited.json()["url"], said))
    taken = _get(client, path)
    answers = _get(client, f"/api/v1/sessions/{taken['session_id']}/answers")["items"]
    files = {"files": ("tone.wav", encode_wav(tone(1.0)))}
    batch = client.post("/api/v1/voice/batches", files=files).raise_for_status().json()["id"]
    kept = client.post("/api/v1/bank-questions", json={"text": "Which tools?"}).raise_for_status().json()
    return {
        "number": 1,
        "bank_question_id": kept["id"],
        "interview_id": interview,
        "invitation_id": taken["id"],
        "session_id": taken["session_id"],
        "answer_id": answers[0]["id"],
        "batch_id": batch,
        "file_id": _get(client, f"/api/v1/voice/batches/{batch}")["files"][0]["id"],
        "voice_id": _get(client, "/api/v1/voice/voices")[0]["id"],
        "model_id": _get(client, "/v1/models")["data"][0]["id"],
    }


def _get(client, path: str) -> dict:
    return client.get(path).raise_for_status().json()


@sizes("cases", short=150, proof=50_000)
def test_answers_are_as_described(client, ids, cases):
    description = schemathesis.openapi.from_dict(_get(client, "/api/openapi.json"))
    operations = [found.ok() for found in description.get_all_operations()]
    for operation in operations:
        _check(operation, client, ids, cases=-(-cases // len(operations)))


def _check(operation, client, ids, *, cases: int) -> None:
    wanted = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]

    @given(
        case=st.one_of([operation.as_strategy(generation_mode=mode) for mode in wanted]),
        dice=st.integers(0, SHARE_OF_REAL_IDS),
    )
    @settings(
        max_examples=cases,
        phases=[Phase.generate],  # a failure is reported as it came: to shrink it costs many requests
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    def check(case, dice):
        if dice and operation.method.upper() != "DELETE":
            case.path_parameters.update({name: ids[name] for name in case.path_parameters if name in ids})
        checks = [each for each in CHECKS if not (case.query or {}).get("fields") or each not in OF_THE_BODY]
        response = case.call(base_url=str(client.base_url), headers=dict(client.headers), timeout=120)
        if response.status_code in BUSY:
            assert int(response.headers["Retry-After"]) > 0
        else:
            case.validate_response(response, checks=checks)

    check()
