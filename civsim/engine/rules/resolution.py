"""Resolution: what an order does. An order is ids; amounts follow from funds and true costs; a stale one is void."""

from __future__ import annotations

from civsim.base.constants import NOBODY, Category, Draw, OrderKind, OrderStatus, Witness
from civsim.base.kernels import kernel
from civsim.base.randomness import uniform
from civsim.engine.formulas import (
    borders,
    claim_base,
    claim_cost,
    defence_of,
    fund_of,
    win_chance,
    work_cost,
    works_captured,
)
from civsim.engine.offices.news import learn_holder, learn_wall, tell_of_loss
from civsim.engine.offices.provinces import province_beside
from civsim.engine.rules.nature import Loss
from civsim.engine.rules.territory import take_cell
from civsim.engine.siege import wall_left
from civsim.engine.ways import force_at, forget_ways


def _parties_under_way(state, b, i):
    """Return how many settlement parties of civilization ``i`` are under way."""
    party, count = state.party_cell[b, i], 0
    for slot in range(party.shape[0]):
        count += party[slot] >= 0
    return count


parties_under_way = kernel(_parties_under_way)


def _is_pending(state, b, i, cell):
    """Return True where civilization ``i`` already has a party under way to ``cell``."""
    party, found = state.party_cell[b, i], 0
    for slot in range(party.shape[0]):
        found += party[slot] == cell
    return found > 0


is_pending = kernel(_is_pending)


def _done_of_kind(orders, b, i, kind):
    """Return how many orders of a kind civilization ``i`` has carried out this turn."""
    given, status, count = orders.kind[b, i], orders.status[b, i], 0
    for k in range(given.shape[0]):
        count += (given[k] == kind) & (status[k] == OrderStatus.DONE)
    return count


done_of_kind = kernel(_done_of_kind)


def _true_claim_cost(state, cfg, b, i, cell):
    """Return the true cost of claiming ``cell`` now (output)."""
    holdings = state.cells[b, i] + parties_under_way(state, b, i)
    flat = claim_base(cfg.claim_cost, cfg.claim_rugged, state.ruggedness[b, cell])
    return claim_cost(flat, cfg.claim_growth, holdings)


true_claim_cost = kernel(_true_claim_cost)


def _resolve_claim(state, orders, cfg, key, b, i, cell):
    """Pay a settlement party and send it; without lag it arrives at once. Return True where it was sent."""
    if done_of_kind(orders, b, i, OrderKind.CLAIM) >= cfg.claims_per_turn:
        return False
    if state.owner[b, cell] != NOBODY:
        # A party turned back has seen who holds the cell.
        learn_holder(state, cfg, b, i, cell)
        return False
    if not borders(state.owner[b], cfg.neighbours, cell, i) or is_pending(state, b, i, cell):
        return False
    cost = true_claim_cost(state, cfg, b, i, cell)
    fund = fund_of(cfg, Category.SETTLEMENT)
    if cost > state.stock[b, i, fund]:
        return False
    if cfg.claim_lag == 0:
        state.stock[b, i, fund] -= cost
        take_cell(state, cfg, key, b, cell, i)
        return True
    for slot in range(state.party_cell.shape[2]):
        if state.party_cell[b, i, slot] < 0:
            state.stock[b, i, fund] -= cost
            state.party_cell[b, i, slot] = cell
            state.party_due[b, i, slot] = state.turn[b] + cfg.claim_lag
            if cfg.most_offices > 1:
                state.party_by[b, i, slot] = province_beside(state, cfg, b, i, cell)
            return True
    return False


resolve_claim = kernel(_resolve_claim)


def _capture(state, cfg, key, b, i, cell):
    """Civilization ``i`` takes a beaten cell: part of the works survives, the wall does not, it lies idle a while."""
    take_cell(state, cfg, key, b, cell, i)
    state.works[b, cell] = works_captured(cfg, state.works[b, cell])
    state.wall[b, cell] = 0.0
    # This turn's production is over: + 1 so that the cell misses ``capture_turns`` turns to come.
    state.disrupted[b, cell] = max(state.disrupted[b, cell], cfg.capture_turns + 1)


capture = kernel(_capture)


def _forces(state, cfg, work, b, i, j, cell):
    """Return what attacker ``i`` and holder ``j`` of ``cell`` bring to bear there (units of force).

    The ways found for it are the truth, which no planner that comes after may read.
    """
    forget_ways(cfg, work)
    attack, guard = force_at(state, cfg, work, b, i, cell), force_at(state, cfg, work, b, j, cell)
    forget_ways(cfg, work)
    return attack, guard


forces = kernel(_forces)


def _besiege(state, cfg, b, i, cell, attack):
    """Breach the wall of ``cell`` where walls are breached in time. Return True where some is left, and no battle."""
    if cfg.siege <= 0.0:
        return False
    state.wall[b, cell] = wall_left(cfg, float(state.wall[b, cell]), attack)
    # The besieger sees the breach.
    learn_wall(state, cfg, b, i, cell)
    return state.wall[b, cell] > 0.0


