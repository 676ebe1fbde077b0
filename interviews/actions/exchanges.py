"""What is sent to the language model, and what of its answer is kept; above all, about an answer."""

import time
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from interviews.actions import interviews
from interviews.brain import follow_up, language_model
from interviews.brain.follow_up import Found
from interviews.brain.language_model import Completion
from interviews.models import Answer, Exchange, Session
from interviews.queries import reliability
from interviews.states import SessionStatus
from voice.errors import VoiceError
from voice.models import Transcript


def ask(sent: Mapping[str, Any], *, is_draft: bool = False) -> tuple[Completion | VoiceError, dict[str, Any]]:
    """Send a request that was written down before (`language_model.complete`).

    Return the answer, or the error in its place; and the fields that are kept of it.
    """
    began_s = time.monotonic()
    answer: Completion | VoiceError
    kept: dict[str, Any] = {}
    try:
        answer = language_model.complete(sent, is_draft=is_draft)
    except VoiceError as error:
        answer = error
    else:
        kept = {
            "received": storable(answer.text),
            "input_tokens": answer.input_tokens,
            "output_tokens": answer.output_tokens,
        }
    return answer, {**kept, "took_ms": round(1000 * (time.monotonic() - began_s))}


def ask_about(*, answer: Answer, said: str) -> None:
    """Ask the model for a follow-up to what was said. A second call, by whatever process, sends nothing."""
    exchange = _claimed(answer, said)
    if exchange is not None:
        _exchange(exchange, said)


def said_in(answer: Answer) -> str | None:
    """Return what was said or typed; None while that is not known.

    "" for nothing, and for what was recognised so badly that a question about it could be about other words.
    """
    if answer.typed_text:
        return answer.typed_text
    transcript: Transcript | None = getattr(answer.recording, "transcript", None)
    if transcript is None or transcript.status == Transcript.Status.WAITING:
        return None
    return transcript.text if reliability.is_reliable(transcript) else ""


def locked(answer: Answer) -> Answer | None:
    """Read the answer again, with its session locked; None if the candidate was erased meanwhile."""
    sessions = Session.objects.select_for_update(of=("self",), no_key=True)
    if not sessions.filter(pk=answer.session_id).exists():
        return None
    return with_all(Answer.objects.filter(pk=answer.pk))


def with_all(rows: QuerySet[Answer]) -> Answer | None:
    return rows.select_related(
        "session__definition__interview__organisation",
        "session__invitation__interview__published",
        "recording__transcript",
        "exchange",
    ).first()


def is_under_way(session: Session) -> bool:
    """Whether something that was said in it may still be sent: it has not ended, nor the consent to it."""
    return session.status == SessionStatus.UNDER_WAY and session.withdrawn_at is None


@transaction.atomic
def _claimed(answer: Answer, said: str) -> Exchange | None:
    """Note what is about to be sent; None if another job was faster, or the interview has ended meanwhile."""
    current = locked(answer)
    if current is None or not is_under_way(current.session):
        return None
    prompt = follow_up.prompt(
        asked=answer.question_text, answer=said, language=answer.session.agreed.language
    )
    sent = prompt.request(settings.LLM_MODEL)
    exchange, is_mine = Exchange.objects.get_or_create(
        answer=answer, defaults={"model": sent["model"], "prompt_version": prompt.version, "sent": sent}
    )
    return exchange if is_mine else None


def _exchange(exchange: Exchange, said: str) -> None:
    """Send it, and keep what came back and what it is good for."""
    answer = exchange.answer
    completion, kept = ask(exchange.sent)
    if isinstance(completion, VoiceError):
        found, outcome = Found(reason=completion.code), Exchange.Outcome.FAILED
    else:
        found = follow_up.read(
            completion, asked=answer.question_text, answer=said, language=answer.session.agreed.language
        )
        outcome = Exchange.Outcome.PROPOSED if found.question else Exchange.Outcome.REFUSED
    _keep(exchange, found, kept | {"outcome": outcome, "reason": found.reason, "question": found.question})


def storable(text: str) -> str:
    """Return a text without the characters that PostgreSQL does not take: half ones and zeros."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


@transaction.atomic
def _keep(exchange: Exchange, found: Found, kept: dict[str, object]) -> None:
    """Keep the outcome. A question that is still waited for is spoken."""
    answer = locked(exchange.answer)
    if answer is None:
        return  # erased meanwhile
    if found.question:
        definition = answer.session.agreed
        kept["speech_key"] = interviews.speech_name(definition, found.question)
        if answer.follow_up_by is None:
            kept["outcome"] = Exchange.Outcome.LATE
        else:
            interviews.request_texts(definition, texts=[found.question])
    Exchange.objects.filter(pk=exchange.pk).update(**kept)
