"""The observation as it is easiest to read: one loop over cells for each question, one logarithm for each feature.

The oracle of the observation's kernels, which read cells in words and look logarithms up: they must agree bit for bit.
"""

from __future__ import annotations

import math

import numpy as np

from civsim.base.constants import (
    ALWAYS_ATTENDED,
    MAX_OFFICES,
    N_CATEGORIES,
    N_CHANNELS,
    N_ORDER_KINDS,
    N_VARIABLES,
    NOBODY,
    Category,
    Channel,
    Noise,
    Seen,
    Variable,
    Witness,
)
from civsim.base.kernels import kernel
from civsim.base.pointer import Pointer
from civsim.base.scenario import Scenario
from civsim.engine.compiled import compile_config
from civsim.engine.formulas import (
    FORCE_WEIGHT,
    attack_frequency,
    borders,
    channel_price,
    claim_base,
    claim_growth,
    force_price,
    frequency,
)
from civsim.engine.land.geometry import distance
from civsim.engine.observation.features import (
    CEILING,
    LARGEST_ATTENTION,
    N_FEATURES,
    RIVAL_SLOTS,
    RIVAL_WIDTH,
    RIVALS_AT,
    RULES_AT,
    at,
    features_of,
    rule_features,
)
from civsim.engine.state import F32, State

_ALIVE, _TURN, _TURNS_LEFT = at("alive"), at("turn"), at("turns_left")
_OUTPUT, _CONSUMPTION, _TRIBUTE = at("output"), at("consumption"), at("tribute")
_CELLS, _LAND_SHARE, _MUSTER, _PARTIES = at("cells"), at("land_share"), at("muster"), at("parties")
_WORKS, _WALLS, _PENDING, _DISRUPTED = at("works"), at("walls"), at("works_pending"), at("disrupted")
_OWN_SITES, _OWN_ORE, _OWN_HAZARD = at("own_sites"), at("own_ore"), at("own_hazard")
_STOCK, _SPENT, _DONE, _LOST = at("stock_settlement"), at("spent_consumption"), at("done_claim"), at("lost_disaster")
_LEVEL_H, _LEVEL_R, _LEVEL_K = at("level_horizon"), at("level_sight"), at("level_attention")
_ATTENDED = at("attended_ore")
_RATE_DISASTER, _RATE_ATTACK, _ATTACK_FORCE = at("rate_disaster"), at("rate_attack"), at("attack_force")
_RATE_RAID, _RATE_ADVANCE = at("rate_raid"), at("rate_advance")
_PLAN_KNOWN, _PLAN_WAIT, _PLAN_KIND = at("plan_known"), at("plan_wait"), at("plan_claim")
_PRICE, _FORCE_PRICE = at("price_horizon"), at("force_price")
_PLAN_VALUE, _PLAN_AGE = at("plan_value"), at("plan_age")
_THOUGHT_SEATS, _THOUGHT_CAPITAL = at("thought_seats"), at("thought_capital")


_KNOWN_SHARE, _STALENESS, _KNOWN_FERTILITY = at("known_share"), at("staleness"), at("known_fertility")
_FREE_SHARE, _FREE_SITES, _FRONTIER = at("free_share"), at("free_sites"), at("frontier")
_BEST, _RATE, _COST, _FUNDS = at("frontier_best"), at("frontier_rate"), at("frontier_cost"), at("frontier_funds")
_BANDS_SEEN, _BANDS, _BANDS_FORCE, _BANDS_NEAR = range(at("raiders_seen"), at("raiders_distance") + 1)
(
    _R_EXISTS,
    _R_KNOWN,
    _R_FORCE_KNOWN,
    _R_FORCE,
    _R_FORCE_AGE,
    _R_CELLS,
    _R_DISTANCE,
    _R_LEVELS_KNOWN,
    _R_HORIZON,
    _R_SIGHT,
    _R_ATTENTION,
) = range(RIVAL_WIDTH)


def _log(x):
    """Return log(1 + x) of a quantity, 0 below 0, at most the ceiling."""
    return min(math.log1p(max(x, 0.0)), CEILING)


log_of = kernel(_log)


def _attends(salience, attention, variable):
    """Return whether ``variable`` is among the first ``attention`` − 2 of a civilization's salience order."""
    for rank in range(N_VARIABLES):
        if salience[rank] == variable:
            return rank < attention - ALWAYS_ATTENDED
    return False


attends = kernel(_attends)


