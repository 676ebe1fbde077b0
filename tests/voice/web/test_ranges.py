import pytest
from django.core.files.base import ContentFile
from django.test import RequestFactory

from voice.web import ranges


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("", None),
        ("bytes=0-", (0, 10)),
        ("bytes=3-5", (3, 6)),
        ("bytes=3-99", (3, 10)),
        ("bytes=-4", (6, 10)),
        ("bytes=-99", (0, 10)),
        pytest.param(f"bytes=-{'9' * 5000}", (0, 10), id="long"),
        pytest.param(f"bytes=3-{'9' * 5000}", (3, 10), id="long end"),
        ("bytes=0-1,4-5", None),
        ("bytes=-", None),
        ("seconds=1-2", None),
    ],
)
def test_parse_gives_the_bytes_asked_for(header, part):
    assert ranges.parse(header, 10) == part


@pytest.mark.parametrize(
    "header",
    ["bytes=10-", "bytes=11-12", "bytes=5-3", "bytes=-0", "bytes=" + "9" * 5000 + "-"],
    ids=str.__len__,
)
def test_parse_outside_the_file_is_refused(header):
    with pytest.raises(ranges.UnsatisfiableError):
        ranges.parse(header, 10)


def answer(header=None):
    request = RequestFactory().get("/", headers={"Range": header} if header else {})
    return ranges.response(request, ContentFile(b"0123456789"), content_type="audio/flac")


def test_response_without_range_is_the_file():
    response = answer()
    assert (response.status_code, response.content) == (200, b"0123456789")
    assert response["Accept-Ranges"] == "bytes"


def test_response_to_a_range_is_that_part():
    response = answer("bytes=2-4")
    assert (response.status_code, response.content) == (206, b"234")
    assert response["Content-Range"] == "bytes 2-4/10"


def test_response_outside_says_the_size():
    response = answer("bytes=20-")
    assert (response.status_code, response["Content-Range"]) == (416, "bytes */10")
