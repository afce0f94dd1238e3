"""Attacks of rivals in mind: from level of mind 2 on they attack in every rollout where a rule of attacks would.

A rival whose army was seen attacks the own cells beside its land, as rolled, by the ladder's rule of attacks (see
``attacks.py``): the cell of the greatest worth per force lost, while what is won to the end of the game repays it.
The rule says where, and what comes of it; how often, the frequency that was witnessed, since some rivals attack nobody
and the others not oneself first. All is in expectation. A cell is under the attacks that are played, or is lost by
the frequency as at the levels below: one or the other.
"""

from __future__ import annotations

import numpy as np

from civsim.base.constants import NOBODY, TIE
from civsim.base.kernels import inlined, kernel
from civsim.engine.formulas import (
    cell_output,
    defence_of,
    expected_loss,
    preferred,
    projected,
    win_chance,
    works_captured,
)
from civsim.engine.knowledge.others import knows_army
from civsim.engine.planner.battles import BREAK_EVEN, falls_short, force_worth, gamble, most_years
from civsim.engine.planner.known import add_front, note_beside
from civsim.engine.planner.minds import RIVALS_PLAY, rivals_order
from civsim.engine.planner.rim import EVEN, leave_rim, open_to
from civsim.engine.planner.ways import project_over_map
from civsim.engine.registers import ROLLED
from civsim.engine.siege import battles_a_turn, wall_in_battle
from civsim.engine.work import Base, Belief, Count, Levels, Mind, MindFund, Purse, Realm, Roll


def _arm_rivals(state, cfg, work, b, i):
    """Note in ``Base.ARMED`` whether rivals attack in rollouts: where attacks are allowed and an army was seen.

    And how much of each such army counts where.
    """
    work.sizes[Base.ARMED] = 0
    levels = work.levels
    if not work.sizes[Base.WAR] or levels[Levels.MIND] < RIVALS_PLAY or levels[Levels.ROLLOUT] == 0:
        return
    for j in range(cfg.n_civs):
        if j != i and knows_army(state, b, i, j):
            work.sizes[Base.ARMED] = 1
            project_over_map(state, cfg, work, b, i, j, work.mind_reach)


arm_rivals = kernel(_arm_rivals)


def _sites(realm):
    """Return the rows of a realm that say what an attack on a column meets and wins there.

    Each is taken out once: a loop over columns need not find its row again at every one.
    """
    return (
        realm[Realm.PROJECTION],
        realm[Realm.WALL],
        realm[Realm.RUGGEDNESS],
        realm[Realm.FERTILITY],
        realm[Realm.SWING],
        realm[Realm.WORKS],
        realm[Realm.ORE_OUTPUT],
    )


sites = inlined(_sites)


def _defended(cfg, rows, k, army):
    """Return (defence, own force in it) of column ``k`` of :func:`sites` with an ``army`` behind it."""
    projection, wall, ruggedness, _, _, _, _ = rows
    guard = projected(army, projection[k])
    return defence_of(guard, wall_in_battle(cfg, wall[k]), ruggedness[k]), guard


defended = inlined(_defended)


def _spoils(cfg, rows, k):
    """Return what column ``k`` of :func:`sites` would give a turn to whoever takes it by force (output)."""
    _, _, _, fertility, swing, works, ore = rows
    return cell_output(fertility[k] + swing[k], works_captured(cfg, works[k]), ore[k])


spoils = inlined(_spoils)


def _assault_rate(cfg, work, force, defence, k, prize, left):
    """Return what an attack by ``force`` on column ``k`` wins per force lost, with ``left`` turns to come.

    Both in output. 0 where what is won to the end does not repay it.
    """
    won, years, lost = gamble(cfg, work, force, defence, work.realm[Realm.WALL, k], prize, left)
    return won * years / max(lost, TIE) if won * years > lost else 0.0


assault_rate = kernel(_assault_rate)


def _armed_rivals(cfg, work):
    """Return the rivals in mind whose army is enough to attack now, as bits."""
    armed = 0
    for j in range(cfg.n_civs):
        if work.mind_purse[ROLLED, j, MindFund.ARMY] >= cfg.minimum_force:
            armed |= 1 << j
    return armed


armed_rivals = kernel(_armed_rivals)


def _times(cfg, work, j, armed):
    """Return how many attacks of rival ``j`` are expected in a turn: as often as witnessed on each cell open to it.

    It is one of those ``armed``. A cell that lies beside several such rivals is open to each for its part.
    """
    return min(work.scalars[Belief.ATTACK] * open_to(cfg, work, j, armed), float(cfg.attacks_per_turn))


