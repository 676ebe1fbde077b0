"""Candidates are erased while others speak, with object storage away and the erasing worker killed."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import httpx

from tests.faults.conftest import System
from tests.faults.crowd import Crowd
from tests.faults.waiting import wait_for
from tests.stack import link_token

WORKER = "default"
AT_ONCE = 8


def test_erased_while_others_speak(system, crowd, harm, scale):
    with Crowd(system.stack, count=scale.erased, called="Vanishing Person", within_s=600) as leaving:
        crowd.speak_on(scale.speak_on_s)
        doomed = invitations_of(system, leaving)
        with system.storage.ill("failing"):
            erase(system, doomed)
            killed = [system.workers.kill(WORKER)]
            system.workers.wait_restarted(WORKER, killed[0])
            crowd.speak_on(scale.ill_s)
            assert pending(system), "nothing is erased for good while object storage is away"
        since, total = time.monotonic(), pending(system)
        wait_for(lambda: pending(system) < total, "the erasure to go on", within_s=600)
        killed.append(system.workers.kill(WORKER))
        left = pending(system)
        wait_for(lambda: not pending(system), "everything to be erased", within_s=600)
        took_s = time.monotonic() - since
        closed = [code for each in leaving.candidates for code in each.connection.closes]
    assert len(closed) >= len(doomed), "the connections of those who were erased have ended"
    facts = f"{len(doomed)} others erased; {left} of {total} stores were left at the second kill -9"
    harm.survived("erasure, object storage away, kill -9 of its worker twice", recover_s=took_s, also=facts)
    wait_for(lambda: not under_way(system), "every erasure to be complete", within_s=600)
    names = [leaving.name_of(number) for number in range(leaving.count)]
    tokens = [link_token(each.invitation_url) for each in leaving.candidates]
    assert proof(system, doomed, names, tokens).endswith("found: nothing\n")


def invitations_of(system: System, crowd: Crowd) -> list[UUID]:
    sessions = [UUID(candidate.session["id"]) for candidate in crowd.candidates]
    found = "SELECT invitation_id FROM interviews_session WHERE id = ANY(%s)"
    return [row[0] for row in system.stack.rows(found, [sessions])]


def erase(system: System, invitations: Sequence[UUID]) -> None:
    """Erase them over REST, several at a time."""
    key = {"Authorization": f"Bearer {system.stack.demo['api_key']}"}
    with httpx.Client(base_url=system.stack.url, headers=key, timeout=60) as client:

        def one(invitation_id: UUID) -> int:
            return client.delete(f"/api/v1/invitations/{invitation_id}/candidate").status_code

        with ThreadPoolExecutor(AT_ONCE) as threads:
            assert set(threads.map(one, invitations)) == {202}


def pending(system: System) -> int:
    """How many stores of audio still have something to erase."""
    return system.stack.rows("SELECT count(*) FROM voice_pendingerasure")[0][0]


def under_way(system: System) -> int:
    return system.stack.rows("SELECT count(*) FROM interviews_erasure WHERE status = 'waiting'")[0][0]


def proof(system: System, ids: Sequence[UUID], names: Sequence[str], tokens: Sequence[str]) -> str:
    """Search every store for all of them; return what was printed. Raises RuntimeError if any was found."""
    words = [word for name in names for word in ("--name", name)]
    words += [f"--token={token}" for token in tokens]
    return system.stack.manage("prove_erasure", *map(str, ids), *words)
