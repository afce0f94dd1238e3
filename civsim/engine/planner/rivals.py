"""Rivals that plan: at level of mind 3 each rival is taken to be a planner of level 2, one less than oneself.

Once a deliberation, where a claim can be paid, one puts oneself in the place of every rival that is known: its land,
frontier and parties as known or believed, its fund, levels and shares taken to be one's own. From there land is planned
for as one plans oneself: paths within reach under the deadlines that the others set, oneself among them, and the best
of them by rollouts in which those play on by the rule of thumb. Raids and attacks are left out of it. Level-k thinking:
Stahl and Wilson (1994), "Experimental evidence on players' models of other players", *J. Econ. Behav. Organ.* 25(3).
"""

from __future__ import annotations

import math

import numpy as np

from civsim.base.constants import NOBODY
from civsim.base.kernels import kernel
from civsim.engine.formulas import claim_growth
from civsim.engine.knowledge.beliefs import believe
from civsim.engine.planner.decide import plan_ahead, set_plan
from civsim.engine.planner.known import RIVALS_PLAN
from civsim.engine.planner.ladder import UNKNOWN, worth_of
from civsim.engine.planner.minds import RIVALS_PLAY, foresee
from civsim.engine.planner.plan import Phase, Plan
from civsim.engine.planner.propose import (
    claim_is_payable,
    forget_values,
    look_around,
    n_bases,
    no_rule,
    offer_claims,
    rolled_turns,
    set_rolled,
)
from civsim.engine.planner.realm import add_column, forget_survey, guard
from civsim.engine.registers import NOW
from civsim.engine.work import Base, Belief, Clock, Fund, Levels, Mind, MindFund, MindPlan, PlanField

AWAY = 1 << 24
"""Turns by which the parties of the rival that one puts oneself in the place of are put off: they are its own then."""


def _contested(cfg, work):
    """Return True where a claim can be paid now and rivals are expected to take land at all."""
    payable, taken = False, False
    for k in range(work.sizes[Base.FRONT]):
        payable = payable or claim_is_payable(cfg, work, work.front[k])
    for c in range(cfg.n_cells):
        taken = taken or 0.0 < work.rival_at[c] < math.inf
    return payable and taken


contested = kernel(_contested)


def _enter_oneself(work, i):
    """Put oneself among the rivals in mind: own frontier, parties and fund."""
    sizes, n = work.sizes, work.mind_parties[NOW]
    mind, purse = work.mind[NOW, i], work.mind_purse[NOW, i]
    mind[Mind.CELLS], mind[Mind.FRONT] = sizes[Base.HELD] + sizes[Base.PENDING], sizes[Base.FRONT]
    mind[Mind.TARGET] = NOBODY
    purse[MindFund.FUND], purse[MindFund.OUTPUT] = work.funds[Fund.SETTLEMENT], work.funds[Fund.OUTPUT]
    for k in range(sizes[Base.FRONT]):
        work.mind_front[NOW, i, k] = work.front[k]
        work.mind_mark[i, work.front[k]] = work.clock[Clock.MIND_NOW]
    for k in range(sizes[Base.PENDING]):
        cell, due = work.pending_cell[k], work.pending_due[k]
        work.mind_cell[NOW, n], work.mind_due[NOW, n], work.mind_of[NOW, n] = cell, due, i
        work.known_at[cell] = due
        n += 1
    work.mind_parties[NOW] = n


enter_oneself = kernel(_enter_oneself)


def _leave_oneself(work, i):
    """Take oneself out of the rivals in mind again, and have the own frontier and parties back."""
    sizes, pending, n = work.sizes, 0, work.mind_parties[NOW]
    sizes[Base.FRONT] = work.mind[NOW, i, Mind.FRONT]
    for k in range(sizes[Base.FRONT]):
        work.front[k] = work.mind_front[NOW, i, k]
    while n > 0 and work.mind_of[NOW, n - 1] == i:
        n -= 1
        pending += 1
    for k in range(pending):
        cell = work.mind_cell[NOW, n + k]
        work.pending_cell[k], work.pending_due[k] = cell, work.mind_due[NOW, n + k]
        work.known_at[cell] = math.inf
    sizes[Base.PENDING], work.mind_parties[NOW] = pending, n
    sizes[Base.HELD] = work.mind[NOW, i, Mind.CELLS] - pending
    work.mind[NOW, i] = 0


