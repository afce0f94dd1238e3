"""What a plan is said to be worth, against what came of it.

Where beliefs are true, the value that is reported of the plan chosen is the objective to come if it is carried out. A
seat plans anew with every order: it may find better, and what it had it should not lose.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import Category, OrderKind, OrderStatus
from civsim.engine.world import World
from civsim.validation.fronts import SEAT, force_felt


def _force_lost(world: World, felt: NDArray[np.float64], left: int) -> float:
    """Return what the force lost in the attack of the turn just played, if any, was worth with ``left`` to come."""
    orders, cfg, army = world.orders, world.config, float(world.state.stock[0, SEAT, Category.ARMY])
    lost = 0.0
    made = (orders.kind[0, SEAT] == OrderKind.ATTACK) & (orders.status[0, SEAT] == OrderStatus.DONE)
    for cell in orders.cell[0, SEAT][made]:
        # Every attack of these games is won: the army that is left is 1 − loss · felt of what there was.
        part = cfg.loss_winner * felt[cell]
        lost += army / (1.0 - part) * part * cfg.force_price[SEAT] * cfg.service[left]
    return lost


def least_kept(world: World, shares: NDArray[np.float64]) -> float:
    """Play a game that is about to begin, of one world, and return the least value kept over that told, of any turn.

    Told is the value reported of the first plan chosen in a turn; kept are the discounted outputs after it, less what
    force is lost from then on, at its worth, which is how plans are valued. It is 1 where nothing is ever told.
    """
    journal, game = world.keep_journal(), world.scenario.game
    felt, output, lost, told = force_felt(world), [], [], []
    while not world.done.all():
        output.append(float(world.step(shares).output[0, SEAT]))
        lost.append(_force_lost(world, felt, game.turns - len(output)))
        mine = [one for one in journal.decisions() if one.seat == SEAT and one.turns > 0]
        told += [(len(output) - 1, one.chosen.value) for one in mine[:1]]
    flow, least = np.array(output), 1.0 if not told else np.inf
    for turn, value in told:
        weight = game.discount ** np.arange(game.turns - turn)
        kept = float((flow[turn + 1 :] * weight[1:]).sum() - (np.array(lost[turn:]) * weight).sum())
        least = min(least, kept / value)
    return float(least)
