"""What rivals in mind are foreseen to do, kept: in a rollout they do the same until one takes what a rival wants.

From level of mind 2 on rivals are rolled on before anything is planned, while one does nothing oneself. A rollout sets
out from the same, and where no rival attacks, all that it can change for them is that a cell is gone. So they need not
be rolled on until a cell that is claimed is one that a rival wants in that turn or later: claims, or would claim if it
could pay. From the turn on in which it is wanted they go on anew, from what was kept of the walk a few turns before.
"""

from __future__ import annotations

import numpy as np

from civsim.base.kernels import inlined, kernel
from civsim.engine.planner.known import RIVALS_PLAY, TAKEN
from civsim.engine.registers import ROLLED
from civsim.engine.work import KEPT_EVERY, Base, Clock, Levels, Roll

ANEW, NOTED = -1, -2
"""Instead of a turn in which rivals leave what was foreseen: they are rolled on; what they want is noted as well."""

_FIRST, _LAST, _NEVER = 0, 1, -1


def _may_follow(cfg, work):
    """Return True where rollouts can follow what is foreseen: rivals claim in order, with a lag, and attack nobody."""
    sizes = work.sizes
    plays_on = work.levels[Levels.MIND] == RIVALS_PLAY and sizes[Base.ORDERED] == 1
    return plays_on and sizes[Base.ARMED] == 0 and cfg.claim_lag > 0 and work.levels[Levels.ROLLOUT] > 0


may_follow = kernel(_may_follow)


def _begin_notes(work):
    """Begin to note which cells rivals want, and in which turns."""
    work.wanted[_LAST] = _NEVER
    work.roll[Roll.FORESEEN] = NOTED


begin_notes = kernel(_begin_notes)


def _note_wanted(work, cell, turn):
    """Note that a rival claims ``cell`` in turn ``turn``, or would if it could pay."""
    if work.wanted[_LAST, cell] == _NEVER:
        work.wanted[_FIRST, cell] = turn
    work.wanted[_LAST, cell] = turn


note_wanted = inlined(_note_wanted)


def _keep_walk(work, turn):
    """Keep the walk as it is after the orders of turn ``turn``, one of every :data:`KEPT_EVERY`."""
    at, n = turn // KEPT_EVERY, work.mind_parties[ROLLED]
    work.kept_mind[at], work.kept_purse[at] = work.mind[ROLLED], work.mind_purse[ROLLED]
    work.kept_ahead[at], work.kept_parties[at] = work.mind_ahead[ROLLED], n
    cells, dues, whose = work.kept_party[at, 0], work.kept_party[at, 1], work.kept_party[at, 2]
    for k in range(n):
        cells[k], dues[k] = work.mind_cell[ROLLED, k], work.mind_due[ROLLED, k]
        whose[k] = work.mind_of[ROLLED, k]


keep_walk = kernel(_keep_walk)


def _heed_claim(work, cell, turn):
    """Have rivals leave what was foreseen once ``cell``, claimed in turn ``turn``, is wanted."""
    if work.wanted[_LAST, cell] >= turn:
        wanted = max(np.int64(work.wanted[_FIRST, cell]), turn)
        work.roll[Roll.FORESEEN] = min(work.roll[Roll.FORESEEN], wanted)


heed_claim = inlined(_heed_claim)


def _expect_until(cfg, work, last):
    """Set the deadlines of a rollout to those foreseen, of what is claimed before turn ``last``; own parties stand."""
    for c in range(cfg.n_cells):
        at = work.rival_at[c]
        work.roll_rival[c] = at if at < last + cfg.claim_lag else work.known_at[c]
    for k in range(work.sizes[Base.PENDING]):
        work.roll_rival[work.pending_cell[k]] = TAKEN


expect_until = kernel(_expect_until)


def _follow(cfg, work):
    """Begin a rollout in which rivals do what was foreseen.

    Deadlines may be there before their time: a claim asks who comes before its own party; who claims later does not.
    """
    expect_until(cfg, work, work.levels[Levels.TURNS_LEFT])
    work.roll[Roll.FORESEEN] = work.sizes[Base.FORESEEN]
    for k in range(work.sizes[Base.PENDING]):
        heed_claim(work, work.pending_cell[k], np.int64(0))


follow = kernel(_follow)


def _follows(cfg, work, turn):
    """Return True where rivals do in turn ``turn`` what was foreseen, given the claims that a rollout has just paid."""
    roll = work.roll
    if roll[Roll.FORESEEN] < 0:
        return False
    for k in range(roll[Roll.PENDING]):
        if work.roll_due[k] == turn + cfg.claim_lag:
            heed_claim(work, work.roll_cell[k], np.int64(turn))
    return turn < roll[Roll.FORESEEN]


follows = kernel(_follows)


def _take_up(cfg, work, turn):
    """Take up what was kept of the walk last before the orders of turn ``turn`` ≥ 1; return the turn it was kept in."""
    at = (turn - 1) // KEPT_EVERY
    n = work.kept_parties[at]
    expect_until(cfg, work, at * KEPT_EVERY + 1)
    work.mind[ROLLED], work.mind_purse[ROLLED] = work.kept_mind[at], work.kept_purse[at]
    work.mind_ahead[ROLLED], work.mind_parties[ROLLED] = work.kept_ahead[at], n
    cells, dues, whose = work.kept_party[at, 0], work.kept_party[at, 1], work.kept_party[at, 2]
    for k in range(n):
        work.mind_cell[ROLLED, k], work.mind_due[ROLLED, k] = cells[k], dues[k]
        work.mind_of[ROLLED, k] = whose[k]
    return at * KEPT_EVERY


take_up = kernel(_take_up)


def _strike_own(cfg, work):
    """Strike what the rollout has claimed itself off what rivals may claim."""
    for c in range(cfg.n_cells):
        if work.claimed[c] == work.clock[Clock.MARK]:
            work.roll_rival[c] = TAKEN


strike_own = kernel(_strike_own)
