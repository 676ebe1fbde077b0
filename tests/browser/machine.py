"""What a browser finds on a machine with a screen, a loudspeaker and a microphone, made for the tests."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from interview_platform.demo.processes import end_with_parent
from tests.faults.waiting import wait_for


def program(name: str, package: str) -> str:
    """The path of a program; without it the test is skipped by name."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"no {name} on this machine: `apt-get install {package}` lets this test run")
    return path


@contextlib.contextmanager
def running(command: list[str], *, log: Path, env: dict[str, str] | None = None) -> Iterator[None]:
    """Run a program in a process group of its own until the end of the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            start_new_session=True,
            preexec_fn=end_with_parent(signal.SIGKILL),
        )
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def display(directory: Path) -> Iterator[dict[str, str]]:
    """A screen that nobody sees. Yields the environment of its programs."""
    xvfb, found = program("Xvfb", "xvfb"), directory / "display"
    found.unlink(missing_ok=True)
    command = ["sh", "-c", f'exec {xvfb} -displayfd 9 -screen 0 1280x900x24 9>"{found}"']
    with running(command, log=directory / "xvfb.log"):
        wait_for(lambda: found.exists() and found.read_text().strip(), "the screen")
        yield {"DISPLAY": f":{found.read_text().strip()}"}


@dataclass
class Sound:
    """The PulseAudio server of a folder: a loudspeaker, and a microphone into which a test plays."""

    directory: Path

    @property
    def socket(self) -> Path:
        return self.directory / "pulse.sock"

    @property
    def env(self) -> dict[str, str]:
        """The environment of programs that hear and are heard there."""
        return {"PULSE_SERVER": f"unix:{self.socket}"}

    def play(self, wav: Path) -> None:
        """Play a file into the microphone, and return when it is over."""
        subprocess.run(self._command(wav), env=os.environ | self.env, check=True, timeout=120)

    @contextlib.contextmanager
    def played(self, wav: Path) -> Iterator[None]:
        """Play a file into the microphone, again and again."""
        again = ["sh", "-c", 'while "$@"; do :; done', "sh", *self._command(wav)]
        with running(again, log=self.directory / "paplay.log", env=os.environ | self.env):
            yield

    @staticmethod
    def _command(wav: Path) -> list[str]:
        return [program("paplay", "pulseaudio-utils"), "--device=microphone-in", str(wav)]


SETTINGS = """
load-module module-native-protocol-unix socket={socket} auth-anonymous=1
load-module module-null-sink sink_name=loudspeaker rate=48000
load-module module-null-sink sink_name=microphone-in rate=48000 channels=1
load-module module-remap-source master=microphone-in.monitor source_name=microphone
set-default-sink loudspeaker
set-default-source microphone
"""


@contextlib.contextmanager
def sound_system(directory: Path) -> Iterator[Sound]:
    """A sound server with a loudspeaker and a microphone."""
    pulseaudio, sound = program("pulseaudio", "pulseaudio"), Sound(directory)
    settings, log = directory / "pulse.pa", directory / "pulseaudio.log"
    settings.write_text(SETTINGS.format(socket=sound.socket))
    options = ["-n", "--daemonize=no", "--exit-idle-time=-1", "--resample-method=speex-float-5"]
    own = {"XDG_RUNTIME_DIR": str(directory), "HOME": str(directory)}
    with running([pulseaudio, *options, "-F", str(settings)], log=log, env=os.environ | own):
        wait_for(sound.socket.exists, "the sound server")
        yield sound
