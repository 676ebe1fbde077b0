"""An interview of a running system in which the language model asks, for as long as a test needs it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.stack import Stack
from tests.vendors.language_model import NAME, LanguageModelServer

CHANGE = """
UPDATE interviews_interviewversion SET consent_text = %s, questions = %s
WHERE id = (SELECT published_id FROM interviews_interview WHERE id = %s) RETURNING id
"""
READ = """
SELECT v.consent_text, v.questions, w.organisation_id, w.id FROM interviews_invitation i
JOIN interviews_interview w ON w.id = i.interview_id
JOIN interviews_interviewversion v ON v.id = w.published_id
WHERE i.id = %s
"""
USE = "UPDATE accounts_organisation SET is_language_model_used = %s WHERE id = %s RETURNING id"


def environment(server: LanguageModelServer) -> dict[str, Any]:
    """The settings of a system with this model, which is patient, since other tests use the machine too."""
    return {**server.settings, "LLM_TIMEOUT_S": "60", "FOLLOW_UP_WAIT_S": "60"}


@contextmanager
def link_with_follow_up(stack: Stack) -> Iterator[str]:
    """A link to an interview whose first question may have a follow-up. The interview is put back."""
    link = stack.invite()
    [(text, questions, organisation, interview)] = stack.rows(READ, [stack.invitation_of(link)["id"]])
    asked = [question | {"follow_ups": int(n == 0)} for n, question in enumerate(questions)]
    consent = f"{text}\nThe text of your answers is sent to {NAME}."
    stack.rows(USE, [True, organisation])
    stack.rows(CHANGE, [consent, json.dumps(asked), interview])
    try:
        yield link
    finally:
        stack.rows(CHANGE, [text, json.dumps(questions), interview])
        stack.rows(USE, [False, organisation])
