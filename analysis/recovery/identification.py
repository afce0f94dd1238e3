"""Planted identification: instrumented slopes, mixed effects, equivalence at its margin, promised power."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.analysis.recovery.case import Case
from civsim.analysis.statistics.equivalence import equivalence_test
from civsim.analysis.statistics.instruments import anderson_rubin, anderson_rubin_p, instrumented_slope
from civsim.analysis.statistics.mixed import MixedFit, mixed_effect
from civsim.analysis.statistics.power import upper_error, worlds_needed
from civsim.analysis.statistics.resample import LEVEL, student_estimate

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

SLOPE = 0.7
"""Planted elasticity of the outcome to the dose."""

WORLDS, PRICES = 40, 6
"""Worlds of an instrumented sample, and prices at which each is played."""

STRONG, WEAK = 0.6, 0.05
"""Effect of the instrument on the dose; WEAK makes a first-stage F of about 2."""

MAPS, ROWS = 20, 6
MAP_VARIANCE, NOISE_VARIANCE, DOSE_SLOPE, SLOPE_SD = 1.5, 1.0, 0.4, 0.8
MARGIN, EFFECT, PROMISED = 1.0, 0.5, 0.95
PILOT = 30
"""Worlds of a pilot."""


class Sample(NamedTuple):
    """An instrumented sample of n rows."""

    outcome: F64  # [n]
    dose: F64  # [n] moved by the instruments and by what also moves the outcome
    instruments: F64  # [n, L]
    worlds: I64  # [n]


def instrumented_sample(seed: int, strength: float, instruments: int = 1, *, invalid: float = 0.0) -> Sample:
    """Return a sample in which the dose is endogenous: world and game effects move dose and outcome together.

    ``invalid`` is the direct effect of the last instrument on the outcome, 0 where it is valid.
    """
    rng = np.random.default_rng([seed, 3])
    rows = WORLDS * PRICES
    worlds = np.repeat(np.arange(WORLDS), PRICES)
    z = rng.normal(0.0, 1.0, (rows, instruments))
    common = rng.normal(0.0, 0.5, WORLDS)[worlds] + rng.normal(0.0, 0.7, rows)
    dose = strength * z.sum(1) + common + rng.normal(0.0, 0.3, rows)
    outcome = SLOPE * dose + common + rng.normal(0.0, 0.5, WORLDS)[worlds] + rng.normal(0.0, 0.3, rows)
    return Sample(outcome + invalid * z[:, -1], dose, z, worlds)


def recover_instrumented_slope(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the 2SLS slope with two strong instruments."""
    fit = instrumented_slope(*instrumented_sample(seed, STRONG, 2))
    return SLOPE, fit.low, fit.high


def recover_weakly_instrumented_slope(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the Anderson–Rubin set with one weak instrument.

    Where the set is all but a stretch, its limits cannot be told in two numbers: they are then (−∞, ∞) if the test
    keeps the planted slope, and nan if it rejects it.
    """
    sample = instrumented_sample(seed, WEAK)
    low, high, shape = anderson_rubin(*sample)
    if shape == "outside" and anderson_rubin_p(*sample, SLOPE) < 1.0 - LEVEL:
        return SLOPE, np.nan, np.nan
    return SLOPE, low, high


def mixed_sample(seed: int, *, slopes: float = 0.0, maps: int = MAPS) -> tuple[F64, F64, I64]:
    """Return (outcome, dose, map), each [maps · ROWS]; ``slopes`` is the s.d. of the maps' own slopes."""
    rng = np.random.default_rng([seed, 4])
    groups = np.repeat(np.arange(maps), ROWS)
    dose = np.tile(np.linspace(0.0, 2.0, ROWS), maps)
    own = rng.normal(0.0, np.sqrt(MAP_VARIANCE), maps)
    slope = DOSE_SLOPE + rng.normal(0.0, 1.0, maps) * slopes
    noise = rng.normal(0.0, np.sqrt(NOISE_VARIANCE), maps * ROWS)
    return 3.0 + own[groups] + slope[groups] * dose + noise, dose, groups


@lru_cache(maxsize=2048)  # three cases read one fit
def _mixed(seed: int) -> MixedFit:
    return mixed_effect(*mixed_sample(seed))


def recover_mixed_slope(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the dose's slope, maps with intercepts of their own."""
    fit = _mixed(seed)
    return DOSE_SLOPE, fit.low, fit.high


def recover_mixed_random_slope(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the mean slope where every map has a slope of its own."""
    fit = mixed_effect(*mixed_sample(seed, slopes=SLOPE_SD, maps=10), random_slope=True)
    return DOSE_SLOPE, fit.low, fit.high


def recover_mixed_icc(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the share of the variance that is the map."""
    fit = _mixed(seed)
    return MAP_VARIANCE / (MAP_VARIANCE + NOISE_VARIANCE), fit.icc_low, fit.icc_high


def recover_mixed_between(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the variance between maps."""
    fit = _mixed(seed)
    return MAP_VARIANCE, fit.between_low, fit.between_high


def recover_equivalence_size(seed: int) -> tuple[float, float, float]:
    """Return (margin, −inf, high) where the true difference is the margin: TOST rejects where ``high`` is below it."""
    gaps = np.random.default_rng([seed, 5]).normal(MARGIN, 1.0, PILOT)
    return MARGIN, -np.inf, equivalence_test(gaps, MARGIN).high


def recover_power(seed: int) -> tuple[float, float, float]:
    """Return (1, −∞, found): whether an effect is found with the worlds that promise to find it 95 times in 100."""
    planned = worlds_needed(1.0 / np.sqrt(PILOT), PILOT, EFFECT, power=PROMISED).worlds
    found = student_estimate(np.random.default_rng([seed, 6]).normal(EFFECT, 1.0, planned)).low > 0.0
    return 1.0, -np.inf, float(found)


def recover_upper_error(seed: int) -> tuple[float, float, float]:
    """Return (standard error, −inf, its upper limit from a pilot)."""
    pilot = np.random.default_rng([seed, 7]).normal(0.0, 1.0, PILOT)
    return 1.0 / np.sqrt(PILOT), -np.inf, upper_error(float(pilot.std(ddof=1)) / np.sqrt(PILOT), PILOT)


_IV = "Staiger and Stock 1997: endogenous dose, 40 worlds × 6 prices, worlds' effects"
_MIXED = "Searle 1971: 20 maps × 6 doses"

CASES = (
    Case("2SLS slope", recover_instrumented_slope, _IV),
    Case("Anderson–Rubin set, weak instrument", recover_weakly_instrumented_slope, _IV),
    Case("mixed effects: slope", recover_mixed_slope, _MIXED),
    Case("mixed effects: mean of random slopes", recover_mixed_random_slope, "10 maps × 6 doses, slopes' s.d. 0.8"),
    Case("mixed effects: intraclass correlation", recover_mixed_icc, _MIXED),
    Case("mixed effects: variance between maps", recover_mixed_between, _MIXED),
    Case("TOST at its margin (one-sided 95 %)", recover_equivalence_size, "Schuirmann 1987; 30 worlds"),
    Case("power promised as 95 %", recover_power, "Cohen 1988: effect of half an s.d."),
    Case("upper limit of a pilot's standard error", recover_upper_error, "chi-square, 29 degrees of freedom"),
)
