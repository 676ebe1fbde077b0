"""The language model behind any address that answers `/chat/completions` as OpenAI's does.

    completion = language_model.complete(prompt)     # raises EngineUnavailable, RequestRefused
    completion.text, completion.ending

Requests go the way of every engine behind an address: one connection (`voice.engines.cloud.connection`), a
breaker that all processes share, retries, and the same metrics, under the direction "completion". Drafts have
a breaker and counts of their own: a long draft that fails says nothing about a short follow-up.
Source: OpenAI, API reference, "Create chat completion"; docs/adr/0037-language-model.md.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final

from django.conf import settings

from interviews.brain import metrics
from voice.engines.base import SteadyEngine
from voice.engines.cloud.account import CloudAccount
from voice.engines.cloud.connection import Connection, reading
from voice.errors import EngineUnavailable, RequestRefused, TransientFailure
from voice.inference.chain import Link
from voice.inference.handover import Handover
from voice.inference.retry import Retry

QUICK: Final = Retry(tries=2, first_s=0.1, longest_s=0.3)
"""A candidate waits: what does not work at once comes too late."""
DRAFTS: Final = "drafts"
"""The pool of drafts, for breaker and counts (`Link.name`)."""
NO_KEY: Final = "none"
"""Servers of one's own ask for no key; a header must hold something."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is asked. version: changes with any word of it, and is kept with the answer.

    schema: the JSON schema of the model's answer.
    """

    version: str
    system: str
    user: str
    schema: Mapping[str, Any]
    max_tokens: int

    def request(self, model: str) -> dict[str, Any]:
        """Return the body of the request. It is kept with the answer as it is."""
        name = self.version.partition("/")[0]
        return {
            "model": model,
            "messages": [
                {"role": "system", "content": self.system},
                {"role": "user", "content": self.user},
            ],
            "temperature": 0,
            "max_tokens": self.max_tokens,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": name, "strict": True, "schema": self.schema},
            },
        }


@dataclass(frozen=True, slots=True)
class Completion:
    """What the model answered. ending: "stop", "length" where it was cut off, "refusal", or another word."""

    text: str
    ending: str
    input_tokens: int | None = None
    output_tokens: int | None = None

    @property
    def problem(self) -> str:
        """Why nothing of it can be used: "cut_off", "refusal" or "malformed"; "" where it is whole."""
        if self.ending == "stop":
            return ""
        return {"length": "cut_off", "refusal": "refusal"}.get(self.ending, "malformed")


def is_configured() -> bool:
    """Whether there is a model: an address, its name there, and the name that candidates read."""
    return bool(settings.LLM_BASE_URL and settings.LLM_MODEL and settings.LLM_NAME)


def is_named_in(consent_text: str) -> bool:
    """Whether a candidate who agrees to this text was told who runs the model."""
    return is_configured() and settings.LLM_NAME.casefold() in consent_text.casefold()


def complete(request: Mapping[str, Any], *, is_draft: bool = False) -> Completion:
    """Send the body of a request (`Prompt.request`) and return the answer.

    is_draft: no candidate waits, so a try may take `LLM_DRAFT_TIMEOUT_S` instead of `LLM_TIMEOUT_S`.

    Raises:
        RequestRefused: the server does not take the request.
        EngineUnavailable: it cannot be reached, answers nonsense, or is left alone after failures.
    """
    timeout_s = settings.LLM_DRAFT_TIMEOUT_S if is_draft else settings.LLM_TIMEOUT_S
    pool = DRAFTS if is_draft else ""
    link = _link(settings.LLM_BASE_URL, settings.LLM_MODEL, settings.LLM_API_KEY, timeout_s, pool)
    with link.call(Handover()) as call:

        def work() -> Completion:
            with call.timed():
                return link.engine.complete(request)

        completion = call.tried(partial(_in_time, work, time.monotonic() + timeout_s), QUICK)
    _count(completion)
    return completion


def _in_time(work: Any, deadline_s: float) -> Completion:
    """Call `work`; a failure that took all the time is not tried again."""
    try:
        completion: Completion = work()
    except TransientFailure as error:
        if time.monotonic() >= deadline_s:
            raise EngineUnavailable(str(error)) from error
        raise
    return completion


def _count(completion: Completion) -> None:
    counts = (completion.input_tokens or 0, completion.output_tokens or 0)
    for direction, count in zip(("input", "output"), counts, strict=True):
        metrics.TOKENS.labels(direction).inc(count)
    prices = zip(counts, settings.LLM_PRICES, strict=True)
    metrics.COST.inc(sum(count * price / 1e6 for count, price in prices))


class LanguageModel(SteadyEngine):
    """The engine of a `Link`. Thread-safe."""

    name = "llm"
    device = "cloud"

    def __init__(self, account: CloudAccount, model: str) -> None:
        self.model = model
        self._account = account
        headers = {"Authorization": f"Bearer {account.api_key}"}
        self._connection = Connection(account, account.base_url, headers)

    def load(self) -> None:
        """Check the settings. Raises EngineUnavailable."""
        self._connection.open()

    def complete(self, request: Mapping[str, Any]) -> Completion:
        """Send one request. Raises as `Connection.json`, and RequestRefused."""
        answer = self._connection.json("POST", "/chat/completions", refusal=_Refused, json=dict(request))
        with reading(self._account):
            return _read(answer)


class _Refused(RequestRefused):
    def __init__(self, detail: str) -> None:
        super().__init__("request", detail)


def _read(answer: Any) -> Completion:
    choice, usage = answer["choices"][0], answer.get("usage") or {}
    message = choice["message"]
    is_refusal = bool(message.get("refusal")) or choice.get("finish_reason") == "content_filter"
    text = message.get("refusal") or message.get("content") or ""
    if not isinstance(text, str):
        raise TypeError("no text")
    ending = "refusal" if is_refusal else str(choice.get("finish_reason") or "stop")
    return Completion(text, ending, _tokens(usage, "prompt_tokens"), _tokens(usage, "completion_tokens"))


def _tokens(usage: Mapping[str, Any], name: str) -> int | None:
    count = usage.get(name)
    return count if isinstance(count, int) and 0 <= count < 2**31 else None


@cache
def _link(base_url: str, model: str, api_key: str, timeout_s: float, pool: str) -> Link[LanguageModel]:
    account = CloudAccount("llm", api_key=api_key or NO_KEY, base_url=base_url, timeout_s=timeout_s)
    return Link("completion", LanguageModel(account, model), pool)
