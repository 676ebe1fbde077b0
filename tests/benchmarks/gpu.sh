#!/bin/sh
# Recognition on one GPU, in eight minutes, with weights of the shape of large-v3 that are built here:
#
#   tests/benchmarks/gpu.sh
#   tests/benchmarks/gpu.sh --shape tiny --device cpu --types int8 --seconds 22 --at-once 1 8   # does it work?
#
# PYTHON names the interpreter, where it is not .venv/bin/python. It needs faster-whisper with its GPU libraries
# (nvidia-cublas-cu12, nvidia-cudnn-cu12), espeakng-loader and psutil.
set -eu
cd "$(dirname "$0")/../.."
PYTHON=${PYTHON:-.venv/bin/python}
# CTranslate2 opens these libraries by name; pip puts them where the loader does not look.
LIBRARIES=$("$PYTHON" -c '
import pathlib, sysconfig
print(":".join(map(str, pathlib.Path(sysconfig.get_path("purelib")).glob("nvidia/*/lib"))))')
LD_LIBRARY_PATH="$LIBRARIES${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" exec timeout 480 "$PYTHON" -m tests.benchmarks.gpu "$@"
