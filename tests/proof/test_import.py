"""A spreadsheet of 5,000 candidates, from the file to the last e-mail in its queue. Durations are printed."""

import io
import time
from datetime import timedelta

import openpyxl
import pytest
from django.utils import timezone

from interviews.actions import batches
from interviews.inviting import spreadsheets
from interviews.models import Invitation, InvitationBatch, Message
from tests import factories

CANDIDATES = 5_000
pytestmark = [pytest.mark.proof, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]


@pytest.fixture
def content() -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["Name", "E-mail"])
    for n in range(CANDIDATES):
        book.active.append([f"Candidate {n}", f"candidate-{n}@example.org"])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_all_are_invited(content, clean_redis, settings, queued):
    settings.EMAIL_URL = "smtp://localhost"
    interview, by, now = factories.InterviewFactory(questions=1), factories.UserFactory(), timezone.now()
    durations, begun = {}, time.perf_counter()

    def lap(name: str) -> None:
        durations[name] = time.perf_counter() - begun - sum(durations.values())

    sheet = spreadsheets.read("candidates.xlsx", content, today=now.date())
    lap("read the file")
    batch = batches.check(
        interview=interview,
        file_name="candidates.xlsx",
        candidates=sheet.candidates,
        problems=sheet.problems,
        expires_at=now + timedelta(days=14),
        is_mailed=True,
        by=by,
        now=now,
    )
    lap("check it")
    batches.start(batch=batch, by=by, now=timezone.now())
    batches.run(batch_id=batch.pk, now=now)
    lap("invite all")

    print("", *(f"{name:16} {duration:5.1f} s" for name, duration in durations.items()), sep="\n")
    assert Invitation.objects.count() == Message.objects.count() == CANDIDATES
    assert InvitationBatch.objects.get().status == InvitationBatch.Status.DONE
    assert len(queued("default")) >= CANDIDATES
