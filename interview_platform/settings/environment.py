"""How settings are read from the environment, or from files that it names.

    env("METRICS_TOKEN", default="")    # of METRICS_TOKEN, or of the file that METRICS_TOKEN_FILE names

A setting that is wrong is noted in `env.problems` and its default is used, so that one start names all that
are wrong (`Environment.check`). No message quotes a value: it may be a secret.
"""

import re
from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, TypeVar

import environ
from django.core.exceptions import ImproperlyConfigured
from environ.fileaware_mapping import FileAwareMapping

Value = TypeVar("Value")
NOTSET = environ.Env.NOTSET
WANTED = {bool: "true or false", int: "a whole number", float: "a number"}
FALSE = ("false", "off", "n", "no", "0", "")


class Variables(FileAwareMapping):
    """The environment; `NAME_FILE` names a file with the value of NAME, as container platforms mount it."""

    def __getitem__(self, key: str) -> str:
        path = self.env.get(f"{key}_FILE")
        if path and self.env.get(key):
            raise ImproperlyConfigured(f"{key}: set it or {key}_FILE, not both.")
        try:
            value: str = super().__getitem__(key)
        except OSError as error:
            raise ImproperlyConfigured(f"{key}_FILE: {path} cannot be read ({error.strerror}).") from None
        if path:
            value = value.rstrip("\r\n")  # an editor ends the last line
        return value.replace("$", r"\$")  # else "$NAME" would be read as the value of NAME


class Environment(environ.FileAwareEnv):
    """django-environ's, which notes what is wrong and goes on."""

    ENVIRON = Variables(cache=False)

    def __init__(self) -> None:
        super().__init__()
        self.escape_proxy = True
        self.problems: list[str] = []

    def get_value(
        self, var: str, cast: Any = None, default: Any = NOTSET, parse_default: bool = False
    ) -> Any:
        """Return the value as `cast`; what is wrong is noted, and the default taken."""
        try:
            if default is NOTSET and not self.ENVIRON.get(var):
                raise ImproperlyConfigured(f"{var}: set it, or {var}_FILE to the path of a file with it.")
            return super().get_value(var, cast, default, parse_default)
        except ImproperlyConfigured as error:
            self.problems.append(str(error))
        except ValueError:
            self.problems.append(f"{var}: write {WANTED.get(cast, 'text in UTF-8')}.")
        return default if default is not NOTSET else ([] if cast is list else "")

    @classmethod
    def parse_value(cls, value: str, cast: Any) -> Any:
        """Convert the text; raise ValueError where django-environ takes "ture" for false and "s3" for 3.0."""
        if cast is float:
            return float(value)
        if cast is bool and value.lower().strip() not in (*cls.BOOLEAN_TRUE_STRINGS, *FALSE):
            raise ValueError
        return super().parse_value(value, cast)

    def parsed(self, name: str, parse: Callable[[str], Value], wanted: str, *, default: str) -> Value:
        """Return what `parse` makes of the value. wanted: what to write, where it raises ValueError."""
        value = self(name, default=default)
        try:
            return parse(value)
        except (ValueError, ImproperlyConfigured):  # its own message could quote a password
            self.problems.append(f"{name}: write {wanted}.")
            return parse(default)

    def require(self, name: str, is_right: object, wanted: str) -> None:
        """Note that a setting is wrong unless `is_right`; the first problem of a setting is enough."""
        if not is_right and not any(problem.startswith(f"{name}: ") for problem in self.problems):
            self.problems.append(f"{name}: {wanted}")

    def require_origins(self, name: str, addresses: Iterable[str]) -> None:
        """Note that one of these is no scheme with a host: a path, or a host alone, would match nothing."""
        is_right = all(re.fullmatch(r"https?://[^/\s]+", address) for address in addresses)
        self.require(
            name, is_right, "write each with its scheme and without a path, as https://jobs.example."
        )

    def check(self) -> None:
        """Raise ImproperlyConfigured with a line for each setting that is wrong."""
        if self.problems:
            raise ImproperlyConfigured("\n".join(dict.fromkeys(self.problems)))


env = Environment()


def of_environment(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return each setting as the environment has it under its own name, else its default."""
    readers = {bool: env.bool, int: env.int, float: env.float, str: env.str, list: env.list}
    return {name: readers[type(value)](prefix + name, default=value) for name, value in settings.items()}


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Return the networks of a setting, by default none."""
    return env.parsed(
        name,
        lambda text: [ip_network(network.strip()) for network in text.split(",") if network.strip()],
        "networks, separated by commas, as 10.0.0.0/8,fd00::/64",
        default="",
    )