def _observe_frontier(state, cfg, b, i, parties, out):
    """Write what a civilization believes of the free cells beside its own."""
    ore = attends(state.salience[b, i], state.level[b, i, Channel.ATTENTION], Variable.ORE)
    owner, seen, holder, low_state = state.owner[b], state.seen[b, i], state.known_owner[b, i], state.known_site[b, i]
    front = 0
    best = 0.0
    best_rate = 0.0
    cost = 0.0
    for cell in range(cfg.n_cells):
        # Land a rival was seen to hold cannot be claimed, attended to or not: the planner knows it too.
        if seen[cell] < 0 or owner[cell] == i or holder[cell] not in (NOBODY, i):
            continue
        if not borders(owner, cfg.neighbours, cell, i):
            continue
        front += 1
        value = np.float64(state.fertility[b, cell])
        if low_state[cell] == 0:
            value *= cfg.volatile_low
        ore_output = cfg.ore_weight * state.ore[b, cell] if ore else 0.0
        claim_cost = claim_base(cfg.claim_cost, cfg.claim_rugged, state.ruggedness[b, cell])
        if cfg.noisy:
            value *= state.noise[b, i, Noise.FERTILITY, cell]
            ore_output *= state.noise[b, i, Noise.ORE, cell]
            claim_cost *= state.noise[b, i, Noise.COST, cell]
        best = max(best, value + ore_output)
        if front == 1 or (value + ore_output) / claim_cost > best_rate:
            best_rate = (value + ore_output) / claim_cost
            cost = claim_cost
    if front > 0:
        growth = claim_growth(cfg.claim_growth, state.cells[b, i] + parties)
        out[_FRONTIER] = log_of(front)
        out[_BEST] = log_of(best)
        out[_RATE] = log_of(best_rate / growth)
        out[_COST] = log_of(cost * growth)
        out[_FUNDS] = log_of(state.stock[b, i, Category.SETTLEMENT] / (cost * growth))


observe_frontier = kernel(_observe_frontier)


def _observe_map(state, cfg, b, i, out):
    """Write how much of the map is known and believed free; count and place rivals' known cells if attended to."""
    rivals = attends(state.salience[b, i], state.level[b, i, Channel.ATTENTION], Variable.RIVALS)
    owner, seen, known_owner, site = state.owner[b], state.seen[b, i], state.known_owner[b, i], state.site[b]
    now, capital = state.turn[b] - 1, state.capital[b, i]
    known = 0
    free = 0
    sites = 0
    age = 0
    for cell in range(cfg.n_cells):
        if seen[cell] < 0:
            continue
        known += 1
        age += max(now - seen[cell], 0)
        if owner[cell] == i:
            continue
        holder = known_owner[cell]
        if holder not in (NOBODY, i):
            if rivals:
                slot = RIVALS_AT + RIVAL_WIDTH * ((holder - i - 1) % cfg.n_civs)
                steps = distance(cell, capital, cfg.width, cfg.height, cfg.torus) / (cfg.width + cfg.height)
                if out[slot + _R_CELLS] == 0.0 or steps < out[slot + _R_DISTANCE]:
                    out[slot + _R_DISTANCE] = steps
                out[slot + _R_CELLS] += 1.0
            continue
        free += 1
        sites += site[cell] > 0
    out[_KNOWN_SHARE] = known / cfg.n_cells
    out[_FREE_SHARE] = free / cfg.n_cells
    out[_FREE_SITES] = log_of(sites)
    if known > 0:
        out[_STALENESS] = log_of(age / known)
    if state.seen_sum[b, i, Seen.CELLS] > 0.0:
        out[_KNOWN_FERTILITY] = log_of(state.seen_sum[b, i, Seen.FERTILITY] / state.seen_sum[b, i, Seen.CELLS])


observe_map = kernel(_observe_map)


def _observe_raiders(state, cfg, b, i, out):
    """Write the bands in sight in the last turn, where raiders were attended to."""
    if not attends(state.salience[b, i], state.level[b, i, Channel.ATTENTION], Variable.RAIDERS):
        return
    bands = 0
    force = 0.0
    nearest = 1.0
    for band in range(state.band_cell.shape[1]):
        place = state.band_seen[b, i, band]
        if place == NOBODY or place != state.band_cell[b, band] or state.band_turn[b, i, band] != state.turn[b] - 1:
            continue
        bands += 1
        force += state.band_strength[b, band]
        steps = distance(place, state.capital[b, i], cfg.width, cfg.height, cfg.torus)
        nearest = min(nearest, steps / (cfg.width + cfg.height))
    if bands > 0:
        out[_BANDS_SEEN] = 1.0
        out[_BANDS] = log_of(bands)
        out[_BANDS_FORCE] = log_of(force)
        out[_BANDS_NEAR] = nearest


observe_raiders = kernel(_observe_raiders)


