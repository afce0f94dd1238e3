"""K3: the tribute is a Tullock contest; best-response iteration on the simulator lands on its equilibrium.

Consumption and army alone are open, force lasts a turn and musters at once, so spending s_i at unit cost c_i buys
p_i = x_i^m / Σ x^m of the prize V, x_i = s_i / c_i. Symmetric equilibrium: s* = m V (n − 1) / n² (pure for
m ≤ n / (n − 1)); with unlike costs, interior: s_i = m V p_i (1 − p_i), hence dissipation / V = m (1 − Σ p²) (Tullock
1980; Nti, *Public Choice* 98, 1999). What self-play learns is compared in the long form only.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, model_validator

from civsim.base.constants import MAX_CIVILIZATIONS, N_CATEGORIES, Category
from civsim.base.errors import StudyError
from civsim.base.scenario import Frozen
from civsim.engine.world import World
from civsim.validation.case import (
    Exponents,
    How,
    KnownAnswer,
    Positives,
    Row,
    Seed,
    bound,
    close,
    reported,
    several,
    words,
)
from civsim.validation.hand_made import flat_land, no_orders, scenario

F64 = NDArray[np.float64]

GRID = 41
"""Spendings compared at once."""

ZOOMS = 5
"""Times that the grid is drawn closer round the best spending."""

MOST = 0.999
"""Largest share of income that is spent."""

ROUNDS = 60
STEP = 0.5
"""Part of the way to its best response that each civilization goes in a round."""

SETTLED = 1e-5
"""A round that moves no spending by more than this part of the prize is the last."""

TOLERANCE = 0.02
"""Payoffs are flat round their peak and kept in single precision: spending is found to within 2 %."""

CLOSED = [c.name.lower() for c in Category if c not in (Category.CONSUMPTION, Category.ARMY)]
STABLE = 0.95
"""Nearer than this to m = n/(n − 1) the equilibrium pays next to nothing, and best responses may leave it."""

NEAR = 0.1
"""For m > 1 it may be best to spend nothing beside rivals who spend too much: iteration starts this near to theory."""

DEVIATION = 1e-4
"""A deviation that gains less than this part of the prize gains nothing: consumption is kept in single precision."""

EXPLOITABLE = 0.01
LEARNED_TOLERANCE = 0.1
Players = Annotated[
    tuple[Annotated[int, Field(ge=2, le=MAX_CIVILIZATIONS)], ...], BeforeValidator(several), Field(min_length=1)
]
Costs = Annotated[
    tuple[Annotated[float, Field(ge=0.05, le=20.0)], ...], BeforeValidator(several), Field(max_length=MAX_CIVILIZATIONS)
]


class Settings(Frozen):
    """Parameters of K3."""

    players: Players = Field((2, 3, 4), description="n: civilizations, all alike")
    decisiveness: Exponents = Field((0.5, 1.0), description="m, at most n/(n − 1)")
    prize: Positives = Field((10.0,), description="V: prize a turn (output)")
    costs: Costs = Field(
        (0.5, 1.0, 1.2), description="unit costs of a contest with unlike players, one each; '' for none"
    )
    seed: Seed = Field(0, description="seed of self-play, which only --full runs")

    @model_validator(mode="after")
    def _check(self) -> Settings:
        n, m = max(self.players), max(self.decisiveness)
        if m > n / (n - 1):
            raise ValueError(
                f"decisiveness={m:g} with players={n} exceeds n/(n − 1)={n / (n - 1):.4g}, above which no pure "
                "equilibrium exists; lower it"
            )
        if len(self.costs) == 1:
            raise ValueError(f"costs={self.costs[0]:g} is one player; give a cost for each of 2 to {MAX_CIVILIZATIONS}")
        return self


class Arena(NamedTuple):
    """GRID copies of a contest."""

    world: World
    income: float  # of each civilization (output a turn)


def arena(prize: float, decisiveness: float, costs: Sequence[float]) -> Arena:
    """Return a contest of as many civilizations as ``costs``; income is twice the prize, and so never binds."""
    income = 2.0 * prize
    game = scenario(
        {"map.width": 4, "map.height": 4, "map.hazard": 0.0, "game.civilizations": len(costs), "game.turns": 2000},
        game__objective="consumption",
        game__closed=CLOSED,
        economy__depreciation={"army": 1.0},
        army={"lag": 0, "projection": float("inf"), "war": False},
        claims__per_turn=0,
        tribute={"prize": prize, "decisiveness": decisiveness},
        seats=[{"force_price": cost} for cost in costs],
    )
    return Arena(World(game, GRID, seed=0, land=flat_land(game, range(len(costs)), income)), income)


def payoffs(contest: Arena, spending: F64) -> F64:
    """Return consumption [GRID, N] (output) when ``spending`` [GRID, N] (output) goes to the army."""
    # Force lasts a turn, so every turn is a contest of its own.
    world = contest.world
    shares = np.zeros((*spending.shape, N_CATEGORIES))
    shares[..., Category.ARMY] = spending / contest.income
    shares[..., Category.CONSUMPTION] = 1.0 - spending / contest.income
    if world.done.all():
        world.reset()
    return world.step(shares, no_orders(world)).consumption.astype(np.float64)


def best_response(contest: Arena, spending: F64, i: int) -> float:
    """Return the spending of civilization ``i`` that maximises its consumption beside ``spending`` [N]."""
    low, high, most = 0.0, MOST * contest.income, MOST * contest.income
    best = 0.0
    for _ in range(ZOOMS):
        tried = np.tile(spending, (GRID, 1))
        tried[:, i] = np.linspace(low, high, GRID)
        best = float(tried[int(np.argmax(payoffs(contest, tried)[:, i])), i])
        step = (high - low) / (GRID - 1)
        low, high = max(best - 2.0 * step, 0.0), min(best + 2.0 * step, most)
    return best


def iterate(contest: Arena, start: F64 | None = None) -> F64:
    """Return where best-response iteration ends, [N] (output): one after another, from ``start`` or unlike ones."""
    n, prize = contest.world.n_civilizations, 0.5 * contest.income
    spending = np.linspace(0.05, 0.2, n) * prize if start is None else start.copy()
    for _ in range(ROUNDS):
        before = spending.copy()
        for i in range(n):
            spending[i] += STEP * (best_response(contest, spending, i) - spending[i])
        if np.abs(spending - before).max() < SETTLED * prize:
            break
    return spending


def symmetric_spending(players: int, decisiveness: float, prize: float) -> float:
    """Return s* = m V (n − 1) / n² (output a turn)."""
    return decisiveness * prize * (players - 1) / players**2


def equilibrium_shares(costs: Sequence[float], decisiveness: float) -> F64:
    """Return the shares p [N] of the prize that solve p_i = x_i^m / Σ x^m with x_i = p_i (1 − p_i) / c_i.

    Raises:
        StudyError: there is no equilibrium in which every civilization spends and none would rather not.
    """
    price = np.log(np.asarray(costs, np.float64))
    share = np.full(price.size, 1.0 / price.size)
    moved = 1.0
    for _ in range(20_000):
        force = np.log(share) + np.log1p(-share) - price
        raised = np.exp(decisiveness * (force - force.max()))
        moved = float(np.abs(raised / raised.sum() - share).max())
        share = np.clip(share + 0.2 * (raised / raised.sum() - share), 1e-12, 1.0 - 1e-12)
        if moved < 1e-14:
            break
    pays = share - decisiveness * share * (1.0 - share)
    if moved > 1e-10 or share.min() < 1e-3 or pays.min() < 0.0:
        asked = ",".join(f"{cost:g}" for cost in costs)
        raise StudyError(f"K3: costs={asked} with decisiveness={decisiveness:g} leave a player out; bring costs closer")
    return share


def interior_spending(shares: F64, decisiveness: float, prize: float) -> F64:
    """Return spending m V p (1 − p), [N] (output a turn), at the ``shares`` p of an interior equilibrium."""
    return decisiveness * prize * shares * (1.0 - shares)


def dissipation(shares: F64, decisiveness: float) -> float:
    """Return total spending over the prize, m (1 − Σ p²): one less the Herfindahl index, times m."""
    return float(decisiveness * (1.0 - (shares**2).sum()))


def deviation(contest: Arena, spending: F64) -> float:
    """Return what the first civilization gains by its best response (output) beside ``spending`` [N]."""
    tried = np.tile(spending, (GRID, 1))
    tried[1, 0] = best_response(contest, spending, 0)
    paid = payoffs(contest, tried)[:, 0]
    return float(paid[1] - paid[0])


def _symmetric(n: int, m: float, prize: float) -> list[Row]:
    theory, part = symmetric_spending(n, m, prize), words(players=n, m=m, prize=prize)
    contest = arena(prize, m, [1.0] * n)
    gain = deviation(contest, np.full(n, theory)) / prize
    note = "parts of the prize: nobody gains by leaving the spending of theory"
    stays = bound("gain of leaving equilibrium", part, DEVIATION, "≤", gain, note)
    spending = iterate(contest, theory * np.linspace(1.0 - NEAR, 1.0 + NEAR, n) if m > 1.0 else None)
    furthest = float(spending[np.abs(spending - theory).argmax()])
    if m > STABLE * n / (n - 1):
        note = f"not judged: m is within 5 % of n/(n − 1), and best responses may leave s* = {theory:.5g}"
        return [stays, reported("spending by best responses", part, furthest, note=note)]
    note = f"best-response iteration{', from within 10 % of theory' if m > 1.0 else ''}; the furthest, within 2 %"
    return [stays, close("equilibrium spending", part, theory, furthest, TOLERANCE * theory, note)]


def _unlike(costs: Sequence[float], m: float, prize: float) -> list[Row]:
    shares = equilibrium_shares(costs, m)
    theories = interior_spending(shares, m, prize)
    near = theories * np.linspace(1.0 - NEAR, 1.0 + NEAR, len(costs))
    spending = iterate(arena(prize, m, costs), near if m > 1.0 else None)
    part, note = words(m=m, prize=prize), "best-response iteration; within 2 %"
    rows = []
    asked = zip(costs, theories.tolist(), spending.tolist(), strict=True)
    for player, (cost, theory, found) in enumerate(asked, start=1):
        label = f"spending of player {player}, unit cost {cost:g}"
        rows.append(close(label, part, theory, found, TOLERANCE * theory, note))
    total = dissipation(shares, m)
    rows.append(
        close("dissipation over the prize", part, total, float(spending.sum() / prize), TOLERANCE * total, note)
    )
    return rows


def _learned(n: int, m: float, prize: float, seed: int) -> list[Row]:
    """Rows of what self-play comes to: how exploitable it is and what it spends."""
    from civsim.validation.contests import Contest, contest_scenario, judge, learn

    contest, part = Contest(n, m, prize, income=prize), words(players=n, m=m, prize=prize)
    game = contest_scenario(contest)
    with TemporaryDirectory() as folder:
        found = judge(game, learn(game, seed, Path(folder) / "run"))
    gain, spending = float(found.gain.max()), found.spending.mean(axis=0)
    theory = symmetric_spending(n, m, prize)
    furthest = float(spending[np.abs(spending - theory).argmax()])
    most, note = EXPLOITABLE * prize, "learned by self-play; 1 % of the prize"
    near = "learned by self-play; the seat furthest from theory, within 10 %"
    return [
        bound("gain of the best deviation", part, most, "≤", gain, note),
        close("spending learned", part, theory, furthest, LEARNED_TOLERANCE * theory, near),
    ]


def run(settings: Settings, how: How) -> list[Row]:
    """Iterate, and with ``how.full`` learn; see the module."""
    asked = list(product(settings.players, settings.decisiveness, settings.prize))
    pairs = list(product(settings.decisiveness, settings.prize)) if settings.costs else []
    total = len(asked) * (2 if how.full else 1) + len(pairs)
    rows: list[Row] = []
    for index, (n, m, prize) in enumerate(asked):
        how.report(index, total)
        rows += _symmetric(n, m, prize)
    for index, (m, prize) in enumerate(pairs):
        how.report(len(asked) + index, total)
        rows += _unlike(settings.costs, m, prize)
    for index, (n, m, prize) in enumerate(asked if how.full else ()):
        how.report(len(asked) + len(pairs) + index, total)
        rows += _learned(n, m, prize, settings.seed)
    return rows


CASE = KnownAnswer(
    "K3",
    "Tullock contest",
    "spending m V (n − 1)/n²; with unit costs c: c x = m V p (1 − p), dissipation/V = m (1 − Σp²) (Tullock 1980)",
    "even land made by hand, nothing to win but the prize",
    Settings,
    run,
)
