"""Walls against bands in view: what the base of a rollout walls before the rule of thumb does, which knows of no band.

A band in view is no chance but a date: a job with a deadline, some courses long. To choose jobs they are taken by what
they avert per cost, as long as all that are taken can be done in time (Dantzig 1957); they are done in order of their
dates, which does every set that can be done at all (Jackson 1955). Only bands that arrive within the turns simulated
are heeded, so that nothing is walled for what is not seen to happen. Where nothing is simulated none is, by the rule of
thumb, or those that arrive within reach, by ``thinking.guard``: dates without a rollout.
"""

from __future__ import annotations

import numpy as np

from civsim.base.constants import NOBODY, TIE, Category, Guard, OrderKind
from civsim.base.kernels import kernel
from civsim.engine.formulas import (
    cell_output,
    course_cost,
    defence_of,
    fund_of,
    is_sacked,
    left_by_raiders,
    preferred,
    projected,
)
from civsim.engine.planner.heuristic import heuristic_wall
from civsim.engine.planner.ranking import next_column
from civsim.engine.planner.realm import steady_output
from civsim.engine.registers import NOW
from civsim.engine.work import Base, Count, Fund, Levels, Purse, Ranked, Realm, Roll


def _holds_with(cfg, realm, k, force, courses, strength):
    """Return True where column ``k`` under a ``force`` holds against a band of ``strength`` once walled further."""
    wall = realm[Realm.WALL, k] + courses * cfg.wall_rate
    return not is_sacked(defence_of(force, wall, realm[Realm.RUGGEDNESS, k]), strength)


holds_with = kernel(_holds_with)


def _courses_lacking(cfg, realm, k, army, strength, most):
    """Return how many courses of wall column ``k`` lacks, under an ``army``, to hold against a band of ``strength``.

    0 where it holds, ``most`` + 1 where ``most`` are not enough.
    """
    force, courses = projected(army, realm[Realm.PROJECTION, k]), np.int64(0)
    if not holds_with(cfg, realm, k, force, most, strength):
        return most + 1
    while not holds_with(cfg, realm, k, force, courses, strength):
        courses += 1
    return courses


courses_lacking = kernel(_courses_lacking)


def _sack_loss(cfg, realm, counts, k, away, turns_left):
    """Return what a sack of column ``k`` in ``away`` turns costs of the output of the ``turns_left`` to come.

    It gives nothing for some turns, but for those in which it would have given nothing anyway, and less for good where
    works are lost.
    """
    since, idle = away - 1, counts[Count.IDLE, k] - 1
    end = min(since + cfg.raid_turns, turns_left)
    years = cfg.annuity[end] - cfg.annuity[min(max(since, idle), end)]
    works = left_by_raiders(cfg, realm[Realm.WORKS, k])
    lasting = steady_output(realm, k) - cell_output(realm[Realm.FERTILITY, k], works, realm[Realm.ORE_OUTPUT, k])
    after = cfg.annuity[turns_left] - cfg.annuity[end]
    return realm[Realm.STAY, k] * (steady_output(realm, k) * years + lasting * after)


sack_loss = kernel(_sack_loss)


def _turns_heeded(work):
    """Return within how many turns a band in view must arrive to be walled against."""
    levels, rolled = work.levels, work.sizes[Base.ROLLED]
    if rolled > 0 or levels[Levels.GUARD] != Guard.DATES:
        return rolled
    return min(levels[Levels.REACH], levels[Levels.TURNS_LEFT])


turns_heeded = kernel(_turns_heeded)


def _list_jobs(cfg, work, realm, counts, row, when, army):
    """List bands that a wall may yet stop in ``work.job``, the soonest first, and what each lacks; return how many."""
    n, latest = 0, turns_heeded(work)
    for r in range(work.sizes[Base.RAIDS]):
        k, due = np.int64(work.raid_column[row, r]), np.int64(work.raid_due[row, r])
        if k < 0 or due <= when or due > latest:
            continue
        time = due - when - counts[Count.RAISED, k]
        lacking = courses_lacking(cfg, realm, k, army, work.raid_force[r], time)
        if lacking == 0 or lacking > time:
            continue
        at = n
        while at > 0 and work.raid_due[row, work.job[at - 1]] > due:
            work.job[at] = work.job[at - 1]
            at -= 1
        work.job[at], work.job_courses[r], work.job_taken[r] = r, lacking, 0
        n += 1
    return n


list_jobs = kernel(_list_jobs)


def _courses_before(work, row, at):
    """Return how many courses of what the job at place ``at`` lacks those taken before its date give its column."""
    most, k = np.int64(0), work.raid_column[row, work.job[at]]
    for earlier in range(at):
        r = work.job[earlier]
        if work.job_taken[r] and work.raid_column[row, r] == k:
            most = max(most, np.int64(work.job_courses[r]))
    return most


courses_before = kernel(_courses_before)


