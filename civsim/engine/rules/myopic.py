"""A turn of a civilization that looks no turn ahead: the rule of thumb alone, at the cost of what it looks at.

Each kind of order has a fund of its own here: kinds that compete for a treasury are compared by the planner. Reach and
rollout are 0, so nothing is searched and nothing simulated. What is decided is what the planner decides when
it has no horizon: claim the frontier cell of the greatest believed value per believed cost, begin the work of the
greatest discounted return per cost, raise the wall that guards most output per unit. Funds are asked first, because a
civilization that can pay for nothing has nothing to decide; then only frontier cells are believed for a claim, and only
own cells scored for a work or a wall.
"""

from __future__ import annotations

import numpy as np

from civsim.base.bits import EMPTY, WORD, equal_word, first_bit, without_first
from civsim.base.constants import NOBODY, TIE, Category, OrderKind
from civsim.base.kernels import kernel
from civsim.engine.formulas import cell_output, claim_cost, course_cost, first_work_cost, work_cost
from civsim.engine.knowledge.beliefs import believe, believe_cells
from civsim.engine.knowledge.land import read_holders, seems_free
from civsim.engine.knowledge.own import list_realm, own_party, party_slots, read_funds, read_levels
from civsim.engine.planner.belief import begin_beliefs, begin_marks, list_front, set_mark
from civsim.engine.planner.heuristic import best_column, heuristic_claim, heuristic_kind, wall_score, work_score
from civsim.engine.rules.resolution import done_of_kind, parties_under_way, resolve
from civsim.engine.work import Belief, Clock, Fund

ADJACENT = 1
_DOUBTFUL = -2
_NEAR_TIE = 3.0 * TIE
"""Where no other ratio is as close as this to the best, the order in which they are compared decides nothing."""


def _may_act(state, cfg, work, b, i):
    """Return True where some fund could pay for the cheapest order there can be, or an army could attack.

    The funds are those that ``read_funds`` has read: of the realm, or what a seat of thought commands of them.
    """
    funds = work.funds
    if funds[Fund.SETTLEMENT] >= cheapest_claim(state, cfg, b, i):
        return True
    if funds[Fund.WORKS] >= first_work_cost(cfg):
        return True
    if funds[Fund.WALLS] >= course_cost(cfg):
        return True
    return cfg.attacks_per_turn > 0 and funds[Fund.SENT] > 0.0 and funds[Fund.ARMY] >= cfg.minimum_force


def _cheapest_claim(state, cfg, b, i):
    """Return what a claim on flat land costs civilization ``i`` now: no claim is cheaper (output)."""
    holdings = state.cells[b, i] + parties_under_way(state, b, i)
    return claim_cost(cfg.claim_cost, cfg.claim_growth, holdings)


cheapest_claim = kernel(_cheapest_claim)
may_act = kernel(_may_act)


def _mark_parties(state, work, b, i, sent):
    """Mark the targets of parties under way, but for the cells ``work.path[:sent]``; count those that may settle."""
    begin_marks(work)
    pending = 0
    for slot in range(party_slots(state)):
        cell = own_party(state, b, i, slot)[0]
        if cell < 0:
            continue
        if seems_free(state, b, i, cell):
            pending += 1
        left_out = False
        for k in range(sent):
            left_out = left_out or work.path[k] == cell
        if not left_out:
            set_mark(work, cell)
    return pending


mark_parties = kernel(_mark_parties)


def _list_ring(state, cfg, work, b, i):
    """List the free cells beside the realm in ``work.front``, believed; return how many.

    They are read off the survey of the territory: cells one step from it that bear no mark and were not last seen in a
    rival's hands, in ascending order.
    """
    near, holder, mark, front = state.near[b, i], state.known_owner[b, i], work.mark, work.front
    n, stamp = 0, work.clock[Clock.MARK]
    for start in range(0, cfg.n_cells, WORD):
        word = equal_word(near, start, ADJACENT)
        while word != EMPTY:
            cell = np.uint64(start + first_bit(word))
            word = without_first(word)
            if mark[cell] != stamp and (holder[cell] == NOBODY or holder[cell] == i):
                front[n] = cell
                n += 1
    believe_cells(state, cfg, work, b, i, front, n)
    return n


list_ring = kernel(_list_ring)


