"""Prices, and what pods and stores cost with them."""

from typing import Annotated

from pydantic import Field

from interview_platform.planning.demand import Share
from interview_platform.planning.figures import Size
from interview_platform.planning.inputs import Inputs

Price = Annotated[float, Field(ge=0)]


class Spot(Inputs):
    """Pods that may be taken away at any time."""

    price_share: Share
    evictions_an_hour: Annotated[float, Field(ge=0)]


class Prices(Inputs):
    currency: str
    core_hour: Price
    memory_gb_hour: Price
    gpu_hour: Price
    egress_gb: Price
    storage_gb_month: Price
    spot: Spot

    def hour_of(self, size: Size) -> float:
        """Return the price of a pod for an hour, on demand."""
        return (
            size.cores * self.core_hour
            + size.memory_mb / 1024 * self.memory_gb_hour
            + size.gpus * self.gpu_hour
        )

    def pods(self, size: Size, pod_hours: float, *, is_spot: bool) -> float:
        """Return the price of so many hours of a pod."""
        return self.hour_of(size) * pod_hours * (self.spot.price_share if is_spot else 1.0)
