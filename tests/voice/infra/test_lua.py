"""Lua scripts: each file says what it takes and answers, Redis compiles it, and a module loads it."""

import re
from pathlib import Path

import pytest

from voice.infra import lua, redis_clients

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("accounts", "voice", "interviews", "interview_platform")
MODULES = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.lua"))
LOAD = re.compile(r'^_\w+ = lua\.load\(__file__, "(\w+)"(?:, uses="(\w+)")?\)', re.MULTILINE)
LOADS = [(module, name, uses) for module in MODULES for name, uses in LOAD.findall(module.read_text())]

SUM = lua.LuaScript(b"return redis.call('INCRBY', KEYS[1], ARGV[1])")


def head(path: Path) -> list[str]:
    """The comment at the beginning of a Lua file, line by line."""
    lines = path.read_text().splitlines()
    return lines[: next(n for n, line in enumerate(lines) if not line.startswith("--"))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_begins_with_what_it_does_takes_and_answers(path):
    first, *others = head(path)
    assert re.fullmatch(r"-- [A-Z].*\.", first)
    named = [line.split(":")[0] for line in others if re.match(r"-- \w+: ", line)]
    assert [name for name in named if name != "-- Uses"] == ["-- KEYS", "-- ARGV", "-- Answer"]


@pytest.mark.parametrize(("module", "name", "uses"), LOADS, ids=lambda value: getattr(value, "stem", value))
def test_script_compiles_and_names_the_file_that_it_uses(module, name, uses, clean_redis):
    path = module.parent / "lua" / f"{name}.lua"
    used = [line for line in head(path) if line.startswith("-- Uses:")]
    assert used == ([f"-- Uses: {uses}.lua."] if uses else [])
    assert clean_redis.script_load(lua.load(str(module), name, uses=uses).text)


def test_every_file_is_loaded():
    loaded = {module.parent / "lua" / f"{part}.lua" for module, *parts in LOADS for part in parts if part}
    assert sorted(loaded) == FILES


def test_no_lua_stands_in_python():
    assert not [module for module in MODULES if "redis.call(" in module.read_text()]


async def test_script_that_redis_does_not_know_yet_runs_on_any_client(clean_redis):
    clean_redis.script_flush()
    assert await SUM.run_async(redis_clients.async_client(), ["sum"], [1]) == 1
    clean_redis.script_flush()
    assert SUM.run(clean_redis, ["sum"], [1]) == 2
    clean_redis.script_flush()
    with clean_redis.pipeline() as pipe:
        SUM.run(pipe, ["sum"], [1])
        SUM.run(pipe, ["sum"], [1])
        assert pipe.execute() == [3, 4]


async def test_script_that_redis_knows_is_not_sent_again(clean_redis):
    SUM.run(clean_redis, ["sum"], [1])
    clean_redis.config_resetstat()

    SUM.run(clean_redis, ["sum"], [1])
    await SUM.run_async(redis_clients.async_client(), ["sum"], [1])

    calls = {name: numbers["calls"] for name, numbers in clean_redis.info("commandstats").items()}
    assert calls["cmdstat_evalsha"] == 2
    assert not [name for name in calls if name == "cmdstat_eval" or "script" in name]