def _observe_rivals(state, cfg, public, b, i, out):
    """Finish the rivals' features begun by the map: existence, armies when last seen, public levels."""
    attended = attends(state.salience[b, i], state.level[b, i, Channel.ATTENTION], Variable.RIVALS)
    for d in range(min(cfg.n_civs - 1, RIVAL_SLOTS)):
        rival = (i + d + 1) % cfg.n_civs
        slot = RIVALS_AT + RIVAL_WIDTH * d
        out[slot + _R_EXISTS] = 1.0
        if attended and state.force_turn[b, i, rival] >= 0:
            out[slot + _R_FORCE_KNOWN] = 1.0
            out[slot + _R_FORCE] = log_of(state.force_seen[b, i, rival])
            out[slot + _R_FORCE_AGE] = log_of(state.turn[b] - 1 - state.force_turn[b, i, rival])
        if out[slot + _R_FORCE_KNOWN] > 0.0 or out[slot + _R_CELLS] > 0.0:
            out[slot + _R_KNOWN] = 1.0
        out[slot + _R_CELLS] = log_of(out[slot + _R_CELLS])
        if public[rival]:
            out[slot + _R_LEVELS_KNOWN] = 1.0
            out[slot + _R_HORIZON] = log_of(state.level[b, rival, Channel.HORIZON])
            out[slot + _R_SIGHT] = log_of(state.level[b, rival, Channel.SIGHT])
            out[slot + _R_ATTENTION] = min(state.level[b, rival, Channel.ATTENTION] / LARGEST_ATTENTION, 1.0)


observe_rivals = kernel(_observe_rivals)


def _observe_own(state, cfg, b, i, out):
    """Write what a civilization knows of itself: clock, ledger, stocks, levels, record."""
    turn = state.turn[b]
    out[_TURN] = turn / cfg.turns
    out[_TURNS_LEFT] = log_of(cfg.turns - turn)
    out[_OUTPUT] = log_of(state.output[b, i])
    out[_CONSUMPTION] = log_of(state.consumption[b, i])
    out[_TRIBUTE] = log_of(state.tribute[b, i])
    out[_CELLS] = log_of(state.cells[b, i])
    out[_LAND_SHARE] = state.cells[b, i] / cfg.n_cells
    muster = 0.0
    for slot in range(state.muster.shape[2]):
        muster += state.muster[b, i, slot]
    out[_MUSTER] = log_of(muster)
    parties = 0
    for slot in range(state.party_cell.shape[2]):
        if state.party_cell[b, i, slot] != NOBODY:
            parties += 1
    out[_PARTIES] = log_of(parties)
    for category in range(1, N_CATEGORIES):
        out[_STOCK + category - 1] = log_of(state.stock[b, i, category])
    out[_LEVEL_H] = log_of(state.level[b, i, Channel.HORIZON])
    out[_LEVEL_R] = log_of(state.level[b, i, Channel.SIGHT])
    out[_LEVEL_K] = min(state.level[b, i, Channel.ATTENTION] / LARGEST_ATTENTION, 1.0)
    for variable in range(N_VARIABLES):
        out[_ATTENDED + variable] = (
            1.0 if attends(state.salience[b, i], state.level[b, i, Channel.ATTENTION], variable) else 0.0
        )
    total = 0.0
    for category in range(N_CATEGORIES):
        total += state.spent[b, i, category]
    if total > 0.0:
        for category in range(N_CATEGORIES):
            out[_SPENT + category] = min(state.spent[b, i, category] / total, 1.0)
    for kind in range(N_ORDER_KINDS):
        out[_DONE + kind] = log_of(state.gains[b, i, kind])
    for kind in range(state.losses.shape[2]):
        out[_LOST + kind] = log_of(state.losses[b, i, kind])
    return parties


observe_own = kernel(_observe_own)


def _observe_witness(state, cfg, b, i, out):
    """Write the frequencies a civilization expects, from its priors and what it has witnessed."""
    weight, witness = cfg.prior_weight, state.witness[b, i]
    disaster = frequency(witness[Witness.DISASTERS], witness[Witness.CELL_TURNS], cfg.prior_disaster, weight)
    attack = attack_frequency(witness, True, cfg.prior_attack, weight)
    raid = frequency(witness[Witness.RAIDS], witness[Witness.CELL_TURNS], cfg.prior_raid, weight)
    advance = frequency(witness[Witness.RIVAL_GAINS], witness[Witness.RIVAL_EXPOSURE], cfg.prior_advance, weight)
    out[_RATE_DISASTER] = min(math.sqrt(disaster), 1.0)
    out[_RATE_ATTACK] = min(math.sqrt(attack), 1.0)
    out[_RATE_RAID] = min(math.sqrt(raid), 1.0)
    out[_RATE_ADVANCE] = min(math.sqrt(advance), 1.0)
    size = frequency(witness[Witness.ATTACK_FORCE], witness[Witness.ATTACKS], cfg.prior_force, FORCE_WEIGHT)
    out[_ATTACK_FORCE] = log_of(size)


