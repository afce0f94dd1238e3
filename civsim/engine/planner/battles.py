"""Battles as believed: what an attack on a rival's cell meets, what it wins, and what the force it costs is worth."""

from __future__ import annotations

import numpy as np

from civsim.base.constants import NOBODY, TIE, Attacks, Rung, Variable
from civsim.base.kernels import kernel
from civsim.engine.formulas import (
    cell_output,
    defence_of,
    expected_loss,
    preferred,
    projected,
    win_chance,
    works_captured,
)
from civsim.engine.knowledge.beliefs import believe, believed_ruggedness, source_cell
from civsim.engine.knowledge.land import known_rival, known_wall, known_works
from civsim.engine.planner.realm import rival_force_at
from civsim.engine.planner.ways import own_projection
from civsim.engine.siege import siege_turns, wall_in_battle
from civsim.engine.work import Clock, Foe, Fund, Levels


def _may_attack(cfg, work):
    """Return True where an attack is allowed at all and rivals are attended to."""
    if cfg.attacks_per_turn == 0 or not work.attended[Variable.RIVALS]:
        return False
    return work.levels[Levels.ATTACKS] != Attacks.NEVER


may_attack = kernel(_may_attack)


def _force_worth(cfg, work, turns_left):
    """Return what a unit of force is worth with ``turns_left`` to come (output): its price for the service it has left.

    At the start of the game that is what it costs; in the last turn nothing, as none serves or is replaced any more.
    """
    return work.funds[Fund.FORCE_PRICE] * cfg.service[turns_left]


force_worth = kernel(_force_worth)


def _size_up(state, cfg, work, b, i, cell):
    """Form what is believed of a battle for the rival's ``cell``, once a deliberation."""
    if work.sized[cell] == work.clock[Clock.DELIBERATION]:
        return
    work.sized[cell] = work.clock[Clock.DELIBERATION]
    believe(state, cfg, work, b, i, cell)
    foe, rival, source = work.foe, known_rival(state, b, i, cell), source_cell(cfg, work.scalars, cell)
    wall, works = known_wall(state, b, i, source), works_captured(cfg, known_works(state, b, i, source))
    force = rival_force_at(state, cfg, work, b, i, rival, cell)
    rugged = believed_ruggedness(state, cfg, work, b, i, cell)
    foe[Foe.PROJECTION, cell], foe[Foe.WALL, cell] = own_projection(state, cfg, work, b, i, cell), wall
    foe[Foe.DEFENCE, cell] = defence_of(force, wall_in_battle(cfg, wall), rugged)
    foe[Foe.PRIZE, cell] = cell_output(work.fertility[cell] + work.swing[cell], works, work.ore_output[cell])


size_up = kernel(_size_up)


def _battle(cfg, work, cell, army):
    """Return (force brought to bear, chance to win, force lost in expectation) of an attack on a cell sized up."""
    attack = projected(army, work.foe[Foe.PROJECTION, cell])
    chance = win_chance(attack, work.foe[Foe.DEFENCE, cell], cfg.decisiveness)
    return attack, chance, expected_loss(attack, chance, cfg.loss_winner, cfg.loss_loser)


battle = kernel(_battle)


def _stake(cfg, work, cell, army, turns_left):
    """Return (worth won, cost) in expectation of attacking a cell sized up, with ``turns_left`` to come; else (0, 0).

    The worth is that of the seat's rung (output, or what it gives to the end), the cost that of the force lost. What is
    won, kept to the end of the game, must be able to repay it.
    """
    if projected(army, work.foe[Foe.PROJECTION, cell]) < cfg.minimum_force:
        return 0.0, 0.0
    attack, chance, force = battle(cfg, work, cell, army)
    lost = force * force_worth(cfg, work, turns_left)
    idle = cfg.capture_turns + siege_turns(cfg, work.foe[Foe.WALL, cell], attack) - 1
    won, years = chance * work.foe[Foe.PRIZE, cell], cfg.annuity[turns_left] - cfg.annuity[min(idle, turns_left)]
    if won * years <= lost:
        return 0.0, 0.0
    return won * years if work.levels[Levels.RUNG] == Rung.NPV else won, lost


stake = kernel(_stake)


def _best_attack(state, cfg, key, work, b, i, foes, n, army, turns_left):
    """Return (place in ``foes[:n]``, index) of the attack that a rule makes with ``army``; (-1, 0) where none pays.

    The index is what is won in expectation per what it costs, the greatest comes first.
    """
    best, top, entity = np.int64(-1), 0.0, np.int64(NOBODY)
    for k in range(n):
        cell = np.int64(foes[k])
        size_up(state, cfg, work, b, i, cell)
        worth, cost = stake(cfg, work, cell, army, turns_left)
        if worth > 0.0:
            index = worth / max(cost, TIE)
            if preferred(index, cell, top, entity, key, state.world_id[b]):
                best, top, entity = np.int64(k), index, cell
    return best, top


best_attack = kernel(_best_attack)
