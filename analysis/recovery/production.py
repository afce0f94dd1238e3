"""Realms with planted production functions: how often the intervals of the fitted ones hold the truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from civsim.analysis.recovery.case import Case
from civsim.analysis.statistics.production import fit_cobb_douglas, fit_translog
from civsim.analysis.statistics.production_ces import fit_ces, log_ces
from civsim.analysis.statistics.resample import Estimate

F64 = NDArray[np.float64]

ELASTICITIES = np.array([0.25, 0.6])
"""Planted elasticities at the inputs' centre; returns to scale are their sum."""

SECOND = np.array([[-0.15, 0.08], [0.08, -0.2]])
"""Planted second-order terms of the translog."""

SHARE, SCALE = 0.35, 0.9
"""Planted π and ν of the CES function."""

SIGMAS = (0.5, 1.0, 2.0)
"""Planted elasticities of substitution."""

CENTRE = (0.06, 0.5)
SPREAD = (1.0, 0.4)
"""Median and s.d. of log of the inputs: shares of output spent on cognition and on muscle."""

WORLDS, GAMES = 50, 24
"""Worlds, and games in each."""

LAND, LUCK, HETEROGENEITY = 0.5, 0.15, 0.1
"""S.d. of what a world, and a game, add to log output; and of the elasticities between worlds."""


def _draw(seed: int) -> tuple[F64, F64, F64, F64, F64]:
    """Return (world [n], centred log inputs [n, 2], inputs [n, 2], noise of log output [n], slopes' errors [n, 2])."""
    rng = np.random.default_rng(seed)
    world = np.repeat(np.arange(WORLDS), GAMES)
    # A balanced design, seen by every world: the same levels in another order have the same geometric mean.
    levels = np.linspace(-1.7, 1.7, GAMES)
    x = np.column_stack([np.concatenate([rng.permutation(levels) for _ in range(WORLDS)]) for _ in SPREAD]) * SPREAD
    noise = LAND * rng.normal(size=WORLDS)[world] + LUCK * rng.standard_t(6, size=len(world)) * (
        1.0 + 0.3 * (x[:, 0] > 0)
    )
    slopes = HETEROGENEITY * rng.normal(size=(WORLDS, 2))[world]
    return world.astype(np.float64), x, np.exp(x) * CENTRE, noise, slopes


def planted_cobb_douglas(seed: int) -> tuple[F64, F64, F64]:
    """Return (output [n], inputs [n, 2], world [n]) of realms whose elasticities differ by world about the planted."""
    world, x, inputs, noise, slopes = _draw(seed)
    return np.exp(3.0 + ((ELASTICITIES + slopes) * x).sum(1) + noise), inputs, world


def planted_translog(seed: int) -> tuple[F64, F64, F64]:
    """Return (output [n], inputs [n, 2], world [n]) with planted second-order terms."""
    world, x, inputs, noise, slopes = _draw(seed)
    bent = 0.5 * np.einsum("ni,ij,nj->n", x, SECOND, x)
    return np.exp(3.0 + ((ELASTICITIES + slopes) * x).sum(1) + bent + noise), inputs, world


def planted_ces(seed: int, sigma: float) -> tuple[F64, F64, F64]:
    """Return (output [n], inputs [n, 2], world [n]) of a CES function with elasticity of substitution ``sigma`` > 0."""
    world, x, inputs, noise, slopes = _draw(seed)
    made = SCALE * log_ces(x[:, 0], x[:, 1], (sigma - 1.0) / sigma, SHARE)
    return np.exp(3.0 + made + (slopes * x).sum(1) + noise), inputs, world


def _drawn(planted: float, estimate: Estimate) -> tuple[float, float, float]:
    return planted, float(estimate.low), float(estimate.high)


def _first(estimate: Estimate) -> Estimate:
    return Estimate(*(part[0] for part in estimate))


def recover_elasticity(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the Cobb–Douglas elasticity of cognition, worlds compared with themselves."""
    return _drawn(ELASTICITIES[0], _first(fit_cobb_douglas(*planted_cobb_douglas(seed), within=True).elasticities))


def recover_scale(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of returns to scale, worlds pooled."""
    return _drawn(ELASTICITIES.sum(), fit_cobb_douglas(*planted_cobb_douglas(seed)).scale)


def recover_share(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of cognition's share of spending on the expansion path."""
    return _drawn(
        ELASTICITIES[0] / ELASTICITIES.sum(), fit_cobb_douglas(*planted_cobb_douglas(seed), within=True).share
    )


def recover_translog_elasticity(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the translog elasticity of cognition at the geometric means."""
    return _drawn(ELASTICITIES[0], _first(fit_translog(*planted_translog(seed), within=True).elasticities))


def recover_half_substitution(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of σ = 0.5."""
    return _drawn(SIGMAS[0], fit_ces(*planted_ces(seed, SIGMAS[0]), within=True).sigma)


def recover_unit_substitution(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of σ = 1, the Cobb–Douglas limit."""
    return _drawn(SIGMAS[1], fit_ces(*planted_ces(seed, SIGMAS[1]), within=True).sigma)


def recover_double_substitution(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of σ = 2."""
    return _drawn(SIGMAS[2], fit_ces(*planted_ces(seed, SIGMAS[2]), within=True).sigma)


def recover_ces_elasticity(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the elasticity of cognition at the centre of a CES function with σ = 0.5."""
    return _drawn(SCALE * SHARE, _first(fit_ces(*planted_ces(seed, SIGMAS[0]), within=True).elasticities))


_WORLDS = "worlds of their own level and elasticities, heteroskedastic noise"
_CES = "normalised CES (Klump, McAdam and Willman 2012)"

CASES: tuple[Case, ...] = (
    Case("Cobb–Douglas elasticity of cognition", recover_elasticity, f"Cobb–Douglas; {_WORLDS}"),
    Case("returns to scale", recover_scale, f"Cobb–Douglas; {_WORLDS}"),
    Case("cognition's share of spending at least cost", recover_share, f"Cobb–Douglas; {_WORLDS}; Fieller (1954)"),
    Case("translog elasticity of cognition at the mean", recover_translog_elasticity, f"translog; {_WORLDS}"),
    Case("elasticity of substitution, σ = 0.5", recover_half_substitution, _CES),
    Case("elasticity of substitution, σ = 1", recover_unit_substitution, _CES),
    Case("elasticity of substitution, σ = 2", recover_double_substitution, _CES),
    Case("CES elasticity of cognition", recover_ces_elasticity, _CES),
)
