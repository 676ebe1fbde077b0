"""Every setting of the platform, read from the environment.

The names, their meaning and their defaults are listed in docs/configuration.md.
"""

import os
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.conf import global_settings
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

from interview_platform.web import browser_policy
from interviews.tokens import SHORTEST_KEY
from voice import defaults as speech
from voice.engines import defaults as engines
from voice.engines.cloud import account

# NumPy multiplies small matrices here: further threads would only spin, for a sixth of a web process's time.
# It reads this when it is first imported, which is after the settings.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()


def _of_environment(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return each setting as the environment has it under its own name, else its default."""
    readers = {bool: env.bool, int: env.int, float: env.float, str: env.str, list: env.list}
    return {name: readers[type(value)](prefix + name, default=value) for name, value in settings.items()}


# --- Core -----------------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env("SECRET_KEY", default="insecure-development-key" if DEBUG else environ.Env.NOTSET)
# They hash and encrypt candidates' links (interviews.tokens). The newest comes first and writes; all read.
TOKEN_KEYS = env.list(
    "TOKEN_KEYS", default=["insecure-development-key-of-links"] if DEBUG else environ.Env.NOTSET
)
if not TOKEN_KEYS or min(map(len, TOKEN_KEYS)) < SHORTEST_KEY or SECRET_KEY in TOKEN_KEYS:
    raise ImproperlyConfigured(
        "TOKEN_KEYS: name one key or more, separated by commas, the newest first. "
        f"Each has {SHORTEST_KEY} random characters or more and is used for nothing else."
    )
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
BASE_URL = env("BASE_URL", default="http://127.0.0.1:8000")  # the start of invitation links
VAR_DIR = Path(env("VAR_DIR", default=str(BASE_DIR / "var")))  # all files of the demo

ROOT_URLCONF = "interview_platform.urls"
ASGI_APPLICATION = "interview_platform.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"

INSTALLED_APPS = [
    "accounts",
    "voice",
    "interviews",
    "unfold",  # before django.contrib.admin: it replaces the admin's templates
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_rq",
    "django_prometheus",
    "ninja",  # its templates and scripts, so that /api/docs works without a CDN
    "channels",
    "csp",
    "corsheaders",
]

# The web process runs its own versions of most (interview_platform.backends.middleware.INLINE).
MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "corsheaders.middleware.CorsMiddleware",  # before all that could answer a preflight
    "django.middleware.security.SecurityMiddleware",
    "interview_platform.backends.middleware.NoStoreMiddleware",
    "csp.middleware.CSPMiddleware",
    "interview_platform.web.browser_policy.by_address",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
    "interview_platform.web.staff_pages.in_turn",
    "interview_platform.web.staff_language.of_profile",
    "django.contrib.messages.middleware.MessageMiddleware",  # after the language: here messages become text
    "interview_platform.web.bad_values.BadValuesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Makes the same hashes as Django's first one, which checks the others' hashes as well.
PASSWORD_HASHERS = [
    "interview_platform.backends.hashers.PatientPBKDF2PasswordHasher",
    *global_settings.PASSWORD_HASHERS[1:],
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in {
        "UserAttributeSimilarityValidator": {},
        "MinimumLengthValidator": {"min_length": 12},
        "CommonPasswordValidator": {},
        "NumericPasswordValidator": {},
    }.items()
]

LANGUAGE_CODE = "en"
LANGUAGES = [  # of the pages, by their own names; interviews are held in more (interviews.texts.languages)
    ("en", "English"),
    ("de", "Deutsch"),
    ("es", "Español"),
    ("fr", "Français"),
]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# --- Web processes --------------------------------------------------------------------------------
DRAIN_S = env.float("DRAIN_S", default=8.0)  # time over which a stopping process closes its WebSockets


# --- Stores ---------------------------------------------------------------------------------------
def _database() -> dict[str, Any]:
    """Return the connection that DATABASE_URL names. Its own errors would quote the password."""
    try:
        return env.db("DATABASE_URL", default="postgres://postgres@127.0.0.1:5432/interviews")
    except ValueError:
        message = "DATABASE_URL cannot be read: write / # ? and @ of its password in percent-encoding."
        raise ImproperlyConfigured(message) from None


DATABASES = {"default": _database()}
# Checks connections less often than Django's own backend.
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


def _media_origins() -> list[str]:
    """Return the origins besides our own that audio comes from: a CDN, and object storage."""
    storage = S3_ENDPOINT_URL or "https://*.amazonaws.com"
    addresses = [urlsplit(url) for url in (SPEECH_URL, storage if S3_BUCKET else "")]
    return [f"{address.scheme}://{address.netloc}" for address in addresses if address.netloc]


# --- Queues ---------------------------------------------------------------------------------------
QUEUE_NAMES = (*speech.QUEUE_NAMES, "brain", "brain-later")
RQ_QUEUES = speech.queues(REDIS_URL, QUEUE_NAMES)
JOBS = (  # workers run nothing else
    *speech.JOBS,
    "interview_platform.web.owners.erase_of_deleted",
    "interviews.jobs.complete_erasure",
    "interviews.jobs.count_groups",
    "interviews.jobs.ask_language_model",
    "interviews.jobs.draft_evaluation",
    "interviews.jobs.draft_interview",
    "interviews.jobs.erase_overdue",
    "interviews.jobs.expire",
    "interviews.jobs.invite_batch",
    "interviews.jobs.repair_search",
    "interviews.jobs.send_confirmation",
    "interviews.jobs.send_link",
    "interviews.jobs.send_message",
    "interviews.jobs.sweep_drafts",
    "interviews.jobs.sweep_erasures",
)
# A job may only start once the rows it reads are committed. A queue is a hint: the sweeper
# (voice.workers.sweeper.sweep) queues again whatever a lost queue forgot.
RQ = {"COMMIT_MODE": "on_db_commit"}
RQ_SHOW_ADMIN_LINK = False  # its own pages are open to all staff; urls.py limits them to superusers


# --- Speech ---------------------------------------------------------------------------------------
MODELS_DIR = Path(env("MODELS_DIR", default=str(VAR_DIR / "models")))
VOICE = _of_environment(engines.SETTINGS) | _of_environment(speech.SERVICE, "VOICE_")
VOICE |= {
    "MODELS_DIR": MODELS_DIR,
    **{name: Path(env(name, default=str(MODELS_DIR / folder))) for name, folder in engines.FOLDERS.items()},
    "IS_PUBLIC": env.bool("VOICE_PUBLIC", default=False),
    "BASE_URL": BASE_URL,
    "HAS_SIGNED_URLS": bool(S3_BUCKET),
}
# Vendors are used only if STT_ENGINES or TTS_ENGINES names them and their key is set.
VOICE["CLOUD"] = {
    vendor: {key: env(name, default="") for key, name in account.variables(vendor).items()}
    | {
        "VOICES": env.list(f"{vendor.upper()}_VOICES", default=[]),
        "TIMEOUT_S": env.float("CLOUD_TIMEOUT_S", default=30.0),
    }
    for vendor in account.VENDORS
}
_apart = _of_environment(speech.APART)
WORKER_HOST: str = _apart["WORKER_HOST"]
WORKER_PORT: int = _apart["WORKER_PORT"]
POOL: str = _apart["POOL"]
SPILL_AFTER_S: float = _apart["SPILL_AFTER_S"]
PARTIAL_QUEUE_LIMIT: int = _apart["PARTIAL_QUEUE_LIMIT"]
JOB_DEADLINE_S: int = _apart["JOB_DEADLINE_S"]
SPEECH_CACHE_MB: float = _apart["SPEECH_CACHE_MB"]
SPEECH_CACHE_TTL_S: float = _apart["SPEECH_CACHE_TTL_S"]
RECORDING_URL_SECONDS: int = _apart["RECORDING_URL_SECONDS"]
RETRY_TRIES: int = _apart["RETRY_TRIES"]
RETRY_FIRST_S: float = _apart["RETRY_FIRST_S"]
RETRY_LONGEST_S: float = _apart["RETRY_LONGEST_S"]
BREAKER_FAILURES: int = _apart["BREAKER_FAILURES"]
BREAKER_OPEN_S: float = _apart["BREAKER_OPEN_S"]
BREAKER_SUCCESSES: int = _apart["BREAKER_SUCCESSES"]

# --- Interviews -----------------------------------------------------------------------------------
# An open interview whose candidate was away for this long is closed and its recordings are stored.
SESSION_IDLE_HOURS = env.int("SESSION_IDLE_HOURS", default=24)
ANSWERS_SHOWN_DAYS = env.int(
    "ANSWERS_SHOWN_DAYS", default=14
)  # how long the link of a finished interview does
# New candidates above these limits wait in line; 0 means no limit. An interview under way never waits.
CANDIDATES_AT_ONCE = env.int("CANDIDATES_AT_ONCE", default=2000)  # over all processes
CANDIDATES_PER_PROCESS = env.int("CANDIDATES_PER_PROCESS", default=1000)
KEEP_AUDIO_IN_BROWSER = env.bool("KEEP_AUDIO_IN_BROWSER", default=False)  # for browser tests only

# --- Language model -------------------------------------------------------------------------------
# It asks follow-up questions and drafts evaluations (interviews.brain). Without all three there is none.
LLM_BASE_URL = env("LLM_BASE_URL", default="")  # of an API like OpenAI's, as https://api.openai.com/v1
LLM_MODEL = env("LLM_MODEL", default="")
LLM_NAME = env("LLM_NAME", default="")  # who runs it, as consent texts name them
LLM_API_KEY = env("LLM_API_KEY", default="")
LLM_TIMEOUT_S = env.float("LLM_TIMEOUT_S", default=3.0)
LLM_DRAFT_TIMEOUT_S = env.float("LLM_DRAFT_TIMEOUT_S", default=50.0)  # where no candidate waits
FOLLOW_UP_WAIT_S = env.float("FOLLOW_UP_WAIT_S", default=3.0)  # from the end of an answer
# Per million tokens, in any currency: what is sent and what comes back.
LLM_PRICES = (env.float("LLM_INPUT_PRICE", default=0.0), env.float("LLM_OUTPUT_PRICE", default=0.0))

# --- Mail -----------------------------------------------------------------------------------------
EMAIL_URL = env("EMAIL_URL", default="")  # without one no mail is sent, and pages say whom to write to
# By a service: EMAIL_URL=anymail+postmark:// and what django-anymail wants, as ANYMAIL_POSTMARK_SERVER_TOKEN.
# Its events come to /mail/events/ with ANYMAIL_WEBHOOK_SECRET (user:password), and are refused without one.
_mail, _plus, _service = EMAIL_URL.partition(":")[0].partition("+")
MAIL_SERVICE = _service if _mail == "anymail" else ""
ANYMAIL = {"IGNORE_UNSUPPORTED_FEATURES": True, "REQUESTS_TIMEOUT": 20} | {
    name.removeprefix("ANYMAIL_"): value for name, value in os.environ.items() if name.startswith("ANYMAIL_")
}
if MAIL_SERVICE:
    EMAIL_BACKEND = "interview_platform.backends.mail.MailServiceBackend"
else:
    vars().update(env.email_url_config(EMAIL_URL or "dummymail://"))
EMAIL_TIMEOUT = 20  # seconds without an answer of the mail server
DEFAULT_FROM_EMAIL = env("MAIL_FROM", default="interviews@localhost")

# --- Security -------------------------------------------------------------------------------------
IS_HTTPS = BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# Without a proxy that we trust, nothing tells which requests came over https: all would be redirected again.
SECURE_SSL_REDIRECT = env.bool("HTTPS_REDIRECT", default=IS_HTTPS and BEHIND_PROXY)
SECURE_REDIRECT_EXEMPT = [r"^(health|ready|metrics)$"]  # asked inside the network, over plain HTTP
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=365 * 24 * 3600 if IS_HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_SUBDOMAINS", default=True)
SILENCED_SYSTEM_CHECKS = ["security.W021"]  # HSTS preload concerns a whole domain: its owner decides
SECURE_REFERRER_POLICY = "same-origin"  # a candidate's link must not appear in a Referer header
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": browser_policy.strict(
        connect=[BASE_URL.replace("http", "ws", 1)],  # older browsers do not count WebSockets to 'self'
        media=_media_origins(),
    )
}
# Pages of these origins may call the APIs with a key of theirs; cookies are never sent along.
CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_URLS_REGEX = r"^/(api|v1)/"
CORS_ALLOW_HEADERS = ("accept", "authorization", "content-type", "x-api-key", "range")
CORS_EXPOSE_HEADERS = (
    *("ratelimit", "ratelimit-policy", "retry-after"),
    *("x-cached", "x-duration-ms", "x-sentiment", "x-skipped-frames", "x-source", "x-voice"),
)

# --- Metrics --------------------------------------------------------------------------------------
# /metrics is for those who send this token as Authorization: Bearer, or ask from one of these networks.
METRICS_TOKEN = env("METRICS_TOKEN", default="")
METRICS_NETWORKS = [ip_network(network) for network in env.list("METRICS_NETWORKS", default=[])]

# --- Logs -----------------------------------------------------------------------------------------
LOGGING_CONFIG = "interview_platform.backends.logs.configure"
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "interview_platform.backends.logs.SecretFreeFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "filters": {
        "is_news": {  # /ready is polled often, and its 503 is no error
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: "/ready" not in record.args,
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="INFO")},
    "loggers": {
        "rq": {"level": "WARNING"},
        "daphne": {"level": "WARNING"},
        "django.request": {"filters": ["is_news"]},
        # Django gives the first two handlers of their own, which would write secrets.
        "django": {"handlers": [], "level": "INFO"},
        "django.server": {"handlers": [], "propagate": True},
        "push_response": {"level": "WARNING"},  # redis-py too, unless the logger exists
        "django.db.backends": {"level": "INFO"},  # below that it logs what stands in the rows
    }
    | {name: {"level": "WARNING"} for name in engines.LOGGERS},
}

# --- Admin ----------------------------------------------------------------------------------------
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
UNFOLD = {
    "SITE_TITLE": _("Interviews"),
    "SITE_HEADER": _("Interview platform"),
    "SITE_SYMBOL": "graphic_eq",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("interviews/icon.svg")}
    ],
    "SHOW_VIEW_ON_SITE": False,
    # The accent colour of the candidate's pages. 600 is readable on white, 500 on the dark background.
    "COLORS": {
        "primary": {
            "50": "oklch(97.5% .012 182)",
            "100": "oklch(94% .026 182)",
            "200": "oklch(88% .045 182)",
            "300": "oklch(81% .065 182)",
            "400": "oklch(74% .08 182)",
            "500": "oklch(70% .085 182)",
            "600": "oklch(46.6% .076 182)",
            "700": "oklch(41% .068 182)",
            "800": "oklch(35% .057 182)",
            "900": "oklch(30% .048 182)",
            "950": "oklch(22% .035 182)",
        }
    },
    "STYLES": [lambda request: static("admin/interviews/admin.css")],
    "SCRIPTS": [
        lambda request: static("admin/interviews/copy.js"),
        lambda request: static("admin/interviews/theme.js"),
    ],
    "SIDEBAR": {"navigation": "interview_platform.web.admin_menu.navigation"},
    "ACCOUNT": {"navigation": "interview_platform.web.admin_menu.own_pages"},
    "DASHBOARD_CALLBACK": "interview_platform.web.front_page.front_page",
}