def _can_be_done(cfg, work, row, when, n, purse, income):
    """Return True where the jobs taken can all be done in time: by the courses a turn allows, and by what they cost.

    Courses already raised this turn are of its number; their cost has left the fund.
    """
    total, raised = np.int64(0), work.done[OrderKind.WALL] if row == NOW else work.roll[Roll.RAISED]
    for at in range(n):
        r = work.job[at]
        if not work.job_taken[r]:
            continue
        total += max(work.job_courses[r] - courses_before(work, row, at), 0)
        turns = work.raid_due[row, r] - when
        if total > turns * cfg.walls_per_turn - raised or total * course_cost(cfg) > purse + (turns - 1) * income:
            return False
    return True


can_be_done = kernel(_can_be_done)


def _averted_by(cfg, work, realm, counts, row, when, n, turns_left, at):
    """Return the loss averted by the job at place ``at``: its own, and of later bands that its wall stops."""
    total, k = 0.0, np.int64(work.raid_column[row, work.job[at]])
    for other in range(at, n):
        r = work.job[other]
        same = work.raid_column[row, r] == k and not work.job_taken[r]
        if same and work.job_courses[r] <= work.job_courses[work.job[at]]:
            total += sack_loss(cfg, realm, counts, k, np.int64(work.raid_due[row, r] - when), turns_left)
    return total


averted_by = kernel(_averted_by)


def _take_job(cfg, key, work, world, realm, counts, row, when, n, turns_left, funds, least):
    """Take the job of the greatest return per cost above ``least`` that fits in with those taken; return that, or 0."""
    best, most, cell = np.int64(NOBODY), least, np.int64(NOBODY)
    for at in range(n):
        r = work.job[at]
        further = work.job_courses[r] - courses_before(work, row, at)
        if work.job_taken[r]:
            continue
        if further <= 0:
            work.job_taken[r] = 1
            continue
        averted = averted_by(cfg, work, realm, counts, row, when, n, turns_left, at)
        worth, entity = averted / (further * course_cost(cfg)), np.int64(work.raid_column[row, r])
        entity = np.int64(counts[Count.CELL, entity])
        if worth <= least or worth < most * (1.0 - TIE) or not preferred(worth, entity, most, cell, key, world):
            continue
        work.job_taken[r] = 1
        if can_be_done(cfg, work, row, when, n, funds[0], funds[1]):
            best, most, cell = np.int64(r), worth, entity
        work.job_taken[r] = 0
    if best < 0:
        return 0.0
    work.job_taken[best] = 1
    return most


take_job = kernel(_take_job)


def _army_and_fund(cfg, work, row):
    """Return the army, and what is in the fund that pays for walls, of the realm as known NOW or as ROLLED."""
    if row == NOW:
        return work.funds[Fund.ARMY], work.funds[Fund.WALLS]
    return work.purse[Purse.ARMY], work.purse[Purse.SETTLEMENT if cfg.pooled else Purse.WALLS]


army_and_fund = kernel(_army_and_fund)


def _warned_wall(cfg, key, work, world, b, i, row, when, turns_left, least):
    """Return (column, return per cost) of the wall to raise next against bands in view; column -1 for none.

    ``row`` says of which realm: NOW, or ROLLED in rolled turn ``when``, with ``turns_left`` to come. Walls that return
    no more than ``least`` are left out; the return told is the greatest of those that are not.
    """
    if work.sizes[Base.RAIDS] == 0:
        return np.int64(NOBODY), 0.0
    realm, counts = (work.base, work.base_counts) if row == NOW else (work.realm, work.counts)
    army, purse = army_and_fund(cfg, work, row)
    funds = purse, work.shares[b, i, fund_of(cfg, Category.WALLS)] * work.funds[Fund.OUTPUT]
    n = list_jobs(cfg, work, realm, counts, row, when, army)
    most = last = take_job(cfg, key, work, world, realm, counts, row, when, n, turns_left, funds, least)
    while last > 0.0:
        last = take_job(cfg, key, work, world, realm, counts, row, when, n, turns_left, funds, least)
    for at in range(n):
        k = np.int64(work.raid_column[row, work.job[at]])
        if work.job_taken[work.job[at]] and not counts[Count.RAISED, k]:
            return k, most
    return np.int64(NOBODY), 0.0


warned_wall = kernel(_warned_wall)


def _next_wall(cfg, key, work, world, b, i, row, when, turns_left, heeds):
    """Return (column, whether for a band) of what a rollout's base walls next; column -1 for none.

    Bands in view come first where it ``heeds`` them, then the rule of thumb. Other arguments as of :func:`warned_wall`.
    """
    if heeds:
        warned, _ = warned_wall(cfg, key, work, world, b, i, row, when, turns_left, 0.0)
        if warned >= 0:
            return warned, True
    if row == NOW:
        return np.int64(heuristic_wall(work.base, work.base_counts, work.sizes[Base.HELD], key, world)), False
    return next_column(key, work, world, np.int64(Ranked.WALLS)), False


next_wall = kernel(_next_wall)
