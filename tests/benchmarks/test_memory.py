"""Memory of the idle system: the proportional share (PSS) of every process, without Whisper weights."""

import os

import psutil

from tests.stack import Stack


def pss_mb(process: psutil.Process) -> float:
    return process.memory_full_info().pss / 1e6


def test_memory_of_the_idle_system(run_directory, piper_voices, figure):
    env = {"STT_ENGINES": "pocketsphinx", "PIPER_VOICES_DIR": str(piper_voices)}
    before = {p.pid for p in psutil.Process(os.getpid()).children(recursive=True)}
    with Stack(run_directory / "idle-stack", env=env) as stack:
        stack.load_demo()
        stack.wait_ready()
        mine = psutil.Process(os.getpid()).children(recursive=True)
        own = sum(pss_mb(p) for p in mine if p.pid not in before)
        shared = sum(pss_mb(p) for p in mine if p.pid in before and "postgres" in p.name())
        for name in ("web", "speech", "tts", "audio", "default", "cron"):
            for pid in stack.pids(name):
                figure(
                    f"memory of {name}",
                    pss_mb(psutil.Process(pid)),
                    "MB",
                    "under 200" if name == "web" else "",
                )
        figure("memory of the idle system", own + shared, "MB", "under 1200")
