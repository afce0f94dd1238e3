"""K3: self-play comes to the equilibrium of the Tullock contest.

One network in all seats, trained by PPO against itself, ends as a policy whose mean action nobody gains by leaving: the
best deviation is worth at most 1 % of the prize, and every seat spends within 10 % of x* = m V (n − 1) / n². Payoffs
are flat there: to spend 10 % beside x* costs about 0.1 % of the prize, so that the second demand is the harder one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from civsim.agents.league import League
from civsim.agents.league_settings import LeagueSettings
from civsim.agents.network import LearnedPolicy, Normalisation
from civsim.agents.training.resume import find_state, saved_league
from civsim.base.constants import N_CATEGORIES, Category
from civsim.engine.observation.features import N_FEATURES
from civsim.faces.actions import action_from_shares
from civsim.validation.contests import (
    GRID,
    INCOME,
    MOST,
    WORLDS,
    Contest,
    SelfPlay,
    contest_scenario,
    judge,
    learn,
    play,
)

SETTINGS = (Contest(2, 1.0, 10.0), Contest(3, 1.0, 10.0), Contest(4, 0.7, 12.0))


def spender(spending: float) -> LearnedPolicy:
    """A policy that spends this much (output a turn), whatever it observes."""
    shares = np.zeros(N_CATEGORIES)
    shares[Category.ARMY], shares[Category.CONSUMPTION] = spending / INCOME, 1.0 - spending / INCOME
    bias = action_from_shares(shares, shares > 0.0).astype(np.float32)
    scale = Normalisation(np.zeros(N_FEATURES), np.ones(N_FEATURES), np.array(0.01), np.array(10.0))
    return LearnedPolicy([(np.zeros((N_FEATURES, N_CATEGORIES), np.float32), bias)], scale)


@pytest.mark.parametrize("contest", SETTINGS)
def test_the_judge_knows_the_equilibrium(contest: Contest) -> None:
    """The yardstick itself: nothing is gained beside x*, and beside another spending what theory says."""
    game, best = contest_scenario(contest), contest.equilibrium
    at = judge(game, spender(best))
    assert at.spending == pytest.approx(np.full_like(at.spending, best), rel=1e-4)
    assert np.abs(at.gain).max() < 1e-4 * contest.prize
    tried = np.linspace(0.0, MOST * INCOME, 100_000)
    for other in (0.5 * best, 1.5 * best):
        force, rivals = tried**contest.decisiveness, (contest.n - 1) * other**contest.decisiveness
        gain = (contest.prize * force / (force + rivals) - tried).max() - (contest.prize / contest.n - other)
        assert judge(game, spender(other)).gain == pytest.approx(np.full(contest.n, gain), rel=0.01)


def test_a_deviation_is_tried_in_the_same_worlds() -> None:
    game = contest_scenario(SETTINGS[0])
    consumed, spent = play(game, spender(2.0), GRID * WORLDS, 1, np.repeat(np.linspace(0.0, MOST, GRID), WORLDS))
    assert spent[:, :, 0] == pytest.approx(np.full_like(spent[:, :, 0], 2.0), rel=1e-4)
    assert (np.ptp(consumed.reshape(GRID, WORLDS, 2), axis=1) < 1e-6).all()


@pytest.mark.parametrize("contest", SETTINGS)
def test_self_play_finds_the_equilibrium(contest: Contest, tmp_path: Path) -> None:
    game = contest_scenario(contest)
    found = judge(game, learn(game, 0, tmp_path / "run"))
    assert found.gain.max() <= 0.01 * contest.prize
    spending = found.spending.mean(axis=0)
    assert spending == pytest.approx(np.full(contest.n, contest.equilibrium), rel=0.1)


def test_noise_that_does_not_shrink_leaves_the_equilibrium(tmp_path: Path) -> None:
    """Why the exploration is let fall: at a constant s.d. the mean policy underspends."""
    contest = SETTINGS[1]
    game = contest_scenario(contest)
    loud = judge(game, learn(game, 0, tmp_path / "run", SelfPlay(steps=100_000, last_log_std=-1.0)))
    assert loud.spending.mean() < 0.8 * contest.equilibrium


def test_a_league_of_its_own_selves_finds_it_too(tmp_path: Path) -> None:
    """One seat learns; the other is played by the learner as it was, lately or long ago."""
    contest = SETTINGS[0]
    game = contest_scenario(contest)
    own = {"latest": 0.5, "past": 0.5, "scripted": 0.0, "every": 20_000, "capacity": 4}
    found = judge(game, learn(game, 0, tmp_path / "run", SelfPlay(steps=150_000, rows=128), own))
    assert found.gain.max() <= 0.01 * contest.prize
    assert found.spending.mean(axis=0) == pytest.approx(np.full(contest.n, contest.equilibrium), rel=0.1)
    state = saved_league(find_state(tmp_path / "run"))
    latest, *past = League.restore(game, LeagueSettings(**own), 0, state).standings()
    assert len(past) == 4
    assert abs(latest.win_rate - 0.5) < 0.15
    assert min(row.games for row in past) > 20
    assert sorted(past, key=lambda row: row.win_rate) == sorted(past, key=lambda row: -row.probability)
