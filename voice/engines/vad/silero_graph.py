"""Rebuild Silero VAD v6 with the same weights and arithmetic, for frames of many streams in one call.

The original file takes one stream a call, and a frame always costs 35 µs, because ONNX Runtime computes
convolutions frame by frame. Here each step of a convolution is one matrix product for all frames, spectra
take half the products (see `folded`), and the LSTM takes a batch of streams. The probabilities differ by
rounding, less than 1e-5.

    even, odd  float32[n_streams * n * 4, 128]  the spectra's windows, as `folded` returns them
    h, c       float32[1, n_streams, 128]       the state before them
    speech     float32[n, n_streams], hn, cn    the speech probability of each frame, and the state after them

Source: snakers4/silero-vad; the operators of silero_vad_v6.onnx one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from voice.errors import EngineUnavailable

if TYPE_CHECKING:
    import onnx

FRAME_SAMPLES: Final = 512
CONTEXT_SAMPLES: Final = 64
STATE_SIZE: Final = 128
_FFT_SAMPLES, _HOP_SAMPLES, _BANDS = 256, 128, 129
_SPECTRA: Final = 4  # per frame

_SPECTRUM = "encoder.feature_extractor.forward_basis_buffer"
_LAYER = "encoder.conv_layers.{}.{}"
_LSTM = ("onnx::LSTM_209", "onnx::LSTM_210", "onnx::LSTM_211")
_SPEECH = "decoder.conv1d.{}"
_SHAPES: Final = {
    _SPECTRUM: (2 * _BANDS, 1, _FFT_SAMPLES),
    _LAYER.format(0, "weight"): (128, _BANDS, 3),
    _LAYER.format(0, "bias"): (128,),
    _LAYER.format(1, "weight"): (64, 128, 3),
    _LAYER.format(1, "bias"): (64,),
    _LAYER.format(2, "weight"): (64, 64, 3),
    _LAYER.format(2, "bias"): (64,),
    _LAYER.format(3, "weight"): (128, 64, 3),
    _LAYER.format(3, "bias"): (128,),
    _LSTM[0]: (1, 4 * STATE_SIZE, 128),
    _LSTM[1]: (1, 4 * STATE_SIZE, STATE_SIZE),
    _LSTM[2]: (1, 8 * STATE_SIZE),
    _SPEECH.format("weight"): (1, STATE_SIZE, 1),
    _SPEECH.format("bias"): (1,),
}

_STRIDES: Final = (1, 2, 2, 1)  # of the convolutions: four spectra become four, two, one and one

Floats = npt.NDArray[np.float32]


def folded(contexts: Floats, samples: Floats) -> tuple[Floats, Floats]:
    """Return the windows of all spectra, each folded at its middle: twice float32[n_streams * n * 4, 128].

    For 0 < i <= 128 they hold x[i] + x[256 - i] and x[i] - x[256 - i]: cosine and window give both samples
    the same weight, and sine changes only the sign, so each needs half the products. The weight of x[0] is 0.
    The last window of a frame ends in the mirror image of the frame's last 64 samples.

    contexts: float32[n_streams, 64], the samples before. samples: float32[n_streams, n * 512].
    """
    n_streams, n_samples = samples.shape
    sound = np.empty((n_streams, n_samples + 2 * CONTEXT_SAMPLES), np.float32)
    sound[:, :CONTEXT_SAMPLES] = contexts
    sound[:, CONTEXT_SAMPLES:-CONTEXT_SAMPLES] = samples  # the rest stands for mirror images
    windows = (n_streams, n_samples // FRAME_SAMPLES, _SPECTRA, _HOP_SAMPLES)
    ahead = sound[:, 1 : n_samples + 1].reshape(windows)
    second_halves = sound[:, _HOP_SAMPLES:]
    back = np.ascontiguousarray(second_halves.reshape(windows)[..., ::-1])
    mirrored = slice(3 * _HOP_SAMPLES - 1, 3 * _HOP_SAMPLES - 1 + CONTEXT_SAMPLES)
    back[:, :, -1, :CONTEXT_SAMPLES] = second_halves.reshape(n_streams, -1, FRAME_SAMPLES)[:, :, mirrored]
    return (ahead + back).reshape(-1, _HOP_SAMPLES), (ahead - back).reshape(-1, _HOP_SAMPLES)


def for_many_streams(model_path: str) -> bytes:
    """Return the ONNX model as the content of a file. model_path: silero_vad_v6.onnx.

    Raises:
        EngineUnavailable: the Python package onnx is missing, or the file is not that model.
    """
    weights = _weights(model_path)
    graph = _Graph()
    encoded = _encoder(graph, weights)
    n_streams = graph.add("Gather", [graph.add("Shape", ["h"]), graph.whole(1)])
    shape = graph.add("Concat", [n_streams, graph.whole(-1, STATE_SIZE)], axis=0)
    by_time = graph.add("Transpose", [graph.add("Reshape", [encoded, shape])], perm=[1, 0, 2])
    lstm = [graph.constant(weights[name]) for name in _LSTM]
    graph.add("LSTM", [by_time, *lstm, "", "h", "c"], ("heard", "hn", "cn"), hidden_size=STATE_SIZE)
    _decoder(graph, weights)
    return graph.model()


def _weights(model_path: str) -> dict[str, Floats]:
    try:
        import onnx
        from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    except ImportError as error:
        raise EngineUnavailable("The Python package 'onnx' is missing; install it.") from error
    try:
        initializers = onnx.load(model_path).graph.initializer
    except (OSError, DecodeError) as error:
        raise EngineUnavailable(f"{model_path} cannot be loaded ({error}); replace the file.") from error
    weights = {one.name: onnx.numpy_helper.to_array(one) for one in initializers}
    for name, shape in _SHAPES.items():
        if name not in weights or weights[name].shape != shape:
            reason = f"not Silero VAD v6: {name}"
            raise EngineUnavailable(f"{model_path} cannot be loaded ({reason}); replace the file.")
    return weights


def _encoder(graph: _Graph, weights: dict[str, Floats]) -> str:
    """Add the spectra and four convolutions: float32[n_streams * n, 128]."""
    basis = weights[_SPECTRUM][:, 0, 1 : _HOP_SAMPLES + 1].T.copy()
    basis[-1] /= 2  # the middle of a window is its own mirror image
    cosines = graph.add("MatMul", ["even", graph.constant(basis[:, :_BANDS])])
    sines = graph.add("MatMul", ["odd", graph.constant(basis[:, _BANDS:])])
    power = graph.add("Add", [graph.add("Mul", [part, part]) for part in (cosines, sines)])
    spectra = graph.add("Reshape", [graph.add("Sqrt", [power]), graph.whole(-1, _SPECTRA * _BANDS)])
    steps = [f"spectrum {number}" for number in range(_SPECTRA)]
    graph.add("Split", [spectra], tuple(steps), axis=1)
    for number, stride in enumerate(_STRIDES):
        kernel = weights[_LAYER.format(number, "weight")].transpose(2, 1, 0)
        steps = _convolution(graph, steps, stride, kernel, weights[_LAYER.format(number, "bias")])
    return steps[0]


def _convolution(graph: _Graph, steps: list[str], stride: int, kernel: Floats, bias: Floats) -> list[str]:
    """Add a convolution; each result depends on a step and its neighbours.

    steps: float32[n_streams * n, n_in].
    """
    results = []
    for middle in range(0, len(steps), stride):
        seen = range(max(0, middle - 1), min(len(steps), middle + 2))
        together = graph.add("Concat", steps[seen.start : seen.stop], axis=1)
        taps = kernel[seen.start - middle + 1 : seen.stop - middle + 1].reshape(-1, len(bias))
        product = graph.add("Gemm", [together, graph.constant(taps), graph.constant(bias)])
        results.append(graph.add("Relu", [product]))
    return results


def _decoder(graph: _Graph, weights: dict[str, Floats]) -> None:
    """Add the layers from the LSTM's float32[n, 1, n_streams, 128] to `speech`."""
    weight = graph.constant(weights[_SPEECH.format("weight")].reshape(-1))
    weighted = graph.add("Mul", [graph.add("Relu", ["heard"]), weight])
    score = graph.add("ReduceSum", [weighted, graph.whole(1, 3)], keepdims=0)
    score = graph.add("Add", [score, graph.constant(weights[_SPEECH.format("bias")])])
    graph.add("Sigmoid", [score], ("speech",))


