"""What encryption at rest costs for a minute of audio.

    .venv/bin/python -m tests.benchmarks.encryption

It encrypts and decrypts the FLAC of a minute of noise, which is longer than that of speech. Processor time,
the best of five.
"""

import time
from collections.abc import Callable
from uuid import uuid4

import numpy as np

from voice.audio import encoding
from voice.encryption import blocks

SECONDS, RATE_HZ = 60, 16_000
KEY, KEY_ID, NAME = b"k" * 32, uuid4(), "recordings/a/b.flac"


def noise() -> bytes:
    """A minute at the loudness of speech, of which FLAC saves little."""
    samples = np.random.default_rng(1).normal(0, 3000, SECONDS * RATE_HZ)
    return samples.clip(-32768, 32767).astype("<i2").tobytes()


def best_ms(action: Callable[[], object]) -> float:
    took = []
    for _ in range(5):
        began = time.process_time()
        action()
        took.append(time.process_time() - began)
    return 1000 * min(took)


def main() -> None:
    pcm = noise()
    flac = encoding.encode_flac(pcm)
    stored = blocks.encrypt(flac, key=KEY, key_id=KEY_ID, name=NAME)
    rows = {
        "PCM, MB": len(pcm) / 1e6,
        "FLAC, MB": len(flac) / 1e6,
        "longer by encryption, bytes": len(stored) - len(flac),
        "encoding FLAC, ms": best_ms(lambda: encoding.encode_flac(pcm)),
        "encrypting, ms": best_ms(lambda: blocks.encrypt(flac, key=KEY, key_id=KEY_ID, name=NAME)),
        "decrypting, ms": best_ms(lambda: blocks.decrypt(stored, key=KEY, key_id=KEY_ID, name=NAME)),
        "decrypting one block, ms": best_ms(lambda: _one_block(stored)),
    }
    for name, value in rows.items():
        print(f"{name:30}{value:10.2f}")


def _one_block(stored: bytes) -> bytes:
    layout = blocks.Layout(stored[: blocks.HEADER_BYTES], len(stored), key=KEY, key_id=KEY_ID, name=NAME)
    return layout.decrypted(3, stored[slice(*layout.place(3))])


if __name__ == "__main__":
    main()
