"""PostgreSQL, Redis and object storage."""

from pathlib import Path
from typing import Any

import environ

from interview_platform.settings.core import DEBUG, VAR_DIR
from interview_platform.settings.environment import env

POSTGRES = ("postgres://", "postgresql://")


def _database(url: str) -> dict[str, Any]:
    """Return the connection that the address names. Raises ValueError."""
    if not url.startswith(POSTGRES):
        raise ValueError
    return environ.Env.db_url_config(url)


DATABASES = {
    "default": env.parsed(
        "DATABASE_URL",
        _database,
        "postgres://user:password@host:5432/name with / # ? and @ of its password in percent-encoding",
        default="postgres://postgres@127.0.0.1:5432/interviews",
    )
}
# PostgreSQL itself, where DATABASE_URL names a pooler: for `manage.py migrate`.
DATABASE_DIRECT = env.parsed(
    "DATABASE_DIRECT_URL",
    lambda url: _database(url) if url else {},
    "the address of PostgreSQL itself, as DATABASE_URL",
    default="",
)
# Checks connections less often than Django's own backend.
DATABASE_DIRECT.pop("ENGINE", None)
DATABASES["default"]["ENGINE"] = "interview_platform.backends.postgresql"
# Each process keeps at most DATABASE_POOL_SIZE connections, whatever the number of candidates.
DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {
    "min_size": 1,
    "max_size": env.int("DATABASE_POOL_SIZE", default=8),
    "timeout": 10,
}
# If the network silently drops packets, a thread must not wait 15 minutes until TCP gives up.
DATABASES["default"]["OPTIONS"] |= {
    "connect_timeout": 5,
    "tcp_user_timeout": 8000,  # ms without an acknowledgement
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
# A statement of `voice.infra.sql` is prepared when a connection sends it for the third time.
DATABASES["default"]["OPTIONS"]["prepare_threshold"] = env.int("DATABASE_PREPARES_AFTER", default=2) or None
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True  # safe behind a transaction pooler

REDIS_URL = env("REDIS_URL", default="redis://127.0.0.1:6379/0")
CACHES = {
    # Of the admin's theme, which keeps results of its search for some minutes. They are Python objects, so
    # they stay in the process that made them: nothing is unpickled from Redis.
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    # The cache of {% cache %} in each process, for text that depends only on the language.
    "template_fragments": {
        "BACKEND": f"django.core.cache.backends.{'dummy.DummyCache' if DEBUG else 'locmem.LocMemCache'}",
        "LOCATION": "template_fragments",
    },
}
# Publish and subscribe: messages between processes may be lost, and a page that misses one asks for a
# snapshot. docs/adr/0007-channel-layer-by-publish-and-subscribe.md
CHANNEL_LAYERS = {"default": {"BACKEND": "voice.infra.channel_layer.ChannelLayer"}}


def _patience_with_s3() -> object:
    """Return timeouts: a hanging storage blocks a worker for 20 s, not five minutes; the sweeper retries."""
    from botocore.config import Config  # only with object storage

    return Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})


S3_BUCKET = env("S3_BUCKET", default="")
S3_ENDPOINT_URL = env("S3_ENDPOINT_URL", default="")
MEDIA_ROOT = Path(env("MEDIA_ROOT", default=str(VAR_DIR / "media")))
STATIC_URL = "/static/"
STATIC_ROOT = Path(env("STATIC_ROOT", default=str(VAR_DIR / "static")))
STATICFILES_STORAGE = env(
    "STATICFILES_STORAGE", default="whitenoise.storage.CompressedManifestStaticFilesStorage"
)
STORAGES = {
    "default": {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": S3_ENDPOINT_URL or None,
            "access_key": env("S3_ACCESS_KEY_ID", default=None),
            "secret_key": env("S3_SECRET_ACCESS_KEY", default=None),
            "region_name": env("S3_REGION", default=None),
            "client_config": _patience_with_s3(),
            "file_overwrite": True,  # the same name always has the same content
            "default_acl": None,
        },
    }
    if S3_BUCKET
    else {
        "BACKEND": "interview_platform.backends.storage.LastingFileStorage",
        "OPTIONS": {
            "location": MEDIA_ROOT,
            "file_permissions_mode": 0o600,  # recordings are for this user alone
            "directory_permissions_mode": 0o700,
        },
    },
    "staticfiles": {"BACKEND": STATICFILES_STORAGE},
}
SPEECH_URL = env("SPEECH_URL", default="/speech/")  # or the address of a CDN in front of it
