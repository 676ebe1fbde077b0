"""One edge with the documented values, one with small limits, and the web processes behind them."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.deploy.nginx import edge as edges
from tests.deploy.nginx.echo import EchoServer, echo
from tests.deploy.nginx.edge import Edge

HASHED = "app.0123456789ab.css"
SMALL = {
    **dict.fromkeys(("LINK_RATE", "SIGN_IN_RATE", "API_RATE", "SPEECH_RATE", "UPLOAD_RATE"), "1r/m"),
    **dict.fromkeys(("LINK_BURST", "SIGN_IN_BURST", "API_BURST", "SPEECH_BURST", "UPLOAD_BURST"), "1"),
    "SOCKET_RATE": "1r/m",
    "SOCKET_BURST": "1",
    "ADDRESS_RATE": "1r/s",
    "ADDRESS_BURST": "40",
    "HEADER_TIMEOUT": "1s",
    "BODY_TIMEOUT": "1s",
}


@pytest.fixture(scope="session")
def directory() -> Iterator[Path]:
    """A directory that nginx's workers may enter, for they are not root."""
    if problem := edges.problem():
        pytest.skip(problem)
    with tempfile.TemporaryDirectory(prefix="edge-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture(scope="session")
def web() -> Iterator[EchoServer]:
    with echo() as server:
        yield server


@pytest.fixture(scope="session")
def edge(directory: Path, web: EchoServer) -> Iterator[Edge]:
    """An edge with the documented values."""
    static = directory / "documented" / "static"
    static.mkdir(parents=True)
    for name in (HASHED, "plain.css"):
        (static / name).write_text("body {}")
    (static / f"{HASHED}.gz").write_bytes(b"compressed before")
    with edges.edge(directory / "documented", web.line) as running:
        yield running


@pytest.fixture
def strict(directory: Path, web: EchoServer, tmp_path: Path) -> Iterator[Edge]:
    """An edge whose limits and patience are small, and unused."""
    with edges.edge(directory / tmp_path.name, web.line, **SMALL) as running:
        yield running


@pytest.fixture
def browser(edge: Edge) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=edge.url, verify=edge.trust) as client:
        yield client
