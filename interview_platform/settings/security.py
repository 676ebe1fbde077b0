"""What browsers may do, and who may read the metrics."""

from urllib.parse import SplitResult, urlsplit

from interview_platform.settings.core import BASE_URL
from interview_platform.settings.environment import env, networks
from interview_platform.settings.stores import (
    S3_ADDRESSING_STYLE,
    S3_BUCKET,
    S3_ENDPOINT_URL,
    S3_PUBLIC_URL,
    SPEECH_URL,
)
from interview_platform.web import browser_policy


def _media_origins() -> list[str]:
    """Return the origins besides our own that audio comes from: a CDN, and object storage."""
    addresses = [urlsplit(SPEECH_URL), *([_object_storage()] if S3_BUCKET else [])]
    return [f"{address.scheme}://{address.netloc}" for address in addresses if address.netloc]


def _object_storage() -> SplitResult:
    """Return the address that browsers fetch recordings from."""
    address = urlsplit(S3_PUBLIC_URL or S3_ENDPOINT_URL or "https://*.amazonaws.com")
    has_own_host = S3_ADDRESSING_STYLE == "virtual" and "*" not in address.netloc
    return address._replace(netloc=f"{S3_BUCKET}.{address.netloc}") if has_own_host else address


IS_HTTPS = BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# Without a proxy that we trust, nothing tells which requests came over https: all would be redirected again.
SECURE_SSL_REDIRECT = env.bool("HTTPS_REDIRECT", default=IS_HTTPS and BEHIND_PROXY)
PROBES = ("/health", "/ready", "/metrics")  # asked inside the network: over plain HTTP, under any Host
SECURE_REDIRECT_EXEMPT = [f"^{path[1:]}$" for path in PROBES]
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
env.require_origins("CORS_ALLOWED_ORIGINS", CORS_ALLOWED_ORIGINS)
CORS_URLS_REGEX = r"^/(api|v1)/"
CORS_ALLOW_HEADERS = (
    *("accept", "authorization", "content-type", "x-api-key", "range", "x-request-id"),
    *("idempotency-key", "if-match", "if-none-match"),
)
CORS_EXPOSE_HEADERS = (
    *("ratelimit", "ratelimit-policy", "retry-after", "x-request-id", "etag", "idempotency-replayed"),
    *("deprecation", "sunset", "link"),
    *("x-cached", "x-duration-ms", "x-sentiment", "x-skipped-frames", "x-source", "x-voice"),
)

# /metrics is for those who send this token as Authorization: Bearer, or ask from one of these networks.
METRICS_TOKEN = env("METRICS_TOKEN", default="")
METRICS_NETWORKS = networks("METRICS_NETWORKS")
