from tests.staff import member, ours  # noqa: F401
