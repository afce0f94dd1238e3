"""K4: consumption against works, one civilization, no frontier: dynamic programming, fixed shares, a closed form.

The rule is written anew (:mod:`civsim.validation.saving`) and solved by backward induction; what is best is played in
the simulator beside constant shares and random ones. Loss is in consumption-equivalent terms: the part of the optimal
path that could be taken from every turn to leave the welfare that was reached. Beside it a reduced world of its own,
without works or turns under way: k′ = k^α − c with log utility, where a planner of horizon h saves
s_h = αβ (1 − (αβ)^(h−1)) / (1 − (αβ)^h) of its output, so that steady output over the optimum is
(s_h / αβ)^(α/(1−α)) (Brock and Mirman, *Journal of Economic Theory* 4(3), 1972, with a horizon of h).
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from civsim.base.constants import N_CATEGORIES, Category, Objective
from civsim.base.scenario import Fraction, Frozen, Scenario
from civsim.engine.world import World
from civsim.validation import saving
from civsim.validation.case import How, KnownAnswer, Row, Seed, bound, close, reported, several, words
from civsim.validation.saving import LEAST_SHARE, Place, Solution, problem_of, saving_game, solve

F64 = NDArray[np.float64]

FIXED = 201
"""Constant consumption shares that are compared."""

SEQUENCES = 256
"""Sequences of random shares that are played."""

PROMISE = 1e-3
"""Relative difference allowed between the welfare that backward induction promises and what its policy reaches."""

REDUCED = 1e-3
"""Absolute difference allowed between the closed form and planning on a grid."""

MOST_LOSS = 0.02
"""The largest loss of a learned policy, in consumption-equivalent terms."""

STEPS = 80_000
WORLDS = 64
LEARNER: dict[str, Any] = {
    "worlds": WORLDS,
    "epochs": 10,
    "learning_rate": 6e-3,
    "final_rate": 0.0,
    "log_std": -0.5,
    "seat": 0,
    "eval_freq": STEPS // 10,
    "eval_episodes": 2,
}
"""More passes and larger steps than the default: what just pays a work must be hit closely, and little is random."""

CAPITALS = (-6.0, 1.0, 200)
"""Logs of the least and the largest capital of the reduced world, and how many there are."""

CONTROLS = 4000
_SETTLING = 300
Horizons = Annotated[
    tuple[Annotated[int, Field(ge=2, le=40)], ...], BeforeValidator(several), Field(min_length=1, max_length=16)
]
Curvature = Annotated[float, Field(ge=0.1, le=0.6)]
Discount = Annotated[float, Field(ge=0.5, le=1.0)]
Amount = Annotated[float, Field(gt=0.0, le=100.0)]


class Settings(Frozen):
    """Parameters of K4. The game's default is one that PPO is known to learn."""

    h: Horizons = Field((2, 3, 4, 6), description="horizons of the reduced world (turns)")
    alpha: Curvature = Field(0.36, description="α of the reduced world: output is k^α")
    beta: Annotated[float, Field(ge=0.5, le=0.97)] = Field(0.95, description="β of the reduced world: discount a turn")
    gain: Annotated[float, Field(ge=0.01, le=2.0)] = Field(0.05, description="works that a work adds (share of output)")
    cost: Amount = Field(0.5, description="price of the first work (output)")
    growth: Annotated[float, Field(ge=0.0, le=20.0)] = Field(3.0, description="extra price per unit of works")
    maturity: int = Field(1, ge=1, le=8, description="turns until a work counts")
    loss: Fraction = Field(0.0, description="share of the works fund lost a turn")
    turns: int = Field(24, ge=6, le=60, description="turns of a game")
    discount: Discount = Field(0.97, description="discount a turn")
    scale: Amount = Field(1.0, description="c0 of log(1 + c/c0) (output)")
    seed: Seed = Field(0, description="seed of the random shares, and of learning, which only --full does")


class Optimum(NamedTuple):
    """A solved game and its policy, played in the simulator."""

    game: Scenario
    solution: Solution
    consumption: F64  # [T] output
    welfare: float  # as the simulator records it

    def loss(self, reached: float) -> float:
        """Return the loss of a welfare against the optimum in consumption-equivalent terms."""
        return saving.consumption_equivalent(self.solution.problem, self.consumption, reached)


