"""Policies that were trained under other rules: the zoo's play and say so, all others are refused unless allowed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from checkpoints import random_checkpoint
from commands import refused

from civsim.agents import make_policy, zoo
from civsim.agents.checkpoint import load_policy, scenario_tables
from civsim.base.constants import RULES_VERSION
from civsim.base.errors import CheckpointError
from civsim.base.scenario import Scenario
from civsim.engine.observation.features import N_FEATURES

OTHER = RULES_VERSION - 1
GAME = Scenario()


@pytest.fixture
def entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A zoo of the same weights twice: trained under the rules as they are, and under others."""
    told = scenario_tables(GAME) | {"rules": OTHER}
    random_checkpoint(tmp_path / "now", GAME)
    random_checkpoint(tmp_path / "then", GAME, rules=OTHER, scenario=told)
    for name in ("now", "then"):
        (tmp_path / name / zoo.ABOUT).write_text("{}")
    monkeypatch.setattr(zoo, "ZOO", tmp_path)
    return tmp_path


def test_an_entry_plays_as_it_did_and_one_line_says_under_what_it_was_trained(entries: Path) -> None:
    rows, opened = np.random.default_rng(0).normal(size=(4, N_FEATURES)).astype(np.float32), np.ones(8, np.bool_)
    line = f"zoo:then was trained under rules version {OTHER} and plays under {RULES_VERSION}"
    with pytest.warns(UserWarning, match=f"^{line}$") as caught:
        then = make_policy("zoo:then", {}, GAME)
    assert len(caught) == 1
    assert np.array_equal(then.shares(rows, opened), make_policy("zoo:now", {}, GAME).shares(rows, opened))


def test_a_checkpoint_that_is_no_entry_is_refused_unless_it_is_allowed(entries: Path) -> None:
    line = f"rules={OTHER} but this release plays {RULES_VERSION}; train again"
    for load in (lambda: load_policy(entries / "then"), lambda: make_policy(f"file:{entries / 'then'}", {}, GAME)):
        with pytest.raises(CheckpointError, match=line):
            load()
    assert load_policy(entries / "then", allow_rules=True).head == load_policy(entries / "now").head


def test_the_scenario_of_other_rules_is_not_played(entries: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "name a scenario instead" in refused(capsys, "evaluate", "zoo:then")
