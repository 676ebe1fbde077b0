from tests.staff import member, ours, theirs  # noqa: F401