def capital_place(world: World, row: int = 0) -> Place:
    """Return where the one civilization of a row stands."""
    state, cell = world.state, int(world.state.capital[row, 0])
    fund = float(state.stock[row, 0, Category.WORKS])
    return Place(int(state.turn[row]), float(state.works[row, cell]), int(state.work_left[row, cell]), fund)


def give(world: World, consumed: F64) -> float:
    """Play a turn with these consumption shares [B]; return the consumption of row 0 (output)."""
    shares = np.zeros((world.n_worlds, 1, N_CATEGORIES))
    shares[:, 0, Category.CONSUMPTION] = consumed
    shares[:, 0, Category.WORKS] = 1.0 - consumed
    return float(world.step(shares).consumption[0, 0])


def optimum(game: Scenario) -> Optimum:
    """Solve a saving game and play what is best in the simulator."""
    solution = solve(problem_of(game))
    world = World(game, 1, seed=0)
    path = [give(world, np.array([saving.best_share(solution, capital_place(world))])) for _ in range(game.game.turns)]
    return Optimum(game, solution, np.array(path), float(world.state.utility[0, 0, Objective.WELFARE]))


def reached_by(game: Scenario, consumed: F64) -> F64:
    """Return the welfare [B] that consumption shares [T, B] reach in the simulator."""
    world = World(game, consumed.shape[1], seed=0)
    for shares in consumed:
        give(world, shares)
    return world.state.utility[:, 0, Objective.WELFARE].astype(np.float64)


def best_fixed(game: Scenario) -> tuple[float, float]:
    """Return the best of :data:`FIXED` constant consumption shares and its welfare, played in the simulator."""
    shares = np.linspace(LEAST_SHARE, 1.0 - LEAST_SHARE, FIXED)
    reached = reached_by(game, np.tile(shares, (game.game.turns, 1)))
    return float(shares[reached.argmax()]), float(reached.max())


