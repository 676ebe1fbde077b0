"""Object storage that browsers reach under another address than we do.

The signature of an address covers its host. So those for browsers are signed for the public host, while our
own requests stay inside the network.
"""

from typing import Any

from storages.backends.s3 import S3Storage


class ObjectStorage(S3Storage):
    """django-storages', with a public address. That is only signed for, so it need not answer from here."""

    def __init__(self, *, public_url: str | None = None, **options: Any) -> None:
        """public_url: the address of the endpoint for browsers; None is the same as ours."""
        super().__init__(**options)
        self._public = S3Storage(**{**options, "endpoint_url": public_url}) if public_url else None

    def url(self, name: str, *args: Any, **options: Any) -> str:
        """Return an address for a browser."""
        signed: str = (
            self._public.url(name, *args, **options) if self._public else super().url(name, *args, **options)
        )
        return signed
