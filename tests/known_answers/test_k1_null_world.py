"""K1: where there is nothing to know, knowing is worth exactly nothing, and paying for it is a loss.

Identical cells, no hazard, no raiders, one civilization on a torus that it cannot fill before the end: every level of
horizon, sight and attention gives the same output, consumption and counts, bit for bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from worlds import bits, differing, flat_land, scenario, split

from civsim.engine.world import World

COUNTS = ("output", "consumption", "utility", "spent", "gains", "losses", "cells", "alive")
LEVELS = [(1, 1, 2), (2, 3, 4), (4, 6, 6), (8, 2, 3), (12, 8, 6), (25, 5, 6)]
CASES: dict[str, dict[str, Any]] = {
    "default prices": {},
    "slow claims": {"claims.lag": 5, "claims.cost": 2.0},
    "claims at once": {"claims.lag": 0, "claims.cost": 3.0, "claims.growth": 0.0},
    "steep growth": {"claims.growth": 0.5, "claims.cost": 1.0},
    "patient": {"game.discount": 1.0},
    "impatient": {"game.discount": 0.8},
    "one claim a turn": {"claims.per_turn": 1, "claims.cost": 1.0},
    "optimist": {"thinking.belief": "optimistic"},
}


def null_world(case: str, levels: tuple[int, int, int] | None, works: bool, **weights: float) -> World:
    """A null world after the whole game."""
    level = dict(zip(("horizon", "sight", "attention"), levels, strict=True)) if levels else {}
    base = {"map.width": 23, "map.height": 21, "map.torus": True, "map.hazard": 0.0, "works.menu": [{"cost": 1.0}]}
    # Works that cost the same wherever there are some: else cells differ by what was built on them.
    base["works.growth"] = 0.0
    game = scenario(
        {**base, "game.civilizations": 1, "game.turns": 26, "works.per_turn": 2 if works else 0, **CASES[case]},
        seat_default={"levels": level},
    )
    world = World(game, 4, seed=1, land=flat_land(game, (240,), 1.0))
    shares = split(world, **(weights or {"consumption": 0.4, "settlement": 0.4, "works": 0.2}))
    while not world.done.all():
        world.step(shares)
    return world


@pytest.mark.parametrize("works", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_every_effect_of_every_level_is_exactly_zero(case: str, works: bool) -> None:
    plain = null_world(case, (0, 1, 2), works)
    assert plain.state.cells.min() > 3
    assert plain.state.cells.max() < 150, "the realm has met itself"
    for levels in LEVELS:
        assert not differing(bits(plain, COUNTS), bits(null_world(case, levels, works), COUNTS)), levels


@pytest.mark.parametrize("price", [0.02, 0.1])
@pytest.mark.parametrize("share", [0.05, 0.2, 0.4])
def test_net_of_its_price_thinking_is_a_loss(price: float, share: float) -> None:
    CASES["bought"] = {"thinking.price": {"horizon": price, "sight": price, "attention": price}}
    kept = 1 - share
    spending = {"consumption": 0.5 * kept, "settlement": 0.5 * kept}
    plain = null_world("bought", None, False, consumption=0.5, settlement=0.5)
    thinker = null_world("bought", None, False, **spending, strategists=share / 2, scouts=share / 4, analysts=share / 4)
    assert thinker.state.level[:, 0].min() > 0
    assert (thinker.state.utility[:, 0, :3] < plain.state.utility[:, 0, :3]).all()
    # On consumption alone, with nothing to settle, the loss is the price itself: log(1 + c) against log(1 + (1 − s) c).
    plain = null_world("bought", None, False, consumption=1.0)
    thinker = null_world("bought", None, False, consumption=kept, strategists=share)
    weights = 0.98 ** np.arange(26)
    loss = (np.log1p(1.0) - np.log1p(kept)) * weights.sum()
    assert plain.state.utility[:, 0, 0] - thinker.state.utility[:, 0, 0] == pytest.approx(loss)
