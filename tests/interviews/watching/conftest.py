import pytest

from tests import factories
from tests.staff import member, ours, theirs  # noqa: F401


@pytest.fixture
def interview(ours):  # noqa: F811
    return factories.InterviewFactory(organisation=ours, questions=2, title="Keeper of bees")
