"""Tests marked `proof` run only where `-m` asks for them: `make proof`.

Each is the long form of a test that runs always, with the same assertions at a larger size.
"""

from typing import TypeVar

import pytest

T = TypeVar("T")


def sizes(argument: str, *, short: T, proof: T) -> pytest.MarkDecorator:
    """Run a test at two sizes: always the first, in `make proof` the second."""
    large = pytest.param(proof, id="proof", marks=pytest.mark.proof)
    return pytest.mark.parametrize(argument, [pytest.param(short, id="short"), large])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "proof" in config.option.markexpr:
        return
    put_off = [item for item in items if item.get_closest_marker("proof")]
    if put_off:
        config.hook.pytest_deselected(items=put_off)
        items[:] = [item for item in items if item not in set(put_off)]
