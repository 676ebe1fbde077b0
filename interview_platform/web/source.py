"""The source code of this installation, which the licence promises to all who use it (AGPL, section 13).

Every page links to it. An operator who publishes the code elsewhere names that place in `SOURCE_URL`. Else
the files that run here are sent, with all changes; settings and data lie elsewhere and are never among them.
"""

import io
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

ROOT = Path(__file__).resolve().parents[2]
FILES = (
    *("LICENSE", "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile"),
    *("manage.py", "pyproject.toml", "requirements.lock", "docs/configuration.md"),
)
FOLDERS = ("accounts", "interview_platform", "interviews", "voice", "locale", "templates", "deploy/docker")
SUFFIXES = frozenset(
    {
        *(".py", ".html", ".txt", ".js", ".css", ".svg", ".po", ".mo", ".lua", ".toml", ".json", ".csv"),
        *(".lock", ".sh", ".wasm", ".woff2", ".png", ".ttf", ".flac", ""),
    }
)
"""Of what a release consists of. An .env file, for example, is an operator's."""


@require_safe
@cache_control(public=True, max_age=3600)
def source(request: HttpRequest) -> HttpResponse:
    """Send the source code, or redirect to where the operator publishes it."""
    if settings.SOURCE_URL:
        return redirect(settings.SOURCE_URL)
    response = HttpResponse(_archive(), content_type="application/zip")
    response["Content-Disposition"] = 'attachment; filename="interview-platform-source.zip"'
    return response


@cache
def _archive() -> bytes:
    """Return the ZIP, made once in a process: some 2 MB."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in _files():
            archive.writestr(file.relative_to(ROOT).as_posix(), file.read_bytes())
    return content.getvalue()


def _files() -> Iterator[Path]:
    yield from (ROOT / name for name in FILES if (ROOT / name).is_file())
    for folder in FOLDERS:
        found = (ROOT / folder).rglob("*")
        yield from sorted(path for path in found if path.is_file() and _is_source(path))


def _is_source(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    return path.suffix in SUFFIXES and not any(part.startswith((".", "__pycache__")) for part in parts)