def learned(game: Scenario, seed: int, folder: Path) -> float:
    """Return the welfare in the simulator of what PPO learns in :data:`STEPS` turns; the run is left in ``folder``.

    The best of ten checkpoints is played. Nothing in the game is random, so that choosing it flatters nobody.
    """
    from civsim.agents.registry import make_policy, seat_policies
    from civsim.agents.training.run import train
    from civsim.agents.training.settings import train_settings

    rollout = game.game.turns
    train(game, folder, train_settings(steps=STEPS, seed=seed, rollout=rollout, batch=WORLDS * rollout // 3, **LEARNER))
    world = World(game, 1, seed=0)
    policies = seat_policies(game, {0: make_policy(f"file:{folder}", None, game)})
    while not world.done.all():
        world.step(policies.shares(world))
    return float(world.state.utility[0, 0, Objective.WELFARE])


def saved_share(alpha: float, beta: float, horizon: int) -> float:
    """Return the share s_h of output that a planner of horizon h saves, αβ (1 − (αβ)^(h−1)) / (1 − (αβ)^h)."""
    weight = alpha * beta
    return weight * (1.0 - weight ** (horizon - 1)) / (1.0 - weight**horizon)


def steady_ratio(alpha: float, beta: float, horizon: int) -> float:
    """Return the steady output of a planner of horizon h over the optimum, (s_h / αβ)^(α/(1−α)), in (0, 1)."""
    ratio: float = (saved_share(alpha, beta, horizon) / (alpha * beta)) ** (alpha / (1.0 - alpha))
    return ratio


def first_shares(alpha: float, beta: float, horizon: int, capital: F64) -> F64:
    """Return the share saved first, at each capital [K, even in logs], by the best plan of ``horizon`` turns.

    By backward induction on those capitals; what is left after the last turn is worth nothing.
    """
    logs, tried = np.log(capital), np.linspace(0.0, 0.999, CONTROLS)
    output = capital**alpha
    value, chosen = np.zeros(len(capital)), np.zeros(len(capital))
    for ahead in range(horizon):
        now = np.log(output)[:, None] + np.log1p(-tried)
        if ahead == 0:
            worth = now
        else:
            # With no capital left there is a turn without output to come: the share 0 is worth −∞.
            left = np.log(output[:, None] * np.maximum(tried, 1e-300))
            at = (left - logs[0]) / (logs[1] - logs[0])
            cell = np.clip(at.astype(int), 0, len(logs) - 2)
            worth = now + beta * (value[cell] + (at - cell) * (value[cell + 1] - value[cell]))
        best = worth.argmax(1)
        value, chosen = worth.max(1), tried[best]
    return chosen


def steady_output(alpha: float, beta: float, horizon: int) -> float:
    """Return the output on which a planner that looks ``horizon`` turns ahead, every turn anew, settles."""
    capital = np.exp(np.linspace(*CAPITALS))
    shares = first_shares(alpha, beta, horizon, capital)
    stock = 0.1
    for _ in range(_SETTLING):
        stock = float(np.interp(np.log(stock), np.log(capital), shares)) * stock**alpha
    return stock**alpha


def _reduced(settings: Settings, how: How, total: int) -> list[Row]:
    """Rows of the closed form against planning turn by turn."""
    alpha, beta = settings.alpha, settings.beta
    best = (alpha * beta) ** (alpha / (1.0 - alpha))
    rows = []
    for index, h in enumerate(dict.fromkeys(settings.h)):
        how.report(index, total)
        found, theory = steady_output(alpha, beta, h) / best, steady_ratio(alpha, beta, h)
        part, note = words(alpha=alpha, beta=beta, h=h), "within 0.001, the grid; the reduced world"
        rows.append(close("steady output over the optimum", part, theory, found, REDUCED, note))
    return rows


def _game(settings: Settings) -> Scenario:
    names = ("gain", "cost", "growth", "maturity", "loss", "turns", "discount", "scale")
    return saving_game(**{name: getattr(settings, name) for name in names})


def _played(settings: Settings, best: Optimum) -> list[Row]:
    """Rows of dynamic programming against the simulator, constant shares and random ones."""
    part = words(gain=settings.gain, cost=settings.cost, growth=settings.growth)
    total = best.solution.total
    note = "welfare of the solution's policy, played in the simulator; within 0.1 %"
    share, fixed = best_fixed(best.game)
    # From thrift to waste: a share that is uniform every turn would look alike in every game.
    rng, thrift = np.random.default_rng(settings.seed), np.geomspace(0.2, 30.0, SEQUENCES)
    drawn = rng.beta(thrift, 1.0, (settings.turns, SEQUENCES)).clip(LEAST_SHARE, 1.0 - LEAST_SHARE)
    most = float(reached_by(best.game, drawn).max())
    above = total * (1.0 + PROMISE)
    return [
        close("welfare by dynamic programming", part, total, best.welfare, PROMISE * abs(total), note),
        bound(f"best of {FIXED} constant shares", part, above, "≤", fixed, "welfare; theory: the optimum, and 0.1 %"),
        bound(f"best of {SEQUENCES} random plans", part, above, "≤", most, "welfare; theory: the optimum, and 0.1 %"),
        reported("loss of the best constant share", part, best.loss(fixed), note=f"share {share:.3f}; of consumption"),
    ]


def run(settings: Settings, how: How) -> list[Row]:
    """Solve, play, and with ``how.full`` learn; see the module."""
    total = len(settings.h) + 2
    rows = _reduced(settings, how, total)
    how.report(total - 2, total)
    best = optimum(_game(settings))
    rows += _played(settings, best)
    if how.full:
        how.report(total - 1, total)
        with TemporaryDirectory() as folder:
            lost = best.loss(learned(best.game, settings.seed, Path(folder) / "run"))
        part = words(gain=settings.gain, cost=settings.cost, growth=settings.growth)
        beside = best.loss(best_fixed(best.game)[1])
        rows.append(bound("loss of what is learned", part, MOST_LOSS, "≤", lost, "of consumption; PPO, 80,000 turns"))
        rows.append(bound("the same against constant shares", part, beside, "≤", lost, "theory: their least loss"))
    return rows


CASE = KnownAnswer(
    "K4",
    "saving",
    "value iteration on the same rule; in a reduced world s_h = αβ(1 − (αβ)^(h−1))/(1 − (αβ)^h)",
    "the closed form is of k′ = k^α − c with log utility; the game is set up by configuration",
    Settings,
    run,
)
