"""A small model of KEDA 2.17 and of the autoscaler behind it, which reads a rendered ScaledObject.

    scaler = Autoscaler(scaled_object)
    replicas = scaler.step(now_s, replicas, {"stt-waiting": 12, "stt-running": 6})

It is not KEDA: it has its documented rules, so that thresholds can be tried on real queues.
Source: keda.sh, "Scaling Deployments" and "Redis Lists"; kubernetes.io, "Horizontal Pod Autoscaling".
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import redis

TOLERANCE = 0.1
"""The autoscaler leaves a ratio of wanted to present that is so close to 1."""
COMMANDS = {"list": "LLEN", "zset": "ZCARD", "set": "SCARD", "hash": "HLEN", "none": "LLEN"}


def length(client: redis.Redis, key: str) -> int:
    """Return what KEDA's Redis scaler reads of a key: its length, by its type."""
    kind = client.type(key)
    return int(client.execute_command(COMMANDS[kind.decode() if isinstance(kind, bytes) else kind], key))


def readings(scaled_object: Mapping[str, Any], client: redis.Redis) -> dict[str, int]:
    """Return the length of each list that the triggers name."""
    return {
        trigger["name"]: length(client, trigger["metadata"]["listName"])
        for trigger in scaled_object["spec"]["triggers"]
        if trigger["type"] == "redis"
    }


@dataclass
class Autoscaler:
    """Decides how many pods there should be. Clock triggers count as out of their hours.

    active_at_s: when a trigger was last above its activation.
    recommended: what was wanted at each time, for the stabilisation windows.
    changes: by how much the pods changed at each time, for the policies.
    """

    scaled_object: Mapping[str, Any]
    active_at_s: float = -math.inf
    recommended: list[tuple[float, int]] = field(default_factory=list)
    changes: list[tuple[float, int]] = field(default_factory=list)

    @property
    def spec(self) -> Mapping[str, Any]:
        return self.scaled_object["spec"]

    def step(self, now_s: float, replicas: int, read: Mapping[str, float]) -> int:
        """Return the number of pods that is wanted now."""
        if self.is_active(read):
            self.active_at_s = now_s
        lowest = self.spec["minReplicaCount"]
        if not replicas:
            wanted = max(lowest, 1) if self.active_at_s == now_s else lowest
        elif not lowest and now_s - self.active_at_s > self.spec["cooldownPeriod"]:
            wanted = 0
        else:
            wanted = self._by_the_metrics(now_s, replicas, read)
        self.changes.append((now_s, wanted - replicas))
        return wanted

    def is_active(self, read: Mapping[str, float]) -> bool:
        """Whether a trigger is above its activation, which is strictly greater."""
        return any(
            read[trigger["name"]] > int(trigger["metadata"].get("activationListLength", 0))
            for trigger in self.spec["triggers"]
            if trigger["name"] in read
        )

    def _by_the_metrics(self, now_s: float, replicas: int, read: Mapping[str, float]) -> int:
        """What a HorizontalPodAutoscaler wants: the most that any metric asks for, at the allowed speed."""
        asked = [
            pods_for(read[trigger["name"]], int(trigger["metadata"]["listLength"]), replicas)
            for trigger in self.spec["triggers"]
            if trigger["name"] in read
        ]
        wanted = min(max(*asked, self.spec["minReplicaCount"], 1), self.spec["maxReplicaCount"])
        self.recommended.append((now_s, wanted))
        stable = min(
            max(replicas, self._window("scaleUp", now_s, min)), self._window("scaleDown", now_s, max)
        )
        return min(
            max(stable, replicas - self._step("scaleDown", now_s, replicas)), self._top(now_s, replicas)
        )

    def _top(self, now_s: float, replicas: int) -> int:
        return min(replicas + self._step("scaleUp", now_s, replicas), self.spec["maxReplicaCount"])

    def _window(self, direction: str, now_s: float, of: Any) -> int:
        since_s = now_s - self._behavior(direction)["stabilizationWindowSeconds"]
        return of(wanted for at_s, wanted in self.recommended if at_s >= since_s)

    def _step(self, direction: str, now_s: float, replicas: int) -> int:
        """By how many pods the count may change now: the most that a policy still allows."""
        allowed = []
        for policy in self._behavior(direction)["policies"]:
            sign = 1 if direction == "scaleUp" else -1
            recent = sum(
                max(0, sign * change)
                for at_s, change in self.changes
                if at_s > now_s - policy["periodSeconds"]
            )
            before = replicas - sign * recent
            percent = policy["type"] == "Percent"
            whole = math.ceil(before * policy["value"] / 100) if percent else policy["value"]
            allowed.append(max(0, whole - recent))
        return max(allowed)

    def _behavior(self, direction: str) -> Mapping[str, Any]:
        return self.spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"][direction]


def pods_for(value: float, target: float, replicas: int) -> int:
    """Return the pods that an average of `target` needs."""
    if abs(value / (target * replicas) - 1) <= TOLERANCE:
        return replicas
    return math.ceil(value / target)
