"""What a civilization knows of itself, truly: its land, its parties and musters, its levels, its funds."""

from __future__ import annotations

from civsim.base.bits import EMPTY, WORD, equal_word, first_bit, without_first
from civsim.base.constants import NOBODY, Category, Channel, Objective
from civsim.base.kernels import kernel
from civsim.engine.formulas import force_price, fund_of
from civsim.engine.offices.funds import SETTLEMENT_PURSE, WALLS_PURSE, WORKS_PURSE, commanded, part_of
from civsim.engine.offices.provinces import has_several
from civsim.engine.offices.rows import CAPITAL, at_work
from civsim.engine.work import Base, Fund, Levels

_FOLLOW = -1


def _planning_turns(given, level):
    """Return a seat's own reach or rollout, or its horizon where it follows that."""
    return level if given == _FOLLOW else given


planning_turns = kernel(_planning_turns)


def _read_levels(state, cfg, work, b, i):
    """Write the levels the civilization plans with to ``work.levels``."""
    horizon = state.level[b, i, Channel.HORIZON]
    work.levels[Levels.ATTENTION] = state.level[b, i, Channel.ATTENTION]
    work.levels[Levels.REACH] = planning_turns(cfg.reach[i], horizon)
    work.levels[Levels.ROLLOUT] = planning_turns(cfg.rollout[i], horizon)
    work.levels[Levels.TURNS_LEFT] = cfg.turns - 1 - state.turn[b]
    work.levels[Levels.RUNG], work.levels[Levels.ATTACKS] = cfg.rung[i], cfg.attacks[i]
    work.levels[Levels.GUARD] = cfg.guard[i]
    work.levels[Levels.MIND] = cfg.mind[i] if cfg.n_civs > 1 else 0


read_levels = kernel(_read_levels)


def _read_incomes(state, cfg, work, b, i):
    """Write to ``work.funds`` what one's region gives, what of it one commands, and what the rest of the realm gives.

    The capital commands its pool for all; the seat of a province has what the pool leaves of its province's output, and
    may send that share of the army.
    """
    funds, office, grant = work.funds, at_work(work), cfg.grant_output[i]
    output = float(state.output[b, i])
    funds[Fund.REALM], funds[Fund.REST] = output, grant
    funds[Fund.COMMANDED], funds[Fund.SENT] = 1.0, 1.0
    if has_several(state, cfg, b, i):
        funds[Fund.COMMANDED] = cfg.pool[i] if office < 0 else 1.0 - cfg.pool[i]
    funds[Fund.GRANTED] = funds[Fund.COMMANDED] * grant
    funds[Fund.OUTPUT] = funds[Fund.COMMANDED] * output
    if office >= 0:
        given, part = state.province_output[b, i, office], part_of(state, b, i, office)
        # A grant of output is paid into purses as all output is, by what provinces give.
        funds[Fund.GRANTED] *= part
        if office != CAPITAL:
            funds[Fund.SENT] = funds[Fund.COMMANDED] * part
        elif cfg.pool[i] > 0.0:
            # It sends the army when it decides for all.
            funds[Fund.SENT] = 0.0
        funds[Fund.REST] = max(output - given, 0.0)
        funds[Fund.OUTPUT] = funds[Fund.COMMANDED] * given + funds[Fund.GRANTED]


read_incomes = kernel(_read_incomes)


def _read_funds(state, cfg, work, b, i):
    """Write what the civilization can pay with, and what it earns, to ``work.funds``; again after every order.

    A treasury stands behind each kind of order whole. Of several seats of thought each has its own purses.
    """
    funds, office = work.funds, at_work(work)
    funds[Fund.SETTLEMENT] = commanded(state, cfg, b, i, office, SETTLEMENT_PURSE)
    funds[Fund.WORKS] = commanded(state, cfg, b, i, office, SETTLEMENT_PURSE if cfg.pooled else WORKS_PURSE)
    funds[Fund.WALLS] = commanded(state, cfg, b, i, office, SETTLEMENT_PURSE if cfg.pooled else WALLS_PURSE)
    funds[Fund.ARMY] = state.stock[b, i, Category.ARMY]
    read_incomes(state, cfg, work, b, i)
    funds[Fund.FORCE_PRICE] = force_price(state, cfg, b, i)
    funds[Fund.CONSUMED] = 0.0
    if cfg.objective == Objective.WELFARE:
        funds[Fund.CONSUMED] = work.shares[b, i, Category.CONSUMPTION] / cfg.consumption_scale


