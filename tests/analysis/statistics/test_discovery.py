"""Discovery: a planted box and tree are found, noise is not, and what is held out is told honestly."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from civsim.analysis.statistics.discovery import find_box, gains_by_point, grow_tree, share, split_halves
from civsim.base.errors import ResultsError


def _contexts(points: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.random((points, 4)), columns=["price", "hazard", "sites", "span"])
    return table.assign(rivals=rng.integers(1, 8, points))


def _planted(contexts: pd.DataFrame, flips: float, seed: int) -> np.ndarray:
    pays = ((contexts["price"] < 0.4) & (contexts["hazard"] > 0.3)).to_numpy()
    return pays ^ (np.random.default_rng(seed).random(len(contexts)) < flips)


def test_a_planted_box_is_found() -> None:
    contexts = _contexts(400, 0)
    box = find_box(contexts, _planted(contexts, 0.05, 1))
    limits = box.limits.set_index("parameter")
    assert set(limits.index) == {"price", "hazard"}
    assert limits.loc["price", "high"] == pytest.approx(0.4, abs=0.05)
    assert limits.loc["hazard", "low"] == pytest.approx(0.3, abs=0.08)
    assert np.isneginf(limits.loc["price", "low"])
    assert "price ≤" in box.rule
    assert box.density.low > box.base.high
    assert box.density.low <= box.density.value <= box.density.high
    assert box.mass == pytest.approx(0.28, abs=0.08)
    assert (box.seen, box.held_out) == (200, 200)


def test_a_planted_tree_is_found() -> None:
    contexts = _contexts(400, 2)
    leaves = grow_tree(contexts, _planted(contexts, 0.05, 3))
    assert leaves["density"].iloc[0] > 0.8
    assert "price ≤ 0." in leaves["rule"].iloc[0] or "≤ price ≤" in leaves["rule"].iloc[0]
    assert leaves["mass"].sum() == pytest.approx(1.0)
    assert leaves["coverage"].sum() == pytest.approx(1.0)


def test_noise_has_no_box_and_held_out_density_does_not_flatter() -> None:
    found = []
    for seed in range(6):
        contexts = _contexts(120, seed)
        found.append(find_box(contexts, np.random.default_rng(seed + 50).random(120) < 0.4, seed=seed))
    assert sum(box.rule == "everywhere" for box in found) >= 4
    assert np.mean([box.density.value - box.base.value for box in found]) == pytest.approx(0.0, abs=0.12)


def test_shares_and_halves() -> None:
    assert share(0, 10).high == pytest.approx(1.0 - 0.025**0.1)
    assert np.isnan(share(0, 0).value)
    seen, other = split_halves(21, 5)
    assert sorted([*seen, *other]) == list(range(21))
    assert (len(seen), len(other)) == (10, 11)


def test_gains_are_means_over_worlds() -> None:
    runs = pd.DataFrame({"price": [1.0, 1.0, 2.0, 2.0], "gain": [1.0, 3.0, 5.0, 5.0]})
    table = gains_by_point(runs, ["price"], "gain")
    assert table["gain"].tolist() == [2.0, 5.0]
    assert table["error"].tolist() == [1.0, 0.0]
    assert table["worlds"].tolist() == [2, 2]
    with pytest.raises(ResultsError, match="'hazard' is missing"):
        gains_by_point(runs, ["hazard"], "gain")


def test_bad_input_is_refused_in_one_line() -> None:
    contexts = _contexts(40, 0)
    some = np.arange(40) % 2 == 0
    with pytest.raises(ResultsError, match="points=10"):
        find_box(contexts.head(10), some[:10])
    with pytest.raises(ResultsError, match="every context is of interest"):
        grow_tree(contexts, np.ones(40, bool))
    with pytest.raises(ResultsError, match="not a finite number"):
        find_box(contexts.assign(price=np.nan), some)
