"""Follow-up questions of the language model.

After an answer that may have one, the interview waits for at most `FOLLOW_UP_WAIT_S`. A job asks the model
as soon as it is known what was said (`look_for`). Its question is asked once it is spoken; with none, or when
the time is over, the next question follows, as if there were no model (`settle`).

Nothing is sent unless the platform has a model, the organisation uses it, and the candidate agreed to a text
that names it.
"""

import math
import time
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Organisation
from interviews import states
from interviews.actions import interviews, order
from interviews.brain import follow_up, guard, language_model, metrics
from interviews.brain.follow_up import Found
from interviews.events import publishing
from interviews.models import Answer, Exchange, InterviewVersion, Session
from voice.errors import VoiceError
from voice.infra import sql
from voice.models import Speech, Transcript
from voice.queues import jobs

LEFT_BEHIND: Final = timedelta(seconds=30)
"""So long after its time a wait is ended by the clock of the platform: the candidate is not connected."""
JOB: Final = "interviews.jobs.ask_language_model"


def is_offered(organisation: Organisation) -> bool:
    """Whether the organisation's interviews may have follow-up questions."""
    return language_model.is_configured() and organisation.is_language_model_used


def is_agreed(definition: InterviewVersion, *, consent_text: str) -> bool:
    """Whether what is said in an interview may be sent to the model."""
    return (
        language_model.is_named_in(consent_text)
        and definition.language in guard.languages()
        and is_offered(definition.interview.organisation)
    )


# --- Waiting -------------------------------------------------------------------------------------


def begin_waiting(*, answer: Answer, now: datetime) -> bool:
    """Let the interview wait for a follow-up to this accepted answer, if there may be one."""
    if not answer.follow_ups_left or not language_model.is_configured():
        return False
    sql.change(_WAIT, now + timedelta(seconds=settings.FOLLOW_UP_WAIT_S), answer.pk)
    queue(answer)
    return True


_WAIT = "UPDATE interviews_answer SET follow_up_by = %s WHERE id = %s"


def queue(answer: Answer) -> None:
    """Queue the job that asks the model about an accepted answer, in case it is known what was said."""
    if answer.follow_ups_left and answer.status == states.AnswerStatus.ACCEPTED:
        tenant = answer.session.agreed.owner
        worth_s = math.ceil(settings.FOLLOW_UP_WAIT_S)  # what begins later comes too late
        jobs.enqueue("brain", JOB, str(answer.pk), tenant=tenant, worth_s=worth_s)


@transaction.atomic
def settle(*, answer: Answer, by: object, now: datetime, is_over: bool = False) -> None:
    """End the wait for a follow-up: ask it if it is spoken, or go on if there will be none.

    is_over: do not wait any longer. While all is open, nothing changes.
    """
    awaited = _locked(answer)
    if awaited is None or awaited.follow_up_by is None:
        return
    if awaited.session.status != states.SessionStatus.UNDER_WAY:
        return
    exchange: Exchange | None = getattr(awaited, "exchange", None)
    outcome = exchange.outcome if exchange else None
    if exchange is not None and outcome == Exchange.Outcome.PROPOSED and _is_spoken(exchange):
        _ask(awaited, exchange, now=now)
    elif is_over or outcome in (Exchange.Outcome.REFUSED, Exchange.Outcome.FAILED):
        _go_on(awaited, outcome, by=by, now=now)


def _locked(answer: Answer) -> Answer | None:
    """Read the answer again, with its session locked; None if the candidate was erased meanwhile."""
    sessions = Session.objects.select_for_update(of=("self",), no_key=True)
    if not sessions.filter(pk=answer.session_id).exists():
        return None
    return _with_all(Answer.objects.filter(pk=answer.pk))


def _with_all(rows: QuerySet[Answer]) -> Answer | None:
    return rows.select_related(
        "session__definition__interview__organisation",
        "session__invitation__interview__published",
        "recording__transcript",
        "exchange",
    ).first()


def _is_spoken(exchange: Exchange) -> bool:
    """Whether there is a voice for the question, or none can speak it: then it is read."""
    is_known = (Speech.Status.READY, Speech.Status.FAILED)
    return Speech.objects.filter(key=exchange.speech_key, status__in=is_known).exists()


