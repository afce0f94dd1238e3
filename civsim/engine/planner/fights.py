"""Attacks in a rollout: the plan's own, and those by which the base carries on; each in expectation."""

from __future__ import annotations

import numpy as np

from civsim.base.constants import OrderKind
from civsim.base.kernels import kernel
from civsim.engine.formulas import defence_of, expected_loss, projected, win_chance, works_captured
from civsim.engine.knowledge.beliefs import believed_ruggedness
from civsim.engine.planner.battles import battle, best_attack, force_worth, size_up
from civsim.engine.planner.known import UNSEEN
from civsim.engine.planner.plan import Plan
from civsim.engine.planner.ranking import note_changes
from civsim.engine.planner.realm import add_column, guard, set_timer
from civsim.engine.planner.transition import open_way
from civsim.engine.registers import ROLLED
from civsim.engine.siege import siege_turns, wall_in_battle
from civsim.engine.work import Base, Count, Foe, MindFund, PlanField, Purse, Realm, Roll


def _strike_off(work, cell):
    """Take ``cell`` off the rivals' cells that can be attacked."""
    roll = work.roll
    for k in range(roll[Roll.FOES]):
        if work.roll_foes[k] == cell:
            roll[Roll.FOES] -= 1
            work.roll_foes[k] = work.roll_foes[roll[Roll.FOES]]
            return


strike_off = kernel(_strike_off)


def _clash(state, cfg, work, b, i, cell):
    """Return (force brought to bear, chance to win, force lost) of an attack on ``cell`` in a rollout, in expectation.

    A rival that attacks in rollouts meets it with the army that it has there, and loses force as well.
    """
    size_up(state, cfg, work, b, i, cell)
    foe, j = work.foe, np.int64(work.holder[cell])
    if not work.sizes[Base.ARMED] or work.mind_purse[ROLLED, j, MindFund.ARMY] == UNSEEN:
        return battle(cfg, work, cell, work.purse[Purse.ARMY])
    attack = projected(work.purse[Purse.ARMY], foe[Foe.PROJECTION, cell])
    guard = projected(work.mind_purse[ROLLED, j, MindFund.ARMY], work.mind_reach[j, cell])
    rugged = believed_ruggedness(state, cfg, work, b, i, cell)
    defence = defence_of(guard, wall_in_battle(cfg, foe[Foe.WALL, cell]), rugged)
    chance = win_chance(attack, defence, cfg.decisiveness)
    if attack >= cfg.minimum_force:
        fallen = expected_loss(guard, 1.0 - chance, cfg.loss_winner, cfg.loss_loser)
        work.mind_purse[ROLLED, j, MindFund.ARMY] -= work.opened[cell] * fallen
    return attack, chance, expected_loss(attack, chance, cfg.loss_winner, cfg.loss_loser)


clash = kernel(_clash)


def _fight(state, cfg, work, b, i, cell, turn, turns_left):
    """Attack ``cell`` in expectation: it is held with the chance of winning, and opens the way to others with that.

    What is lost counts at what it is worth for the ``turns_left`` to come. Where the way to the cell is open with a
    chance alone, so is the battle.
    """
    purse, roll, k = work.purse, work.roll, work.roll[Roll.HELD]
    attack, chance, lost = clash(state, cfg, work, b, i, cell)
    if attack < cfg.minimum_force:
        return
    roll[Roll.GIVEN] += 1
    chance, lost = chance * work.opened[cell], lost * work.opened[cell]
    add_column(state, cfg, work, b, i, work.realm, work.counts, k, cell)
    purse[Purse.ARMY] -= lost
    purse[Purse.LOST] += cfg.weight[turn] * lost * force_worth(cfg, work, turns_left)
    work.realm[Realm.STAY, k] = chance
    work.realm[Realm.WORKS, k] = works_captured(cfg, work.realm[Realm.WORKS, k])
    work.realm[Realm.WALL, k] = 0.0
    roll[Roll.TIMERS] = set_timer(work.counts, work.timer, roll[Roll.TIMERS], k)
    work.counts[Count.IDLE, k] = cfg.capture_turns + 1
    guard(cfg, work.realm, work.counts, k, purse[Purse.ARMY])
    roll[Roll.HELD] = k + 1
    note_changes(work, np.int64(k))
    roll[Roll.TARGET], roll[Roll.WORK_TARGET] = -1, -1
    strike_off(work, cell)
    open_way(state, cfg, work, b, i, cell, chance)