times = kernel(_times)


def _prey_of(cfg, key, work, world, j, left):
    """Return the column that rival ``j`` attacks next, the best of those that pay; -1 for none.

    Passed over are those where its force is too small, or where it clearly wins less per force than on the best so far.
    """
    best, most, prey, bar = np.int64(NOBODY), 0.0, np.int64(NOBODY), BREAK_EVEN
    years, price, own = most_years(cfg, left), force_worth(cfg, work, left), work.purse[Purse.ARMY]
    army, reach = work.mind_purse[ROLLED, j, MindFund.ARMY], work.mind_reach[j]
    rows, cells, exposed, exposed_to = sites(work.realm), work.counts[Count.CELL], work.exposed, work.exposed_to
    for at in range(work.roll[Roll.EXPOSED]):
        if exposed_to[at] >> j & 1 == 0:
            continue
        k = np.uint32(exposed[at])  # no place is counted from the end: that need not be asked of every number
        force = projected(army, reach[np.uint32(cells[k])])
        if force < cfg.minimum_force:
            continue
        defence, prize = defended(cfg, rows, k, own)[0], spoils(cfg, rows, k)
        if falls_short(cfg, force, defence, prize * years, price, bar):
            continue
        rate, cell = assault_rate(cfg, work, force, defence, k, prize, left), np.int64(cells[k])
        if rate > 0.0 and preferred(rate, cell, most, prey, key, world):
            best, most, prey, bar = np.int64(k), rate, cell, rate
    return best


prey_of = kernel(_prey_of)


def _lose(state, cfg, work, b, i, j, k, turn, left, often):
    """Let rival ``j`` attack column ``k`` in expectation: it stays own by the chance to hold it, both lose force.

    ``often`` is the chance of the attack. A siege fights its battle in one of its turns: each counts for its part of
    it. What is likelier lost than held counts as the rival's land from then on.
    """
    realm, purse, rival, rows = work.realm, work.purse, work.mind_purse[ROLLED, j], sites(work.realm)
    force = projected(rival[MindFund.ARMY], work.mind_reach[j, work.counts[Count.CELL, k]])
    defence, guard = defended(cfg, rows, k, purse[Purse.ARMY])
    chance = win_chance(force, defence, cfg.decisiveness)
    battles = often * realm[Realm.STAY, k] * battles_a_turn(cfg, 1.0, realm[Realm.WALL, k], force)
    rival[MindFund.ARMY] -= battles * expected_loss(force, chance, cfg.loss_winner, cfg.loss_loser)
    rival[MindFund.OUTPUT] += battles * chance * spoils(cfg, rows, k)
    fallen = battles * expected_loss(guard, 1.0 - chance, cfg.loss_winner, cfg.loss_loser)
    purse[Purse.ARMY] -= fallen
    purse[Purse.LOST] += cfg.weight[turn] * fallen * force_worth(cfg, work, left)
    realm[Realm.STAY, k] -= battles * chance
    if realm[Realm.STAY, k] < EVEN:
        cell = np.int32(work.counts[Count.CELL, k])
        leave_rim(work, k)
        work.mind[ROLLED, j, Mind.CELLS] += 1
        note_beside(cfg, work, ROLLED, j, cell)
        add_front(state, cfg, work, b, i, ROLLED, j, cell)


lose = kernel(_lose)


def _rivals_attack(state, cfg, key, work, b, i, turn):
    """Let every rival in mind whose army was seen give its attacks of rolled turn ``turn``."""
    left, armed = work.levels[Levels.TURNS_LEFT] - turn, armed_rivals(cfg, work)
    for j in range(cfg.n_civs):
        if armed >> j & 1 == 0:
            continue
        due = times(cfg, work, j, armed)
        while due > 0.0 and armed >> j & 1:
            k = prey_of(cfg, key, work, state.world_id[b], j, left)
            if k < 0:
                break
            lose(state, cfg, work, b, i, j, k, turn, left, min(due, 1.0))
            due -= 1.0
            if work.mind_purse[ROLLED, j, MindFund.ARMY] < cfg.minimum_force:
                armed ^= 1 << j


rivals_attack = kernel(_rivals_attack)


def _rivals_act(state, cfg, key, work, b, i, turn):
    """Let the rivals in mind give their orders of rolled turn ``turn``: claims, then attacks."""
    rivals_order(state, cfg, key, work, b, i, turn)
    if work.sizes[Base.ARMED]:
        rivals_attack(state, cfg, key, work, b, i, turn)


rivals_act = kernel(_rivals_act)
