"""What rivals are foreseen to do, followed in rollouts: the same values and deadlines as where all is rolled anew."""

from __future__ import annotations

import numpy as np
import pytest
from planning import believed_value, candidates, pause, think
from worlds import BUSY, random_shares, scenario, with_levels

from civsim.engine.planner.foreseen import ANEW
from civsim.engine.planner.plan import Plan
from civsim.engine.registers import ROLLED
from civsim.engine.work import Base, Mind, Roll
from civsim.engine.world import World

HORIZON = 12


@pytest.mark.parametrize("lag", [1, 3])
@pytest.mark.parametrize("horizon", [2, HORIZON])
def test_who_does_what_was_foreseen_ends_where_the_rule_ends(lag: int, horizon: int) -> None:
    changes = {"game.turns": 40, "claims.lag": lag, "army.war": False, "thinking.levels_of_mind": 2}
    world, followed, left = World(with_levels(scenario({**BUSY, **changes}), 0, 4, 6), 3, seed=1), 0, 0
    rng, work = np.random.default_rng(0), world._work[0]
    for turn in range(16):
        world.step(random_shares(world, rng))
        if turn % 5:
            continue
        pause(world, random_shares(world, rng))
        for b, i in np.argwhere(world.state.alive).tolist():
            think(world, b, i, horizon=HORIZON)
            for plan, path in [(Plan.RULE, []), (Plan.WAIT, []), *candidates(world, b, i)]:
                kept = int(work.sizes[Base.FORESEEN])
                value = believed_value(world, plan, path, horizon, b=b, i=i)
                now, deadlines = work.roll[Roll.FORESEEN], work.roll_rival.copy()
                work.sizes[Base.FORESEEN] = 0
                assert believed_value(world, plan, path, horizon, b=b, i=i) == value
                work.sizes[Base.FORESEEN] = kept
                # One who follows has all deadlines at once, those that come after the rollout among them.
                come = work.roll_rival <= horizon + lag
                assert np.array_equal(deadlines[come], work.roll_rival[come])
                assert now == ANEW or (deadlines[~come] > horizon + lag).all()
                followed += kept > 0 and now != ANEW
                left += kept > 0 and now == ANEW and work.mind[ROLLED, :, Mind.CELLS].max() > 0
    assert followed > 10
    assert left > 0 or horizon < HORIZON
