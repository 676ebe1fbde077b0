"""How mail is sent."""

import environ

from interview_platform.settings.environment import env

EMAIL_URL = env("EMAIL_URL", default="")  # without one no mail is sent, and pages say whom to write to
# By a service: EMAIL_URL=anymail+postmark:// and what django-anymail wants, as ANYMAIL_POSTMARK_SERVER_TOKEN.
# Its events come to /mail/events/ with ANYMAIL_WEBHOOK_SECRET (user:password), and are refused without one.
_mail, _plus, _service = EMAIL_URL.partition(":")[0].partition("+")
MAIL_SERVICE = _service if _mail == "anymail" else ""
ANYMAIL = {"IGNORE_UNSUPPORTED_FEATURES": True, "REQUESTS_TIMEOUT": 20} | {
    name.removeprefix("ANYMAIL_"): env(name)
    for name in env.ENVIRON
    if name.startswith("ANYMAIL_") and not name.endswith("_FILE")
}
if MAIL_SERVICE:
    EMAIL_BACKEND = "interview_platform.backends.mail.MailServiceBackend"
else:
    vars().update(
        env.parsed(
            "EMAIL_URL",
            lambda url: environ.Env.email_url_config(url or "dummymail://"),
            "smtp+tls://user:password@host:587 with / # ? and @ of its password in percent-encoding",
            default="",
        )
    )
EMAIL_TIMEOUT = 20  # seconds without an answer of the mail server
DEFAULT_FROM_EMAIL = env("MAIL_FROM", default="interviews@localhost")