besiege = kernel(_besiege)


def _resolve_attack(state, orders, cfg, key, work, b, i, cell):
    """Fight for a rival's bordering cell; both sides lose force, win or lose. Return True where it was attacked.

    With sieges an attack on a walled cell breaches the wall, the battle comes in the turn that leaves none.
    """
    if done_of_kind(orders, b, i, OrderKind.ATTACK) >= cfg.attacks_per_turn:
        return False
    j = state.owner[b, cell]
    if j == NOBODY or j == i or not borders(state.owner[b], cfg.neighbours, cell, i):
        return False
    attack, guard = forces(state, cfg, work, b, i, j, cell)
    if attack < cfg.minimum_force:
        return False
    state.witness[b, j, Witness.ATTACKS] += 1.0
    state.witness[b, j, Witness.ATTACK_FORCE] += attack
    if besiege(state, cfg, b, i, cell, attack):
        return True
    defence = defence_of(guard, state.wall[b, cell], state.ruggedness[b, cell])
    # A second attack on the same cell in one turn is another battle.
    entity = (done_of_kind(orders, b, i, OrderKind.ATTACK) * cfg.n_cells + cell) * cfg.n_civs + i
    draw = uniform(key, state.world_id[b], state.turn[b], entity, Draw.BATTLE)
    won = draw < win_chance(attack, defence, cfg.decisiveness)
    state.stock[b, i, Category.ARMY] -= attack * (cfg.loss_winner if won else cfg.loss_loser)
    state.stock[b, j, Category.ARMY] -= guard * (cfg.loss_loser if won else cfg.loss_winner)
    if won:
        state.losses[b, j, Loss.BATTLE] += 1
        tell_of_loss(state, cfg, b, j, cell, i)
        capture(state, cfg, key, b, i, cell)
    return True


resolve_attack = kernel(_resolve_attack)


def _resolve_work(state, orders, cfg, b, i, cell, choice):
    """Begin a work of the menu on an own cell that has none under way. Return True where it was begun."""
    if done_of_kind(orders, b, i, OrderKind.WORK) >= cfg.works_per_turn:
        return False
    if state.owner[b, cell] != i or state.work_left[b, cell] > 0:
        return False
    if choice < 0 or choice >= cfg.work_cost.shape[0]:
        return False
    cost = work_cost(cfg.work_cost[choice], cfg.work_growth, state.works[b, cell])
    fund = fund_of(cfg, Category.WORKS)
    if cost > state.stock[b, i, fund]:
        return False
    state.stock[b, i, fund] -= cost
    state.work_left[b, cell] = cfg.work_turns[choice]
    state.work_kind[b, cell] = choice
    return True


resolve_work = kernel(_resolve_work)


def _walled_this_turn(orders, b, i, cell):
    """Return True where an earlier order of the turn already raised this cell's wall."""
    given, where, status, found = orders.kind[b, i], orders.cell[b, i], orders.status[b, i], 0
    for k in range(given.shape[0]):
        found += (given[k] == OrderKind.WALL) & (where[k] == cell) & (status[k] == OrderStatus.DONE)
    return found > 0


walled_this_turn = kernel(_walled_this_turn)


def _resolve_wall(state, orders, cfg, b, i, cell):
    """Raise the wall of an own cell by the rate, or by what the fund pays. Return True where it rose."""
    if done_of_kind(orders, b, i, OrderKind.WALL) >= cfg.walls_per_turn:
        return False
    if state.owner[b, cell] != i or walled_this_turn(orders, b, i, cell):
        return False
    paying = fund_of(cfg, Category.WALLS)
    fund = float(state.stock[b, i, paying])
    rise = min(cfg.wall_rate, fund / cfg.wall_cost)
    if rise <= 0.0:
        return False
    state.stock[b, i, paying] = max(fund - rise * cfg.wall_cost, 0.0)
    state.wall[b, cell] += rise
    return True


resolve_wall = kernel(_resolve_wall)


def _resolve(state, orders, cfg, key, work, b, i, slot):
    """Carry out the order in ``slot`` and write its status; one that cannot be carried out is void."""
    kind, cell = orders.kind[b, i, slot], orders.cell[b, i, slot]
    done = False
    if 0 <= cell < cfg.n_cells and state.alive[b, i]:
        if kind == OrderKind.CLAIM:
            done = resolve_claim(state, orders, cfg, key, b, i, cell)
        elif kind == OrderKind.ATTACK:
            done = resolve_attack(state, orders, cfg, key, work, b, i, cell)
        elif kind == OrderKind.WORK:
            done = resolve_work(state, orders, cfg, b, i, cell, orders.choice[b, i, slot])
        elif kind == OrderKind.WALL:
            done = resolve_wall(state, orders, cfg, b, i, cell)
    orders.status[b, i, slot] = OrderStatus.DONE if done else OrderStatus.VOID
    if done:
        state.gains[b, i, kind] += 1
    return done


resolve = kernel(_resolve)
