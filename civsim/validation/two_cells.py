"""Two free cells and one claim: a civilization in the corner of a map of four cells, which borders exactly two of them.

It can pay one claim, in the first turn, and looks around in that turn for the first time. What it settles is the rule
of thumb's choice: the larger believed value, since both cells cost the same; between equals the higher keyed rank,
which is independent of the land. Ore and hazard of the two cells are drawn independently, alike for both and for every
level of attention, from one of :data:`LAWS` of mean 0 and variance 1. What knowing a draw is worth,
E[max(X₁, X₂)] − max(E X₁, E X₂), is then known in closed form (Howard, *IEEE Transactions on Systems Science and
Cybernetics* 2(1), 1966, for the quantity; each formula follows from the law in a line).
"""

from __future__ import annotations

from collections.abc import Callable
from math import erf, erfc, exp, pi, sinh, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from civsim.base.scenario import Scenario
from civsim.engine.world import World
from civsim.validation.hand_made import flat_land, scenario, split

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

CAPITAL, FREE = 0, (1, 2)
"""The capital's cell and the two that it borders; the fourth, 3, touches the capital at a corner only."""

FERTILITY = 2.0
"""Output a turn that each of the two cells gives without ore, idle turns left out."""

CLAIM_COST = 4.0
INCOME = 2.0 * CLAIM_COST
"""The capital's output: in the first turn one half pays a claim, the other scouts."""

SALIENCE = ("ore", "hazard", "rivals", "raiders")
UNATTENDED, ORE_ATTENDED, HAZARD_ATTENDED = 2, 3, 4
"""Under that salience these levels of attention cover neither, ore alone, and ore and hazard."""

FARTHEST = 6.0
"""Where normal draws are cut (s.d.): one in 5 · 10⁸ is, which moves no worth by 10⁻⁹ of an s.d."""

_HIGHEST = float(np.nextafter(np.float32(1.0), np.float32(0.0)))
"""The largest hazard there can be: hazards are below 1, in single precision."""


class Law(NamedTuple):
    """A distribution of mean 0 and variance 1; Z₁, Z₂ are two independent draws of it."""

    quantile: Callable[[F64], F64]  # of probabilities in (0, 1)
    lowest: float  # the least draw (s.d.), below 0
    lead: Callable[[float, float], float]  # (s, g ≥ 0) ↦ E max(s Z₁, s Z₂ + g) − g
    shelter: Callable[[float], float]  # x ↦ E max(e^(−x Z₁), e^(−x Z₂)) − E e^(−x Z)


def _normal_lead(spread: float, gap: float) -> float:
    """Return τ φ(g/τ) − g Φ(−g/τ), τ = √2 s: the mean excess over g of a difference that is N(0, τ²)."""
    if spread == 0.0:
        return 0.0
    wide = sqrt(2.0) * spread
    return wide * exp(-0.5 * (gap / wide) ** 2) / sqrt(2.0 * pi) - 0.5 * gap * erfc(gap / (sqrt(2.0) * wide))


LAWS = {
    # ±1 alike: the difference of two is 2 s, 0 or −2 s with chances ¼, ½, ¼.
    "two-point": Law(
        lambda u: np.where(u < 0.5, -1.0, 1.0),
        -1.0,
        lambda s, g: 0.25 * max(2.0 * s - g, 0.0),
        lambda x: 0.5 * sinh(x),
    ),
    # E − 1, E exponential: the difference of two is Laplace, the smaller of two exponential at twice the rate.
    "exponential": Law(
        lambda u: -np.log1p(-u) - 1.0,
        -1.0,
        lambda s, g: 0.5 * s * exp(-g / s) if s > 0.0 else 0.0,
        lambda x: exp(x) * x / ((1.0 + x) * (2.0 + x)),
    ),
    # The larger of two alike lognormals is e^(x²/2) · 2 Φ(x/√2) in the mean.
    "normal": Law(
        lambda u: np.clip(ndtri(u), -FARTHEST, FARTHEST),
        -FARTHEST,
        _normal_lead,
        lambda x: exp(0.5 * x * x) * erf(0.5 * x),
    ),
}
"""The laws from which ore, and rates of strikes, may be drawn."""


def ore_worth(law: str, spread: float, gap: float) -> float:
    """Return what attention to ore is worth (output a turn).

    ``spread`` is the s.d. of a cell's output from ore (output a turn, ≥ 0), ``gap`` ≥ 0 what one cell gives beyond the
    other whatever the ore.
    """
    return LAWS[law].lead(spread, gap)


def hazard_worth(law: str, rate: float, spread: float, duration: int) -> float:
    """Return what attention to hazard is worth (output a turn).

    A cell is struck with chance Z = 1 − e^(−Λ) a turn, Λ = ``rate`` + ``spread`` · Z′ with Z′ of the law, and lies idle
    for ``duration`` turns: it gives output where none of as many turns struck it, with chance (1 − Z)^d = e^(−Λ d).
    """
    return FERTILITY * exp(-rate * duration) * LAWS[law].shelter(spread * duration)


