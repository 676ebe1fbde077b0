"""A worker of a pool whose device and model are pretended; `test_pools.py` starts it."""

import os
import sys
import time

import django
import redis
from django.conf import settings

from tests.fakes import FakeRecognition
from voice.errors import EngineUnavailable
from voice.queues import leases
from voice.workers import attendant, worker
from voice.workers.stop_signals import StopSignals


class PretendedEngine(FakeRecognition):
    """Does what the list `mode:<model>` in Redis says: hold until released, fail, or take some seconds."""

    def __init__(self, model: str, device: str) -> None:
        super().__init__(f"Written by the {model} model.")
        self.model, self.device = model, device
        self._client = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=600)

    def recognize(self, samples, **options):
        mode = (self._client.get(f"mode:{self.model}") or b"0").decode()
        self._client.rpush(f"begun:{self.model}", mode)
        if mode == "hold":
            self._client.blpop([f"release:{self.model}"], 300)
        elif mode == "fail":
            raise EngineUnavailable("The device is gone.")
        else:
            time.sleep(float(mode))
        return super().recognize(samples, **options)


def main(list_names: str, model: str, device: str, *times: str) -> int:
    """Run a worker as `manage.py voiceworker` does, with a pretended engine."""
    django.setup()
    from voice import signals
    from voice.inference import recognizer

    leases.LEASE_S, attendant.BEAT_S, worker.TELL_EVERY_S = int(times[0]), float(times[1]), float(times[2])
    connection = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=600)
    asked = StopSignals()
    notes = attendant.forked(connection, deadline_s=60, grace_s=settings.WORKER_GRACE_S, signals=asked)
    service = recognizer.Recognizer([PretendedEngine(model, device)], pool=os.environ["POOL"])
    recognizer.recognizer = lambda: service
    tell = lambda transcript, **_: connection.rpush("written", str(transcript.recording_id))  # noqa: E731
    signals.transcript_finished.connect(tell, weak=False)
    program = worker.VoiceWorker(
        list_names.split(","), connection=connection, services=[service], notes=notes, signals=asked
    )
    return program.run(lambda line: print(line, flush=True))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
