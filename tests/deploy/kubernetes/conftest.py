import pytest

from tests.deploy.kubernetes import manifests


@pytest.fixture(scope="session")
def every_overlay(tmp_path_factory):
    """What each overlay renders to, by its name."""
    if not manifests.kubectl():
        pytest.skip("kubectl is missing")
    copy = manifests.copied(tmp_path_factory.mktemp("manifests"))
    return {folder.name: manifests.rendered(folder) for folder in sorted((copy / "overlays").iterdir())}


@pytest.fixture(params=manifests.OVERLAYS)
def overlay(request, every_overlay):
    """What one overlay renders to."""
    return every_overlay[request.param]


@pytest.fixture
def with_claim(every_overlay):
    """The overlay cpu, with the component that keeps models in one volume."""
    return every_overlay["claim"]


@pytest.fixture
def largest(every_overlay):
    """The overlay that has everything."""
    return every_overlay["spot"]
