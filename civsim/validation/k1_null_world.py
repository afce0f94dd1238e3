"""K1: where there is nothing to know, knowing is worth exactly nothing, and paying for it is a loss.

Identical cells, no hazard, no raiders, one civilization on a torus that it cannot fill before the end: every level of
horizon, sight and attention gives the same output, consumption and counts, bit for bit. Beside it an A/A test: no
estimator of the analysis tells identical arms of real games apart more often than the nominal rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from civsim.base.constants import N_CATEGORIES, Objective
from civsim.base.scenario import Frozen, Scenario
from civsim.engine.world import World
from civsim.validation.case import (
    POWER,
    Drawing,
    How,
    KnownAnswer,
    Positives,
    Row,
    Seed,
    bound,
    close,
    exact,
    frequency,
    least_caught,
    several,
    words,
)
from civsim.validation.hand_made import flat_land, scenario, split

if TYPE_CHECKING:
    import pandas as pd

COUNTS = ("output", "consumption", "utility", "spent", "gains", "losses", "cells", "alive")
"""Fields of the state that no level may change."""

WIDTH, HEIGHT, CAPITAL = 23, 21, 240
"""A torus of 483 cells, and the capital on it."""

TURNS = 26
"""Turns of a game: too few for the realm to meet itself."""

MOST_CELLS = 150
"""A realm of fewer cells has not met itself."""

LEAST_CELLS = 3
"""A realm of more cells has settled something."""

DISCOUNT = 0.98
PLAIN = (0, 1, 2)
"""Horizon, sight and attention of the arm that the others are compared with."""

NOMINAL = 0.05
ARM_WORLDS = 40
FULL_TESTS = 1000


_SEVERAL = (BeforeValidator(several), Field(min_length=1, max_length=16))
Horizons = Annotated[tuple[Annotated[int, Field(ge=0, le=64)], ...], *_SEVERAL]
Sights = Annotated[tuple[Annotated[int, Field(ge=1, le=32)], ...], *_SEVERAL]
Attentions = Annotated[tuple[Annotated[int, Field(ge=2, le=6)], ...], *_SEVERAL]
Shares = Annotated[tuple[Annotated[float, Field(ge=0.01, le=0.95)], ...], *_SEVERAL]


class Settings(Frozen):
    """Parameters of K1."""

    h: Horizons = Field((1, 2, 4, 8, 12, 25), description="horizons (turns)")
    r: Sights = Field((1, 2, 3, 5, 6, 8), description="sights (cells)")
    k: Attentions = Field((2, 3, 4, 6), description="attentions (variables)")
    price: Positives = Field((0.02, 0.1), description="price of a level of each channel (output)")
    share: Shares = Field((0.05, 0.2, 0.4), description="share of output spent on thinking")
    tests: int = Field(400, ge=20, le=10_000, description="A/A tests, of 40 worlds an arm; 1,000 at least with --full")
    seed: Seed = Field(1, description="seed of the worlds")


class Levels(NamedTuple):
    """Horizon (turns), sight (cells) and attention (variables) that a civilization is given."""

    horizon: int
    sight: int
    attention: int


def null_world(
    levels: Levels | None,
    *,
    works: bool = False,
    rules: Mapping[str, Any] | None = None,
    seed: int = 1,
    weights: Mapping[str, float] | None = None,
    worlds: int = 4,
) -> World:
    """Return null worlds after the whole game; ``levels`` None has them bought, ``rules`` are by dotted path."""
    level = levels._asdict() if levels is not None else {}
    base: dict[str, Any] = {"map.width": WIDTH, "map.height": HEIGHT, "map.torus": True, "map.hazard": 0.0}
    # Works that cost the same wherever there are some: else cells differ by what was built on them.
    base |= {"works.menu": [{"cost": 1.0}], "works.growth": 0.0, "works.per_turn": 2 if works else 0}
    base |= {"game.civilizations": 1, "game.turns": TURNS, "game.discount": DISCOUNT}
    base |= {"thinking.max_horizon": 64, "thinking.max_sight": 32}
    game = scenario({**base, **(rules or {})}, seat_default={"levels": level})
    world = World(game, worlds, seed=seed, land=flat_land(game, (CAPITAL,), 1.0))
    shares = split(world, **(weights or {"consumption": 0.4, "settlement": 0.4, "works": 0.2}))
    while not world.done.all():
        world.step(shares)
    return world


def largest_effect(plain: World, other: World) -> float:
    """Return the largest absolute difference of any of :data:`COUNTS` between two worlds; NaN where one is NaN."""
    gaps = [
        np.abs(getattr(plain.state, name).astype(np.float64) - getattr(other.state, name).astype(np.float64)).max()
        for name in COUNTS
    ]
    return float(np.max(gaps))


def price_of_thinking(share: float) -> float:
    """Return the welfare lost where ``share`` of an output of 1 buys nothing: Σ γ^t [log 2 − log(2 − share)]."""
    weights = DISCOUNT ** np.arange(TURNS)
    return float((np.log1p(1.0) - np.log1p(1.0 - share)) * weights.sum())


def single_precision(share: float) -> float:
    """Return how far rounding may move :func:`price_of_thinking` of a ``share``, in its unit.

    Output and what is consumed of it are kept in float32, each within u = 2⁻²⁴ of itself: consumption c = 1 − share is
    off by 2uc, and log(1 + c) by 2uc / (1 + c), every turn.
    """
    weights = DISCOUNT ** np.arange(TURNS)
    unit = float(np.finfo(np.float32).eps) / 2.0
    return float(2.0 * unit * (1.0 - share) / (2.0 - share) * weights.sum())


def _effects(settings: Settings) -> list[Row]:
    """Rows of the largest effect of each level, the others at the least; last all of them at once."""
    rows = []
    plain = {works: null_world(Levels(*PLAIN), works=works, seed=settings.seed) for works in (False, True)}
    asked = [(f"h={h}", Levels(h, 3, 4)) for h in settings.h]
    asked += [(f"r={r}", Levels(8, r, 4)) for r in settings.r]
    asked += [(f"k={k}", Levels(8, 3, k)) for k in settings.k]
    for text, levels in asked:
        gaps = [
            largest_effect(plain[works], null_world(levels, works=works, seed=settings.seed)) for works in (False, True)
        ]
        rows.append(exact("largest effect on output, consumption and counts", text, 0.0, max(gaps)))
    sizes = np.array([world.state.cells for world in plain.values()])
    part = words(turns=TURNS)
    rows.append(bound("most cells held at the end", part, MOST_CELLS, "<", int(sizes.max()), "must not meet itself"))
    rows.append(bound("fewest cells held at the end", part, LEAST_CELLS, ">", int(sizes.min()), "must settle land"))
    return rows


def _net(settings: Settings) -> list[Row]:
    """Rows of what thinking costs where it earns nothing."""
    rows = []
    for price in settings.price:
        rules = {"thinking.price": dict.fromkeys(("horizon", "sight", "attention"), price)}
        plain = null_world(None, rules=rules, weights={"consumption": 0.5, "settlement": 0.5})
        for share in settings.share:
            kept, part = 1.0 - share, words(price=price, share=share)
            bought = {"strategists": share / 2, "scouts": share / 4, "analysts": share / 4}
            spent = {"consumption": kept / 2, "settlement": kept / 2, **bought}
            thinker = null_world(None, rules=rules, weights=spent)
            net = (thinker.state.utility - plain.state.utility)[:, 0, Objective.WELFARE].max()
            rows.append(bound("welfare net of the price", part, 0.0, "<", float(net), "the largest of the worlds"))
    for share in settings.share:
        # On consumption alone, with nothing to settle, the loss is the price itself.
        all_in = null_world(None, weights={"consumption": 1.0})
        thinker = null_world(None, weights={"consumption": 1.0 - share, "strategists": share})
        lost = (all_in.state.utility - thinker.state.utility)[:, 0, Objective.WELFARE].mean()
        theory = price_of_thinking(share)
        note = "within what single precision owes: two roundings of consumption a turn"
        off = single_precision(share)
        rows.append(close("welfare lost with nothing to settle", words(share=share), theory, float(lost), off, note))
    return rows


def outcomes(worlds: int, seed: int) -> NDArray[np.float64]:
    """Return welfare of seat 0 in small games with every rule on, float64 [worlds], all played alike."""
    game = Scenario.model_validate(
        {"map": {"width": 8, "height": 8}, "game": {"civilizations": 2, "turns": 12}, "raiders": {"rate": 0.2}}
    )
    world = World(game, n_worlds=worlds, seed=seed)
    shares = np.zeros((worlds, 2, N_CATEGORIES))
    shares[:] = (0.3, 0.3, 0.2, 0.1, 0.1, 0.0, 0.0, 0.0)
    for _ in range(game.game.turns):
        world.step(shares)
    return world.state.utility[:, 0, Objective.WELFARE].astype(np.float64)


@cache
def null_tests(tests: int, seed: int) -> pd.DataFrame:
    """Return every A/A test of real games, one row an estimator and test; made once a process."""
    from civsim.analysis.recovery.false_positives import run_null_tests

    return run_null_tests(outcomes(2 * ARM_WORLDS * tests, seed), ARM_WORLDS, seed=seed)


def _tests(settings: Settings, how: How) -> int:
    return max(settings.tests, FULL_TESTS) if how.full else settings.tests


def _figure(settings: Settings, how: How) -> Drawing:
    """Return the figure of the A/A tests."""
    from civsim.analysis.recovery.false_positives import draw_false_positives, rejection_rates

    tests = null_tests(_tests(settings, how), settings.seed)
    rates = rejection_rates(tests)
    count = _tests(settings, how)
    notes = [
        f"{count:,} tests of {ARM_WORLDS} worlds an arm, no world twice (seed {settings.seed}): welfare "
        "of one seat in games of 12 turns on 8 × 8 cells, every rule on, dealt at random to two arms that are the same."
    ]
    return Drawing("false-positives", {"": rates, "tests": tests}, lambda: draw_false_positives(tests, rates, notes))


def _rates(tests: int, seed: int) -> list[Row]:
    """Rows of how often each estimator of the analysis finds a difference between arms that are the same."""
    from civsim.analysis.recovery.false_positives import ESTIMATORS

    found = null_tests(tests, seed)
    rows = []
    for name, part in found.groupby("estimator", sort=False):
        label = f"false positives: {name}"
        row = frequency(label, words(tests=tests), NOMINAL, int(part["rejected"].sum()), len(part), len(ESTIMATORS))
        # To reject more rarely than promised is honest too.
        caught = least_caught(NOMINAL, len(part), len(ESTIMATORS))
        note = (
            f"{row.note}, or above it; {ARM_WORLDS} worlds an arm; a true rate of {caught:.3g} fails in {POWER:.0%} of "
            "runs, a lower one more rarely"
        )
        rows.append(row._replace(passed=row.low <= NOMINAL, relation="≤", note=note))
    return rows


def run(settings: Settings, how: How) -> list[Row]:
    """Compare; see the module."""
    how.report(0, 3)
    rows = _effects(settings)
    how.report(1, 3)
    rows += _net(settings)
    how.report(2, 3)
    return rows + _rates(_tests(settings, how), settings.seed)


CASE = KnownAnswer(
    "K1",
    "null world",
    "every effect of h, r and k is 0, net of its price negative; identical arms differ at the nominal rate at most",
    "even land made by hand, on a torus",
    Settings,
    run,
    _figure,
)