def _clear_best(work, n):
    """Return which of ``work.front[:n]`` has the greatest ratio: its place, -1 for none, -2 where others come near."""
    best, top, second, front, ratios = NOBODY, 0.0, 0.0, work.front, work.ratio
    for k in range(n):
        ratio = ratios[np.uint64(front[k])]
        if ratio > top:
            best, top, second = k, ratio, top
        elif ratio > second:
            second = ratio
    if best >= 0 and second >= top * (1.0 - _NEAR_TIE):
        return _DOUBTFUL
    return best


clear_best = kernel(_clear_best)


def _best_in_order(state, cfg, key, work, b, i, sent):
    """Return the rule's next claim, or -1, comparing the frontier in the order in which the planner lists it.

    Ratios that are near but not alike are broken by rank pair by pair, so the order of comparison can matter. Cells
    claimed since the list was made (``work.path[:sent]``) have left it, the last of the list taking their place.
    """
    read_holders(state, cfg, work, b, i)
    n = list_front(cfg, work, i, list_realm(state, cfg, work, b, i))[0]
    for k in range(sent):
        for at in range(n):
            if work.front[at] == work.path[k]:
                n -= 1
                work.front[at] = work.front[n]
                break
    for at in range(n):
        believe(state, cfg, work, b, i, work.front[at])
    # No rival is expected anywhere by one who does not look ahead.
    work.rival_at[:] = float(cfg.turns) + float(cfg.turns)
    arrival = float(cfg.claim_lag)
    at = heuristic_claim(work.front, n, work.ratio, work.rival_at, arrival, key, state.world_id[b])
    return work.front[at] if at >= 0 else NOBODY


best_in_order = kernel(_best_in_order)


def _write(orders, b, i, slot, kind, cell, choice):
    """Write an order into ``slot``."""
    orders.kind[b, i, slot] = kind
    orders.cell[b, i, slot] = cell
    orders.choice[b, i, slot] = choice


write = kernel(_write)


def _next_claim(state, cfg, key, work, b, i, n, sent):
    """Return (cell, parties under way, ring) of the rule's next claim; the cell is -1 for none.

    ``n`` cells of the ring are listed, or none if it is -1; it is listed here where the survey is up to date.
    """
    pending = mark_parties(state, work, b, i, np.int64(0))
    if n < 0 and state.near_fresh[b, i]:
        n = list_ring(state, cfg, work, b, i)
    k = clear_best(work, n) if n >= 0 else _DOUBTFUL
    if k == _DOUBTFUL:
        mark_parties(state, work, b, i, sent)
        return best_in_order(state, cfg, key, work, b, i, sent), pending, -1
    if k < 0:
        return NOBODY, pending, n
    # The best goes to the end of the list, which the caller shortens by one.
    cell = int(work.front[k])
    work.front[k], work.front[n - 1] = work.front[n - 1], cell
    return cell, pending, n - 1


next_claim = kernel(_next_claim)


def _claim(state, orders, cfg, key, work, b, i):
    """Give claims while one is left and the best can be paid. Return the next free slot."""
    slot, sent, ring, fund = np.int64(0), np.int64(0), np.int64(-1), state.stock[b, i]
    # A game in which no party could arrive twice over has no claims.
    while slot < orders.kind.shape[2] and cfg.turns + cfg.turns > cfg.claim_lag:
        spent = done_of_kind(orders, b, i, OrderKind.CLAIM) >= cfg.claims_per_turn
        if spent or fund[Category.SETTLEMENT] < cheapest_claim(state, cfg, b, i):
            break
        cell, pending, ring = next_claim(state, cfg, key, work, b, i, ring, sent)
        if cell < 0:
            break
        believed = claim_cost(work.claim_cost[cell], cfg.claim_growth, state.cells[b, i] + pending)
        if believed > fund[Category.SETTLEMENT]:
            break
        write(orders, b, i, slot, np.int64(OrderKind.CLAIM), np.int64(cell), np.int64(0))
        slot += 1
        if resolve(state, orders, cfg, key, work, b, i, slot - 1):
            work.path[sent] = cell
            # Without a lag the border has moved: everything is listed afresh.
            sent, ring = (sent + 1, ring) if cfg.claim_lag > 0 else (np.int64(0), np.int64(-1))
        elif state.owner[b, cell] == NOBODY:
            break
        else:
            sent, ring = np.int64(0), np.int64(-1)
    return slot


