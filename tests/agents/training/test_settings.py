"""Training settings: flat names in, checked tables out; what does not apply is refused."""

from __future__ import annotations

import pytest

from civsim.agents.training.settings import LEARNERS, checked_settings, flat_settings, train_settings
from civsim.base.errors import CheckpointError


@pytest.mark.parametrize("algorithm", LEARNERS)
def test_flat_names_and_tables_say_the_same(algorithm):
    settings = train_settings(algorithm, steps=500, seed=3, learning_rate=0.01)
    assert settings.learner.learning_rate == 0.01
    assert train_settings(**flat_settings(settings)) == settings
    assert checked_settings(settings.model_dump(mode="json")) == settings


def test_the_leagues_settings_have_a_prefix():
    settings = train_settings(rivals="league", **{"league.every": 7, "league.latest": 0.2, "league.past": 0.6})
    assert settings.league.every == 7
    assert train_settings(**flat_settings(settings)) == settings


BAD = {
    "unknown": {"stpes": 3},
    "of another algorithm": {"algorithm": "sac", "epochs": 3},
    "no steps": {"steps": 0},
    "negative seed": {"seed": -1},
    "text": {"steps": "many"},
    "batch that does not divide": {"batch": 1000},
    "no layers": {"hidden": []},
    "unknown algorithm": {"algorithm": "dqn"},
    "nan": {"learning_rate": float("nan")},
    "seat text": {"seat": "all"},
    "a fixed seat for many": {"seat": 1, "learners": 2},
    "device": {"device": "abacus"},
    "one world is no evaluation": {"eval_episodes": 1},
    "league without a league": {"league.every": 100},
    "dirichlet off policy": {"algorithm": "sac", "policy": "dirichlet"},
    "a spread the dirichlet lacks": {"policy": "dirichlet", "log_std": -1.0},
    "noise the dirichlet lacks": {"policy": "dirichlet", "final_log_std": -1.0},
    "several learners without masks": {"algorithm": "a2c", "learners": 2},
    "episodes of no evaluation": {"eval_freq": 0, "eval_episodes": 7},
    "wide": {"hidden": [100_000]},
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD.keys())
def test_bad_settings_are_one_line(change):
    with pytest.raises(CheckpointError) as caught:
        train_settings(**change)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("training: ")


@pytest.mark.parametrize(
    ("sizes", "batch"), [({}, 512), ({"worlds": 4}, 256), ({"worlds": 100}, 400), ({"worlds": 3, "rollout": 7}, 21)]
)
def test_a_minibatch_that_is_not_given_fits_the_rollout(sizes, batch):
    settings = train_settings(**sizes)
    assert settings.learner.batch == batch
    assert settings.rows * settings.learner.rollout % batch == 0


def test_a_near_miss_is_named():
    with pytest.raises(CheckpointError, match="did you mean 'epochs'"):
        train_settings(epoch=3)
