"""Tiny models, built here and loaded by the real engines: no download, no PyTorch.

`build_whisper` makes a CTranslate2 Whisper directory that transcribes any audio as one fixed sentence.
`build_piper_voice` makes a Piper voice that hums. Both are deterministic, are built once for each directory,
and keep loading and inference real: `shape="tiny"` has the dimensions, and so the cost, of Whisper tiny.
`build_kokoro` makes a small Kokoro of random weights; only this one needs PyTorch, from the extra `kokoro`.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Weights = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shape:
    width: int
    layers: int
    heads: int
    mel_bins: int = 80


SHAPES: Final = {
    "micro": Shape(64, 2, 2),
    "tiny": Shape(384, 4, 6),
    "large-v3": Shape(1280, 32, 20, mel_bins=128),
}
DRAWN_ANEW: Final = 1000
"""Narrower models draw each weight at random. Wider ones shift what was drawn, which is built sooner."""

# Whisper's own order and numbers: 51 865 tokens in all.
_LANGUAGES: Final = """
    en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg
    lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so
    af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su
"""
LANGUAGES: Final = _LANGUAGES.split()
TEXT_TOKENS: Final = 50_257
CONTROL_TOKENS: Final = (
    ["<|endoftext|>", "<|startoftranscript|>"]
    + [f"<|{code}|>" for code in LANGUAGES]
    + [
        "<|translate|>",
        "<|transcribe|>",
        "<|startoflm|>",
        "<|startofprev|>",
        "<|nospeech|>",
        "<|notimestamps|>",
    ]
)
TIMESTAMP_TOKENS: Final = [f"<|{i * 0.02:.2f}|>" for i in range(1501)]


def build_whisper(
    directory: Path | str,
    *,
    say: str,
    shape: str = "micro",
    language: str = "en",
    quantization: str = "int8",
) -> Path:
    """Build a CTranslate2 Whisper model that transcribes any audio as `say` and detects `language`.

    The words of `say` must differ: each token leads to exactly one next token.
    quantization: how the weights are stored, "int8" or "float16".

    Raises:
        ValueError: a word occurs twice in `say`.
    """
    words = [" " + word for word in say.split()]
    if len(set(words)) < len(words):
        raise ValueError("Each word may stand once in `say`, for each token leads to one next token.")
    return _built(
        Path(directory),
        lambda target: _write_whisper(target, words, SHAPES[shape], language, quantization),
    )


def build_piper_voice(
    directory: Path | str,
    name: str = "en_US-standin-medium",
    language: str = "en_US",
    speakers: tuple[str, ...] = (),
) -> Path:
    """Build a Piper voice, `<name>.onnx` and `.onnx.json`, in `directory`; return the model's path.

    It hums 30 ms for each phoneme id at a pitch that depends on the text; `length_scale` works. Each of
    `speakers` hums 200 Hz above the one before.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    model = directory / f"{name}.onnx"
    if not model.exists():
        config = json.dumps(_piper_config(language, speakers))
        _write_atomically(directory / f"{name}.onnx.json", config.encode())
        _write_atomically(model, _humming_network(has_speakers=bool(speakers)))
    return model


def build_kokoro(directory: Path | str, voices: tuple[str, ...]) -> Path:
    """Build a Kokoro of random weights with `voices` in `directory`; it makes noise as long as speech."""
    import torch
    from kokoro import KModel

    directory = Path(directory)
    (directory / "voices").mkdir(parents=True)
    (directory / "config.json").write_text(json.dumps(_kokoro_config()))
    weights = directory / "kokoro-v1_0.pth"
    torch.manual_seed(0)
    torch.save({}, weights)  # empty, so the model starts with random weights
    model = KModel("hexgrad/Kokoro-82M", str(directory / "config.json"), str(weights))
    torch.save({name: part.state_dict() for name, part in model.named_children()}, weights)
    for name in voices:
        torch.save(0.1 * torch.randn(510, 1, 256), directory / "voices" / f"{name}.pt")
    return directory


def build_onnx_kokoro(directory: Path | str, voices: tuple[str, ...]) -> Path:
    """Build a Kokoro for ONNX Runtime with `voices` in `directory`; it hums 50 ms for each symbol.

    Its loudness is the first number of the style, which is 0.1 for the first voice, 0.2 for the second …
    """
    directory = Path(directory)
    (directory / "voices").mkdir(parents=True)
    (directory / "kokoro-v1.0.int8.onnx").write_bytes(_humming_kokoro())
    for number, name in enumerate(voices, 1):
        np.full((510, 256), number / 10, np.float32).tofile(directory / "voices" / f"{name}.bin")
    return directory