observe_witness = kernel(_observe_witness)


def _observe_land(state, cfg, b, i, out):
    """Write what a civilization knows of its own cells."""
    works = 0.0
    walls = 0.0
    ore = 0.0
    hazard = 0.0
    pending = 0
    idle = 0
    sites = 0
    owner = state.owner[b]
    for cell in range(cfg.n_cells):
        if owner[cell] == i:
            works += state.works[b, cell]
            walls += state.wall[b, cell]
            ore += state.ore[b, cell] * (state.noise[b, i, Noise.ORE, cell] if cfg.noisy else 1.0)
            hazard += state.hazard[b, cell] * (state.noise[b, i, Noise.HAZARD, cell] if cfg.noisy else 1.0)
            pending += state.work_left[b, cell] > 0
            idle += state.disrupted[b, cell] > 0
            sites += state.site[b, cell] > 0
    cells = max(state.cells[b, i], 1)
    out[_WORKS] = log_of(works)
    out[_WALLS] = log_of(walls)
    out[_PENDING] = log_of(pending)
    out[_DISRUPTED] = idle / cells
    out[_OWN_SITES] = sites / cells
    if attends(state.salience[b, i], state.level[b, i, Channel.ATTENTION], Variable.ORE):
        out[_OWN_ORE] = log_of(ore)
    if attends(state.salience[b, i], state.level[b, i, Channel.ATTENTION], Variable.HAZARD):
        out[_OWN_HAZARD] = min(math.sqrt(hazard / cells), 1.0)


observe_land = kernel(_observe_land)


def _observe_plan(state, b, i, out):
    """Write the planner's last plan, as it was when it was made."""
    if state.plan_turn[b, i] < 0:
        return
    out[_PLAN_KNOWN] = 1.0
    kind = state.plan_kind[b, i]
    if kind < 0:
        out[_PLAN_WAIT] = 1.0
    else:
        out[_PLAN_KIND + kind] = 1.0
    value = np.float64(state.plan_value[b, i])
    out[_PLAN_VALUE] = log_of(value) if value >= 0.0 else -log_of(-value)
    out[_PLAN_AGE] = log_of(state.turn[b] - 1 - state.plan_turn[b, i])


observe_plan = kernel(_observe_plan)


def _observe_prices(state, cfg, b, i, out):
    """Write the prices that civilization ``i`` pays in this world, over those of the scenario written before."""
    for channel in range(N_CHANNELS):
        out[_PRICE + channel] = log_of(channel_price(state, cfg, b, i, channel))
    out[_FORCE_PRICE] = log_of(force_price(state, cfg, b, i))


observe_prices = kernel(_observe_prices)


def _observe_rows(state, cfg, rules, public, worlds, seats, out):
    """Write the features of civilization ``seats[n]`` of world ``worlds[n]`` into ``out[n]``, float32 [n, F]."""
    for n in range(out.shape[0]):
        b, i = worlds[n], seats[n]
        row = out[n]
        row[:] = 0.0
        if state.alive[b, i] == 0:
            continue
        row[_ALIVE] = 1.0
        row[RULES_AT:N_FEATURES] = rules[i]
        observe_prices(state, cfg, b, i, row)
        parties = observe_own(state, cfg, b, i, row)
        observe_witness(state, cfg, b, i, row)
        observe_land(state, cfg, b, i, row)
        observe_map(state, cfg, b, i, row)
        observe_frontier(state, cfg, b, i, parties, row)
        observe_plan(state, b, i, row)
        observe_raiders(state, cfg, b, i, row)
        observe_rivals(state, cfg, public, b, i, row)
        if cfg.most_offices > 1:
            row[_THOUGHT_SEATS] = state.office_count[b, i] / MAX_OFFICES
            row[_THOUGHT_CAPITAL] = state.office_weight[b, i, 0] if state.office_count[b, i] > 1 else 1.0


observe_rows = kernel(_observe_rows)


def plain_features(scenario: Scenario, state: State) -> F32:
    """Return the features of every civilization of a batch, float32 [B, N, F]."""
    config = compile_config(scenario)
    n_worlds, n_civs = state.alive.shape
    worlds, seats = np.repeat(np.arange(n_worlds), n_civs), np.tile(np.arange(n_civs), n_worlds)
    public = np.array([scenario.seat(i).levels_known for i in range(n_civs)], np.uint8)
    width = len(features_of(scenario))
    out = np.empty((n_worlds * n_civs, width), np.float32)
    rules = rule_features(scenario, config)
    observe_rows(Pointer(state), Pointer(config), rules, public, worlds, seats, out)
    return out.reshape(n_worlds, n_civs, width)
