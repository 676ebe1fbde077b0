import pytest

from interviews.queries import records
from tests import factories
from tests.staff import member, ours, theirs  # noqa: F401


@pytest.fixture
def interview(ours):  # noqa: F811
    return factories.InterviewFactory(organisation=ours, title="Keeper of bees", questions=2)


@pytest.fixture
def session(interview):
    session = factories.SessionFactory(
        invitation__interview=interview,
        invitation__candidate_name="Zoë Brontë",
        invitation__candidate_email="zoe@example.com",
        finished=True,
    )
    factories.AnswerFactory(session=session, practice=True, question_text="Just for practice")
    factories.AnswerFactory(session=session, position=1, accepted=True)
    factories.AnswerFactory(
        session=session, position=2, status="accepted", typed_text="I would rather write."
    )
    return session


@pytest.fixture
def record(session):
    return records.of(session.pk)