def _built(directory: Path, write: Callable[[Path], None]) -> Path:
    """Build `directory` with `write` in one step, so that two processes may build it at once."""
    if directory.exists():
        return directory
    directory.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=directory.parent))
    write(scratch)
    try:
        scratch.rename(directory)
    except OSError:  # another process was first
        shutil.rmtree(scratch)
    return directory


def _write_atomically(path: Path, content: bytes) -> None:
    handle, scratch = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(scratch).replace(path)


def _write_whisper(directory: Path, words: list[str], shape: Shape, language: str, quantization: str) -> None:
    vocabulary = _write_tokenizer(directory, words)
    token_ids = {token: i for i, token in enumerate(vocabulary)}
    chain = [_byte_text(word) for word in words]
    path = ["<|notimestamps|>", *chain, "<|endoftext|>"]
    next_token = {token_ids[token]: token_ids[following] for token, following in pairwise(path)}
    next_token[token_ids["<|startoftranscript|>"]] = token_ids[f"<|{language}|>"]
    next_token[token_ids["<|transcribe|>"]] = token_ids["<|0.00|>"]
    next_token[token_ids["<|0.00|>"]] = token_ids[chain[0]]
    spec = _whisper_spec(shape, len(vocabulary), next_token)
    spec.register_vocabulary(vocabulary)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [token_ids["<|endoftext|>"]]
    spec.config.lang_ids = [token_ids[f"<|{code}|>"] for code in LANGUAGES]
    spec.config.alignment_heads = [(shape.layers - 1, head) for head in range(shape.heads)]
    spec.validate()
    spec.optimize(quantization=quantization)
    spec.save(str(directory))
    (directory / "preprocessor_config.json").write_text(json.dumps({"feature_size": shape.mel_bins}))


def _byte_alphabet() -> dict[int, str]:
    """GPT-2's table: each byte as a printable character.

    Source: Radford et al., Language Models are Unsupervised Multitask Learners (2019), byte-level BPE.
    """
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + i) for i, byte in enumerate(others)}


def _byte_text(text: str) -> str:
    alphabet = _byte_alphabet()
    return "".join(alphabet[byte] for byte in text.encode())


