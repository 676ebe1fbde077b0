"""What one GPU recognises: batched against a plain loop, speakers in real time, memory (`gpu.sh`).

The weights are random and of the true shape; each window is decoded into 64 tokens, whatever was said. So the
figures tell of time and memory, never of accuracy. Both sides load the same files and hear the same speech.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from faster_whisper import BatchedInferencePipeline, WhisperModel

from tests.speech import spoken
from tests.standins import build_whisper
from voice.engines.stt.faster_whisper import FasterWhisper
from voice.types import RECOGNITION_RATE_HZ, Samples

TOKENS = " ".join(f"w{number}" for number in range(64))
"""Each word of the stand-in is one token."""
SENTENCE = "I measured what the machine did, and then I wrote it down for the others who came after me. "
CLIP_S = 10.0
CLIPS_OF_LOOP = 16
BATCH_SIZE = 16
SPEAKERS = (8, 16, 32, 64, 128, 256, 512)
PROMPT_S = 2.0
"""Speakers are carried while 95 of 100 texts come within this time."""


@dataclass(frozen=True, slots=True)
class Plan:
    """device, compute type and model of a round.

    seconds: for its speakers. at_once: how many callers come together.
    """

    device: str
    compute_type: str
    model: Path
    seconds: float
    at_once: list[int]


def main() -> None:
    """Build the weights, and print the figures of each compute type as they come."""
    options = _options()
    directory = Path(tempfile.mkdtemp(prefix="gpu-benchmark-"))
    try:
        with _timed("weights built"):
            model = build_whisper(
                directory / "model", say=TOKENS, shape=options.shape, quantization="float16"
            )
        weights_bytes = (model / "model.bin").stat().st_size
        _say("weights, as float16", weights_bytes / 1e9, "GB")
        for compute_type in options.types.split(","):
            print(f"\n{options.shape} {compute_type} on {options.device}", flush=True)
            _measure(Plan(options.device, compute_type, model, options.seconds, options.at_once))
    finally:
        shutil.rmtree(directory)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure recognition on one GPU.")
    parser.add_argument("--shape", default="large-v3", help="micro, tiny or large-v3")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--types", default="float16,int8", help="compute types, separated by commas")
    parser.add_argument("--seconds", type=float, default=75.0, help="for the speakers of each type")
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 8, 32, 64], help="callers")
    return parser.parse_args()


def _measure(plan: Plan) -> None:
    clip = _clip()
    before = _memory_bytes(plan.device)
    engine = FasterWhisper(
        str(plan.model), device=plan.device, compute_type=plan.compute_type, batch_size=BATCH_SIZE
    )
    with _timed("model loaded"):
        engine.load()
    engine.recognize(clip, language="en")
    _say("memory with the model", (_memory_bytes(plan.device) - before) / 1e9, "GB")
    rates = [_together(engine, clip, count) for count in plan.at_once]
    _say("memory after batches", (_memory_bytes(plan.device) - before) / 1e9, "GB")
    _carried(engine, clip, plan.seconds)
    engine.close()
    _say("most against the plain loop", max(rates) / _loop_figures(plan, clip), "times")


def _clip() -> Samples:
    said = spoken(SENTENCE * 4)
    return np.ascontiguousarray(said[: int(CLIP_S * RECOGNITION_RATE_HZ)])


def _loop_figures(plan: Plan, clip: Samples) -> float:
    """Return what the plain loop does, in seconds of audio a second; print its own batches too."""
    model = WhisperModel(str(plan.model), device=plan.device, compute_type=plan.compute_type)
    options = {"language": "en", "vad_filter": True, "word_timestamps": True}
    list(model.transcribe(clip, **options)[0])
    began = time.perf_counter()
    for _ in range(CLIPS_OF_LOOP):
        list(model.transcribe(clip, **options)[0])
    rate = CLIPS_OF_LOOP * CLIP_S / (time.perf_counter() - began)
    _say("plain loop of faster-whisper", rate, "s of audio a second")
    long, batched = np.tile(clip, CLIPS_OF_LOOP), BatchedInferencePipeline(model)
    began = time.perf_counter()
    list(batched.transcribe(long, batch_size=BATCH_SIZE, **options)[0])
    seconds = time.perf_counter() - began
    _say("its batches over one long file", len(long) / RECOGNITION_RATE_HZ / seconds, "s of audio a second")
    return rate


def _together(engine: FasterWhisper, clip: Samples, count: int) -> float:
    """Return what `count` callers at once get, in seconds of audio a second."""
    rounds = max(1, CLIPS_OF_LOOP // count)
    with ThreadPoolExecutor(count) as callers:
        began = time.perf_counter()
        for _ in range(rounds):
            list(callers.map(lambda _: engine.recognize(clip, language="en"), range(count)))
        rate = rounds * count * CLIP_S / (time.perf_counter() - began)
    _say(f"{count} at once", rate, "s of audio a second")
    return rate


def _carried(engine: FasterWhisper, clip: Samples, seconds: float) -> None:
    """Print how many speakers are carried, each with an answer of 10 s every 10 s, spread evenly."""
    end, most, share_s = time.monotonic() + seconds, 0, max(CLIP_S, seconds / len(SPEAKERS))
    for count in SPEAKERS:
        if time.monotonic() + share_s > end:
            print(f"  no time for {count} speakers", flush=True)
            break
        late = _latencies(engine, clip, count, share_s)
        median, p95 = np.percentile(late, [50, 95])
        print(f"  {count} speakers: median {median:.2f} s, p95 {p95:.2f} s", flush=True)
        if p95 > PROMPT_S:
            break
        most = count
    _say("speakers in real time", most, "")


def _latencies(engine: FasterWhisper, clip: Samples, count: int, seconds: float) -> list[float]:
    latencies: list[float] = []
    lock = threading.Lock()

    def answer(due_at: float) -> None:
        engine.recognize(clip, language="en")
        with lock:
            latencies.append(time.monotonic() - due_at)

    began, answers = time.monotonic(), max(4, int(count * seconds / CLIP_S))
    with ThreadPoolExecutor(min(answers, 4 * BATCH_SIZE)) as callers:
        for number in range(answers):
            due_at = began + number * CLIP_S / count
            time.sleep(max(0.0, due_at - time.monotonic()))
            callers.submit(answer, due_at)
    return latencies


def _memory_bytes(device: str) -> int:
    """Return what is used on the GPU, or by this process where there is none."""
    if device == "cpu":
        return psutil.Process().memory_info().rss
    command = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    asked = subprocess.run(command, capture_output=True, text=True, check=True)
    place = int(os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0])
    return int(asked.stdout.split()[place]) * 2**20


@contextmanager
def _timed(what: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    _say(what, time.perf_counter() - began, "s")


def _say(what: str, value: float, unit: str) -> None:
    print(f"  {what:<32} {value:10.2f} {unit}", flush=True)


if __name__ == "__main__":
    main()
