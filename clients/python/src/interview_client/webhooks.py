"""Messages that the platform sends: checked before they are believed. Needs `interview-client[webhooks]`."""

from collections.abc import Mapping
from typing import cast

from standardwebhooks import Webhook, WebhookVerificationError

from interview_client.errors import ClientError
from interview_client.types import Message


class NotGenuine(ClientError):
    """The message was not signed with the secret, or it is old."""


def verify(secret: str, body: bytes | str, headers: Mapping[str, str]) -> Message:
    """Return what a message says. secret: "whsec_…". body: as it came, unparsed. Raises NotGenuine."""
    named = {name.lower(): value for name, value in headers.items()}
    try:
        return cast("Message", Webhook(secret).verify(body, named))
    except WebhookVerificationError as error:
        raise NotGenuine(str(error)) from error
