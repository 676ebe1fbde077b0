"""Amazon Web Services: the account, and Polly for synthesis. Transcribe is in `aws_transcribe`.

Object storage needs boto3 anyway.

Source: Amazon Polly, API reference, "SynthesizeSpeech".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from voice.engines.cloud.account import CloudAccount
from voice.engines.cloud.connection import (
    CONNECT_S,
    malformed,
    misaddressed,
    reading,
    refused,
    timed_out,
    unreachable,
)
from voice.engines.cloud.synthesis import CloudSynthesis, vendor_name
from voice.engines.cloud.websocket import check_websockets
from voice.errors import EngineUnavailable, SynthesisFailed, VoiceError
from voice.types import Voice

_VOICES: Final = """
    Joanna@en-US Matthew@en-US Ruth@en-US Amy@en-GB Arthur@en-GB Vicki@de-DE Daniel@de-DE Lucia@es-ES
    Sergio@es-ES Lea@fr-FR Remi@fr-FR Bianca@it-IT Adriano@it-IT Laura@nl-NL Ola@pl-PL Camila@pt-BR
    Takumi@ja-JP Zhiyu@cmn-CN
"""


class AwsConnection:
    """Keys and clients of AWS; recognition keeps no connection open."""

    def __init__(self, account: CloudAccount) -> None:
        self._account = account
        self._polly: Any = None

    def open(self) -> None:
        self._account.check()
        if not self._account.secret_key:
            raise EngineUnavailable("AWS_SECRET_ACCESS_KEY is not set; set it, or leave 'aws' out.")
        if not self._account.region.replace("-", "").isalnum():
            raise EngineUnavailable("AWS_REGION is not set; set it to a region such as eu-central-1.")
        try:
            import boto3  # noqa: F401
        except ImportError as error:
            raise EngineUnavailable(
                "The package 'boto3' is missing; install 'interview-platform[aws]'."
            ) from error
        check_websockets("aws")

    def close(self) -> None:
        polly, self._polly = self._polly, None
        if polly is not None:
            polly.close()

    @property
    def polly(self) -> Any:
        """A client that threads may share."""
        if self._polly is None:
            import boto3
            from botocore.config import Config

            seconds = self._account.timeout_s
            self._polly = boto3.session.Session().client(
                "polly",
                region_name=self._account.region,
                endpoint_url=self._account.base_url or None,
                aws_access_key_id=self._account.api_key,
                aws_secret_access_key=self._account.secret_key,
                aws_session_token=self._account.session_token or None,
                # The caller of this engine retries, and knows when to stop.
                config=Config(
                    connect_timeout=min(CONNECT_S, seconds),
                    read_timeout=seconds,
                    retries={"total_max_attempts": 1},
                ),
            )
        return self._polly


class AwsSynthesis(CloudSynthesis):
    """Polly, streamed as PCM of 16 000 Hz, its highest rate.

    AWS_TTS_MODEL is its Engine: neural, generative, ...
    """

    name = "aws"
    rate_hz = 16_000
    longest_text = 3000
    default_voices = tuple(_VOICES.split())

    def __init__(self, account: CloudAccount) -> None:
        super().__init__(account, model="neural")

    def _connected(self) -> Any:
        self._aws = AwsConnection(self._account)
        return self._aws

    def _pcm(self, passage: str, voice: Voice, *, speed: float, emotion: str) -> Iterator[bytes]:
        from botocore import exceptions

        try:
            answer = self._aws.polly.synthesize_speech(
                Engine=self.model,
                OutputFormat="pcm",
                SampleRate=str(self.rate_hz),
                Text=passage,
                TextType="text",
                VoiceId=vendor_name(voice),
            )
            with reading(self._account):
                body = answer["AudioStream"]
                if not answer["ContentType"].startswith("audio/"):
                    raise malformed(self._account)
            with body:
                yield from body.iter_chunks(4096)
        except exceptions.ClientError as error:
            raise _refused_by_polly(self._account, error) from None
        except (exceptions.ConnectTimeoutError, exceptions.ReadTimeoutError):
            raise timed_out(self._account) from None
        except (
            exceptions.HTTPClientError,
            exceptions.ConnectionError,
            exceptions.IncompleteReadError,
        ) as error:
            raise unreachable(self._account, type(error).__name__) from None
        except (exceptions.ParamValidationError, ValueError):
            raise misaddressed(self._account) from None
        except exceptions.BotoCoreError:
            raise malformed(self._account) from None


def _refused_by_polly(account: CloudAccount, error: Any) -> VoiceError:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = str(error.response.get("Error", {}).get("Code", ""))
    if "Throttl" in code:
        status = 429
    return refused(account, int(status), SynthesisFailed)