leave_oneself = kernel(_leave_oneself)


def _take_place(state, cfg, work, b, i, j):
    """Make the base realm, the frontier, the parties and the fund those of rival ``j``, who is then no rival."""
    sizes, mind, held, pending = work.sizes, work.mind[NOW, j], 0, 0
    forget_survey(work)
    for each in range(sizes[Base.KNOWN]):
        c = work.rivals[each]
        if work.holder[c] == j:
            add_column(state, cfg, work, b, i, work.base, work.base_counts, held, c)
            guard(cfg, work.base, work.base_counts, held, work.funds[Fund.ARMY])
            held += 1
    for k in range(mind[Mind.FRONT]):
        work.front[k] = work.mind_front[NOW, j, k]
    for k in range(work.mind_parties[NOW]):
        if work.mind_of[NOW, k] == j:
            work.pending_cell[pending], work.pending_due[pending] = work.mind_cell[NOW, k], work.mind_due[NOW, k]
            pending += 1
            work.mind_due[NOW, k] += AWAY
    sizes[Base.HELD], sizes[Base.FRONT], sizes[Base.PENDING] = held, mind[Mind.FRONT], pending
    sizes[Base.TIMERS], sizes[Base.SEARCHED], sizes[Base.CHOSEN] = 0, 0, 0
    work.funds[Fund.SETTLEMENT] = work.mind_purse[NOW, j, MindFund.FUND]
    work.funds[Fund.OUTPUT] = work.mind_purse[NOW, j, MindFund.OUTPUT]
    mind[Mind.CELLS], mind[Mind.FRONT] = 0, 0
    forget_values(work)


take_place = kernel(_take_place)


def _give_place(work, j):
    """Let rival ``j`` be a rival again."""
    mind = work.mind[NOW, j]
    mind[Mind.CELLS], mind[Mind.FRONT] = work.sizes[Base.HELD] + work.sizes[Base.PENDING], work.sizes[Base.FRONT]
    for k in range(work.mind_parties[NOW]):
        if work.mind_of[NOW, k] == j:
            work.mind_due[NOW, k] -= AWAY


give_place = kernel(_give_place)


def _keep_index(state, cfg, work, b, i, j):
    """Note the index by which rival ``j`` claims after its plan: its potentials, that of a cell alone where none is."""
    growth = claim_growth(cfg.claim_growth, work.sizes[Base.HELD] + work.sizes[Base.PENDING])
    for each in range(cfg.n_cells):
        c = np.int32(each)
        index = work.potential[c]
        if index == UNKNOWN and work.holder[c] == NOBODY:
            believe(state, cfg, work, b, i, c)
            index = worth_of(cfg, work, work.value[c], 0.0) / (work.claim_cost[c] * growth)
        work.mind_index[j, c] = index


keep_index = kernel(_keep_index)


def _plan_for(state, cfg, key, work, b, i, j):
    """Plan for land in the place of rival ``j``, and note its plan."""
    plan, mine = work.plan, work.mind_plan[j]
    foresee(state, cfg, key, work, b, i, np.int64(cfg.mind_turns))
    look_around(state, cfg, key, work, b, i)
    set_rolled(cfg, work, Phase.LAND)
    keep_index(state, cfg, work, b, i, j)
    mine[MindPlan.BASE] = n_bases(work) - 1
    if rolled_turns(work) == 0:
        return
    no_rule(work)
    found = offer_claims(cfg, key, state.world_id[b], work, np.int64(0))
    best = plan_ahead(state, cfg, key, work, b, i, np.int64(Phase.LAND), found)
    set_plan(cfg, work, Phase.LAND, best.which, best.base)
    mine[MindPlan.BASE] = best.base
    if plan[PlanField.KIND] == Plan.WAIT:
        mine[MindPlan.READY] = 1
    if plan[PlanField.KIND] == Plan.CLAIM:
        mine[MindPlan.LENGTH], mine[MindPlan.READY] = plan[PlanField.LENGTH], plan[PlanField.READY]
        for k in range(plan[PlanField.LENGTH]):
            work.mind_path[j, k] = work.path[k]