def _ask(answer: Answer, exchange: Exchange, *, now: datetime) -> None:
    """Put the question after the answer. It may be answered like the one before."""
    order.stop_waiting(answer.session)
    added = Answer.objects.create(
        session=answer.session,
        question_id=answer.question_id,
        kind=Answer.Kind.FOLLOW_UP,
        position=answer.position,
        follow_up=answer.follow_up + 1,
        question_text=exchange.question,
        speech_key=exchange.speech_key,
        think_seconds=answer.think_seconds,
        answer_limit_seconds=answer.answer_limit_seconds,
        retakes_left=_retakes(answer),
        follow_ups_left=answer.follow_ups_left - 1,
    )
    Exchange.objects.filter(pk=exchange.pk).update(outcome=Exchange.Outcome.ASKED)
    metrics.FOLLOW_UPS.labels("asked").inc()
    publishing.publish("follow_up_added", answer.session, added)


def _retakes(answer: Answer) -> int:
    """Return how often the question itself could be answered again."""
    asked = answer.session.agreed.asked
    return asked[answer.position - 1].retakes if answer.position <= len(asked) else 0


def _go_on(answer: Answer, outcome: str | None, *, by: object, now: datetime) -> None:
    order.stop_waiting(answer.session)
    ended = {Exchange.Outcome.REFUSED: "refused", Exchange.Outcome.FAILED: "failed", None: "none"}
    metrics.FOLLOW_UPS.labels(ended.get(outcome, "late")).inc()
    order.finish_if_over(answer.session, by=by, now=now)
    publishing.publish("follow_up_dropped", answer.session, answer)


def speech_rendered(*, key: str, now: datetime) -> None:
    """A text was spoken: ask it, if it is a follow-up that is waited for."""
    awaited = Answer.objects.filter(follow_up_by__isnull=False, exchange__speech_key=key)
    for answer in awaited:
        settle(answer=answer, by="voice", now=now)


def sweep(*, now: datetime) -> None:
    """End the waits of candidates who are not connected."""
    left = Answer.objects.filter(
        follow_up_by__lte=now - LEFT_BEHIND, session__status=states.SessionStatus.UNDER_WAY
    )
    for answer in left.order_by("follow_up_by")[:1000]:
        settle(answer=answer, by="expiry", now=now, is_over=True)


# --- The model -----------------------------------------------------------------------------------


def look_for(*, answer_id: UUID) -> None:
    """Ask the model about an answer, once, when it is known what was said. Then settle."""
    answer = _with_all(Answer.objects.filter(pk=answer_id, follow_up_by__isnull=False))
    said = answer and _said(answer)
    if answer is None or said is None:
        return
    session = answer.session
    if not said.strip() or not is_agreed(session.agreed, consent_text=session.consent_text):
        settle(answer=answer, by="model", now=timezone.now(), is_over=True)
        return
    exchange = _claimed(answer, said)
    if exchange is not None:
        _exchange(exchange, said)
    settle(answer=answer, by="model", now=timezone.now())


def _said(answer: Answer) -> str | None:
    """Return what was said or typed; "" for nothing, None while that is not known."""
    if answer.typed_text:
        return answer.typed_text
    transcript: Transcript | None = getattr(answer.recording, "transcript", None)
    if transcript is None or transcript.status == Transcript.Status.WAITING:
        return None
    return transcript.text if transcript.status == Transcript.Status.DONE else ""


def _claimed(answer: Answer, said: str) -> Exchange | None:
    """Note what is about to be sent; None if another job was faster."""
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
    began_s = time.monotonic()
    try:
        completion = language_model.complete(exchange.sent)
    except VoiceError as error:
        kept = {"outcome": Exchange.Outcome.FAILED, "reason": error.code}
        found = Found()
    else:
        found = follow_up.read(
            completion, asked=answer.question_text, answer=said, language=answer.session.agreed.language
        )
        kept = {
            "outcome": Exchange.Outcome.PROPOSED if found.question else Exchange.Outcome.REFUSED,
            "received": completion.text.replace("\0", ""),
            "reason": found.reason,
            "question": found.question,
            "input_tokens": completion.input_tokens,
            "output_tokens": completion.output_tokens,
        }
    _keep(exchange, found, {**kept, "took_ms": round(1000 * (time.monotonic() - began_s))})


@transaction.atomic
def _keep(exchange: Exchange, found: Found, kept: dict[str, object]) -> None:
    """Keep the outcome. A question that is still waited for is spoken."""
    answer = _locked(exchange.answer)
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
