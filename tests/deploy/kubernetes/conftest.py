import pytest

from tests.deploy.kubernetes import manifests


@pytest.fixture(scope="session")
def every_overlay(tmp_path_factory):
    """What each overlay renders to, by its name."""
    if not manifests.kubectl():
        pytest.skip("kubectl is missing")
    copy = manifests.copied(tmp_path_factory.mktemp("manifests"))
    return {name: manifests.rendered(copy / "overlays" / name) for name in manifests.OVERLAYS}


@pytest.fixture(params=manifests.OVERLAYS)
def overlay(request, every_overlay):
    """What one overlay renders to."""
    return every_overlay[request.param]


@pytest.fixture
def largest(every_overlay):
    """The overlay that has everything."""
    return every_overlay["spot"]
