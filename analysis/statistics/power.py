"""How many worlds: from the standard error of a pilot to worlds needed, power, and the least effect that shows.

A standard error shrinks as 1 / √worlds. With s.e. ``error`` at n worlds, an effect δ is found with chance 1 − β by a
two-sided test of size α at about n' = n · (error · (z₁₋α/₂ + z₁₋β) / δ)² worlds (Cohen, *Statistical Power Analysis*,
1988, chapter 2). The pilot's own s.e. is uncertain: (n − 1) s² / σ² is chi-square with n − 1 degrees of freedom, so an
upper limit of σ gives an upper limit of n'. Equivalence (TOST) with a true difference of θ inside the margin Δ needs
the same with δ = Δ − |θ|, one-sided, and with β/2 where θ = 0 and both tests can fail (Chow, Shao and Wang, *Sample
Size Calculations in Clinical Research*, 2008, chapter 3).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import chdtri, ndtr, ndtri

from civsim.base.errors import ResultsError

ALPHA = 0.05
POWER = 0.8
UPPER = 0.95
"""One-sided confidence of the upper limit of the worlds needed."""

MIN_WORLDS = 2


class WorldsNeeded(NamedTuple):
    """Worlds that give a test its power, with an upper limit for how uncertain the pilot's s.e. is."""

    worlds: int  # with the pilot's standard error taken as true
    upper: int  # with the upper limit of that standard error
    pilot_worlds: int
    power: float
    alpha: float


def _check(error: float, worlds: int, alpha: float, power: float | None = None) -> None:
    if worlds < MIN_WORLDS:
        raise ResultsError(f"worlds={worlds} give no standard error; play a pilot of at least {MIN_WORLDS}")
    if not (math.isfinite(error) and error >= 0.0):
        raise ResultsError(f"error={error:g} is no standard error; give a finite number, 0 or above")
    if not 0.0 < alpha < 1.0:
        raise ResultsError(f"alpha={alpha:g} is outside (0, 1); give 0.05")
    if power is not None and not alpha < power < 1.0:
        raise ResultsError(f"power={power:g} is outside ({alpha:g}, 1); give 0.8")


def upper_error(error: float, worlds: int, confidence: float = UPPER) -> float:
    """Return the upper limit of a standard error from ``worlds`` worlds: error · √((n − 1) / χ²_{n−1, 1−confidence}).

    Exact for normal differences; heavy tails make it too low.

    Raises:
        ResultsError: fewer than two worlds, or an error below 0.
    """
    _check(error, worlds, 1.0 - confidence)
    return error * math.sqrt((worlds - 1) / float(chdtri(worlds - 1, confidence)))


def _needed(error: float, worlds: int, gap: float, quantiles: float) -> int:
    exact = worlds * (error * quantiles / gap) ** 2
    return max(MIN_WORLDS, math.ceil(exact - 1e-9 * max(1.0, exact)))


def worlds_needed(
    error: float, worlds: int, effect: float, *, power: float = POWER, alpha: float = ALPHA, upper: float = UPPER
) -> WorldsNeeded:
    """Return the worlds at which an effect (same unit as ``error``; its sign is nothing) is found with ``power``.

    Raises:
        ResultsError: no pilot, an effect of 0, or shares outside (0, 1).
    """
    _check(error, worlds, alpha, power)
    if not (math.isfinite(effect) and effect != 0.0):
        raise ResultsError(f"effect={effect:g} is none that can be found; give the smallest effect that matters")
    quantiles = float(ndtri(1.0 - alpha / 2.0) + ndtri(power))
    most = _needed(upper_error(error, worlds, upper), worlds, effect, quantiles)
    return WorldsNeeded(_needed(error, worlds, effect, quantiles), most, worlds, power, alpha)


def power_at(error: float, worlds: int, effect: float, planned: int, *, alpha: float = ALPHA) -> float:
    """Return the chance, in [α, 1], that a two-sided test finds ``effect`` with ``planned`` worlds.

    Raises:
        ResultsError: no pilot, or fewer than two planned worlds.
    """
    _check(error, worlds, alpha)
    if planned < MIN_WORLDS:
        raise ResultsError(f"planned={planned} worlds give no test; plan at least {MIN_WORLDS}")
    spread = error * math.sqrt(worlds / planned)
    if spread == 0.0:
        return 1.0 if effect else alpha
    cut, shift = float(ndtri(1.0 - alpha / 2.0)), abs(effect) / spread
    return float(ndtr(shift - cut) + ndtr(-shift - cut))


def detectable_effect(error: float, worlds: int, planned: int, *, power: float = POWER, alpha: float = ALPHA) -> float:
    """Return the least effect that ``planned`` worlds find with ``power``, in the unit of ``error``.

    Raises:
        ResultsError: no pilot, or fewer than two planned worlds.
    """
    _check(error, worlds, alpha, power)
    if planned < MIN_WORLDS:
        raise ResultsError(f"planned={planned} worlds give no test; plan at least {MIN_WORLDS}")
    return error * math.sqrt(worlds / planned) * float(ndtri(1.0 - alpha / 2.0) + ndtri(power))


def equivalence_worlds_needed(
    error: float,
    worlds: int,
    margin: float,
    *,
    difference: float = 0.0,
    power: float = POWER,
    alpha: float = ALPHA,
    upper: float = UPPER,
) -> WorldsNeeded:
    """Return the worlds at which TOST shows a true ``difference`` to be within ``margin`` with ``power``.

    Raises:
        ResultsError: no pilot, or a difference that is not inside the margin.
    """
    _check(error, worlds, alpha, power)
    if not (math.isfinite(margin) and abs(difference) < margin):
        raise ResultsError(f"difference={difference:g} is not inside margin={margin:g}; no number of worlds shows it")
    miss = (1.0 - power) / (2.0 if difference == 0.0 else 1.0)
    quantiles, gap = float(ndtri(1.0 - alpha) + ndtri(1.0 - miss)), margin - abs(difference)
    most = _needed(upper_error(error, worlds, upper), worlds, gap, quantiles)
    return WorldsNeeded(_needed(error, worlds, gap, quantiles), most, worlds, power, alpha)


def equivalence_power_at(
    error: float, worlds: int, margin: float, planned: int, *, difference: float = 0.0, alpha: float = ALPHA
) -> float:
    """Return the chance that TOST with ``planned`` worlds shows a true ``difference`` to be within ``margin``.

    Φ((Δ − θ)/s − z) − Φ(z − (Δ + θ)/s), and 0 where that is negative (large-sample; the tests share one s).

    Raises:
        ResultsError: no pilot, a margin that is not above 0, or fewer than two planned worlds.
    """
    _check(error, worlds, alpha)
    if planned < MIN_WORLDS or not margin > 0.0:
        raise ResultsError(
            f"planned={planned}, margin={margin:g} give no test; plan at least 2 worlds, a margin above 0"
        )
    spread = error * math.sqrt(worlds / planned)
    if spread == 0.0:
        return float(abs(difference) < margin)
    cut = float(ndtri(1.0 - alpha))
    inside = ndtr((margin - difference) / spread - cut) - ndtr(cut - (margin + difference) / spread)
    return float(np.maximum(inside, 0.0))
