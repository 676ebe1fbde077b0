"""Network namespaces as hosts: a bridge, a pair of virtual cables for each host; cables can be cut.

A cut cable silently loses packets, as a dead switch does. A process that ends, by contrast, closes its
sockets. Needs root and `ip`.
"""

import contextlib
import ctypes
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Self

import psutil

CLONE_NEWNET = 0x40000000
NAMESPACES = Path("/run/netns")
_libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """One host of a `Network`."""

    def __init__(self, name: str, address: str) -> None:
        self.name = name
        self.address = address

    @property
    def prefix(self) -> tuple[str, ...]:
        """The prefix of a command that runs on this host."""
        return ("ip", "netns", "exec", self.name)

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Move this thread, its new sockets and its new children to that host while the block runs."""
        with (
            Path("/proc/thread-self/ns/net").open() as before,
            (NAMESPACES / self.name).open() as there,
        ):
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(before.fileno())


class Here(Namespace):
    """This machine as a host."""

    def __init__(self) -> None:
        super().__init__("", "127.0.0.1")

    @property
    def prefix(self) -> tuple[str, ...]:
        return ()

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        yield


here = Here()


class Network:
    """A bridge on this machine, removed with all its hosts at the end of `with`.

    What a process that was killed has left is removed by the next.
    """

    def __init__(self) -> None:
        self._bridge = self._prefix = ""
        self._hosts: list[Namespace] = []

    def __enter__(self) -> Self:
        _remove_left()
        self._bridge, self._prefix = _free_name(os.getpid()), _free_prefix(os.getpid())
        try:
            ip("link", "add", self._bridge, "type", "bridge")
            ip("address", "add", f"{self._prefix}.1/24", "dev", self._bridge)
            ip("link", "set", self._bridge, "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        for host in self._hosts:
            _ip("link", "delete", self._cable(host))  # otherwise the kernel does it some seconds later
            _ip("netns", "delete", host.name)
        _ip("link", "delete", self._bridge)

    @property
    def range(self) -> str:
        """The address range of all hosts."""
        return f"{self._prefix}.0/24"

    def host(self, name: str) -> Namespace:
        """Add a host to the bridge."""
        number = len(self._hosts) + 2
        host = Namespace(f"{self._bridge}-{name}", f"{self._prefix}.{number}")
        self._hosts.append(host)
        cable = self._cable(host)
        ip("netns", "add", host.name)
        ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", host.name)
        ip("link", "set", cable, "master", self._bridge, "up")
        ip("-n", host.name, "address", "add", f"{host.address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            ip("-n", host.name, "link", "set", device, "up")
        return host

    @contextlib.contextmanager
    def cut_off(self, host: Namespace) -> Iterator[None]:
        """Disconnect the host in both directions while the block runs."""
        ip("link", "set", self._cable(host), "nomaster")
        try:
            yield
        finally:
            ip("link", "set", self._cable(host), "master", self._bridge)

    def _cable(self, host: Namespace) -> str:
        return f"{self._bridge}.{self._hosts.index(host)}"


@cache
def problem() -> str:
    """Return why this machine cannot use namespaces as hosts, or "" if it can. A process tries it once."""
    if not shutil.which("ip"):
        return "the command ip (Debian package iproute2) is not here"
    try:
        with Network() as network:
            network.host("probe")
    except RuntimeError as error:
        return f"no network namespaces: {error}"
    return ""


def _remove_left() -> None:
    """Remove the bridges and hosts of processes that have ended."""
    for name in (*_interfaces(), *(host.name for host in NAMESPACES.glob("*"))):
        owner = re.fullmatch(r"ip(\d+)(n\d+)?([-.]\w+)?", name)
        if owner and not psutil.pid_exists(int(owner[1])):
            _ip("netns", "delete", name) if "-" in name else _ip("link", "delete", name)


def _free_name(pid: int) -> str:
    """Return a name for a bridge of this process that no interface has."""
    taken = _interfaces()
    return next(name for number in range(250) if (name := f"ip{pid}n{number}") not in taken)


def _free_prefix(first: int) -> str:
    """Return the first three bytes of an address range that no interface of this machine has."""
    addresses = [address["local"] for each in _interfaces().values() for address in each["addr_info"]]
    taken = {address.rpartition(".")[0] for address in addresses}
    prefixes = (f"10.217.{(first + step) % 250}" for step in range(250))
    return next(prefix for prefix in prefixes if prefix not in taken)


def _interfaces() -> dict[str, dict]:
    """Return what `ip` tells of each interface and its IPv4 addresses, by name."""
    told = subprocess.run(["ip", "-j", "-4", "address"], capture_output=True, check=True).stdout
    return {each["ifname"]: each for each in json.loads(told) if each}


def ip(*arguments: str) -> None:
    """Run `ip`.

    Raises:
        RuntimeError: it failed, with its own message.
    """
    if complaint := _ip(*arguments):
        raise RuntimeError(complaint)


def _ip(*arguments: str) -> str:
    result = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    return result.stderr.strip() or f"status {result.returncode}" if result.returncode else ""


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
