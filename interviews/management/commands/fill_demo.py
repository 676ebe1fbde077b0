"""Candidates of the demo and their judgement, so that its lists, reviews and figures show something.

Candidates answer with the demo's own voices, through the same actions as people in a browser. A start goes on
where the one before ended. It takes minutes at the lowest priority, beside whoever uses the demo.
"""

import asyncio
import os
import random
import tomllib
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from accounts.models import Membership, Organisation, User
from interviews.actions import accommodations, answers, invitations, sessions
from interviews.candidate.session import CandidateSession
from interviews.management import demo_team
from interviews.management.demo_content import DemoCriterion, DemoInterview, DemoQuestion, interview_for
from interviews.models import Answer, Interview, Invitation, Session
from voice.audio import decoding
from voice.audio.pcm import BYTES_A_SECOND, s16le_from_samples
from voice.infra.redis_clients import close_clients
from voice.infra.threads import in_thread
from voice.models import Recording
from voice.recordings import buffer, lifecycle
from voice.service import synthesis
from voice.service.requests import SpeechRequest

CONTENT = Path(__file__).parents[1] / "demo_candidates.toml"
SECOND_SLUG, SECOND_NAME = "second", "Second organisation"
LOWEST_PRIORITY = 19
LINK_DAYS = 30
WRITER = "demo"
STATES = ("decided", "decided", "left", "waiting", "invited", "decided", "revoked", "scored")
"""Given to the candidates of an interview in turn."""
ANSWERED = {"decided": None, "scored": None, "waiting": None, "left": 1}
"""How many questions a candidate in this state answers; None is all of them. Others answer none."""
SPEEDS = (1.0, 0.95, 1.08)


@dataclass(frozen=True, slots=True)
class Person:
    """A candidate, and what this one says to each question.

    arranged: the accommodation; empty if there is none. note: what a recruiter writes about the candidate.
    """

    name: str
    email: str
    state: str
    said: tuple[str, ...] = field(repr=False)
    speed: float
    arranged: dict[str, Any] = field(repr=False)
    note: str = field(repr=False)


class Command(BaseCommand):
    help = "Fill the demo with candidates who speak and are judged. What is there already stays as it is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--most", type=int, default=40, help="how many candidates are made at most")

    def handle(self, *, most: int, **options: Any) -> None:
        os.nice(LOWEST_PRIORITY)
        asyncio.run(_filled(most=most))


async def _filled(*, most: int) -> None:
    try:
        await fill(most=most)
    finally:
        await close_clients()


async def fill(*, most: int) -> None:
    """Make up to `most` candidates that are missing, of each interview in turn. The team judges them."""
    content = tomllib.loads(CONTENT.read_text(encoding="utf-8"))
    by = await in_thread(User.objects.get)(username="admin")
    planned = []
    for entry in content["interviews"]:
        organisation = await _organisation(entry["organisation"], by)
        interview = await in_thread(interview_for)(organisation, _interview_of(entry), by)
        if places := entry.get("open_link_places"):
            await in_thread(demo_team.open_link)(interview=interview, places=places, by=by)
        planned.append([(interview, person) for person in people(entry, content)])
    judge = partial(in_thread(demo_team.judge), words=content["team"])
    for interview, person in _in_turn(planned):
        is_missing = not await in_thread(interview.invitations.filter(candidate_email=person.email).exists)()
        if is_missing and most > 0:
            await _candidate(interview, person, by)
            most -= 1
        await judge(interview=interview, email=person.email, state=person.state, note=person.note)


def people(entry: dict[str, Any], content: dict[str, Any]) -> Iterator[Person]:
    """Return the candidates of an interview; the same at each call."""
    chosen = random.Random(entry["title"])
    arranged, notes = entry.get("arranged", {}), entry.get("notes", {})
    names, states = cycle(content["names"]), cycle(STATES)
    said = [
        cycle(chosen.sample(question["answers"], k=len(question["answers"])))
        for question in entry["questions"]
    ]
    for number, (name, state) in enumerate(islice(zip(names, states, strict=False), entry["candidates"])):
        yield Person(
            name=f"{name} {content['surname']}",
            email=f"{name.lower()}-{number}@example.com",
            state=state,
            said=tuple(map(next, said)),
            speed=chosen.choice(SPEEDS),
            arranged=arranged.get(str(number), {}),
            note=notes.get(str(number), ""),
        )


def _interview_of(entry: dict[str, Any]) -> DemoInterview:
    questions = [DemoQuestion(question["text"]) for question in entry["questions"]]
    rubric = [DemoCriterion(**criterion) for criterion in entry["rubric"]]
    return DemoInterview(entry["title"], entry["job_title"], entry["language"], questions, rubric)


def _in_turn(planned: list[list[Any]]) -> list[Any]:
    """Join the lists, one of each in turn, so that every interview soon has somebody."""
    longest = max(map(len, planned))
    return [row[at] for at in range(longest) for row in planned if at < len(row)]


@in_thread
def _organisation(slug: str, by: User) -> Organisation:
    organisation, _made = Organisation.objects.get_or_create(slug=slug, defaults={"name": SECOND_NAME})
    Membership.objects.get_or_create(
        user=by, organisation=organisation, defaults={"role": Membership.Role.OWNER}
    )
    return organisation


async def _candidate(interview: Interview, person: Person, by: User) -> None:
    invitation = await in_thread(_invited)(interview, person, by)
    if person.state == "revoked":
        await in_thread(invitations.revoke)(invitation=invitation, by=by, now=timezone.now())
    if person.state not in ANSWERED:
        return
    session = await in_thread(sessions.start)(invitation=invitation, now=timezone.now())
    candidate = CandidateSession(session.id, invitation)
    await candidate.act(sessions.check_devices)
    await candidate.act(sessions.skip_practice)
    asked = await in_thread(_asked)(session)
    for answer_id, said in list(zip(asked, person.said, strict=True))[: ANSWERED[person.state]]:
        answer = await candidate.act_on_answer(answers.begin, answer_id)
        audio = await _spoken(said, interview.language, person.speed)
        await _record(answer.current_recording, audio)
        await candidate.act_on_answer(answers.finish, answer_id, byte_count=len(audio), has_speech=True)


@transaction.atomic
def _invited(interview: Interview, person: Person, by: User) -> Invitation:
    now = timezone.now()
    invitation = invitations.invite(
        interview=interview,
        candidate_name=person.name,
        candidate_email=person.email,
        expires_at=now + timedelta(days=LINK_DAYS),
        by=by,
        now=now,
    )
    if person.arranged:
        accommodations.give(invitation=invitation, **person.arranged, by=by, now=now)
    return invitation


def _asked(session: Session) -> list[str]:
    questions = session.answers.filter(kind=Answer.Kind.QUESTION).order_by("position")
    return [str(answer_id) for answer_id in questions.values_list("pk", flat=True)]


async def _record(recording: Recording, audio: bytes) -> None:
    await lifecycle.open_for(recording, writer=WRITER)
    for offset in range(0, len(audio), BYTES_A_SECOND):
        part = audio[offset : offset + BYTES_A_SECOND]
        await buffer.write(recording.id, writer=WRITER, offset=offset, pcm=part)


async def _spoken(text: str, language: str, speed: float) -> bytes:
    """Return s16le PCM, mono, 16 000 Hz, in the best voice of the language."""
    request = SpeechRequest.checked(text=text, language=language, speed=speed, format="flac")
    speech = await synthesis.synthesize(request, tenant="", is_whole=True)
    file = b"".join([part.body async for part in speech.parts()])
    samples = await asyncio.to_thread(decoding.decode, file)
    return s16le_from_samples(samples)
