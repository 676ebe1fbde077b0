"""Make one channel of several: by their energy, because a plain sum may cancel what was said."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from voice.types import Samples

Matrix = npt.NDArray[np.float64]

_MEMORY_S: Final = 2.0
"""How long the energy of a channel counts: longer than a pause between words."""
_AUDIBLE: Final = 10**-3.0
"""A channel 30 dB below the loudest one adds noise alone."""
_CANCELLED: Final = 0.25
"""Channels without relation to each other keep all of their energy in a sum; with less than this share of it
they cancel each other, as when one of two is inverted."""


class Downmix:
    """Mixes a stream of several channels to one: the mean of the audible ones, or the loudest alone.

    The loudest is taken alone while the others would cancel it. Weights change over the length of a block, so
    that nothing clicks.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._products: Matrix | None = None  # of each channel with each other one: energies on the diagonal
        self._weights: npt.NDArray[np.float32] | None = None

    def mix(self, channels: npt.NDArray[np.float32]) -> Samples:
        """Return float32[n_samples] of float32[n_channels, n_samples]."""
        n_channels, n_samples = channels.shape
        if n_channels == 1 or not n_samples:
            return channels[0]
        products = channels.astype(np.float64) @ channels.T.astype(np.float64)
        if self._products is not None:
            products += self._products * math.exp(-n_samples / (_MEMORY_S * self._rate_hz))
        weights = _weights(products).astype(np.float32)
        before = weights if self._weights is None else self._weights
        self._products, self._weights = products, weights
        if np.array_equal(before, weights):
            return weights @ channels
        progress = np.linspace(0, 1, n_samples, dtype=np.float32)
        return (before @ channels) * (1 - progress) + (weights @ channels) * progress


def _weights(products: Matrix) -> Matrix:
    """Return the share of each channel in the mix."""
    energies = np.diagonal(products)
    is_audible = energies >= energies.max() * _AUDIBLE
    mean = is_audible / is_audible.sum()
    apart = float(mean**2 @ energies)
    if mean @ products @ mean < _CANCELLED * apart:
        return np.eye(len(energies))[energies.argmax()]
    return mean
