"""Separate hosts in network namespaces: one is silently cut off and comes back, and nothing is lost."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from interview_platform.demo import __main__ as demo
from interview_platform.demo import embedded
from interview_platform.demo.__main__ import Program
from tests.faults import network
from tests.faults.conftest import Harm
from tests.faults.crowd import Crowd
from tests.faults.files import Directory
from tests.faults.network import Namespace, Network
from tests.faults.scale import Scale
from tests.faults.servers import ROOT, Server, accept_from
from tests.stack import Stack

HOSTS = ("web", "worker", "redis", "postgresql")
MET_ALWAYS = ("web", "redis")
"""Those that candidates notice; the others in `make proof`."""


@dataclass
class Site:
    """A network and the system on it."""

    network: Network
    hosts: dict[str, Namespace]
    stack: Stack


@pytest.fixture(scope="module")
def site(run_directory: Path, models: dict[str, str], scale: Scale) -> Iterator[Site]:
    if problem := network.problem():
        pytest.skip(problem)
    directory = run_directory / f"hosts-{scale.candidates_of_hosts}"
    directory.mkdir()
    directory.chmod(0o711)  # as root, PostgreSQL runs as another user
    with contextlib.ExitStack() as running:
        enter = running.enter_context
        net = enter(Network())
        hosts = {name: net.host(name) for name in HOSTS}
        accept_from(net, directory / "postgresql")
        postgresql = enter(Server(embedded.postgresql, directory / "postgresql", inside=hosts["postgresql"]))
        redis = enter(Server(embedded.redis, directory / "redis", inside=hosts["redis"]))
        with hosts["web"].entered():
            listener = enter(demo.listening_socket(hosts["web"].address, 0))
        env = {**models, "DATABASE_URL": postgresql.url, "REDIS_URL": redis.url}

        def placed(programs: list[Program]) -> list[Program]:
            place = {"web": hosts["web"]}
            return [
                on(place.get(program.name, hosts["worker"]), program) for program in scale.adapted(programs)
            ]

        stack = enter(Stack(directory / "stack", env=env, listener=listener, adapt=placed))
        stack.wait_ready()
        yield Site(net, hosts, stack)


def on(host: Namespace, program: Program) -> Program:
    """Return the program, started on that host."""
    return replace(program, argv=(*host.prefix, *program.argv))


@pytest.fixture
def crowd(site: Site, scale: Scale) -> Iterator[Crowd]:
    site.stack.wait_ready()
    with Crowd(site.stack, count=scale.candidates_of_hosts) as crowd:
        yield crowd


LEAVES_ITS_NETWORK = """
import os, signal
from tests.faults.network import Network
network = Network().__enter__()
network.host("left")
print(os.getpid(), network.range, flush=True)
signal.pause()
"""


@pytest.fixture
def other() -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Another process with a network: the process, its number and the network's range."""
    if problem := network.problem():
        pytest.skip(problem)
    program = [sys.executable, "-c", LEAVES_ITS_NETWORK]
    with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        number, taken = process.stdout.readline().split()
        yield process, number, taken
        process.kill()
    with Network():
        pass  # removes what it left


def test_a_process_may_have_two_networks():
    if problem := network.problem():
        pytest.skip(problem)
    with Network() as first:
        first.host("kept")
        with Network() as second:
            assert first.range != second.range
        assert list(network.NAMESPACES.glob(f"{first._bridge}-kept"))


def test_a_network_has_addresses_of_its_own(other, monkeypatch):
    _, number, taken = other
    monkeypatch.setattr(network, "_free_prefix", lambda _, find=network._free_prefix: find(int(number)))
    with Network() as mine:
        assert mine.range != taken


def test_what_a_killed_process_left_is_removed(other):
    process, number, _ = other
    assert list(network.NAMESPACES.glob(f"ip{number}n*-left"))
    process.kill()
    process.wait()
    with Network():
        assert not list(network.NAMESPACES.glob(f"ip{number}*"))
        assert not [name for name in network._interfaces() if name.startswith(f"ip{number}n")]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in MET_ALWAYS else pytest.mark.proof) for name in HOSTS]
)
def test_host_cut_off(site, crowd, name, scale, request):
    harm = Harm(crowd, Directory(Path(site.stack.env["VAR_DIR"]) / "media"), request.node)
    with site.network.cut_off(site.hosts[name]):
        crowd.speak_on(scale.cut_s)
    since = time.monotonic()
    recover_s = crowd.wait_recovered(since=since)
    harm.survived(f"host of {name} cut off for {scale.cut_s:g} s", recover_s=recover_s)
