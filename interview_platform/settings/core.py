"""What the site consists of, its keys, and its languages."""

import os
from pathlib import Path

import environ
from django.conf import global_settings

from interview_platform.settings.environment import env
from interviews.tokens import SHORTEST_KEY

# NumPy multiplies small matrices here: further threads would only spin, for a sixth of a web process's time.
# It reads this when it is first imported, which is after the settings.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

BASE_DIR = Path(__file__).resolve().parent.parent.parent
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env("SECRET_KEY", default="insecure-development-key" if DEBUG else environ.Env.NOTSET)
# They hash and encrypt candidates' links (interviews.tokens). The newest comes first and writes; all read.
TOKEN_KEYS = env.list(
    "TOKEN_KEYS", default=["insecure-development-key-of-links"] if DEBUG else environ.Env.NOTSET
)
env.require(
    "TOKEN_KEYS",
    TOKEN_KEYS
    and min(map(len, TOKEN_KEYS)) >= SHORTEST_KEY
    and SECRET_KEY not in TOKEN_KEYS
    and not any("\n" in key for key in TOKEN_KEYS),
    "name one key or more, separated by commas, the newest first. "
    f"Each has {SHORTEST_KEY} random characters or more and is used for nothing else.",
)
# They sign the audit (accounts.audit.keys), the newest first. Without them a key is derived from SECRET_KEY.
AUDIT_KEYS = env.list("AUDIT_KEYS", default=[])
env.require(
    "AUDIT_KEYS",
    all(len(key) >= SHORTEST_KEY for key in AUDIT_KEYS) and not {SECRET_KEY, *TOKEN_KEYS} & {*AUDIT_KEYS},
    "name one key or more, separated by commas, the newest first. "
    f"Each has {SHORTEST_KEY} random characters or more and is used for nothing else.",
)
AUDIT_MONTHS = env.int("AUDIT_MONTHS", default=24)  # so many whole months are kept beside this one; 0: all
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
env.require_origins("CSRF_TRUSTED_ORIGINS", CSRF_TRUSTED_ORIGINS)
BASE_URL = env("BASE_URL", default="http://127.0.0.1:8000")  # the start of invitation links
env.require_origins("BASE_URL", [BASE_URL])
VAR_DIR = Path(env("VAR_DIR", default=str(BASE_DIR / "var")))  # all files of the demo

ROOT_URLCONF = "interview_platform.urls"
ASGI_APPLICATION = "interview_platform.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"

INSTALLED_APPS = [
    "accounts",
    "voice",
    "interviews",
    "interview_platform",  # its commands
    "unfold.apps.BasicAppConfig",  # before the admin: it replaces its templates
    "interview_platform.web.admin_site.AdminConfig",  # django.contrib.admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_rq",
    "django_prometheus",
    "ninja",  # its templates and scripts, so that /api/docs works without a CDN
    "channels",
    "allauth",
    "allauth.account",  # its tables stay empty; the next two import it
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
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
    "interview_platform.backends.middleware.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",  # tells allauth's functions the request
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
    "interview_platform.web.staff_pages.in_turn",
    "interview_platform.web.staff_language.of_profile",
    "django.contrib.messages.middleware.MessageMiddleware",  # after the language: here messages become text
    "interview_platform.web.bad_values.BadValuesMiddleware",
    "accounts.sign_on.step_up.ConfirmationMiddleware",
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

DRAIN_S = env.float("DRAIN_S", default=8.0)  # time over which a stopping process closes its WebSockets
