"""Follow-up questions: of the language model, and those that the recruiter wrote.

After an answer that may have one of the model, the interview waits for at most `FOLLOW_UP_WAIT_S`. A job asks
the model as soon as it is known what was said (`look_for`). Its question is asked once it is spoken. With
none, or when the time is over, the scripted follow-up is asked in its place; without one, the next question
follows (`settle`). So the n-th follow-up of all candidates is the model's, or the n-th of the script. Where
no model is asked, there is no wait.

Nothing is sent unless the platform has a model, the organisation uses it, and the candidate agreed to a text
that names it.
"""

import math
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Organisation
from interviews import states
from interviews.actions import exchanges, interviews, order
from interviews.brain import guard, language_model, metrics
from interviews.events import publishing
from interviews.models import Answer, Exchange, InterviewVersion
from interviews.models.version import AskedQuestion
from voice.infra import sql
from voice.models import Speech
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


def begin_waiting(*, answer: Answer, now: datetime) -> bool:
    """Let the interview wait for a follow-up to this accepted answer, if there may be one."""
    if not answer.scripted_left and not is_model_awaited(answer):
        return False
    sql.change(_WAIT, now + timedelta(seconds=settings.FOLLOW_UP_WAIT_S), answer.pk)
    queue(answer)
    return True


def is_model_awaited(answer: Answer) -> bool:
    """Whether the follow-up to this answer may be the model's. If not, a scripted one is asked at once."""
    return bool(answer.follow_ups_left) and language_model.is_configured()


_WAIT = "UPDATE interviews_answer SET follow_up_by = %s WHERE id = %s"


def queue(answer: Answer) -> None:
    """Queue the job that asks the model about an accepted answer, in case it is known what was said."""
    if is_model_awaited(answer) and answer.status == states.AnswerStatus.ACCEPTED:
        tenant = answer.session.agreed.owner
        worth_s = math.ceil(settings.FOLLOW_UP_WAIT_S)  # what begins later comes too late
        jobs.enqueue("brain", JOB, str(answer.pk), tenant=tenant, worth_s=worth_s)


@transaction.atomic
def settle(*, answer: Answer, by: object, now: datetime, is_over: bool = False) -> None:
    """End the wait for a follow-up: ask the model's if it is spoken, else the scripted one, or go on.

    is_over: do not wait any longer. While all is open, nothing changes.
    """
    awaited = exchanges.locked(answer)
    if awaited is None or awaited.follow_up_by is None:
        return
    if awaited.session.status != states.SessionStatus.UNDER_WAY:
        return
    exchange: Exchange | None = getattr(awaited, "exchange", None)
    outcome = exchange.outcome if exchange else None
    if exchange is not None and outcome == Exchange.Outcome.PROPOSED and _is_spoken(exchange):
        _ask_proposed(awaited, exchange)
    elif is_over or outcome in (Exchange.Outcome.REFUSED, Exchange.Outcome.FAILED):
        _go_on_without_model(awaited, outcome, by=by, now=now)


def _is_spoken(exchange: Exchange) -> bool:
    """Whether there is a voice for the question, or none can speak it: then it is read."""
    is_known = (Speech.Status.READY, Speech.Status.FAILED)
    return Speech.objects.filter(key=exchange.speech_key, status__in=is_known).exists()


def _ask_proposed(answer: Answer, exchange: Exchange) -> None:
    _ask(answer, exchange.question, speech_key=exchange.speech_key)
    Exchange.objects.filter(pk=exchange.pk).update(outcome=Exchange.Outcome.ASKED)
    metrics.FOLLOW_UPS.labels("asked").inc()


def _go_on_without_model(answer: Answer, outcome: str | None, *, by: object, now: datetime) -> None:
    """Ask what the recruiter wrote for this place, or go on with the next question."""
    if is_model_awaited(answer):
        ended: dict[str | None, str] = {
            Exchange.Outcome.REFUSED: "refused",
            Exchange.Outcome.FAILED: "failed",
            None: "none",
        }
        metrics.FOLLOW_UPS.labels(ended.get(outcome, "late")).inc()
    if text := _scripted(answer):
        definition = answer.session.agreed
        interviews.request_texts(definition, texts=[text])  # spoken long ago, unless its voice has changed
        _ask(answer, text, speech_key=interviews.speech_name(definition, text), is_scripted=True)
        metrics.SCRIPTED_FOLLOW_UPS.inc()
        return
    order.stop_waiting(answer.session)
    order.finish_if_over(answer.session, by=by, now=now)
    publishing.publish("follow_up_dropped", answer.session, answer)


def _scripted(answer: Answer) -> str:
    """Return the scripted follow-up of this place; "" for none."""
    question = _question_of(answer)
    script = question.scripted_follow_ups if question and answer.scripted_left else ()
    return script[answer.follow_up] if answer.follow_up < len(script) else ""


def _ask(answer: Answer, text: str, *, speech_key: str, is_scripted: bool = False) -> None:
    """Put a follow-up after the answer. It may be answered like the one before."""
    order.stop_waiting(answer.session)
    question = _question_of(answer)
    added = Answer.objects.create(
        session=answer.session,
        question_id=answer.question_id,
        kind=Answer.Kind.FOLLOW_UP,
        position=answer.position,
        follow_up=answer.follow_up + 1,
        question_text=text,
        speech_key=speech_key,
        think_seconds=answer.think_seconds,
        answer_limit_seconds=answer.answer_limit_seconds,
        retakes_left=question.retakes if question else 0,
        follow_ups_left=max(0, answer.follow_ups_left - 1),
        scripted_left=max(0, answer.scripted_left - 1),
        is_scripted=is_scripted,
    )
    publishing.publish("follow_up_added", answer.session, added)


def _question_of(answer: Answer) -> AskedQuestion | None:
    """Return the question that the answer, or the follow-up to it, belongs to."""
    asked = answer.session.agreed.asked
    return asked[answer.position - 1] if answer.position <= len(asked) else None


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


def look_for(*, answer_id: UUID) -> None:
    """Ask the model about an answer, once, when it is known what was said. Then settle."""
    answer = exchanges.with_all(Answer.objects.filter(pk=answer_id, follow_up_by__isnull=False))
    said = exchanges.said_in(answer) if answer else None
    if answer is None or said is None or not exchanges.is_under_way(answer.session):
        return
    session = answer.session
    may_be_sent = bool(said.strip()) and is_agreed(session.agreed, consent_text=session.consent_text)
    if may_be_sent:
        exchanges.ask_about(answer=answer, said=said)
    settle(answer=answer, by="model", now=timezone.now(), is_over=not may_be_sent)
