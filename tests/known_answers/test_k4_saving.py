"""K4: consumption against works, one civilization, no frontier: dynamic programming, fixed shares and what is learned.

The rule is written anew (:mod:`saving`), shown to play as the simulator does, and solved by backward induction. Loss
is in consumption-equivalent terms: the part λ of the optimal path that could be taken from every turn to leave the
welfare that was reached, Σ γ^t log(1 + (1 − λ) c*_t / c0) = W.

Last, a reduced world of its own, without works or turns under way: k′ = k^α − c with log utility, where a planner of
horizon h saves s_h = αβ (1 − (αβ)^(h−1)) / (1 − (αβ)^h) of its output.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from civsim.base.constants import Objective
from civsim.base.scenario import Scenario
from civsim.engine.world import World
from civsim.validation import k4_saving, saving
from civsim.validation.k4_saving import (
    MOST_LOSS,
    Optimum,
    capital_place,
    give,
    learned,
    steady_output,
    steady_ratio,
)
from civsim.validation.saving import LEAST_SHARE, Place, Saving, problem_of, saving_game, solve

SETTINGS: dict[str, dict[str, Any]] = {
    "small works": {"gain": 0.05, "cost": 0.5, "growth": 3.0},
    "cheap works": {"gain": 0.05, "cost": 0.4, "growth": 3.0},
    "impatient": {"gain": 0.05, "cost": 0.4, "growth": 3.0, "discount": 0.92},
    "large works": {"gain": 0.25, "cost": 2.0, "turns": 30, "maturity": 2},
    "leaking fund": {"gain": 0.1, "cost": 0.8, "scale": 0.5, "loss": 0.05},
}
EVERY_SETTING = pytest.mark.parametrize("setting", SETTINGS)
SEQUENCES = 64


class Played(NamedTuple):
    """Games played in the simulator: B games of T turns."""

    output: NDArray[np.float64]  # [T, B]
    consumption: NDArray[np.float64]  # [T, B] output
    fund: NDArray[np.float64]  # [T, B] works fund at the end of a turn
    works: NDArray[np.float64]  # [T, B] D at the end of a turn
    left: NDArray[np.int64]  # [T, B] turns until the work under way matures, at the end of a turn
    began: NDArray[np.bool_]  # [T, B] a work was begun
    welfare: NDArray[np.float64]  # [B] as the simulator records it


def played(game: Scenario, consumed: NDArray[np.float64]) -> Played:
    """Play sequences [T, B] of consumption shares in one batch."""
    world = World(game, consumed.shape[1], seed=0)
    turns: list[tuple[NDArray[Any], ...]] = []
    for shares in consumed:
        begun = world.state.gains[:, 0].sum(1)
        give(world, shares)
        places = [capital_place(world, row) for row in range(world.n_worlds)]
        output, consumption = (values[:, 0].astype(float) for values in (world.state.output, world.state.consumption))
        works, left, fund = (np.array([getattr(place, name) for place in places]) for name in Place._fields[1:])
        began = world.state.gains[:, 0].sum(1) > begun
        turns.append((output, consumption, fund, works, left, began))
    columns = [np.array(column) for column in zip(*turns, strict=True)]
    return Played._make([*columns, world.state.utility[:, 0, Objective.WELFARE].copy()])


def foreseen(problem: Saving, consumed: NDArray[np.float64]) -> Played:
    """The same by the rules written anew."""
    games = []
    for shares in consumed.T:
        place, rows = Place(0, 0.0, 0, 0.0), []
        for share in shares:
            place, turn = saving.advance(problem, place, float(share))
            rows.append((turn.output, turn.consumption, place.fund, place.works, place.left, turn.began))
        games.append(rows)
    columns = [np.array([[row[k] for row in rows] for rows in games]).T for k in range(6)]
    return Played._make([*columns, np.array([saving.welfare(problem, path) for path in columns[1].T])])


@functools.cache
def optimum(setting: str) -> Optimum:
    """Solve a setting and play what is best in the simulator."""
    return k4_saving.optimum(saving_game(**SETTINGS[setting]))


@functools.cache
def best_fixed(setting: str) -> tuple[float, float]:
    """The best constant consumption share and its welfare, played in the simulator."""
    return k4_saving.best_fixed(saving_game(**SETTINGS[setting]))


def loss(setting: str, reached: float) -> float:
    """The loss against the optimum in consumption-equivalent terms."""
    return optimum(setting).loss(reached)


@EVERY_SETTING
def test_the_rules_written_anew_play_as_the_simulator_does(setting: str) -> None:
    game, rng = saving_game(**SETTINGS[setting]), np.random.default_rng(4)
    # From thrift to waste: a share that is uniform every turn would look alike in every game.
    thrift = np.geomspace(0.2, 30.0, SEQUENCES)
    consumed = rng.beta(thrift, 1.0, (game.game.turns, SEQUENCES))
    got, expected = played(game, consumed), foreseen(problem_of(game), consumed)
    np.testing.assert_array_equal(got.began, expected.began)
    np.testing.assert_array_equal(got.left, expected.left)
    np.testing.assert_array_equal(got.works, expected.works)
    np.testing.assert_array_equal(got.output, expected.output)
    np.testing.assert_allclose(got.consumption, expected.consumption, rtol=2e-7)
    np.testing.assert_allclose(got.fund, expected.fund, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(got.welfare, expected.welfare, rtol=1e-6)
    begun = got.began.sum(0)
    assert begun.max() >= begun.min() + 5, "the sequences are all alike"


@EVERY_SETTING
def test_the_solution_is_worth_what_it_says(setting: str) -> None:
    best = optimum(setting)
    assert best.welfare == pytest.approx(best.solution.total, rel=1e-3)
    assert best.welfare == pytest.approx(saving.welfare(best.solution.problem, best.consumption), rel=1e-6)


@EVERY_SETTING
def test_a_coarser_grid_finds_the_same(setting: str) -> None:
    fine = optimum(setting).solution
    assert solve(fine.problem, funds=300, controls=100).total == pytest.approx(fine.total, rel=1e-3)


def exhausted(problem: Saving, place: Place, tried: NDArray[np.float64]) -> float:
    """The best welfare from ``place`` on, by trying every sequence of these shares and of what just pays a work."""
    if place.turn == problem.turns:
        return 0.0
    best = -np.inf
    ahead, turn = saving.advance(problem, place, 0.0)
    price = problem.cost * (1.0 + problem.growth * ahead.works)
    reach = 1.0 - (price * (1.0 + saving.HAIR) - place.fund * (1.0 - problem.loss)) / turn.output
    for share in {*tried, float(np.clip(reach, tried.min(), tried.max()))}:
        after, turn = saving.advance(problem, place, share)
        now = np.log1p(turn.consumption / problem.scale)
        best = max(best, now + problem.discount * exhausted(problem, after, tried))
    return float(best)


@pytest.mark.parametrize(("maturity", "loss_of_fund"), [(1, 0.0), (2, 0.0), (1, 0.1)])
def test_no_sequence_of_shares_beats_the_solution(maturity: int, loss_of_fund: float) -> None:
    problem = problem_of(saving_game(turns=6, gain=0.6, cost=1.5, maturity=maturity, loss=loss_of_fund))
    tried = np.linspace(LEAST_SHARE, 1.0 - LEAST_SHARE, 6)
    best, found = solve(problem).total, exhausted(problem, Place(0, 0.0, 0, 0.0), tried)
    waste = saving.welfare(problem, np.full(6, (1.0 - LEAST_SHARE) * problem.fertility))
    assert best > 1.02 * waste, "nothing is worth saving for"
    assert found <= best * (1.0 + 1e-4)
    assert found == pytest.approx(best, rel=0.02)


def test_consumption_equivalents_know_what_was_taken() -> None:
    problem = problem_of(saving_game())
    path = np.linspace(1.0, 3.0, problem.turns)
    for part in (-0.05, 0.0, 0.02, 0.3):
        reached = saving.welfare(problem, (1.0 - part) * path)
        assert saving.consumption_equivalent(problem, path, reached) == pytest.approx(part, abs=1e-8)


@EVERY_SETTING
def test_the_best_fixed_share_leaves_something_to_learn(setting: str) -> None:
    share, reached = best_fixed(setting)
    print(f"{setting}: best fixed share {share:.3f} loses {loss(setting, reached):.4f} of consumption")
    assert loss(setting, reached) > 0.04


@pytest.mark.parametrize(
    ("setting", "seed"), [("small works", 0), ("small works", 1), ("small works", 2), ("impatient", 0)]
)
def test_what_is_learned_comes_near_the_optimum_and_beats_every_fixed_share(
    setting: str, seed: int, tmp_path: Path
) -> None:
    reached = learned(saving_game(**SETTINGS[setting]), seed, tmp_path / "run")
    share, fixed = best_fixed(setting)
    print(
        f"{setting}, seed {seed}: learned loses {loss(setting, reached):.4f} of consumption, "
        f"the best fixed share {share:.3f} loses {loss(setting, fixed):.4f}"
    )
    assert loss(setting, reached) <= MOST_LOSS
    assert reached > fixed


REDUCED = {2: 0.848, 3: 0.954, 4: 0.985, 6: 0.998}
"""Steady output over the optimum by horizon, for α = 0.36 and β = 0.95 (the first is 0.8475)."""


@pytest.mark.parametrize("horizon", REDUCED)
def test_reduced_world_formula(horizon: int) -> None:
    alpha, beta = 0.36, 0.95
    assert steady_ratio(alpha, beta, horizon) == pytest.approx(REDUCED[horizon], abs=1e-3)


@pytest.mark.parametrize(("alpha", "beta"), [(0.36, 0.95), (0.5, 0.9)])
@pytest.mark.parametrize("horizon", REDUCED)
def test_reduced_world_planned_turn_by_turn(alpha: float, beta: float, horizon: int) -> None:
    optimum_output = (alpha * beta) ** (alpha / (1.0 - alpha))
    ratio = steady_output(alpha, beta, horizon) / optimum_output
    expected = steady_ratio(alpha, beta, horizon)
    assert ratio == pytest.approx(expected, abs=1e-3)
    if (alpha, beta) == (0.36, 0.95):
        assert ratio == pytest.approx(REDUCED[horizon], abs=1e-3)


def test_reduced_world_far_sight_is_the_optimum() -> None:
    assert steady_output(0.36, 0.95, 30) == pytest.approx(0.342 ** (0.36 / 0.64), rel=1e-3)
