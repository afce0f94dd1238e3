"""Battles as believed: what an attack on a rival's cell meets, what it wins, and what the force it costs is worth."""

from __future__ import annotations

import numpy as np

from civsim.base.constants import NOBODY, TIE, Attacks, Rung, Variable
from civsim.base.kernels import inlined, kernel
from civsim.engine.formulas import (
    LINEAR,
    SQUARE,
    cell_output,
    defence_of,
    expected_loss,
    preferred,
    projected,
    win_chance,
    works_captured,
)
from civsim.engine.knowledge.beliefs import believe, believed_ruggedness, source_cell
from civsim.engine.knowledge.land import known_wall, known_works
from civsim.engine.planner.realm import rival_force_at
from civsim.engine.planner.ways import CLEARLY, own_projection
from civsim.engine.siege import siege_turns, wall_in_battle
from civsim.engine.work import Clock, Foe, Fund, Levels

BREAK_EVEN = 1.0
"""What an attack must win, to the end of the game, per what it loses."""


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


def _weigh_foe(state, cfg, work, b, i, cell):
    """Form what is believed of a battle for the rival's ``cell``."""
    work.sized[cell] = work.clock[Clock.DELIBERATION]
    believe(state, cfg, work, b, i, cell)
    foe, rival, source = work.foe, np.int64(work.holder[cell]), source_cell(cfg, work.scalars, cell)
    wall, works = known_wall(state, b, i, source), works_captured(cfg, known_works(state, b, i, source))
    force = rival_force_at(state, cfg, work, b, i, rival, cell)
    rugged = believed_ruggedness(state, cfg, work, b, i, cell)
    foe[Foe.PROJECTION, cell] = work.funds[Fund.SENT] * own_projection(state, cfg, work, b, i, cell)
    foe[Foe.WALL, cell] = wall
    foe[Foe.DEFENCE, cell] = defence_of(force, wall_in_battle(cfg, wall), rugged)
    foe[Foe.PRIZE, cell] = cell_output(work.fertility[cell] + work.swing[cell], works, work.ore_output[cell])


weigh_foe = kernel(_weigh_foe)


def _size_up(state, cfg, work, b, i, cell):
    """Form what is believed of a battle for the rival's ``cell``, once a deliberation."""
    if work.sized[cell] != work.clock[Clock.DELIBERATION]:
        weigh_foe(state, cfg, work, b, i, cell)


size_up = inlined(_size_up)


def _battle(cfg, work, cell, army):
    """Return (force brought to bear, chance to win, force lost in expectation) of an attack on a cell sized up."""
    attack = projected(army, work.foe[Foe.PROJECTION, cell])
    chance = win_chance(attack, work.foe[Foe.DEFENCE, cell], cfg.decisiveness)
    return attack, chance, expected_loss(attack, chance, cfg.loss_winner, cfg.loss_loser)


battle = kernel(_battle)


def _gamble(cfg, work, attack, defence, wall, prize, turns_left):
    """Return (output won a turn, its years, worth of the force lost) in expectation of one attack.

    By a force ``attack`` against a ``defence``, a ``wall`` breached first, for a cell that gives ``prize`` a turn.
    """
    chance = win_chance(attack, defence, cfg.decisiveness)
    lost = expected_loss(attack, chance, cfg.loss_winner, cfg.loss_loser) * force_worth(cfg, work, turns_left)
    idle = cfg.capture_turns + siege_turns(cfg, wall, attack) - 1
    return chance * prize, cfg.annuity[turns_left] - cfg.annuity[min(idle, turns_left)], lost


gamble = kernel(_gamble)


def _falls_short(cfg, attack, defence, worth, price, index):
    """Return True where an attack clearly returns less than ``index`` per cost, as far as a few products tell.

    By Tullock's contest a force a wins with p = a^m / (a^m + d^m), and loses a · (p · w + (1 − p) · l) of it at a
    ``price``. Its index is p · ``worth`` per that: ``worth`` · a^(m − 1) / ((a^m · w + d^m · l) · price), which takes
    no division where m is 1 or 2.
    """
    if cfg.decisiveness == SQUARE:
        worth, attack, defence = worth * attack, attack * attack, defence * defence
    elif cfg.decisiveness != LINEAR:
        return False
    return worth < CLEARLY * index * (attack * cfg.loss_winner + defence * cfg.loss_loser) * price


falls_short = kernel(_falls_short)


def _most_years(cfg, turns_left):
    """Return the years of output of a cell that is attacked now, its wall, if any, breached at once."""
    return cfg.annuity[turns_left] - cfg.annuity[min(cfg.capture_turns, turns_left)]


most_years = kernel(_most_years)


def _stake(cfg, work, cell, army, turns_left):
    """Return (worth won, cost) in expectation of attacking a cell sized up, with ``turns_left`` to come; else (0, 0).

    The worth is that of the seat's rung (output, or what it gives to the end), the cost that of the force lost. What is
    won, kept to the end of the game, must be able to repay it.
    """
    attack, foe = projected(army, work.foe[Foe.PROJECTION, cell]), work.foe
    if attack < cfg.minimum_force:
        return 0.0, 0.0
    defence, wall, prize = foe[Foe.DEFENCE, cell], foe[Foe.WALL, cell], foe[Foe.PRIZE, cell]
    won, years, lost = gamble(cfg, work, attack, defence, wall, prize, turns_left)
    if won * years <= lost:
        return 0.0, 0.0
    return won * years if work.levels[Levels.RUNG] == Rung.NPV else won, lost


stake = kernel(_stake)


def _best_attack(state, cfg, key, work, b, i, foes, n, army, turns_left):
    """Return (place in ``foes[:n]``, index) of the attack that a rule makes with ``army``; (-1, 0) where none pays.

    The index is what is won in expectation per what it costs, the greatest comes first.
    """
    best, top, entity = np.int64(-1), 0.0, np.int64(NOBODY)
    price, years = force_worth(cfg, work, turns_left), most_years(cfg, turns_left)
    # What is won to the end must be worth more than what is lost; then it must beat what was best so far.
    bar = BREAK_EVEN
    for k in range(n):
        cell = np.int64(foes[k])
        size_up(state, cfg, work, b, i, cell)
        force, defence = projected(army, work.foe[Foe.PROJECTION, cell]), work.foe[Foe.DEFENCE, cell]
        if falls_short(cfg, force, defence, work.foe[Foe.PRIZE, cell] * years, price, bar):
            continue
        worth, cost = stake(cfg, work, cell, army, turns_left)
        if worth > 0.0:
            index = worth / max(cost, TIE)
            if preferred(index, cell, top, entity, key, state.world_id[b]):
                best, top, entity, bar = np.int64(k), index, cell, index
                years = years if work.levels[Levels.RUNG] == Rung.NPV else 1.0
    return best, top


best_attack = kernel(_best_attack)
