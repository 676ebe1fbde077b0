"""Serve parts of a file over HTTP: a player that jumps to a word requests the bytes from there.

Source: RFC 9110, section 14. One range is served; for several ranges the whole file, which the RFC allows.
"""

import re
from typing import Final

from django.core.files import File
from django.http import HttpRequest, HttpResponse

MAX_DIGITS: Final = 18
_ONE_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")


class UnsatisfiableError(ValueError):
    """The range lies outside the file."""


def parse(header: str, size_bytes: int) -> tuple[int, int] | None:
    """Return the bytes [start, end) that a Range header requests; None for the whole file.

    Raises UnsatisfiableError.
    """
    match = _ONE_RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(size_bytes - _number(last), 0), size_bytes
    else:
        start, end = _number(first), min(_number(last) + 1, size_bytes) if last else size_bytes
    if start >= size_bytes or end <= start:
        raise UnsatisfiableError(header)
    return start, end


def _number(digits: str) -> int:
    """Return the number, at most one that no file reaches: Python itself reads 4300 digits at most."""
    return int(digits) if len(digits) <= MAX_DIGITS else 10**MAX_DIGITS


def response(request: HttpRequest, file: File, *, content_type: str) -> HttpResponse:
    """Return the file or the requested part of it, and close it."""
    with file:
        size = file.size
        try:
            part = parse(request.headers.get("Range", ""), size)
        except UnsatisfiableError:
            return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
        start, end = part or (0, size)
        file.seek(start)
        answer = HttpResponse(file.read(end - start), content_type=content_type, status=206 if part else 200)
    answer["Accept-Ranges"] = "bytes"
    if part:
        answer["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return answer