def _write_tokenizer(directory: Path, words: list[str]) -> list[str]:
    """Write a tokenizer.json with one token for each of `words`; return the vocabulary by id."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    tokens, merges = list(_byte_alphabet().values()), []
    for word in map(_byte_text, words):
        for end in range(1, len(word)):
            merges.append((word[:end], word[end]))
            tokens.append(word[: end + 1])
    tokens, merges = list(dict.fromkeys(tokens)), list(dict.fromkeys(merges))
    tokens += [f"<|unused{i}|>" for i in range(TEXT_TOKENS - len(tokens) - 1)]
    tokens.append("")  # CTranslate2 identifies Whisper's multilingual table by its last text token
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges))
    # without the regular expression a word keeps its punctuation and stays one token
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in CONTROL_TOKENS]
    )
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in TIMESTAMP_TOKENS])
    tokenizer.save(str(directory / "tokenizer.json"), pretty=False)
    return [*tokens, *CONTROL_TOKENS, *TIMESTAMP_TOKENS]


def _whisper_spec(shape: Shape, n_tokens: int, next_token: dict[int, int]) -> Any:
    """Random weights, with decoder layers that add nothing: the next token depends only on the last one."""
    from ctranslate2.specs import WhisperSpec

    random, d = np.random.default_rng(0), shape.width

    drawn: dict[tuple[int, ...], Weights] = {}

    def noise(*dimensions: int) -> Weights:
        if d >= DRAWN_ANEW and dimensions in drawn:
            drawn[dimensions] = np.roll(drawn[dimensions], 1)
        else:
            scale = np.float32(np.sqrt(dimensions[-1]))
            drawn[dimensions] = random.standard_normal(dimensions, dtype=np.float32) / scale
        return drawn[dimensions]

    spec = WhisperSpec(shape.layers, shape.heads, shape.layers, shape.heads)
    for layer_norm in [spec.encoder.layer_norm, spec.decoder.layer_norm]:
        _set_norm(layer_norm, d)
    _set_linear(spec.encoder.conv1, noise(d, shape.mel_bins, 3) / 9)
    _set_linear(spec.encoder.conv2, noise(d, d, 3) / 9)
    spec.encoder.position_encodings.encodings = noise(1500, d)
    for layer in spec.encoder.layer:
        _set_attention(layer.self_attention, [noise(3 * d, d), noise(d, d)], d)
        _set_feed_forward(layer.ffn, noise(4 * d, d), noise(d, 4 * d), d)
    for layer in spec.decoder.layer:
        _set_attention(layer.self_attention, [noise(3 * d, d), np.zeros((d, d), np.float32)], d)
        _set_attention(layer.attention, [noise(d, d), noise(2 * d, d), np.zeros((d, d), np.float32)], d)
        _set_feed_forward(layer.ffn, noise(4 * d, d), np.zeros((d, 4 * d), np.float32), d)
    embeddings = random.standard_normal((n_tokens, d), dtype=np.float32)
    spec.decoder.embeddings.weight = embeddings
    spec.decoder.position_encodings.encodings = np.zeros((448, d), np.float32)
    _set_linear(spec.decoder.projection, _leading(embeddings, next_token), has_bias=False)
    return spec


def _leading(embeddings: Weights, next_token: dict[int, int]) -> Weights:
    """float32[n_tokens, width]: the projection that maps each key of `next_token` to its value."""
    projection = np.zeros_like(embeddings)
    for token, following in next_token.items():
        hidden = embeddings[token] - embeddings[token].mean()
        # a logit of 40 beside 51 865 tokens at 0 is a probability of 1 to the last digit
        projection[following] += hidden / hidden.std() * np.float32(40 / embeddings.shape[1])
    return projection


def _set_norm(norm: Any, width: int) -> None:
    norm.gamma, norm.beta = np.ones(width, np.float32), np.zeros(width, np.float32)


def _set_linear(linear: Any, weight: Weights, *, has_bias: bool = True) -> None:
    linear.weight = weight
    if has_bias:
        linear.bias = np.zeros(weight.shape[0], np.float32)


def _set_attention(attention: Any, weights: list[Weights], width: int) -> None:
    _set_norm(attention.layer_norm, width)
    for linear, weight in zip(attention.linear, weights, strict=True):
        _set_linear(linear, weight)


def _set_feed_forward(feed_forward: Any, first: Weights, second: Weights, width: int) -> None:
    _set_norm(feed_forward.layer_norm, width)
    _set_linear(feed_forward.linear_0, first)
    _set_linear(feed_forward.linear_1, second)


PHONEMES: Final = "_^$ !'(),-.:;?" + "abcdefghijklmnopqrstuvwxyz" + "æçðøħŋœɐɑɒɔəɚɛɜɡɪɫɲɹɾʁʃʊʌʏʒʔʝˈˌːθβχɣɨʎɕ̩̃ʲ"
PIPER_RATE_HZ: Final = 22_050
SAMPLES_PER_ID: Final = 660  # 30 ms; Piper adds a pad after each phoneme, so a phoneme has 60 ms


def _kokoro_config() -> dict[str, Any]:
    """The published configuration with fewer layers. Source: hexgrad/Kokoro-82M, config.json."""
    return {
        "istftnet": {
            "upsample_kernel_sizes": [20, 12],
            "upsample_rates": [10, 6],
            "gen_istft_hop_size": 5,
            "gen_istft_n_fft": 20,
            "resblock_dilation_sizes": [[1, 3, 5]],
            "resblock_kernel_sizes": [3],
            "upsample_initial_channel": 512,  # and hidden_dim: Kokoro's own code relies on 512
        },
        "dropout": 0.2,
        "hidden_dim": 512,
        "max_dur": 10,
        "n_layer": 1,
        "n_mels": 80,
        "n_token": 178,
        "style_dim": 128,
        "text_encoder_kernel_size": 5,
        "plbert": {
            "hidden_size": 32,
            "num_attention_heads": 2,
            "intermediate_size": 64,
            "max_position_embeddings": 512,
            "num_hidden_layers": 1,
            "dropout": 0.1,
        },
        "vocab": {phoneme: i for i, phoneme in enumerate(PHONEMES[1:], start=1)},
    }


def _piper_config(language: str, speakers: tuple[str, ...]) -> dict[str, Any]:
    family, _, region = language.partition("_")
    return {
        "audio": {"sample_rate": PIPER_RATE_HZ, "quality": "medium"},
        "espeak": {"voice": f"{family}-{region}".lower() if family == "en" else family},
        "language": {"code": language, "family": family, "region": region},
        "inference": {"noise_scale": 0.0, "length_scale": 1.0, "noise_w": 0.0},
        "phoneme_type": "espeak",
        "phoneme_map": {},
        "phoneme_id_map": {phoneme: [i] for i, phoneme in enumerate(PHONEMES)},
        "num_symbols": len(PHONEMES),
        "num_speakers": max(1, len(speakers)),
        "speaker_id_map": {speaker: i for i, speaker in enumerate(speakers)},
    }


def _humming_network(*, has_speakers: bool) -> bytes:
    """ONNX: sin(2 pi (200 + 4 * mean id) t), `SAMPLES_PER_ID * length_scale` samples for each id.

    With speakers, given as `sid`: sin(2 pi (200 + 200 * sid) t).
    """
    from onnx import TensorProto, checker, helper

    def node(operator: str, inputs: list[str], output: str, **attributes: Any) -> Any:
        return helper.make_node(operator, inputs, [output], **attributes)

    def constant(name: str, value: npt.NDArray[Any]) -> Any:
        kind = helper.np_dtype_to_tensor_dtype(value.dtype)
        return helper.make_tensor(name, kind, value.shape, value.ravel())

    nodes = [
        node("Gather", ["scales", "second"], "length_scale", axis=0),
        node("Cast", ["input_lengths"], "lengths", to=TensorProto.FLOAT),
        node("ReduceSum", ["lengths"], "n_ids", keepdims=0),
        node("Mul", ["n_ids", "samples_per_id"], "natural_length"),
        node("Mul", ["natural_length", "length_scale"], "length"),
        node("Range", ["zero", "length", "one"], "time"),
        node("Cast", ["input"], "ids", to=TensorProto.FLOAT),
        node("ReduceMean", ["ids"], "mean_id", keepdims=0),
        *(
            [
                node("Cast", ["sid"], "speaker", to=TensorProto.FLOAT),
                node("Mul", ["speaker", "base_radians"], "raised"),
            ]
            if has_speakers
            else [node("Mul", ["mean_id", "radians_per_id"], "raised")]
        ),
        node("Add", ["raised", "base_radians"], "radians_per_sample"),
        node("Mul", ["time", "radians_per_sample"], "phase"),
        node("Sin", ["phase"], "wave"),
        node("Reshape", ["wave", "row"], "output"),
    ]
    turn = 2 * np.pi / PIPER_RATE_HZ
    constants = [
        constant("second", np.array(1, np.int64)),
        constant("samples_per_id", np.array(SAMPLES_PER_ID, np.float32)),
        constant("zero", np.array(0, np.float32)),
        constant("one", np.array(1, np.float32)),
        constant("radians_per_id", np.array(4 * turn, np.float32)),
        constant("base_radians", np.array(200 * turn, np.float32)),
        constant("row", np.array([1, 1, -1], np.int64)),
    ]
    inputs = [
        helper.make_tensor_value_info("input", TensorProto.INT64, ["batch_size", "phonemes"]),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, ["batch_size"]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
    ]
    if has_speakers:
        inputs.append(helper.make_tensor_value_info("sid", TensorProto.INT64, [1]))
    outputs = [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, "time"])]
    graph = helper.make_graph(nodes, "humming", inputs, outputs, constants)
    # the oldest versions with these operators, so that every supported onnxruntime loads them
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    checker.check_model(model)
    return bytes(model.SerializeToString())


def _humming_kokoro() -> bytes:
    """ONNX: style[0, 0] * sin(2 pi 200 t), 1200 samples for each token, divided by the speed."""
    from onnx import TensorProto, checker, helper

    sizes = {"tokens": (TensorProto.INT64, [1, "n"]), "style": (TensorProto.FLOAT, [1, 256])}
    inputs = {**sizes, "speed": (TensorProto.FLOAT, [1])}
    steps = [
        ("Shape", ["tokens"], "shape"),
        ("Gather", ["shape", "second"], "n_tokens"),
        ("Cast", ["n_tokens"], "n"),
        ("Mul", ["n", "samples"], "natural"),
        ("Squeeze", ["speed"], "pace"),
        ("Div", ["natural", "pace"], "length"),
        ("Range", ["zero", "length", "one"], "time"),
        ("Mul", ["time", "radians"], "phase"),
        ("Sin", ["phase"], "wave"),
        ("ReduceMean", ["style"], "loudness"),
        ("Mul", ["wave", "loudness"], "scaled"),
        ("Reshape", ["scaled", "row"], "audio"),
    ]
    extra = {"n": {"to": TensorProto.FLOAT}, "loudness": {"keepdims": 0}}
    numbers = {"samples": 1200.0, "zero": 0.0, "one": 1.0, "radians": 2 * np.pi * 200 / 24_000}
    constants = [helper.make_tensor(name, TensorProto.FLOAT, (), [n]) for name, n in numbers.items()]
    constants.append(helper.make_tensor("second", TensorProto.INT64, (), [1]))
    constants.append(helper.make_tensor("row", TensorProto.INT64, (1,), [-1]))
    graph = helper.make_graph(
        [helper.make_node(kind, takes, [gives], **extra.get(gives, {})) for kind, takes, gives in steps],
        "kokoro",
        [helper.make_tensor_value_info(name, *about) for name, about in inputs.items()],
        [helper.make_tensor_value_info("audio", TensorProto.FLOAT, ["samples"])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content
