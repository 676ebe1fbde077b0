"""The environment of programs that must not use the servers and settings of these tests."""

import os

OURS = (
    "PYTEST_",
    "TESTS_DIRECTORY",
    "DATABASE_URL",
    "REDIS_URL",
    "VAR_DIR",
    "DJANGO_SETTINGS_MODULE",
    "SECRET_KEY",
    "TOKEN_KEYS",
)
OURS += ("STATICFILES_STORAGE",)


def without_ours() -> dict[str, str]:
    """Return the environment without what tests/conftest.py, pytest and pytest-xdist put there."""
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
