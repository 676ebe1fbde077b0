"""Object storage beyond Django's interface: all that lies below a name, also what was never completed.

A writer that is killed leaves a `.part` file on a file system, and in S3 the parts of an upload, which no
listing of the bucket shows.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from django.core.files import File
from django.core.files.storage import Storage, default_storage


class Upload(NamedTuple):
    """An upload to S3 that was begun and never completed."""

    name: str
    id: str


def delete(prefix: str) -> None:
    """Delete every file and every incomplete upload whose name begins with `prefix`, which has a slash."""
    for name in names(prefix):
        default_storage.delete(name)
    for upload in incomplete_uploads(prefix):
        _client().abort_multipart_upload(Bucket=_bucket().name, Key=upload.name, UploadId=upload.id)
    if prefix.endswith("/") and _bucket() is None:
        default_storage.delete(prefix.rstrip("/"))  # the empty directory


def names(prefix: str) -> list[str]:
    """Return the names of the files that begin with `prefix`, which has a slash."""
    if (bucket := _bucket()) is not None:
        return [file.key for file in bucket.objects.filter(Prefix=prefix)]
    directory, _, beginning = prefix.rpartition("/")
    with suppress(FileNotFoundError, NotADirectoryError):
        files = default_storage.listdir(directory)[1]
        return [f"{directory}/{file}" for file in files if file.startswith(beginning)]
    return []


def blocks(name: str, size: int) -> Iterator[bytes]:
    """Open a file now, and return its content in blocks of at most `size` bytes.

    django-storages would copy a whole file of S3 first. Raises FileNotFoundError, before the first block.
    """
    if (bucket := _bucket()) is None:
        return _blocks_of(default_storage.open(name), size)
    try:
        body = bucket.Object(name).get()["Body"]
    except _client().exceptions.NoSuchKey as error:
        raise FileNotFoundError(name) from error
    return body.iter_chunks(size)


def _blocks_of(file: File, size: int) -> Iterator[bytes]:
    with file:
        while block := file.read(size):
            yield block


def size(name: str) -> int:
    """Return the length of a file in bytes. Raises FileNotFoundError."""
    return default_storage.size(name)


def part(name: str, start: int, end: int) -> bytes:
    """Return the bytes [start, end) of a file; of S3 only these are fetched. Raises FileNotFoundError."""
    if end <= start:
        return b""
    if (bucket := _bucket()) is None:
        with default_storage.open(name) as file:
            file.seek(start)
            return file.read(end - start)
    try:
        found: bytes = bucket.Object(name).get(Range=f"bytes={start}-{end - 1}")["Body"].read()
    except _client().exceptions.NoSuchKey as error:
        raise FileNotFoundError(name) from error
    return found


def is_there(name: str, storage: Storage) -> bool:
    """Whether a storage holds a file, or an older version of it."""
    bucket = _bucket(storage)
    if bucket is None or not bucket.Versioning().status:
        return storage.exists(name)
    return any(version.object_key == name for version in bucket.object_versions.filter(Prefix=name))


def delete_versions(name: str, storage: Storage) -> None:
    """Delete a file with all its versions. Nothing happens if there is none."""
    bucket = _bucket(storage)
    if bucket is None or not bucket.Versioning().status:
        storage.delete(name)
        return
    for version in bucket.object_versions.filter(Prefix=name):
        if version.object_key == name:
            version.delete()


def incomplete_uploads(prefix: str = "") -> list[Upload]:
    """Return the uploads to S3 that were begun and never completed; a file system has none."""
    if (bucket := _bucket()) is None:
        return []
    pages = _client().get_paginator("list_multipart_uploads").paginate(Bucket=bucket.name, Prefix=prefix)
    return [Upload(each["Key"], each["UploadId"]) for page in pages for each in page.get("Uploads", ())]


def all_names(storage: Storage = default_storage) -> Iterator[str]:
    """Yield the name of every file, and of every version where the bucket keeps versions."""
    bucket = _bucket(storage)
    if bucket is None:
        yield from _below("", storage)
    elif bucket.Versioning().status:
        yield from {
            version.object_key for version in bucket.object_versions.all() if version.size is not None
        }
    else:
        yield from (file.key for file in bucket.objects.all())


def _below(directory: str, storage: Storage) -> Iterator[str]:
    with suppress(FileNotFoundError):
        folders, files = storage.listdir(directory)
        beginning = f"{directory}/" if directory else ""
        yield from (f"{beginning}{file}" for file in files)
        for folder in folders:
            yield from _below(f"{beginning}{folder}", storage)


def _bucket(storage: Storage = default_storage) -> Any:
    """Return the bucket of django-storages; None for storage that is no bucket."""
    return getattr(storage, "bucket", None)


def _client() -> Any:
    return _bucket().meta.client
