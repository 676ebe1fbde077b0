"""What is logged, and how."""

from typing import Any

from interview_platform.settings.environment import env
from voice.engines import defaults as engines

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
