import pytest

from interviews.actions import search_index
from tests import factories
from tests.staff import member, ours, theirs  # noqa: F401


@pytest.fixture
def say(ours):  # noqa: F811
    """A function that makes an answer with this transcript, as search knows it."""

    def said(text, *, language="en", organisation=ours, **fields):
        interview = factories.InterviewFactory(organisation=organisation, language=language, questions=1)
        session = factories.SessionFactory(invitation__interview=interview)
        answer = factories.AnswerFactory(
            session=session,
            position=1,
            accepted=True,
            transcript=text,
            transcript__language=language,
            **fields,
        )
        search_index.index(answer_id=answer.pk)
        return answer

    return said
