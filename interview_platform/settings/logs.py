"""What is logged, and how; where traces begin."""

from typing import Any

from interview_platform.settings.environment import env
from voice.engines import defaults as engines

LOG_FORMAT = env("LOG_FORMAT", default="line")  # or "json": an object a line (docs/logs.md)
if LOG_FORMAT not in ("line", "json"):
    env.require("LOG_FORMAT", False, "write line or json.")
    LOG_FORMAT = "line"
# Traces begin at the proxy, which sets `traceparent` in every request, else here (docs/traces.md).
TRACE_OF_PROXY = env.bool("TRACE_OF_PROXY", default=False)
LOGGING_CONFIG = "interview_platform.backends.logs.configure"
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "interview_platform.backends.logs.SecretFreeFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        },
        "json": {"()": "interview_platform.backends.logs.EcsFormatter"},
    },
    "filters": {
        "is_news": {  # /ready is polled often, and its 503 is no error
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: "/ready" not in record.args,
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="INFO")},
    "loggers": {
        "rq": {"level": "WARNING"},
        "daphne": {"level": "WARNING"},
        "opentelemetry": {"level": "ERROR"},  # else a line for each try while the collector is away
        "voice.jobs": {"level": "INFO" if LOG_FORMAT == "json" else "WARNING"},  # a line for each job
        "django.request": {"filters": ["is_news"]},
        # Django gives the first two handlers of their own, which would write secrets.
        "django": {"handlers": [], "level": "INFO"},
        "django.server": {"handlers": [], "propagate": True},
        "push_response": {"level": "WARNING"},  # redis-py too, unless the logger exists
        "django.db.backends": {"level": "INFO"},  # below that it logs what stands in the rows
    }
    | {name: {"level": "WARNING"} for name in engines.LOGGERS},
}
