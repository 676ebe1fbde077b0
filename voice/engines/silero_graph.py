"""Silero VAD v6 laid out anew: the same weights and arithmetic, for frames of many streams in one call.

In its own file the model takes one stream a call, and a frame costs 35 µs however many there are, because
ONNX Runtime computes convolutions frame by frame. Here each convolution is one product of matrices for all
frames, and the LSTM takes a batch of streams: 9 µs. The probabilities differ by rounding, less than 1e-5.

    input  float32[n * n_streams, 64 + 512]  frames, each behind the 64 samples before it; all streams' first,
                                             then all streams' second ...
    h, c   float32[1, n_streams, 128]        the state before them
    speech float32[n, n_streams], hn, cn     how likely each is speech, and the state after them

Source: snakers4/silero-vad; the operators of silero_vad_v6.onnx one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from voice.engines.base import EngineUnavailable

if TYPE_CHECKING:
    import onnx

FRAME_SAMPLES: Final = 512
CONTEXT_SAMPLES: Final = 64
STATE_SIZE: Final = 128
_FFT_SAMPLES, _HOP_SAMPLES, _BANDS = 256, 128, 129
_SPECTRA: Final = 4  # in a frame

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

# Of each convolution: steps that it makes, how far apart, and which of its three taps see more than padding.
_CONVOLUTIONS: Final = ((4, 1, range(3)), (2, 2, range(3)), (1, 2, range(1, 3)), (1, 1, range(1, 2)))

Floats = npt.NDArray[np.float32]


def for_many_streams(model_path: str) -> bytes:
    """The ONNX model, as a file would hold it.  model_path: silero_vad_v6.onnx.

    Raises:
        EngineUnavailable: the Python package onnx is missing, or the file is not that model.
    """
    weights = _weights(model_path)
    graph = _Graph()
    encoded = _encoder(graph, weights)
    batch = graph.add("Slice", [graph.add("Shape", ["h"]), *graph.span(1, 3, axis=0)])
    shape = graph.add("Concat", [graph.whole(-1), batch], axis=0)
    by_time = graph.add("Reshape", [encoded, shape])
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
    """Spectra and four convolutions: float32[n * n_streams, 128]."""
    sound = graph.add("Pad", ["input", graph.whole(0, 0, 0, CONTEXT_SAMPLES)], mode="reflect")
    starts = range(0, _SPECTRA * _HOP_SAMPLES, _HOP_SAMPLES)
    windows = [graph.add("Slice", [sound, *graph.span(start, start + _FFT_SAMPLES)]) for start in starts]
    windows = [graph.add("Unsqueeze", [window, graph.whole(1)]) for window in windows]
    basis = graph.constant(weights[_SPECTRUM][:, 0].T)
    parts = graph.add("MatMul", [graph.add("Concat", windows, axis=1), basis])
    layer = graph.add("Sqrt", [graph.add("Add", [_square(graph, parts, 0), _square(graph, parts, _BANDS)])])
    for number, (steps, stride, taps) in enumerate(_CONVOLUTIONS):
        kernel = weights[_LAYER.format(number, "weight")].transpose(2, 1, 0)[taps.start : taps.stop]
        bias = weights[_LAYER.format(number, "bias")]
        seen = _seen(graph, layer, steps, stride, taps)
        product = graph.add("MatMul", [seen, graph.constant(kernel.reshape(-1, len(bias)))])
        layer = graph.add("Relu", [graph.add("Add", [product, graph.constant(bias)])])
    return layer


def _square(graph: _Graph, parts: str, start: int) -> str:
    half = graph.add("Slice", [parts, *graph.span(start, start + _BANDS, axis=2)])
    return graph.add("Mul", [half, half])


def _seen(graph: _Graph, layer: str, steps: int, stride: int, taps: range) -> str:
    """What each step of a convolution looks at, side by side: float32[n, steps, n_taps * n_in]."""
    padded = graph.add("Pad", [layer, graph.whole(0, 1, 0, 0, 1, 0)])
    spans = [graph.span(tap, tap + (steps - 1) * stride + 1, stride=stride) for tap in taps]
    return graph.add("Concat", [graph.add("Slice", [padded, *span]) for span in spans], axis=2)


def _decoder(graph: _Graph, weights: dict[str, Floats]) -> None:
    """From the LSTM's float32[n, 1, n_streams, 128] to `speech`."""
    heard = graph.add("Relu", [graph.add("Squeeze", ["heard", graph.whole(1)])])
    score = graph.add("MatMul", [heard, graph.constant(weights[_SPEECH.format("weight")].reshape(-1))])
    score = graph.add("Add", [score, graph.constant(weights[_SPEECH.format("bias")])])
    graph.add("Sigmoid", [score], ("speech",))


class _Graph:
    """Nodes and constants, named in the order in which they come."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def add(self, operator: str, inputs: list[str], outputs: tuple[str, ...] = (), **attributes: Any) -> str:
        """A node; returns the name of its first result."""
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

    def span(self, start: int, end: int, *, axis: int = 1, stride: int = 1) -> list[str]:
        """What Slice takes after its data."""
        return [self.whole(start), self.whole(end), self.whole(axis), self.whole(stride)]

    def model(self) -> bytes:
        from onnx import TensorProto, helper

        def described(name: str, *shape: int | str | None) -> onnx.ValueInfoProto:
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

        def states(*names: str) -> list[onnx.ValueInfoProto]:
            return [described(name, 1, "n_streams", STATE_SIZE) for name in names]

        inputs = [described("input", None, CONTEXT_SAMPLES + FRAME_SAMPLES), *states("h", "c")]
        outputs = [described("speech", None, "n_streams"), *states("hn", "cn")]
        graph = helper.make_graph(self._nodes, "silero_vad", inputs, outputs, self._constants)
        opset = helper.make_opsetid("", 17)
        return helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()
