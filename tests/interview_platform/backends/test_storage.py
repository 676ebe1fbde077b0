import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.base import ContentFile, File

from interview_platform.backends.storage import LastingFileStorage

NAME = "recordings/one/answer.flac"
OLD, NEW = b"old" * 1000, b"new" * 2000


@pytest.fixture
def storage(tmp_path):
    return LastingFileStorage(location=tmp_path)


class Slow(File):
    """Two chunks; `between` is called after the first."""

    def __init__(self, between):
        super().__init__(None, name="slow")
        self.between = between

    def chunks(self, chunk_size=None):
        yield NEW[:1000]
        self.between()
        yield NEW[1000:]


def read(storage):
    with storage.open(NAME) as file:
        return file.read()


def files(storage):
    return sorted(str(path.relative_to(storage.location)) for path in Path(storage.location).rglob("*.*"))


def test_files_and_directories_are_for_their_owner_alone(tmp_path):
    opened = tmp_path / "media"
    opened.mkdir(mode=0o755)  # by an earlier release
    options = settings.STORAGES["default"]["OPTIONS"] | {"location": opened}
    LastingFileStorage(**options).save(NAME, ContentFile(NEW))

    modes = {path.relative_to(tmp_path): path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert {mode for path, mode in modes.items() if not path.suffix} == {0o700}
    assert {mode for path, mode in modes.items() if path.suffix} == {0o600}
    assert len(modes) == 4


def test_who_looks_meanwhile_finds_no_half_file(storage):
    seen = []
    storage.save(NAME, Slow(lambda: seen.append(storage.exists(NAME))))
    assert (seen, read(storage)) == ([False], NEW)
    seen.clear()
    storage.save(NAME, ContentFile(OLD))
    storage.save(NAME, Slow(lambda: seen.append(read(storage))))
    assert (seen, read(storage)) == ([OLD], NEW)


def test_a_file_is_replaced_under_its_own_name(storage):
    for content in (OLD, NEW, b""):
        assert storage.save(NAME, ContentFile(content)) == NAME
        assert read(storage) == content
    assert files(storage) == [NAME]


def test_a_disk_that_is_full_leaves_what_was_there(storage):
    def full():
        raise OSError(28, "No space left on device")

    storage.save(NAME, ContentFile(OLD))
    with pytest.raises(OSError, match="No space left"):
        storage.save(NAME, Slow(full))
    assert read(storage) == OLD
    assert files(storage) == [NAME]


def test_writers_at_the_same_moment_leave_one_whole_file(storage):
    both = threading.Barrier(2, timeout=120)
    threads = [threading.Thread(target=storage.save, args=(NAME, Slow(both.wait))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read(storage) == NEW
    assert files(storage) == [NAME]


def test_a_writer_that_is_killed_leaves_no_file_of_that_name(storage, tmp_path):
    program = (
        "import os, sys, django.conf; django.conf.settings.configure();"
        "from interview_platform.backends.storage import LastingFileStorage;"
        "from tests.interview_platform.backends.test_storage import NAME, Slow;"
        "LastingFileStorage(location=sys.argv[1]).save(NAME, Slow(lambda: os.kill(os.getpid(), 9)))"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False, timeout=240)
    assert killed.returncode == -9
    assert not storage.exists(NAME)
    assert storage.save(NAME, ContentFile(NEW)) == NAME
    assert read(storage) == NEW


def test_the_disk_has_the_bytes_before_the_name_and_the_name_before_save_returns(storage, monkeypatch):
    steps = []
    fsync, replace = os.fsync, Path.replace

    def note_fsync(descriptor):
        steps.append(Path(f"/proc/self/fd/{descriptor}").readlink().relative_to(storage.location))
        fsync(descriptor)

    def note_replace(path, target):
        steps.append("named")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(Path, "replace", note_replace)
    storage.save(NAME, ContentFile(NEW))
    part, *rest = steps
    assert str(part).startswith(NAME)
    assert rest == ["named", Path("recordings/one")]
