"""Stand-ins for the two models of speaker diarisation: real inputs, outputs and metadata, hand-made weights.

The segmentation treats a loud frame as speech, and tells a low voice from a high one by the speed of the
wave. The embedding is the mean spectrum. That is enough for two tones, or for a voice and the same voice
played faster.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WINDOW_SAMPLES = 160_000
FRAME_SAMPLES = 991  # receptive field of pyannote's segmentation 3.0
HOP_SAMPLES = 270
SMOOTHED_FRAMES = 61  # about a second
MEL_BANDS = 80


def write_segmentation(path: Path, *, loudness: float, steepness: float) -> None:
    """loudness: lowest mean amplitude of speech; steepness: lowest value of the second voice."""
    constants = {
        "difference": np.array([[[-1.0, 1.0]]], np.float32),
        "floor": np.array([1e-4], np.float32),
        # frames x (loud, steep) -> no speaker, 1, 2, 3, 1+2, 1+3, 2+3
        "weights": np.array([[-20_000, 0, 0, 0, 0, 0, 0], [0, -100, 100, 0, 0, 0, 0]], np.float32),
        "bias": np.array([20_000 * loudness, 100 * steepness, -100 * steepness, *[-1e4] * 4], np.float32),
    }
    pooling = {"kernel_shape": [FRAME_SAMPLES], "strides": [HOP_SAMPLES]}
    middle = SMOOTHED_FRAMES // 2
    smoothing = {"kernel_shape": [SMOOTHED_FRAMES], "pads": [middle, middle], "count_include_pad": 0}
    nodes = [
        helper.make_node("Abs", ["x"], ["amplitude"]),
        helper.make_node("AveragePool", ["amplitude"], ["loud"], **pooling),
        helper.make_node("Conv", ["x", "difference"], ["moved"], pads=[1, 0]),
        helper.make_node("Abs", ["moved"], ["movement"]),
        helper.make_node("AveragePool", ["movement"], ["moving"], **pooling),
        helper.make_node("AveragePool", ["loud"], ["loud_smooth"], **smoothing),
        helper.make_node("AveragePool", ["moving"], ["moving_smooth"], **smoothing),
        helper.make_node("Add", ["loud_smooth", "floor"], ["loud_floor"]),
        helper.make_node("Div", ["moving_smooth", "loud_floor"], ["steep"]),
        helper.make_node("Concat", ["loud", "steep"], ["both"], axis=1),
        helper.make_node("Transpose", ["both"], ["frames"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["frames", "weights"], ["scores"]),
        helper.make_node("Add", ["scores", "bias"], ["y"]),
    ]
    metadata = {
        "num_speakers": 3,
        "powerset_max_classes": 2,
        "num_classes": 7,
        "sample_rate": 16_000,
        "window_size": WINDOW_SAMPLES,
        "receptive_field_size": FRAME_SAMPLES,
        "receptive_field_shift": HOP_SAMPLES,
    }
    _write(path, nodes, ["N", 1, "T"], ("y", ["N", "F", 7]), constants, metadata)


def write_embedding(path: Path) -> None:
    """Use the mean log-mel spectrum, minus its mean, as a speaker's embedding."""
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["spectrum"], axes=[1], keepdims=0),
        helper.make_node("ReduceMean", ["spectrum"], ["level"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["spectrum", "level"], ["embedding"]),
    ]
    metadata = {
        "framework": "wespeaker",
        "language": "English",
        "url": "",
        "comment": "stand-in",
        "sample_rate": 16_000,
        "output_dim": MEL_BANDS,
        "normalize_samples": 0,
        "feature_normalize_type": "",
    }
    _write(path, nodes, ["N", "T", MEL_BANDS], ("embedding", ["N", MEL_BANDS]), {}, metadata)


def _write(
    path: Path,
    nodes: list[onnx.NodeProto],
    taken: list[str | int],
    given: tuple[str, list[str | int]],
    constants: dict[str, np.ndarray],
    metadata: dict[str, object],
) -> None:
    graph = helper.make_graph(
        nodes,
        path.stem,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, taken)],
        [helper.make_tensor_value_info(given[0], TensorProto.FLOAT, given[1])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, {key: str(value) for key, value in metadata.items()})
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