class _Graph:
    """Nodes and constants, named in the order in which they are added."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def add(self, operator: str, inputs: list[str], outputs: tuple[str, ...] = (), **attributes: Any) -> str:
        """Add a node; return the name of its first result."""
        from onnx import helper

        outputs = outputs or (f"result {len(self._nodes)}",)
        self._nodes.append(helper.make_node(operator, inputs, outputs, **attributes))
        return outputs[0]

    def constant(self, value: npt.NDArray[np.generic]) -> str:
        from onnx import numpy_helper

        name = f"constant {len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def whole(self, *numbers: int) -> str:
        return self.constant(np.array(numbers, np.int64))

    def model(self) -> bytes:
        from onnx import TensorProto, helper

        def described(name: str, *shape: int | str | None) -> onnx.ValueInfoProto:
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

        def states(*names: str) -> list[onnx.ValueInfoProto]:
            return [described(name, 1, "n_streams", STATE_SIZE) for name in names]

        halves = [described(name, None, _HOP_SAMPLES) for name in ("even", "odd")]
        inputs = [*halves, *states("h", "c")]
        outputs = [described("speech", None, "n_streams"), *states("hn", "cn")]
        graph = helper.make_graph(self._nodes, "silero_vad", inputs, outputs, self._constants)
        opset = helper.make_opsetid("", 17)
        return helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()
