"""The rule of thumb picks what its definition says: the best, and of those as good that of the highest rank."""

from __future__ import annotations

import math

import numpy as np
import pytest

from civsim.base.constants import TIE
from civsim.base.randomness import as_key
from civsim.engine.formulas import rank
from civsim.engine.planner.heuristic import best_column, heuristic_claim

KEY, WORLD, CELLS = as_key(7), 3, 64


def picked(scores: dict[int, float]) -> int:
    """The cell of the greatest score above 0, ties by rank, or -1; scores are alike or far from each other."""
    top = max(scores.values(), default=0.0)
    if top <= 0.0:
        return -1
    best = [cell for cell, score in scores.items() if score >= top * (1.0 - TIE)]
    return max(best, key=lambda cell: rank(KEY, WORLD, np.int64(cell)))


@pytest.mark.parametrize("kinds", [1, 2, 5, 1000])
@pytest.mark.parametrize("n", [0, 1, 7, 40, CELLS])
def test_best_column_is_the_greatest_of_the_highest_rank(n: int, kinds: int) -> None:
    rng = np.random.default_rng([n, kinds])
    for _ in range(50):
        cells = rng.permutation(CELLS).astype(np.int32)
        scores = rng.integers(0, kinds, CELLS) / 7.0
        found = best_column(scores, cells, n, KEY, WORLD)
        assert (cells[found] if found >= 0 else -1) == picked(dict(zip(cells[:n].tolist(), scores[:n], strict=True)))


@pytest.mark.parametrize("kinds", [2, 3, 1000])
@pytest.mark.parametrize("n", [0, 1, 40, CELLS])
def test_claim_is_the_best_that_rivals_leave(n: int, kinds: int) -> None:
    rng = np.random.default_rng([n, kinds])
    for _ in range(50):
        front = rng.permutation(CELLS).astype(np.int32)
        ratio = rng.integers(-1, kinds, CELLS) / 7.0
        rival_at = np.where(rng.random(CELLS) < 0.3, 2.0, math.inf)
        found = heuristic_claim(front, n, ratio, rival_at, 3.0, KEY, WORLD)
        left = {cell: ratio[cell] for cell in front[:n].tolist() if rival_at[cell] >= 3.0}
        assert (front[found] if found >= 0 else -1) == picked(left)
