"""Responses with a file. They are sent piece by piece: no file is in memory as a whole."""

from collections.abc import AsyncIterator, Iterator
from typing import IO, Final, TypeVar

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

BLOCK_BYTES: Final = 256 * 1024
Response = TypeVar("Response", bound=HttpResponseBase)


def whole(content: str | bytes, *, name: str, content_type: str) -> HttpResponse:
    """Return a small file."""
    response = HttpResponse(content, content_type=content_type)
    return _described(response, name)


def streamed(
    request: HttpRequest, pieces: Iterator[bytes], *, name: str, content_type: str
) -> StreamingHttpResponse:
    """Return a file whose pieces are made while it is sent.

    Under ASGI Django would collect a plain iterator first, so it is read in the request's thread.
    """
    content = _InThread(pieces) if isinstance(request, ASGIRequest) else pieces
    response = StreamingHttpResponse(content, content_type=content_type)
    return _described(response, name)


class Blocks:
    """An open file from its beginning, in blocks. It is closed at the end, or with the response."""

    def __init__(self, file: IO[bytes]) -> None:
        file.seek(0)
        self._file = file

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if block := self._file.read(BLOCK_BYTES):
            return block
        self.close()
        raise StopIteration

    def close(self) -> None:
        self._file.close()


def _described(response: Response, name: str) -> Response:
    disposition = content_disposition_header(as_attachment=True, filename=name)
    assert disposition is not None, "an attachment has one"
    response["Content-Disposition"] = disposition
    return response


class _InThread:
    """Pieces that are made in the request's thread. The response closes them, read or not."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        piece = await sync_to_async(self._next)()
        if piece is None:
            raise StopAsyncIteration
        return piece

    def _next(self) -> bytes | None:
        return next(self._pieces, None)

    def close(self) -> None:
        if close := getattr(self._pieces, "close", None):
            close()
