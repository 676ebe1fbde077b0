"""PostgreSQL, Redis and object storage."""

import re
from pathlib import Path
from typing import Any

import environ
from redis.connection import parse_url

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
DATABASE_ROLE = DATABASES["default"].get("USER", "")  # of the application, also while `migrate` is the owner
# PostgreSQL itself, past a pooler, by the role that owns the tables: for `manage.py migrate`.
DATABASE_DIRECT = env.parsed(
    "DATABASE_DIRECT_URL",
    lambda url: _database(url) if url else {},
    "the address of PostgreSQL itself, as DATABASE_URL",
    default="",
)
DATABASE_DIRECT.pop("ENGINE", None)
# Checks connections less often than Django's own backend.
DATABASES["default"]["ENGINE"] = "interview_platform.backends.postgresql"
# Each process keeps at most so many connections, whatever the number of candidates. 0: what its kind needs,
# in a worker one for each slot and some more (voice.infra.connection_pool.fit).
DATABASE_POOL_SIZE = env.int("DATABASE_POOL_SIZE", default=0)
DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {
    "min_size": 1,
    "max_size": DATABASE_POOL_SIZE or 8,
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


def _redis(url: str) -> str:
    """Return the address. Raises ValueError where redis-py cannot read it."""
    parse_url(url)
    return url


def _sentinels(places: str) -> list[tuple[str, int]]:
    """Return host and port of each sentinel. Raises ValueError."""
    named = [place.strip().rpartition(":") for place in places.split(",") if place.strip()]
    return [(host, int(port)) for host, _colon, port in named]


REDIS_URL = env.parsed(
    "REDIS_URL",
    _redis,
    "redis://:password@host:6379/0 or rediss:// with / # ? and @ of its password in percent-encoding",
    default="redis://127.0.0.1:6379/0",
)
# Where they watch several Redis, the host of REDIS_URL is the name that they give the master.
REDIS_SENTINELS = env.parsed(
    "REDIS_SENTINELS", _sentinels, "addresses, separated by commas, as s1:26379,s2:26379", default=""
)
REDIS_SENTINEL_PASSWORD = env("REDIS_SENTINEL_PASSWORD", default="")
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


S3_BUCKET = env("S3_BUCKET", default="")
S3_ENDPOINT_URL = env("S3_ENDPOINT_URL", default="")
S3_PUBLIC_URL = env("S3_PUBLIC_URL", default="")  # the same storage, as browsers reach it
S3_ADDRESSING_STYLE = env("S3_ADDRESSING_STYLE", default="auto")
S3_ENCRYPTION = env("S3_ENCRYPTION", default="")
S3_KMS_KEY_ID = env("S3_KMS_KEY_ID", default="")
env.require(
    "S3_ADDRESSING_STYLE",
    S3_ADDRESSING_STYLE in ("auto", "path", "virtual"),
    "write path for https://host/bucket/name, virtual for https://bucket.host/name, or auto.",
)
env.require(
    "S3_ENCRYPTION",
    re.fullmatch("|AES256|aws:kms", S3_ENCRYPTION)
    and not (S3_KMS_KEY_ID and S3_ENCRYPTION in ("", "AES256")),
    "write AES256 or aws:kms, or leave it empty; S3_KMS_KEY_ID needs aws:kms.",
)


# Data keys of the encryption at rest: a bucket or a directory that is in no backup of the others.
KEYS_BUCKET = env("KEYS_BUCKET", default="")
KEYS_ROOT = Path(env("KEYS_ROOT", default=str(VAR_DIR / "keys")))
env.require("KEYS_BUCKET", not KEYS_BUCKET or KEYS_BUCKET != S3_BUCKET, "name another bucket than S3_BUCKET.")


def _object_storage() -> dict[str, Any]:
    """Return the options of the storage: a hanging one blocks a worker for 20 s, not five minutes."""
    from botocore.config import Config  # only with object storage

    encryption = {"ServerSideEncryption": S3_ENCRYPTION, "SSEKMSKeyId": S3_KMS_KEY_ID}
    return {
        "bucket_name": S3_BUCKET,
        "endpoint_url": S3_ENDPOINT_URL or None,
        "public_url": S3_PUBLIC_URL or None,
        "access_key": env("S3_ACCESS_KEY_ID", default=None),
        "secret_key": env("S3_SECRET_ACCESS_KEY", default=None),
        "region_name": env("S3_REGION", default=None),
        "verify": env("S3_CA_BUNDLE", default=None),  # a file; None: the authorities that Python trusts
        "object_parameters": {name: value for name, value in encryption.items() if value},
        "client_config": Config(
            connect_timeout=5,
            read_timeout=10,
            retries={"mode": "standard", "total_max_attempts": 2},
            signature_version="s3v4",  # the only one for objects under a key of KMS
            s3={"addressing_style": S3_ADDRESSING_STYLE},
        ),
        "file_overwrite": True,  # the same name always has the same content
        "default_acl": None,
    }


def _keys_storage() -> dict[str, Any]:
    """Return the options of the store of data keys: those of recordings, unless it has its own."""
    options = _object_storage()
    own = {
        "bucket_name": KEYS_BUCKET,
        "endpoint_url": env("KEYS_ENDPOINT_URL", default=options["endpoint_url"]),
        "access_key": env("KEYS_ACCESS_KEY_ID", default=options["access_key"]),
        "secret_key": env("KEYS_SECRET_ACCESS_KEY", default=options["secret_key"]),
        "public_url": None,
    }
    return options | own


def _in_bucket(options: dict[str, Any]) -> dict[str, Any]:
    return {"BACKEND": "interview_platform.backends.object_storage.ObjectStorage", "OPTIONS": options}


def _in_directory(location: Path) -> dict[str, Any]:
    """Return the storage of a directory that is for this user alone."""
    options = {"location": location, "file_permissions_mode": 0o600, "directory_permissions_mode": 0o700}
    return {"BACKEND": "interview_platform.backends.storage.LastingFileStorage", "OPTIONS": options}


MEDIA_ROOT = Path(env("MEDIA_ROOT", default=str(VAR_DIR / "media")))
STATIC_URL = "/static/"
STATIC_ROOT = Path(env("STATIC_ROOT", default=str(VAR_DIR / "static")))
STATICFILES_STORAGE = env(
    "STATICFILES_STORAGE", default="whitenoise.storage.CompressedManifestStaticFilesStorage"
)
STORAGES = {
    "default": _in_bucket(_object_storage()) if S3_BUCKET else _in_directory(MEDIA_ROOT),
    "data_keys": _in_bucket(_keys_storage()) if KEYS_BUCKET else _in_directory(KEYS_ROOT),
    "staticfiles": {"BACKEND": STATICFILES_STORAGE},
}
env.require(
    "KEYS_ROOT",
    not KEYS_ROOT.resolve().is_relative_to(MEDIA_ROOT.resolve()),
    "name a directory outside of MEDIA_ROOT.",
)
SPEECH_URL = env("SPEECH_URL", default="/speech/")  # or the address of a CDN in front of it
