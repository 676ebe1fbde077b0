"""How people sign in, and for how long (docs/sign-on.md)."""

from pathlib import Path
from urllib.parse import urlsplit

from accounts.sign_on.claims import parse_roles
from interview_platform.settings.core import AUTH_PASSWORD_VALIDATORS
from interview_platform.settings.environment import env

SESSION_ENGINE = "accounts.sign_on.sessions"
# Without a request, and in any case. Source: NIST SP 800-63B-4, section 2.2.3.
SIGNED_IN_IDLE_MINUTES = env.int("SIGNED_IN_IDLE_MINUTES", default=120)
SIGNED_IN_HOURS = env.int("SIGNED_IN_HOURS", default=12)
env.require("SIGNED_IN_IDLE_MINUTES", SIGNED_IN_IDLE_MINUTES >= 5, "write 5 or more.")
env.require("SIGNED_IN_HOURS", SIGNED_IN_HOURS >= 1, "write 1 or more.")
SESSION_COOKIE_AGE = SIGNED_IN_HOURS * 3600
# Keys, roles and exports want a proof of who it is that is not older than this.
CONFIRM_MINUTES = env.int("CONFIRM_MINUTES", default=15)
env.require("CONFIRM_MINUTES", CONFIRM_MINUTES >= 1, "write 1 or more.")

# Everybody who signs in needs a second factor, not only members of organisations that want it.
SECOND_FACTOR_REQUIRED = env.bool("SECOND_FACTOR_REQUIRED", default=False)
MFA_ADAPTER = "interview_platform.backends.second_factor.SecondFactors"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_TOTP_TOLERANCE = 1  # time steps before and after, for clocks that differ
MFA_RECOVERY_CODE_DIGITS = 10
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True  # accounts.sign_on.passkeys compares the whole origin instead

# Passwords that are known from breaches: the file of hashes of haveibeenpwned.com, sorted (docs/sign-on.md).
BREACHED_PASSWORDS_FILE = env("BREACHED_PASSWORDS_FILE", default="")
env.require(
    "BREACHED_PASSWORDS_FILE",
    not BREACHED_PASSWORDS_FILE or Path(BREACHED_PASSWORDS_FILE).is_file(),
    "name a file that can be read.",
)
AUTH_PASSWORD_VALIDATORS += [{"NAME": "accounts.sign_on.passwords.NotBreachedValidator", "OPTIONS": {}}]

# An identity provider, by OpenID Connect. Without an issuer there is none.
OIDC_ISSUER = env("OIDC_ISSUER", default="").rstrip("/")
OIDC_CLIENT_ID = env("OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET = env("OIDC_CLIENT_SECRET", default="")
OIDC_NAME = env("OIDC_NAME", default="single sign-on")
OIDC_SCOPES = env("OIDC_SCOPES", default="openid profile email").split()
OIDC_GROUPS_CLAIM = env("OIDC_GROUPS_CLAIM", default="groups")
OIDC_ROLES = env.parsed(
    "OIDC_ROLES", parse_roles, "pairs as hr-team=acme:recruiter,hr-leads=acme:owner", default=""
)
# The provider asks for a second factor itself; without this its `amr` claim says so, or not.
OIDC_HAS_SECOND_FACTOR = env.bool("OIDC_HAS_SECOND_FACTOR", default=False)
# E-mail addresses of this provider are its people's own, though it sends no `email_verified`.
OIDC_EMAIL_IS_VERIFIED = env.bool("OIDC_EMAIL_IS_VERIFIED", default=False)
_issuer = urlsplit(OIDC_ISSUER)
env.require(
    "OIDC_ISSUER",
    not OIDC_ISSUER
    or (_issuer.scheme == "https" and _issuer.netloc)
    or (_issuer.scheme == "http" and _issuer.hostname in ("127.0.0.1", "localhost")),
    "write the provider's address, as https://login.example.com/realms/main",
)
env.require("OIDC_CLIENT_ID", not OIDC_ISSUER or OIDC_CLIENT_ID, "OIDC_ISSUER needs it.")
env.require("OIDC_CLIENT_SECRET", not OIDC_ISSUER or OIDC_CLIENT_SECRET, "OIDC_ISSUER needs it.")

SOCIALACCOUNT_ADAPTER = "interview_platform.web.identity_provider.Accounts"
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5  # seconds
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "oidc",
                "name": OIDC_NAME,
                "client_id": OIDC_CLIENT_ID,
                "secret": OIDC_CLIENT_SECRET,
                "settings": {"server_url": OIDC_ISSUER, "scope": OIDC_SCOPES},
            }
        ],
    }
}
