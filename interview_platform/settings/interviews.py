"""Interviews, the language model, and other systems that are told."""

import re

from interview_platform.settings.environment import env, networks

# The name of this installation among those of other regions, in every link (docs/regions.md).
REGION = env("REGION", default="")
env.require("REGION", re.fullmatch(r"[a-z0-9-]*", REGION), "write small letters, digits and hyphens.")
# So long a candidate's page keeps an answer that is stored, in case a standby set asks for it again.
AUDIO_KEPT_S = env.int("AUDIO_KEPT_S", default=0)

# Where the source code of this installation is published. Empty: the platform sends it itself, at /source/.
SOURCE_URL = env("SOURCE_URL", default="")
env.require("SOURCE_URL", re.fullmatch(r"(https?://\S+)?", SOURCE_URL), "write an address with https://.")

# An open interview whose candidate was away for this long is closed and its recordings are stored.
SESSION_IDLE_HOURS = env.int("SESSION_IDLE_HOURS", default=24)
ANSWERS_SHOWN_DAYS = env.int(
    "ANSWERS_SHOWN_DAYS", default=14
)  # how long the link of a finished interview does
env.require("SESSION_IDLE_HOURS", SESSION_IDLE_HOURS > 0, "write a number of hours above 0.")
env.require("ANSWERS_SHOWN_DAYS", ANSWERS_SHOWN_DAYS > 0, "write a number of days above 0.")
# New candidates above these limits wait in line; 0 means no limit. An interview under way never waits.
CANDIDATES_AT_ONCE = env.int("CANDIDATES_AT_ONCE", default=2000)  # over all processes
CANDIDATES_PER_PROCESS = env.int("CANDIDATES_PER_PROCESS", default=1000)
KEEP_AUDIO_IN_BROWSER = env.bool("KEEP_AUDIO_IN_BROWSER", default=False)  # for browser tests only

# It asks follow-up questions and drafts evaluations (interviews.brain). Without all three there is none.
LLM_BASE_URL = env("LLM_BASE_URL", default="")  # of an API like OpenAI's, as https://api.openai.com/v1
LLM_MODEL = env("LLM_MODEL", default="")
LLM_NAME = env("LLM_NAME", default="")  # who runs it, as consent texts name them
env.require(
    "LLM_NAME",
    bool(LLM_BASE_URL) == bool(LLM_MODEL) == bool(LLM_NAME),
    "LLM_BASE_URL, LLM_MODEL and LLM_NAME go together: set all three, or none.",
)
LLM_API_KEY = env("LLM_API_KEY", default="")
LLM_TIMEOUT_S = env.float("LLM_TIMEOUT_S", default=3.0)
LLM_DRAFT_TIMEOUT_S = env.float("LLM_DRAFT_TIMEOUT_S", default=50.0)  # where no candidate waits
FOLLOW_UP_WAIT_S = env.float("FOLLOW_UP_WAIT_S", default=3.0)  # from the end of an answer
# Per million tokens, in any currency: what is sent and what comes back.
LLM_PRICES = (env.float("LLM_INPUT_PRICE", default=0.0), env.float("LLM_OUTPUT_PRICE", default=0.0))

# Networks of our own, as 10.1.0.0/16, into which webhooks may be sent too; then http is allowed as well.
WEBHOOK_NETWORKS = networks("WEBHOOK_NETWORKS")