fight = kernel(_fight)


def _claims_of(plan):
    """Return how many cells a plan claims before it ends, or attacks."""
    if plan[PlanField.KIND] == Plan.CLAIM:
        return plan[PlanField.LENGTH]
    return plan[PlanField.LENGTH] - 1 if plan[PlanField.KIND] == Plan.ATTACK else 0


claims_of = kernel(_claims_of)


def _breach_turns(state, cfg, work, b, i, cell):
    """Return for how many turns the wall of ``cell`` is breached before the battle.

    They are counted by the force of now, and by the wall as believed, which nobody is expected to raise.
    """
    size_up(state, cfg, work, b, i, cell)
    force = battle(cfg, work, cell, work.purse[Purse.ARMY])[0]
    return siege_turns(cfg, work.foe[Foe.WALL, cell], force) - 1


breach_turns = kernel(_breach_turns)


def _end_in_attack(state, cfg, work, b, i, turn, turns_left):
    """Attack at the end of the plan's path. Return True where it has come there and its wall, if any, is breached."""
    roll, claims = work.roll, claims_of(work.plan)
    if roll[Roll.STEP] < claims or turn < roll[Roll.READY]:
        return False
    cell = work.path[claims]
    if not roll[Roll.SIEGE]:
        roll[Roll.SIEGE], further = 1, breach_turns(state, cfg, work, b, i, cell)
        roll[Roll.READY] = turn + further
        if further > 0:
            return False
    roll[Roll.STEP] = work.plan[PlanField.LENGTH]
    fight(state, cfg, work, b, i, cell, turn, turns_left)
    return True


end_in_attack = kernel(_end_in_attack)


def _next_foe(state, cfg, key, work, b, i, turn, turns_left):
    """Return the cell for which the base fights now, or -1: none pays, or its wall is still to be breached."""
    roll = work.roll
    if roll[Roll.STORMED] < 0:
        army = work.purse[Purse.ARMY]
        place, _ = best_attack(state, cfg, key, work, b, i, work.roll_foes, roll[Roll.FOES], army, turns_left)
        if place < 0:
            return -1
        roll[Roll.STORMED] = work.roll_foes[place]
        roll[Roll.GIVEN] += 1
        roll[Roll.STORM_DUE] = turn + breach_turns(state, cfg, work, b, i, roll[Roll.STORMED])
    cell = roll[Roll.STORMED]
    if turn < roll[Roll.STORM_DUE]:
        return -1
    roll[Roll.STORMED] = -1
    return cell


next_foe = kernel(_next_foe)


def _order_attacks(state, cfg, key, work, b, i, turn, turns_left):
    """Attack by the plan, which keeps the army for that, and beside and after it as the base does."""
    roll, allowed = work.roll, cfg.attacks_per_turn
    if turn == 0:
        allowed -= work.done[OrderKind.ATTACK]
    if work.plan[PlanField.KIND] == Plan.ATTACK and roll[Roll.STEP] < work.plan[PlanField.LENGTH]:
        if not end_in_attack(state, cfg, work, b, i, turn, turns_left):
            return
        allowed -= 1
    if work.sizes[Base.HOLDS]:
        return
    while allowed > 0 and roll[Roll.FOES] > 0 and work.purse[Purse.ARMY] >= cfg.minimum_force:
        cell = next_foe(state, cfg, key, work, b, i, turn, turns_left)
        if cell < 0:
            return
        held = roll[Roll.HELD]
        fight(state, cfg, work, b, i, cell, turn, turns_left)
        if roll[Roll.HELD] == held:
            return
        allowed -= 1


order_attacks = kernel(_order_attacks)
