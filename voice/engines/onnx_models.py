"""ONNX models: files inside packages that are not imported, and sessions on the caller's thread."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from voice.errors import EngineUnavailable

if TYPE_CHECKING:
    import onnxruntime


def file_in_package(package: str, path: str) -> str:
    """Return the path of a file inside an installed package without importing the package.

    Raises:
        EngineUnavailable: the package or the file is missing.
    """
    spec = importlib.util.find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        if (found := Path(folder, path)).is_file():
            return str(found)
    raise EngineUnavailable(f"{path} of the Python package {package!r} is missing; install that package.")


def one_thread_session(model: str | bytes) -> onnxruntime.InferenceSession:
    """Return an ONNX session on the caller's thread alone: callers are many, and each model is small.

    model: a file's path, or its content.

    Raises:
        EngineUnavailable: onnxruntime is missing or cannot read the file.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise EngineUnavailable("The Python package 'onnxruntime' is missing; install it.") from error
    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = 1
    options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = (
        False  # an arena keeps the largest block ever used, and there are many such processes
    )
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except onnx_errors() as error:
        name = model if isinstance(model, str) else "a model"
        raise EngineUnavailable(f"{name} cannot be loaded ({error}); replace the file.") from error


class SharedSession:
    """One session for all threads of a process, created on first use.

    session = SharedSession(lambda: "model.onnx")
    session.get().run(None, {...})
    """

    def __init__(self, find_model: Callable[[], str | bytes]) -> None:
        """find_model: returns the ONNX file's path, or its content, or raises EngineUnavailable."""
        self._find_model = find_model
        self._session: onnxruntime.InferenceSession | None = None
        self._loading = threading.Lock()

    def get(self) -> onnxruntime.InferenceSession:
        """Return the session; the first call loads it while others wait.

        Raises:
            EngineUnavailable: the model or onnxruntime is missing; the next call tries again.
        """
        with self._loading:
            if self._session is None:
                self._session = one_thread_session(self._find_model())
            return self._session


def onnx_errors() -> tuple[type[Exception], ...]:
    """Return what onnxruntime raises for a bad model or a failed run; the errors have no common base."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    kinds = (value for value in vars(state).values() if isinstance(value, type))
    return tuple(kind for kind in kinds if issubclass(kind, Exception))
