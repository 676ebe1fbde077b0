"""Every list of the code is served by a pool, and every pool serves lists of the code."""

from django.conf import settings

from tests.deploy.kubernetes.manifests import of_kind, pods
from voice.management.commands.voiceworker import with_calls
from voice.queues import pools


def served(manifests):
    """The lists that each pool serves: those of its command, and those that come with them."""
    return {name: with_calls(pod.lists) for name, pod in pods(manifests).items() if pod.lists}


def test_every_list_is_served(overlay):
    every_list = {name for lists in served(overlay).values() for name in lists}
    has_gpu = "worker-stt-gpu" in served(overlay)

    assert every_list == set(settings.QUEUE_NAMES) - (set() if has_gpu else set(pools.OF_ONE_POOL))


def test_each_pool_is_named_for_its_first_list(overlay):
    firsts = {name: pod.lists[0] for name, pod in pods(overlay).items() if pod.lists}

    assert firsts.pop("worker-default") == "cron"
    assert firsts == {f"worker-{name}": name for name in firsts.values()}


def test_no_list_but_those_of_callers_belongs_to_two_pools(overlay):
    lists = [name for each in served(overlay).values() for name in each]

    assert {name for name in lists if lists.count(name) > 1} <= {"stt-ahead", "stt-call", "stt-call-partial"}


def test_only_one_clock_runs(overlay):
    cron = of_kind(overlay, "Deployment")["cron"]["spec"]

    assert cron["replicas"] == 1
    assert cron["strategy"] == {"type": "Recreate"}
    assert "cron" not in of_kind(overlay, "ScaledObject")


def test_pools_with_a_gpu_have_a_name_for_their_engines(largest):
    for name, pod in pods(largest).items():
        own = {variable["name"]: variable["value"] for variable in pod.container.get("env", ())}
        assert own.get("POOL") == ("gpu" if name.endswith("-gpu") else None)
