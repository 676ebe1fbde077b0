"""What runs where and when with several processes (`-n 2`).

One process runs all the tests that use the same system, so that it is started once. Other files are pieces by
themselves. What takes longest comes first, so that no process has much left to do when the others are ready.
"""

import os
from typing import Any

import pytest

GROUPS = {
    "a system to harm": (
        "faults/test_stores.py",
        "faults/test_clients.py",
        "faults/test_processes.py",
        "faults/test_erasure.py",
    ),
    "a system that recognises speech": (
        "browser/test_interview.py",
        "browser/test_accessibility.py",
        "browser/test_barge_in.py",
        "browser/test_waiting.py",
        "browser/test_microphone.py",
        "browser/test_walk.py",
        "browser/test_accommodated.py",
        "browser/test_teams_week.py",
    ),
    "hosts": ("faults/test_network.py",),
    "a fleet": ("faults/test_fleet.py",),
    "a machine": ("faults/test_machine.py",),
    "a healthy system": (
        "browser/test_playground.py",
        "browser/test_review.py",
        "browser/test_policy.py",
        "browser/test_follow_up.py",
        "browser/test_device_check.py",
        "browser/test_watching.py",
        "flows/test_interview_by_script.py",
        "flows/test_python_client.py",
        "flows/test_program_alone.py",
        "flows/test_voice_sockets.py",
        "flows/test_ended_keys.py",
        "flows/test_api_description.py",
        "flows/test_rolling_restart.py",
        "flows/test_waiting.py",
        "flows/test_new_link.py",
        "flows/test_fill_demo.py",
        "flows/test_logs.py",
        "flows/test_request_path.py",
        "flows/test_follow_ups.py",
        "interview_platform/server/test_uploads.py",
        "voice/web/test_openai_api.py",
    ),
    "workers": ("voice/workers/test_worker.py",),
    "engines": ("contracts/test_recognition_engines.py",),
    "the demo": ("interview_platform/demo/test_demo.py",),
    "sockets": ("interview_platform/server/test_websocket_frames.py",),
    "the API": ("voice/web/test_api.py",),
}
"""Files by what they share, the longest first; any other file is a group of its own and comes later."""

SYSTEMS = {
    "stack": "a healthy system",
    "speaking_stack": "a system that recognises speech",
    "whole_system": "a system to harm",
}
"""The fixtures that start a system, and the only group that may use it."""

ONE_PROCESS = "tests/benchmarks/"
"""Measured one after the other, in one process: each may use any system."""

_places = {
    f"tests/{file}": (rank, name, order)
    for rank, (name, files) in enumerate(GROUPS.items())
    for order, file in enumerate(files)
}


def _place(node_id: str) -> tuple[int, str, int]:
    """The rank of a test's group, the group, and the file's place in it."""
    file = node_id.partition("::")[0]
    return _places.get(file, (len(GROUPS), file, 0))


@pytest.hookimpl(trylast=True)  # after pytest-django, which puts tests that empty tables last
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    shared = [item for item in items if not item.nodeid.startswith(ONE_PROCESS)]
    for item in shared:
        for fixture, group in SYSTEMS.items():
            if _uses(item, fixture) and _place(item.nodeid)[1] != group:
                raise pytest.UsageError(f"{item.nodeid} uses {fixture}: name its file in {__name__}")
    items.sort(key=lambda item: (_place(item.nodeid)[0], _place(item.nodeid)[2]))


def _uses(item: pytest.Item, fixture: str) -> bool:
    """Whether a test uses that fixture of the whole session, not one of its own file's."""
    found = getattr(item, "fixturenames", ()) and item._fixtureinfo.name2fixturedefs.get(fixture)
    return bool(found) and found[-1].scope == "session"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """A new process starts a Redis of its own, and only then may pytest-django read the settings."""
    for name in ("DJANGO_SETTINGS_MODULE", "REDIS_URL"):
        os.environ.pop(name, None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """pytest-xdist's `--dist loadscope`, whose scope is a group."""
    from xdist.scheduler import LoadScopeScheduling

    class LoadGroups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _place(nodeid)[1]

    config.option.loadscopereorder = False  # would put the group with the most tests first
    return LoadGroups(config, log)