read_funds = kernel(_read_funds)


def _list_realm(state, cfg, work, b, i):
    """List own cells in ``work.region``, ascending, all or the province of who is at work; return that part of it."""
    owner, held, office = state.owner[b], 0, at_work(work)
    for start in range(0, cfg.n_cells, WORD):
        word = equal_word(owner, start, i)
        while word != EMPTY:
            cell = start + first_bit(word)
            word = without_first(word)
            if office < 0 or state.province[b, cell] == office:
                work.region[held] = cell
                held += 1
    return work.region[:held]


list_realm = kernel(_list_realm)


def _own_seat(state, b, i):
    """Return the cell of the own capital."""
    return state.capital[b, i]


own_seat = kernel(_own_seat)


def _own_works(state, b, i, cell):
    """Return the works of an own cell; 0 for land that is not own."""
    return float(state.works[b, cell]) if state.owner[b, cell] == i else 0.0


own_works = kernel(_own_works)


def _own_wall(state, b, i, cell):
    """Return the wall of an own cell (units); 0 for land that is not own."""
    return float(state.wall[b, cell]) if state.owner[b, cell] == i else 0.0


own_wall = kernel(_own_wall)


def _own_disruption(state, b, i, cell):
    """Return the turns until an own cell gives output again; 0 for land that is not own."""
    return state.disrupted[b, cell] if state.owner[b, cell] == i else 0


own_disruption = kernel(_own_disruption)


def _own_work(state, b, i, cell):
    """Return (turns left, menu entry) of the work under way on an own cell; (0, -1) for none."""
    if state.owner[b, cell] != i or state.work_left[b, cell] == 0:
        return 0, NOBODY
    return int(state.work_left[b, cell]), int(state.work_kind[b, cell])


own_work = kernel(_own_work)


def _party_slots(state):
    """Return how many settlement parties a civilization can have under way."""
    return state.party_cell.shape[2]


party_slots = kernel(_party_slots)


def _list_apart(state, cfg, work, b, i):
    """List own cells outside the region in ``work.rivals``, behind those of rivals; return how many there are."""
    office, n = at_work(work), 0
    if office < 0:
        return n
    for c in range(cfg.n_cells):
        if state.owner[b, c] == i and state.province[b, c] != office:
            work.rivals[work.sizes[Base.KNOWN] + n] = c
            n += 1
    return n


list_apart = kernel(_list_apart)


def _is_anothers(state, work, b, i, slot):
    """Return True where another seat of thought has sent the party in ``slot``."""
    return at_work(work) >= 0 and state.party_by[b, i, slot] != at_work(work)


is_anothers = kernel(_is_anothers)


def _own_fund(state, cfg, b, i, category):
    """Return what the realm has in the fund that pays for a category, whoever commands it (output)."""
    return float(state.stock[b, i, fund_of(cfg, category)])


own_fund = kernel(_own_fund)


def _own_party(state, b, i, slot):
    """Return (cell, turns until it is there) of the settlement party in ``slot``; cell -1 for none."""
    return int(state.party_cell[b, i, slot]), int(state.party_due[b, i, slot] - state.turn[b])


own_party = kernel(_own_party)


def _copy_muster(state, b, i, muster):
    """Write the force under way to ``muster`` [lag + 1], slot (turn % (lag + 1)) arriving in that turn."""
    for slot in range(muster.shape[0]):
        muster[slot] = state.muster[b, i, slot]


copy_muster = kernel(_copy_muster)
