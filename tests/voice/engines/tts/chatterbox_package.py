"""A fake of the package `chatterbox-tts`: the parts that `voice.engines.tts.chatterbox` uses, no weights.

It hums at a pitch that depends on the reference recording. `test_chatterbox.py` compares its signatures with
the real package if that is installed.
"""

import io
import pickle
import types
from pathlib import Path

import numpy as np

from voice.audio import decoding

RATE_HZ = 24_000


class Tensor:
    """float32[1, n_samples]"""

    def __init__(self, array):
        self._array = array

    def squeeze(self, dim):
        return Tensor(self._array.squeeze(dim))

    def numpy(self, *, force=False):
        return self._array


class Conditionals:
    def __init__(self, t3, gen):
        self.t3, self.gen = t3, gen

    def to(self, device):
        return self

    def save(self, fpath):
        fpath.write(pickle.dumps((self.t3, self.gen)))

    @classmethod
    def load(cls, fpath, map_location="cpu"):
        return cls(*pickle.loads(fpath.read()))


class ChatterboxMultilingualTTS:
    """`calls` has each (text, language, exaggeration, duration of the reference in samples)."""

    def __init__(self, device, conds):
        self.device, self.conds, self.sr = device, conds, RATE_HZ
        self.calls, self.derived = [], 0

    @classmethod
    def from_local(cls, ckpt_dir, device):
        own = Path(ckpt_dir) / "conds.pt"
        return cls(device, Conditionals("own", 0) if own.exists() else None)

    @classmethod
    def from_pretrained(cls, device):
        return cls(device, Conditionals("own", 0))

    def prepare_conditionals(self, wav_fpath, exaggeration=0.5):
        self.derived += 1
        samples = decoding.decode(Path(wav_fpath).read_bytes(), rate_hz=RATE_HZ)
        self.conds = Conditionals("reference", len(samples))

    def generate(
        self,
        text,
        language_id,
        audio_prompt_path=None,
        exaggeration=0.5,
        cfg_weight=0.5,
        temperature=0.8,
        repetition_penalty=2.0,
        min_p=0.05,
        top_p=1.0,
    ):
        if text == "Fail.":
            raise RuntimeError("no memory")
        self.calls.append((text, language_id, exaggeration, self.conds.gen))
        time_s = np.arange(len(text) * RATE_HZ // 20) / RATE_HZ
        return Tensor((0.5 * np.sin(2 * np.pi * 200 * time_s)).astype(np.float32)[None])


def modules():
    """The fake package's entries for `sys.modules`."""
    package, multilingual = types.ModuleType("chatterbox"), types.ModuleType("chatterbox.mtl_tts")
    torch = types.ModuleType("torch")
    torch.device = str
    package.__spec__ = types.SimpleNamespace(name="chatterbox")
    package.__path__ = []
    multilingual.ChatterboxMultilingualTTS = ChatterboxMultilingualTTS
    multilingual.Conditionals = Conditionals
    return {"chatterbox": package, "chatterbox.mtl_tts": multilingual, "torch": torch}


class MemoryReferences:
    """Recordings and embeddings by key, and the log of reads."""

    def __init__(self, **recordings):
        self.recordings, self.embeddings, self.read = recordings, {}, []

    def sha256(self, key):
        return f"sha-{key}" if key in self.recordings else None

    def recording(self, key):
        self.read.append(key)
        return self.recordings[key]

    def embedding(self, key):
        return self.embeddings.get(key)

    def keep_embedding(self, key, embedding):
        assert io.BytesIO(embedding).read(1)
        self.embeddings[key] = embedding