claim = kernel(_claim)


def _score_own(state, cfg, work, b, i, region, kind):
    """Fill ``work.score`` with what a work, or a wall, on each cell of ``region`` scores; 0 where none can begin."""
    held = region.shape[0]
    believe_cells(state, cfg, work, b, i, region, held)
    score, works, wall, left = work.score, state.works[b], state.wall[b], state.work_left[b]
    fertility, swing, ore_output = work.fertility, work.swing, work.ore_output
    if kind == OrderKind.WORK:
        for k in range(held):
            c = np.uint64(region[k])  # unsigned: see `believe_cells`
            free = work_score(fertility[c] + swing[c], cfg.work_growth, float(works[c]))
            score[k] = 0.0 if left[c] > 0 else free
    else:
        for k in range(held):
            c = np.uint64(region[k])
            steady = cell_output(fertility[c], float(works[c]), ore_output[c])
            score[k] = wall_score(steady, float(wall[c]), cfg.wall_rate)


score_own = kernel(_score_own)


def _work(state, orders, cfg, key, work, b, i, region, slot):
    """Begin works by the rule while the fund can pay the best. Return the next free slot."""
    turns_left, world, fund = cfg.turns - 1 - state.turn[b], state.world_id[b], state.stock[b, i]
    kind = heuristic_kind(cfg, turns_left)
    if kind < 0 or cfg.works_per_turn == 0:
        return slot
    score_own(state, cfg, work, b, i, region, np.int64(OrderKind.WORK))
    given = 0
    while slot < orders.kind.shape[2] and given < cfg.works_per_turn:
        k = best_column(work.score, region, region.shape[0], key, world)
        if k < 0:
            break
        cell = region[k]
        if work_cost(cfg.work_cost[kind], cfg.work_growth, state.works[b, cell]) > fund[Category.WORKS]:
            break
        write(orders, b, i, slot, np.int64(OrderKind.WORK), np.int64(cell), np.int64(kind))
        if not resolve(state, orders, cfg, key, work, b, i, slot):
            break
        work.score[k] = 0.0
        slot, given = slot + 1, given + 1
    return slot


begin_works = kernel(_work)


def _wall(state, orders, cfg, key, work, b, i, region, slot):
    """Raise walls by the rule while the fund can pay a full course."""
    world, fund = state.world_id[b], state.stock[b, i]
    if cfg.walls_per_turn == 0:
        return
    score_own(state, cfg, work, b, i, region, np.int64(OrderKind.WALL))
    given = 0
    while slot < orders.kind.shape[2] and given < cfg.walls_per_turn:
        if fund[Category.WALLS] < course_cost(cfg):
            break
        k = best_column(work.score, region, region.shape[0], key, world)
        if k < 0:
            break
        write(orders, b, i, slot, np.int64(OrderKind.WALL), np.int64(region[k]), np.int64(0))
        if not resolve(state, orders, cfg, key, work, b, i, slot):
            break
        work.score[k] = 0.0
        slot, given = slot + 1, given + 1


raise_walls = kernel(_wall)


def _act_by_rule(state, orders, cfg, key, work, b, i):
    """Let civilization ``i`` of world ``b`` give its orders of this turn by the rule of thumb."""
    read_funds(state, cfg, work, b, i)
    if not may_act(state, cfg, work, b, i):
        return
    read_levels(state, cfg, work, b, i)
    begin_beliefs(state, cfg, key, work, b, i)
    slot = claim(state, orders, cfg, key, work, b, i)
    stock, scalars = state.stock[b, i], work.scalars
    builds = stock[Category.WORKS] >= first_work_cost(cfg)
    threat = scalars[Belief.ATTACK] > 0.0 or scalars[Belief.RAID] > 0.0
    walls = threat and stock[Category.WALLS] >= course_cost(cfg)
    if not builds and not walls:
        return
    region = list_realm(state, cfg, work, b, i)
    if builds:
        slot = begin_works(state, orders, cfg, key, work, b, i, region, slot)
    if walls:
        raise_walls(state, orders, cfg, key, work, b, i, region, slot)


act_by_rule = kernel(_act_by_rule)
