"""An operator's account with a vendor: key, address, models, voices. From `settings.VOICE["CLOUD"]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from voice.errors import EngineUnavailable

VENDORS: Final = ("openai", "groq", "deepgram", "elevenlabs", "aws", "azure", "google")
TEXTS: Final = ("API_KEY", "BASE_URL", "REGION", "STT_MODEL", "TTS_MODEL")
AWS_VARIABLES: Final = {
    "API_KEY": "AWS_ACCESS_KEY_ID",
    "SECRET_KEY": "AWS_SECRET_ACCESS_KEY",
    "SESSION_TOKEN": "AWS_SESSION_TOKEN",
}
"""Under the names that Amazon's own programs read."""


@dataclass(frozen=True, slots=True)
class CloudAccount:
    """One vendor's settings; for empty values the adapter uses its own defaults."""

    vendor: str
    api_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    """The second half of AWS's key; other vendors have none."""
    session_token: str = field(default="", repr=False)
    """Of temporary AWS credentials."""
    base_url: str = ""
    region: str = ""
    stt_model: str = ""
    tts_model: str = ""
    voices: tuple[str, ...] = ()
    """Each "name" or "name@en-US"."""
    timeout_s: float = 30.0

    @classmethod
    def from_settings(cls, vendor: str, values: Mapping[str, Any]) -> CloudAccount:
        """Create from keys such as "API_KEY" and "TTS_MODEL"; unknown ones are ignored."""
        known = {field.name for field in fields(cls)} - {"vendor"}
        found = {key.lower(): value for key, value in values.items() if key.lower() in known}
        texts = {key: value.strip() for key, value in found.items() if isinstance(value, str)}
        voices = tuple(voice.strip() for voice in found.pop("voices", ()) if voice.strip())
        return cls(vendor, **(found | texts), voices=voices)

    @property
    def key_variable(self) -> str:
        """The environment variable that holds the key."""
        return self.variable("api_key")

    def variable(self, key: str) -> str:
        """The environment variable of a field, as "DEEPGRAM_BASE_URL"."""
        return variables(self.vendor).get(key.upper()) or f"{self.vendor}_{key}".upper()

    def check(self) -> None:
        """Check the key.

        Raises:
            EngineUnavailable: no key, or one that no header can carry.
        """
        if not self.api_key:
            raise EngineUnavailable(f"{self.key_variable} is not set; set it, or leave {self.vendor!r} out.")
        if not all(33 <= ord(char) < 127 for char in self.api_key):
            raise EngineUnavailable(
                f"{self.key_variable} holds a space or a sign that is not ASCII; copy it again."
            )


def variables(vendor: str) -> dict[str, str]:
    """The environment variable of each text that an account with the vendor consists of."""
    names = {key: f"{vendor.upper()}_{key}" for key in TEXTS}
    return names | (AWS_VARIABLES if vendor == "aws" else {})


def accounts_of(values: Mapping[str, Mapping[str, Any]]) -> dict[str, CloudAccount]:
    """Return an account for every vendor; those without settings have no key."""
    return {vendor: CloudAccount.from_settings(vendor, values.get(vendor, {})) for vendor in VENDORS}
