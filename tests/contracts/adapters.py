"""Every adapter of both directions, ready for the contract tests: the fake, the local ones, the vendors'.

A vendor's adapter uses its stand-in in `tests/vendors`; a local one loads its smallest model. Adapters whose
package is not installed are skipped by name.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests import real_models
from tests.fakes import FakeRecognition, FakeSynthesis
from tests.standins import build_onnx_kokoro
from tests.vendors import aws, azure, deepgram, elevenlabs, google, groq, openai
from tests.vendors.server import KEY, Moods
from voice.engines.cloud.account import CloudAccount
from voice.engines.cloud.vendors.aws import AwsSynthesis
from voice.engines.cloud.vendors.aws_transcribe import AwsRecognition
from voice.engines.cloud.vendors.azure import AzureRecognition, AzureSynthesis
from voice.engines.cloud.vendors.deepgram import DeepgramRecognition, DeepgramSynthesis
from voice.engines.cloud.vendors.elevenlabs import ElevenLabsRecognition, ElevenLabsSynthesis
from voice.engines.cloud.vendors.google import GoogleRecognition, GoogleSynthesis
from voice.engines.cloud.vendors.groq import GroqRecognition, GroqSynthesis
from voice.engines.cloud.vendors.openai_compatible import OpenAIRecognition, OpenAISynthesis
from voice.engines.stt.faster_whisper import FasterWhisper
from voice.engines.stt.pocketsphinx import PocketSphinx
from voice.engines.tts.espeak import Espeak
from voice.engines.tts.kokoro import Kokoro
from voice.engines.tts.piper import Piper
from voice.errors import EngineUnavailable

PATIENCE_S = 120


@dataclass
class Adapter:
    """A loaded engine, and hooks for its tests."""

    name: str
    engine: Any
    vendor: Moods | None = None
    account: CloudAccount | None = None
    make: Callable[[CloudAccount], Any] | None = None
    """Makes another engine of the vendor, with another account."""

    @contextlib.contextmanager
    def with_account(self, **changes: Any) -> Iterator[Any]:
        """Return an engine whose account has these changes."""
        engine = self.make(replace(self.account, **changes))
        try:
            yield engine
        finally:
            engine.close()


@dataclass(frozen=True)
class Vendor:
    server: type[Moods]
    make: Callable[[CloudAccount], Any]
    path: str = ""


RECOGNITION_VENDORS = {
    "openai": Vendor(openai.OpenAIVendor, OpenAIRecognition),
    "groq": Vendor(groq.GroqVendor, GroqRecognition, "/openai/v1"),
    "deepgram": Vendor(deepgram.DeepgramVendor, DeepgramRecognition),
    "elevenlabs": Vendor(elevenlabs.ElevenLabsVendor, ElevenLabsRecognition),
    # Amazon needs audio at the pace of speech; its stand-in does not
    "aws": Vendor(aws.TranscribeVendor, lambda account: AwsRecognition(account, pace=1000.0)),
    "azure": Vendor(azure.AzureVendor, AzureRecognition),
    "google": Vendor(google.GoogleVendor, GoogleRecognition),
}
SYNTHESIS_VENDORS = {
    "openai": Vendor(openai.OpenAIVendor, OpenAISynthesis),
    "groq": Vendor(groq.GroqVendor, GroqSynthesis, "/openai/v1"),
    "deepgram": Vendor(deepgram.DeepgramVendor, DeepgramSynthesis),
    "elevenlabs": Vendor(elevenlabs.ElevenLabsSocket, ElevenLabsSynthesis),
    "aws": Vendor(aws.PollyVendor, AwsSynthesis),
    "azure": Vendor(azure.AzureVendor, AzureSynthesis),
    "google": Vendor(google.GoogleVendor, GoogleSynthesis),
}
RECOGNITION = ["fake", "faster_whisper", "faster_whisper_batched", "pocketsphinx", *RECOGNITION_VENDORS]
REAL_RECOGNITION = [f"whisper {size}" for size in ("tiny.en", "base")]
REAL_SYNTHESIS = ["piper en_US-joe-medium"]
SYNTHESIS = ["fake", "piper", "kokoro", "kokoro_onnx", "chatterbox", "espeak", *SYNTHESIS_VENDORS]


def real(names: list[str]) -> list[Any]:
    """The adapters that need real weights, for `make proof`."""
    return [pytest.param(name, marks=[pytest.mark.real, pytest.mark.proof]) for name in names]


@contextlib.contextmanager
def recognition(name: str, request: pytest.FixtureRequest) -> Iterator[Adapter]:
    if name in RECOGNITION_VENDORS:
        with _at_vendor(name, RECOGNITION_VENDORS[name]) as adapter:
            yield adapter
        return
    engine = _local_recognition(name, request)
    engine.load()
    try:
        yield Adapter(name, engine)
    finally:
        if isinstance(engine, FasterWhisper):
            engine.close()


@contextlib.contextmanager
def synthesis(name: str, request: pytest.FixtureRequest) -> Iterator[Adapter]:
    if name in SYNTHESIS_VENDORS:
        with _at_vendor(name, SYNTHESIS_VENDORS[name]) as adapter:
            yield adapter
        return
    yield Adapter(name, _local_synthesis(name, request))


@contextlib.contextmanager
def _at_vendor(name: str, vendor: Vendor) -> Iterator[Adapter]:
    with vendor.server() as server:
        account = CloudAccount(
            vendor=name,
            api_key=KEY,
            secret_key=aws.SECRET if name == "aws" else "",
            base_url=server.url + vendor.path,
            region=aws.REGION,
            timeout_s=PATIENCE_S,
        )
        engine = vendor.make(account)
        engine.load()
        try:
            yield Adapter(name, engine, server, account, vendor.make)
        finally:
            engine.close()


def _local_recognition(name: str, request: pytest.FixtureRequest) -> Any:
    if name == "fake":
        return FakeRecognition()
    if name == "pocketsphinx":
        return PocketSphinx()
    if name in REAL_RECOGNITION:
        model = str(real_models.whisper(name.removeprefix("whisper ")))
    else:
        model = str(request.getfixturevalue("whisper_model"))
    return FasterWhisper(model, device="cpu", slots=2, is_batched=name.endswith("batched"))


def _local_synthesis(name: str, request: pytest.FixtureRequest) -> Any:
    if name in ("kokoro", "chatterbox"):
        engine = _heavy(name)
    elif name in REAL_SYNTHESIS:
        engine = Piper(real_models.piper())
    elif name == "kokoro_onnx":
        folder = request.getfixturevalue("tmp_path_factory").mktemp("kokoro") / "model"
        engine = Kokoro(str(build_onnx_kokoro(folder, ("af_heart", "bf_emma", "ef_dora"))))
    elif name == "piper":
        engine = Piper(request.getfixturevalue("piper_voices"))
    else:
        engine = FakeSynthesis() if name == "fake" else Espeak()
    engine.load()
    return engine


def _heavy(name: str) -> Any:
    """An engine that needs PyTorch, and weights that the tests do not download."""
    from voice.engines.registry import EngineConfig, synthesis_engines

    pytest.importorskip(name, reason=f"the package of the extra {name!r} is not installed")
    (engine,) = synthesis_engines(EngineConfig(tts_engines=(name,)))
    try:
        engine.load()
    except EngineUnavailable as error:
        pytest.skip(f"{name}: {error}")
    return engine
