"""A platform on these hosts, its candidates, and the scripts of deploy/backups run against it."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from interview_platform.demo import embedded
from tests import candidate
from tests.deploy.backups.hosts import BACKUPS, ROOT, ObjectStorage, PostgreSQL
from tests.faults.servers import Server
from tests.prepared import manage
from tests.stack import Stack, small

SECRETS = {"SECRET_KEY": "a secret key of the rehearsal, long enough for Django", "TOKEN_KEYS": "k" * 43}
"""No backup holds them: an operator keeps them elsewhere."""

ROWS = """
SELECT i.id, i.status, i.token_hash, s.id, s.status, s.version, a.id, a.status, a.version,
  r.id, r.status, r.sha256, r.byte_count, t.status, t.text
FROM interviews_invitation i LEFT JOIN interviews_session s ON s.invitation_id = i.id
LEFT JOIN interviews_answer a ON a.session_id = s.id LEFT JOIN voice_recording r ON r.id = a.recording_id
LEFT JOIN voice_transcript t ON t.recording_id = r.id
"""


@dataclass
class Site:
    """The stores, and where their copies lie, which outlives them."""

    directory: Path
    models: dict[str, str]
    postgresql: PostgreSQL
    objects: ObjectStorage
    redis: Server
    demo: dict = field(default_factory=dict)
    encryption: dict[str, str] = field(default_factory=dict)
    """Settings of the encryption at rest; empty: it is off."""

    @property
    def database(self) -> str:
        return self.postgresql.url.rpartition("/")[0] + "/interviews"

    @property
    def env(self) -> dict[str, str]:
        """The platform's settings."""
        stores = {"REDIS_URL": self.redis.url, **self.objects.env, **self.encryption}
        return {**SECRETS, **stores, **self.models, "DRAIN_S": "1"}

    @contextlib.contextmanager
    def platform(self, name: str) -> Iterator[Stack]:
        """The processes of the platform, killed at the end."""
        with Stack(self.directory / name, env=self.env, database=self.database, adapt=small) as stack:
            if self.demo:
                stack.__dict__["demo"] = self.demo  # it was loaded before the disaster
            stack.wait_ready()
            self.demo = stack.demo
            yield stack

    def run(self, script: str, *arguments: str, **settings: str) -> str:
        """Run a script and return what it printed.

        Raises:
            RuntimeError: it failed.
        """
        done = subprocess.run(
            [str(BACKUPS / script), *arguments],
            env={**self._settings(), **settings},
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        return done.stdout + done.stderr

    def _settings(self) -> dict[str, str]:
        address = urlsplit(self.redis.url)
        metrics = self.directory / "metrics"
        metrics.mkdir(exist_ok=True)
        return {
            **self.postgresql.env,
            **self.objects.rclone(),
            **self.env,
            "DATABASE_URL": self.database,
            "VAR_DIR": str(self.directory / "var"),
            "BASE_URL": "http://127.0.0.1",
            "OBJECTS": f"live:{ObjectStorage.BUCKET}",
            "OBJECTS_COPY": str(self.directory / "copy"),
            **self._data_keys(),
            "ON_DATABASE": " ".join(self.postgresql.prefix),
            "START_DATABASE": self.postgresql.start_command,
            "REDIS_CLI": f"redis-cli -h 127.0.0.1 -p {address.port}",
            "REDISCLI_AUTH": address.password or "",
            "MANAGE": f"{sys.executable} manage.py",
            "METRICS_DIR": str(metrics),
            "LOCK_DIR": str(self.directory),
        }

    def _data_keys(self) -> dict[str, str]:
        if not self.encryption:
            return {}
        copies = self.directory / "key-copies"
        return {"DATA_KEYS": f"live:{self.encryption['KEYS_BUCKET']}", "DATA_KEYS_COPY": str(copies)}

    def rows(self, *, of: str = "", but: str = "") -> set[tuple]:
        """Return what the database holds of interviews: of one candidate, or of all but one."""
        condition = "WHERE i.id = %s" if of else "WHERE i.id <> %s"
        with psycopg.connect(self.database) as connection:
            return set(connection.execute(ROWS + condition, [of or but]).fetchall())

    def manage(self, *arguments: str) -> str:
        """Run a management command and return what it printed."""
        return manage(arguments, self._settings())

    def lose_everything(self) -> None:
        """Delete the files of every store. The repository and the copies of objects lie elsewhere."""
        self.postgresql.lose()
        self.objects.lose()
        self.redis.kill()
        self.redis.empty()


@contextlib.contextmanager
def site(directory: Path, models: dict[str, str], **encryption: str) -> Iterator[Site]:
    """Empty stores, running. encryption: settings of the encryption at rest."""
    directory.mkdir()
    directory.chmod(0o711)  # as root, PostgreSQL runs as another user
    with contextlib.ExitStack() as running:
        postgresql = PostgreSQL(directory / "postgresql", repository=directory / "repository")
        postgresql.create()
        postgresql.start()
        running.callback(postgresql.stop, "immediate")
        (directory / "objects").mkdir()
        objects = running.enter_context(ObjectStorage(directory / "objects"))
        redis = running.enter_context(Server(embedded.redis, directory / "redis"))
        with psycopg.connect(postgresql.url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE interviews")
        made = Site(directory, models, postgresql, objects, redis, encryption=encryption)
        yield made


async def come_back(link: str, stack: Stack, said: list[memoryview]) -> int:
    """Go on with an interview from where the platform is, to its end. Return from which byte it went on."""
    url = moved(link, stack)
    async with candidate.connected(url) as page:
        current = page.current
        resume = await page.select(current)
        number = page.answer(current)["position"] - 1
        if resume["offset"] < len(said[number]):
            await page.speak(said[number], start=resume["offset"])
        await finish(page, current, said[number])
        for answer in said[number + 1 :]:
            resumed = await page.begin()
            await page.speak(answer)
            await finish(page, resumed["answer"], answer)
        await page.until(lambda _: candidate.is_over(page.state))
        return resume["offset"]


async def finish(page: candidate.Candidate, answer: str, pcm: memoryview) -> None:
    """Finish an answer, and accept it where that is asked for."""
    await page.finish(answer, pcm)
    event = await page.event("answer_finished")
    if event["answer"]["status"] == "recorded":
        await page.say("accept_answer", answer=answer)
        await page.event("answer_accepted")


def moved(link: str, stack: Stack) -> str:
    """Return the link at the address of this platform."""
    return stack.url + urlsplit(link).path
