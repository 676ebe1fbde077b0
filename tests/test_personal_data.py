"""Every table and every key of Redis is on one of two lists: personal, or not and why."""

import ast
from fnmatch import fnmatchcase
from pathlib import Path

from django.apps import apps

from accounts.models import ApiKey
from interviews.actions.personal_data import STORES, WITHOUT_PERSONAL_DATA
from tests.conftest import ROOT

PACKAGES = ("accounts", "interview_platform", "interviews", "voice")
PREFIXES = ("voice:", "interviews:", "accounts:", "platform:", "rq:", "login:")
ADDRESSES = {"redirect", "reverse", "_item", "reverse_lazy"}


def registered() -> set[str]:
    return {each for store in STORES.values() for each in (*store.tables, *store.redis_keys)}


def test_every_table_is_on_one_list():
    tables = {model._meta.label for model in apps.get_models(include_auto_created=True)}
    personal = {each for each in registered() if ":" not in each}
    others = {each for each in WITHOUT_PERSONAL_DATA if ":" not in each}

    assert tables == personal | others, "say in personal_data.py whether this table holds personal data"
    assert not personal & others
    assert all(WITHOUT_PERSONAL_DATA.values())


def test_every_key_of_redis_in_the_source_is_on_one_list():
    patterns = [each for each in registered() | set(WITHOUT_PERSONAL_DATA) if ":" in each]
    unknown = {
        key: str(file.relative_to(ROOT))
        for package in PACKAGES
        for file in (ROOT / package).rglob("*.py")
        if file.name not in ("stores.py", "personal_data.py")
        for key in keys_in(file)
        if key not in ApiKey.Scope.values and not any(is_covered(key, pattern) for pattern in patterns)
    }

    assert unknown == {}, "say in personal_data.py whether this key holds personal data"


def keys_in(file: Path) -> set[str]:
    """Keys of Redis and what keys begin with; addresses (`interviews:room`) look alike and are left out."""
    source = file.read_text()
    if not any(prefix in source for prefix in PREFIXES):
        return set()
    tree = ast.parse(source)
    addresses = {
        argument
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and getattr(call.func, "attr", getattr(call.func, "id", "")) in ADDRESSES
        for argument in call.args
    }
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if node.value.startswith(PREFIXES) and " " not in node.value and node not in addresses
    }


def is_covered(key: str, pattern: str) -> bool:
    """Whether a key, or every key that begins so, is meant by the pattern."""
    return fnmatchcase(key, pattern) or fnmatchcase(f"{key}x", pattern) or pattern.startswith(key)