plan_for = kernel(_plan_for)


def _step_out(cfg, work, i):
    """Leave the seat of thought one is in, as a rival has one for all. Return what it commanded, to step in again."""
    funds, sizes = work.funds, work.sizes
    left = funds[Fund.COMMANDED], funds[Fund.GRANTED], funds[Fund.REST], sizes[Base.ELSEWHERE]
    funds[Fund.COMMANDED], sizes[Base.ELSEWHERE] = 1.0, 0
    funds[Fund.GRANTED] = funds[Fund.REST] = cfg.grant_output[i]
    return left


step_out = kernel(_step_out)


def _plan_rivals(state, cfg, key, work, b, i):
    """Let every rival in mind plan, before the own base realm is built; see the module. Rollouts then play its plan."""
    if work.levels[Levels.MIND] < RIVALS_PLAN or not contested(cfg, work):
        return
    sizes, scalars, funds = work.sizes, work.scalars, work.funds
    attack, raid = scalars[Belief.ATTACK], scalars[Belief.RAID]
    armed, walls, fund, output = sizes[Base.ARMED], sizes[Base.WALLS_MATTER], funds[Fund.SETTLEMENT], funds[Fund.OUTPUT]
    commands, granted, rest, elsewhere = step_out(cfg, work, i)
    chosen, war, given = sizes[Base.CHOSEN], sizes[Base.WAR], (work.done[0], work.done[1], work.done[2], work.done[3])
    scalars[Belief.ATTACK] = scalars[Belief.RAID] = scalars[Belief.GATES] = 0.0
    sizes[Base.ARMED] = sizes[Base.WALLS_MATTER] = sizes[Base.RAIDS] = sizes[Base.TARGETS] = sizes[Base.WAR] = 0
    work.done[:] = 0
    work.levels[Levels.MIND] = RIVALS_PLAY
    enter_oneself(work, i)
    for j in range(cfg.n_civs):
        if j != i and work.mind[NOW, j, Mind.FRONT] > 0:
            take_place(state, cfg, work, b, i, j)
            if sizes[Base.HELD] > 0:
                plan_for(state, cfg, key, work, b, i, j)
            give_place(work, j)
    funds[Fund.SETTLEMENT], funds[Fund.OUTPUT] = fund, output
    funds[Fund.COMMANDED], funds[Fund.GRANTED], funds[Fund.REST] = commands, granted, rest
    sizes[Base.ELSEWHERE] = elsewhere
    leave_oneself(work, i)
    work.levels[Levels.MIND] = RIVALS_PLAN
    scalars[Belief.ATTACK], scalars[Belief.RAID] = attack, raid
    sizes[Base.ARMED], sizes[Base.WALLS_MATTER], sizes[Base.WAR] = armed, walls, war
    sizes[Base.SEARCHED], sizes[Base.CHOSEN] = 0, chosen
    for kind in range(work.done.shape[0]):
        work.done[kind] = given[kind]
    for j in range(cfg.n_civs):
        work.mind[NOW, j, Mind.READY] = work.mind_plan[j, MindPlan.READY]
        # What it would claim next by the rule of thumb is not what its base may.
        work.mind[NOW, j, Mind.TARGET] = NOBODY
    forget_values(work)
    foresee(state, cfg, key, work, b, i, np.int64(cfg.mind_turns))


plan_rivals = kernel(_plan_rivals)
