"""A policy of drawn prices: it sees what it pays, learns from what it sees, and is asked at any price."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import said
from trained import make_run

from civsim.agents.checkpoint import load_normalisation, load_policy
from civsim.agents.training.run import train
from civsim.agents.training.settings import train_settings
from civsim.base.constants import Channel
from civsim.base.scenario import Scenario
from civsim.engine.observation.features import FEATURES, at
from civsim.engine.observation.observer import observe
from civsim.engine.world import World
from civsim.scenarios import load_scenario, override

PRICES = ("price_horizon", "price_sight", "price_attention")
COLUMNS = [at(name) for name in PRICES]
TINY: dict[str, Any] = {"steps": 128, "worlds": 16, "rollout": 8, "batch": 16, "epochs": 4, "hidden": [8]}
SMALL = {"map.width": 6, "map.height": 6, "game.turns": 4, "game.civilizations": 2}
VARIED = override(load_scenario("varied-prices"), SMALL)
PLAIN = override(load_scenario("baseline"), SMALL)


def priced(**prices: float) -> Scenario:
    return override(PLAIN, {f"thinking.price.{name}": price for name, price in prices.items()})


def test_a_world_of_drawn_prices_is_seen_as_its_twin_but_for_the_prices() -> None:
    """The land of a world is the same with and without draws, so the observations differ where prices are, only."""
    drawn, plain = World(VARIED, 6, seed=2), World(PLAIN, 6, seed=2)
    one, other = observe(drawn).features, observe(plain).features
    differ = np.flatnonzero((one != other).any(axis=(0, 1)))
    assert [FEATURES[column] for column in differ] == sorted(PRICES, key=at)
    price = VARIED.thinking.price
    listed = np.array([price.horizon, price.sight, price.attention])
    paid = listed * drawn.state.price_factor[:, None, : len(Channel)]
    np.testing.assert_allclose(np.expm1(one[..., COLUMNS]), np.broadcast_to(paid, (6, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(np.expm1(other[..., COLUMNS]), np.broadcast_to(listed, (6, 2, 3)), rtol=1e-5)
    assert len(np.unique(one[:, 0, COLUMNS[0]])) == 6


def test_a_drawn_price_is_seen_as_the_same_price_that_is_set() -> None:
    drawn = World(VARIED, world_ids=[4], seed=2)
    factors = drawn.state.price_factor[0]
    price = VARIED.thinking.price
    same = priced(
        horizon=price.horizon * float(factors[Channel.HORIZON]),
        sight=price.sight * float(factors[Channel.SIGHT]),
        attention=price.attention * float(factors[Channel.ATTENTION]),
    )
    set_so = World(same, world_ids=[4], seed=2)
    np.testing.assert_allclose(observe(drawn).features, observe(set_so).features, rtol=1e-6)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("runs")
    games = {"varied": VARIED, "plain": PLAIN}
    return {name: train(game, home / name, train_settings(**TINY)).folder for name, game in games.items()}


def test_training_meets_prices_over_the_whole_range(runs: dict[str, Path]) -> None:
    met = {name: load_normalisation(folder) for name, folder in runs.items()}
    # log1p of a price drawn log-uniformly between an eighth and eight times the listed one.
    rng = np.random.default_rng(0)
    factor = np.exp(np.log(8.0) * rng.uniform(-1, 1, 100_000))
    for column, listed in zip(COLUMNS, (0.1, 0.1, 0.15), strict=True):
        assert met["varied"].var[column] == pytest.approx(np.log1p(listed * factor).var(), rel=0.6)
        assert met["plain"].var[column] < 1e-6


def test_what_was_learnt_of_the_price_shows_in_the_shares(runs: dict[str, Path]) -> None:
    """Two rows that differ in the price of horizon alone get different shares, and training has moved by how much."""
    features = np.repeat(observe(World(VARIED, 1, seed=2)).features[0, :1], 2, axis=0)
    features[:, COLUMNS[0]] = np.log1p([0.0125, 0.8])
    shares = load_policy(runs["varied"]).shares(features, np.ones(8, bool))
    assert np.abs(shares[0] - shares[1]).max() > 1e-4
    first = train(VARIED, runs["varied"].parent / "first", train_settings(**TINY, learning_rate=1e-9)).folder
    before = load_policy(first).shares(features, np.ones(8, bool))
    assert np.abs((shares[0] - shares[1]) - (before[0] - before[1])).max() > 1e-4


def test_a_policy_is_asked_for_its_cognition_at_given_prices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``civsim evaluate RUN --scenario baseline --set thinking.price.horizon=...``: the prices are then not drawn."""
    monkeypatch.chdir(tmp_path)
    make_run(tmp_path / "varied", VARIED)
    small = [text for path, value in SMALL.items() for text in ("--set", f"{path}={value}")]
    found = {}
    for place, price in enumerate((0.0125, 0.8)):
        prices = ["--set", f"thinking.price.horizon={price}"]
        said(capsys, "evaluate", "varied", "--scenario", "baseline", *small, *prices, "--worlds", "4",
             "--against", "fixed", "--threads", "1", "--out", f"out{place}")  # fmt: skip
        summary = json.loads((tmp_path / f"out{place}" / "evaluation.json").read_text())
        row = summary["summary"][0]
        assert row["share_cognition_low"] <= row["share_cognition"] <= row["share_cognition_high"]
        assert summary["scenario"] == "baseline"
        assert f"thinking.price.horizon={price}" in summary["command"]
        found[price] = row["share_cognition"]
    assert found[0.0125] != found[0.8]


def test_a_run_of_drawn_prices_is_judged_on_them_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    make_run(tmp_path / "varied", VARIED)
    text = said(capsys, "evaluate", "varied", "--worlds", "2", "--against", "fixed", "--threads", "1")
    assert "varied-prices: 2 held-out worlds" in text