def enumerated(first: F64, second: F64) -> float:
    """Return mean max − max mean over every pair of an outcome of ``first`` and one of ``second`` (both float [n])."""
    best = np.maximum(first[:, None], second[None, :]).mean()
    return float(best - max(first.mean(), second.mean()))


def outcomes(law: str, n: int) -> F64:
    """Return ``n`` outcomes that are as likely, float64 [n]: the law's quantiles at the middles of n equal parts."""
    return LAWS[law].quantile((np.arange(n) + 0.5) / n)


def draws(law: str, worlds: int, seed: int) -> F64:
    """Return a draw for each of the two cells, float64 [worlds, 2]: the same uniforms for every law."""
    return LAWS[law].quantile(np.random.default_rng([seed, len(FREE)]).random((worlds, len(FREE))))


def struck(rates: F64) -> F64:
    """Return the chance of a strike in a turn at these rates, 1 − e^(−Λ), in [0, 1)."""
    chances: F64 = np.clip(-np.expm1(-rates), 0.0, _HIGHEST)
    return chances


class Cells(NamedTuple):
    """The two free cells of n worlds."""

    ore: F64 | float = 0.0  # [n, 2] units, or one number for all
    hazard: F64 | float = 0.0  # [n, 2] chance of a strike in a turn, or one number for all
    gap: float = 0.0  # fertility of the second beyond the first's (output a turn)


class Choices(NamedTuple):
    """What civilizations of n worlds settled."""

    taken: I64  # [n] 0 for the first of the cells, 1 for the second
    output: F64  # [n] what it gave in the mean of the turns that are counted (output a turn)


def game_of(weight: float, duration: int, attention: int, horizon: int, turns: int) -> Scenario:
    """Return the game: one claim's worth of output before the claim, ``turns`` turns that count after it."""
    return scenario(
        {"map.width": 2, "map.height": 2, "game.civilizations": 1, "game.turns": 1 + duration + turns},
        economy__ore_weight=weight,
        claims={"cost": CLAIM_COST, "growth": 0.0, "lag": 0, "per_turn": 1},
        disasters__duration=duration,
        thinking={"endowment": {"sight": 0}, "price": {"sight": 1.0}, "salience": SALIENCE},
        seat_default__levels={"horizon": horizon, "attention": attention},
    )


def begin(game: Scenario, cells: Cells, worlds: int, seed: int = 0, threads: int = 1) -> World:
    """Return worlds of the game whose free cells are ``cells``, before their first turn."""
    # The hazard laid here is written over; it is above 0 wherever a cell's may be, which is asked when worlds begin.
    land = flat_land(
        game,
        (CAPITAL,),
        FERTILITY,
        rich={CAPITAL: INCOME, FREE[1]: FERTILITY + cells.gap},
        hazard=dict.fromkeys(FREE, float(np.max(cells.hazard))),
    )
    world = World(game, worlds, seed=seed, land=land, threads=threads)
    # Nobody sees beyond the capital before the first turn's scouts, so no belief is older than the land.
    world.state.ore[:, FREE] = cells.ore
    world.state.hazard[:, FREE] = cells.hazard
    return world


def opening(world: World) -> F64:
    """Return the shares [n, 1, 8] of the first turn: half pays a claim, half looks around."""
    return split(world, settlement=1, scouts=1)


def choose(
    cells: Cells,
    attention: int,
    *,
    worlds: int,
    weight: float = 1.0,
    duration: int = 0,
    turns: int = 1,
    horizon: int = 0,
    seed: int = 0,
    threads: int = 1,
) -> Choices:
    """Let the civilization of every world settle one of its two cells at a level of ``attention``.

    ``weight`` is output per unit of ore, ``duration`` how long a struck cell lies idle (turns). So many turns pass
    after the claim before ``turns`` (≥ 1) are counted: a cell may lie idle in any of these as in any other.

    Raises:
        RuntimeError: a world has not settled exactly one of its two cells: it is not set up as is said here.
    """
    world = begin(game_of(weight, duration, attention, horizon, turns), cells, worlds, seed, threads)
    world.step(opening(world))
    settled = world.state.owner[:, FREE] == 0
    if not (settled.sum(axis=1) == 1).all():
        raise RuntimeError("a world settled no cell, or both: the world is not set up as the case says")
    rest, total = split(world, consumption=1), np.zeros(worlds)
    for turn in range(duration + turns):
        record = world.step(rest)
        if turn >= duration:
            total += record.output[:, 0].astype(np.float64) - INCOME
    if not (world.state.cells == len(FREE)).all():
        raise RuntimeError("a world made a second claim: the world is not set up as the case says")
    return Choices(settled.argmax(axis=1), total / turns)
