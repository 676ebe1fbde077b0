from tests.interviews.admin.conftest import foreign_interview, interview  # noqa: F401
from tests.staff import member, ours, theirs  # noqa: F401
