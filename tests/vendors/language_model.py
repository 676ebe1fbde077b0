"""A server that answers `/chat/completions` as OpenAI documents it, whose model can be wrong in every way.

The model is a plain function of what it is sent. `mood` (tests/vendors/server.py) makes the server fail;
`temper` makes the model fail: one of the methods below. It reads the candidate's words as a model does: where
they are marked as data, it takes them for data. Where they are not, or where it is "obeying", it follows the
first order in them.
"""

from __future__ import annotations

import json
import re
import threading
from typing import Any

from tests.vendors.assessing_model import ASSESSMENTS, EVEN_SO
from tests.vendors.interview_drafts import InterviewDrafts
from tests.vendors.server import Answer, Request, VendorServer, as_json, expect

MODEL = "small-and-quick"
NAME = "Example Models Ltd"

QUESTIONS = {
    "English": "What was the hardest part of “{about}”?",
    "German": "Was war für Sie bei „{about}“ am schwierigsten?",
    "Spanish": "¿Qué fue lo más difícil para usted de «{about}»?",
    "French": "Quelle était pour vous la partie la plus difficile de « {about} » ?",
}
ORDER = re.compile(r"(?:ask|frage|pregunta|demande)s? ?: ?(?P<order>[^?.!]*[?.!])", re.IGNORECASE)
"""What the injected sentences of the tests hold: “ask: …”."""


class LanguageModelServer(VendorServer):
    """sent: the bodies of all requests. gate: a request waits for it, if it is cleared."""

    def __init__(self) -> None:
        super().__init__()
        self.temper = "helpful"
        self.sent: list[dict[str, Any]] = []
        self.gate = threading.Event()
        self.gate.set()

    @property
    def settings(self) -> dict[str, Any]:
        """The platform's settings that name this server."""
        return {"LLM_BASE_URL": f"{self.url}/v1", "LLM_MODEL": MODEL, "LLM_NAME": NAME}

    def answer(self, request: Request) -> Answer:
        expect(request.path == "/v1/chat/completions", "the address /v1/chat/completions")
        expect(request.headers["authorization"].startswith("Bearer "), "a bearer")
        body = request.json()
        expect(body["model"] == MODEL, f"the model {MODEL}")
        expect([message["role"] for message in body["messages"]] == ["system", "user"], "two messages")
        expect(body["response_format"]["json_schema"]["strict"], "a strict schema")
        self.sent.append(body)
        self.gate.wait(60)
        return as_json(self._completion(body))

    def _completion(self, body: dict[str, Any]) -> dict[str, Any]:
        system, user = (message["content"] for message in body["messages"])
        assess = ASSESSMENTS.get(body["response_format"]["json_schema"]["name"])
        if assess and self.temper not in EVEN_SO:
            message, ending = _said(assess(self.temper, user))
        else:
            writer = InterviewDrafts() if user.startswith('{"job_description"') else self
            message, ending = getattr(writer, self.temper)(system, user)
        return {
            "object": "chat.completion",
            "model": MODEL,
            "choices": [{"index": 0, "message": message, "finish_reason": ending}],
            "usage": {"prompt_tokens": len(system + user) // 4, "completion_tokens": 30},
        }

    # --- Tempers -----------------------------------------------------------------------------------

    def helpful(self, system: str, user: str) -> tuple[dict[str, Any], str]:
        """Ask about some words of the answer. What is not marked as data is taken for an order."""
        try:
            said = json.loads(user)["answer"]
        except (ValueError, KeyError, TypeError):
            return self.obeying(system, user)
        return _said(_question(system, said))

    def obeying(self, system: str, user: str) -> tuple[dict[str, Any], str]:
        """Follow the candidate's order, if there is one."""
        order = ORDER.search(user)
        if order is None:
            return self.helpful(system, user)
        return _said({"about": order["order"], "question": order["order"].strip()})

    def inventing(self, system: str, user: str) -> tuple[dict[str, Any], str]:
        """Quote what was not said."""
        invented = "fifteen years at the moon base"
        return _said({"about": invented, "question": _question(system, invented)["question"]})

    def prying(self, system: str, user: str) -> tuple[dict[str, Any], str]:
        said = json.loads(user)["answer"]
        return _said(_question(system, said) | {"question": "And how old are you, if I may ask?"})

    def silent(self, system: str, user: str) -> tuple[dict[str, Any], str]:
        return _said({"about": "", "question": ""})

    def malformed(self, system: str, user: str) -> tuple[dict[str, Any], str]:
        return {"role": "assistant", "content": "Sure! Here is a question: what did you build?"}, "stop"

    def broken(self, system: str, user: str) -> tuple[dict[str, Any], str]:
        """Answer with characters that no database takes."""
        return {"role": "assistant", "content": "\ud800 and \0"}, "stop"

    def talkative(self, system: str, user: str) -> tuple[dict[str, Any], str]:
        """Add a field to what was asked for."""
        return _said(_question(system, json.loads(user)["answer"]) | {"score": "5"})

    def cut_off(self, system: str, user: str) -> tuple[dict[str, Any], str]:
        return {"role": "assistant", "content": '{"about": "I built", "question": "What did'}, "length"

    def refusing(self, system: str, user: str) -> tuple[dict[str, Any], str]:
        return {"role": "assistant", "content": None, "refusal": "I cannot help with that."}, "stop"


def _question(system: str, said: str) -> dict[str, str]:
    words = said.split()
    first = next((n for n, word in enumerate(words) if len(word) > 4), 0)
    about = " ".join(words[first : first + 4]).strip(".,;:")
    language = next(name for name in QUESTIONS if name in system)
    return {"about": about, "question": QUESTIONS[language].format(about=about)}


def _said(values: dict[str, Any]) -> tuple[dict[str, Any], str]:
    return {"role": "assistant", "content": json.dumps(values, ensure_ascii=False)}, "stop"
