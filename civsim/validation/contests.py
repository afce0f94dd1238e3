"""The tribute as a Tullock contest that learners can play.

Its scenario, self-play on it, and how far what is learnt is from a Nash equilibrium. Consumption and army alone are
open, force lasts a turn and musters at once, and no land can be won: the turns of a game are contests of their own,
tied together only by what the civilizations have seen of each other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.agents.checkpoint import LAST, load_policy
from civsim.agents.network import LearnedPolicy
from civsim.agents.policy import SeatPolicies
from civsim.base.constants import Category
from civsim.base.scenario import Scenario
from civsim.engine.world import World
from civsim.validation.hand_made import scenario

INCOME = 10.0
GRID = 41
MOST = 0.95
"""The largest share of income that a deviation spends."""

WORLDS = 8
"""Worlds that each deviation is tried in; they differ in what the civilizations attend to."""


class Contest(NamedTuple):
    """n civilizations contend for a prize a turn, shared by force^m / Σ force^m."""

    n: int
    decisiveness: float
    prize: float  # V (output a turn)
    income: float = INCOME  # of each civilization (output a turn)

    @property
    def equilibrium(self) -> float:
        """Spending of each in the symmetric equilibrium, m V (n − 1) / n² (output a turn)."""
        return self.decisiveness * self.prize * (self.n - 1) / self.n**2


class SelfPlay(NamedTuple):
    """How a network is trained against itself."""

    steps: int = 200_000  # turns of experience, all learners counted
    rows: int = 256  # civilizations that learn at once
    rollout: int = 16
    batch: int = 1024
    epochs: int = 4
    learning_rate: float = 1e-3  # falls to 2 % of it with the steps
    log_std: float = -1.0  # of the exploration, at the beginning ...
    last_log_std: float = -3.5  # ... and at the end; it is not learnt
    hidden: tuple[int, ...] = (32, 32)
    gae_lambda: float = 0.95


DEFAULT = SelfPlay()


class Outcome(NamedTuple):
    """The learnt mean policy in play."""

    spending: NDArray[np.float64]  # [T, N] mean over worlds (output a turn)
    gain: NDArray[np.float64]  # [N] what the best deviation gains (output a turn)


def contest_scenario(contest: Contest, turns: int = 8, discount: float = 0.5) -> Scenario:
    """The contest on even land: every civilization lives on its capital alone.

    No turn bears on the next, so that any discount has the same equilibrium; a low one spares the learner the noise of
    later turns.
    """
    return scenario(
        {"map.width": 4, "map.height": 4, "map.hazard": 0.0, "map.ground_spread": 0.0, "map.site_density": 0.0},
        map={"ore_density": 0.0, "capital_fertility": contest.income},
        game={"civilizations": contest.n, "turns": turns, "objective": "consumption", "discount": discount},
        game__closed=[c.name.lower() for c in Category if c not in (Category.CONSUMPTION, Category.ARMY)],
        economy__depreciation={"army": 1.0},
        army={"lag": 0, "projection": float("inf"), "war": False},
        claims__per_turn=0,
        tribute={"prize": contest.prize, "decisiveness": contest.decisiveness},
    )


def learn(
    game: Scenario, seed: int, run: Path, how: SelfPlay = DEFAULT, league: dict[str, float] | None = None
) -> LearnedPolicy:
    """The policy that PPO comes to: in all seats at once, or in one seat of each world against a league.

    Where rivals' and own spending are noisy, the best mean is not that of the contest without noise: with spending
    x e^ε the first-order condition holds for the average over ε, of order Var(ε) away. PPO itself lets the s.d. shrink
    too slowly to matter, so that it is not left to it.
    """
    from civsim.agents.training.run import train
    from civsim.agents.training.settings import train_settings

    learners = game.game.civilizations if league is None else 1
    worlds = how.rows // learners
    played = worlds * learners * how.rollout
    rivals: dict[str, Any] = {f"league.{name}": value for name, value in (league or {}).items()}
    settings = train_settings(
        steps=how.steps,
        seed=seed,
        worlds=worlds,
        learners=learners,
        rivals="scenario" if league is None else "league",
        rollout=how.rollout,
        batch=played // max(round(played / how.batch), 1),
        epochs=how.epochs,
        learning_rate=how.learning_rate,
        final_rate=0.02 * how.learning_rate,
        gae_lambda=how.gae_lambda,
        hidden=list(how.hidden),
        log_std=how.log_std,
        final_log_std=how.last_log_std,
        eval_freq=0,
        **rivals,
    )
    train(game, run, settings)
    return load_policy(run / LAST)


def play(
    game: Scenario,
    policy: LearnedPolicy,
    worlds: int,
    seat: int | None = None,
    spend: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Whole games of the mean policy; ``seat`` spends the share ``spend`` [worlds] of its income on force instead.

    Returns consumption [worlds, N] (output a turn) and spending on force [T, worlds, N] (output a turn).
    """
    # Worlds that no training met; the k-th world of every deviation is the same.
    ids = 2**31 + np.arange(worlds) % WORLDS
    world, policies = World(game, world_ids=ids), SeatPolicies([policy] * game.game.civilizations)
    consumed, spent = np.zeros((worlds, world.n_civilizations)), []
    while not world.done.all():
        shares = policies.shares(world)
        if seat is not None and spend is not None:
            shares[:, seat] = 0.0
            shares[:, seat, Category.ARMY], shares[:, seat, Category.CONSUMPTION] = spend, 1.0 - spend
        record = world.step(shares)
        consumed += record.consumption
        spent.append(world.shares[..., Category.ARMY] * record.output)
    return consumed / game.game.turns, np.array(spent)


def judge(game: Scenario, policy: LearnedPolicy) -> Outcome:
    """How the mean policy spends, and what each seat could gain by spending another constant share of its income."""
    base, spent = play(game, policy, WORLDS)
    gains = []
    for seat in range(game.game.civilizations):
        low, high, best = 0.0, MOST, -np.inf
        for _ in range(2):
            tried = np.linspace(low, high, GRID)
            consumed, _ = play(game, policy, GRID * WORLDS, seat, np.repeat(tried, WORLDS))
            paid = consumed[:, seat].reshape(GRID, WORLDS).mean(axis=1)
            at, step = int(np.argmax(paid)), tried[1] - tried[0]
            low, high, best = max(tried[at] - step, 0.0), min(tried[at] + step, MOST), max(best, float(paid[at]))
        gains.append(best - base[:, seat].mean())
    return Outcome(spent.mean(axis=1), np.array(gains))
