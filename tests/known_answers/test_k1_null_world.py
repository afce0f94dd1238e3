"""K1: where there is nothing to know, knowing is worth exactly nothing, and paying for it is a loss.

Identical cells, no hazard, no raiders, one civilization on a torus that it cannot fill before the end: every level of
horizon, sight and attention gives the same output, consumption and counts, bit for bit.
"""

from __future__ import annotations

from typing import Any

import pytest
from bounds import assert_within
from worlds import bits, differing

from civsim.validation.k1_null_world import COUNTS, PLAIN, Levels, null_world, price_of_thinking, single_precision

LEVELS = [Levels(*each) for each in ((1, 1, 2), (2, 3, 4), (4, 6, 6), (8, 2, 3), (12, 8, 6), (25, 5, 6))]
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


@pytest.mark.parametrize("works", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_every_effect_of_every_level_is_exactly_zero(case: str, works: bool) -> None:
    plain = null_world(Levels(*PLAIN), works=works, rules=CASES[case])
    assert plain.state.cells.min() > 3
    assert plain.state.cells.max() < 150, "the realm has met itself"
    for levels in LEVELS:
        assert not differing(bits(plain, COUNTS), bits(null_world(levels, works=works, rules=CASES[case]), COUNTS)), (
            levels
        )


@pytest.mark.parametrize("price", [0.02, 0.1])
@pytest.mark.parametrize("share", [0.05, 0.2, 0.4])
def test_net_of_its_price_thinking_is_a_loss(price: float, share: float) -> None:
    rules = {"thinking.price": {"horizon": price, "sight": price, "attention": price}}
    kept = 1 - share
    spending = {"consumption": 0.5 * kept, "settlement": 0.5 * kept}
    thought = {"strategists": share / 2, "scouts": share / 4, "analysts": share / 4}
    plain = null_world(None, rules=rules, weights={"consumption": 0.5, "settlement": 0.5})
    thinker = null_world(None, rules=rules, weights={**spending, **thought})
    assert thinker.state.level[:, 0].min() > 0
    assert (thinker.state.utility[:, 0, :3] < plain.state.utility[:, 0, :3]).all()
    # On consumption alone, with nothing to settle, the loss is the price itself: log(1 + c) against log(1 + (1 − s) c).
    plain = null_world(None, rules=rules, weights={"consumption": 1.0})
    thinker = null_world(None, rules=rules, weights={"consumption": kept, "strategists": share})
    lost = plain.state.utility[:, 0, 0] - thinker.state.utility[:, 0, 0]
    assert_within(lost, price_of_thinking(share), single_precision(share))
