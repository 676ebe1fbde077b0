import pytest

from tests import factories
from tests.staff import member, ours  # noqa: F401


@pytest.fixture
def interview(ours):  # noqa: F811
    return factories.InterviewFactory(
        organisation=ours, title="Keeper of bees", job_title="Beekeeper", questions=1
    )


@pytest.fixture
def finished(interview):
    session = factories.SessionFactory(
        invitation__interview=interview, invitation__candidate_name="Zoë", finished=True
    )
    factories.AnswerFactory(session=session, position=1, accepted=True, question_text="=Why <b>bees</b>?")
    return session
