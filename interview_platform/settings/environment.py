"""How settings are read from the environment."""

from typing import Any

import environ

env = environ.Env()


def of_environment(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return each setting as the environment has it under its own name, else its default."""
    readers = {bool: env.bool, int: env.int, float: env.float, str: env.str, list: env.list}
    return {name: readers[type(value)](prefix + name, default=value) for name, value in settings.items()}
