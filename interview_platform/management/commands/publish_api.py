"""Writes the description of the API into the repository, where others read it without an installation."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from ninja.responses import NinjaJSONEncoder

from interview_platform.web.api import api

PUBLISHED = Path(settings.BASE_DIR) / "docs" / "openapi.json"


def described() -> dict[str, Any]:
    """Return the description as its readers see it: plain JSON."""
    text = json.dumps(api.get_openapi_schema(), cls=NinjaJSONEncoder)
    return json.loads(text)


class Command(BaseCommand):
    help = "Write docs/openapi.json anew. Do it after each change of the API, and read what the diff says."

    def handle(self, **options: Any) -> None:
        PUBLISHED.write_text(json.dumps(described(), indent=1, ensure_ascii=False, sort_keys=True) + "\n")
        self.stdout.write(f"Written: {PUBLISHED.relative_to(settings.BASE_DIR)}")
