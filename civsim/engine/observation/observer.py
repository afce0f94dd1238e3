"""What a civilization may know when it divides its next output: the end of the last turn, as it saw it.

Nothing hidden enters a feature: no unseen cell, no rival's army beyond what was last seen of it, no variable that
attention does not reach. The names, ranges and meanings are in :mod:`civsim.engine.observation.features`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import (
    N_CATEGORIES,
    N_CHANNELS,
    N_ORDER_KINDS,
    N_VARIABLES,
    NOBODY,
    Channel,
    Noise,
    Variable,
    Witness,
)
from civsim.base.kernels import kernel
from civsim.base.pointer import Pointer
from civsim.base.scenario import Scenario
from civsim.engine.compiled import compile_config, open_categories
from civsim.engine.formulas import FORCE_WEIGHT, attack_frequency, channel_price, force_price, frequency
from civsim.engine.observation.features import (
    FEATURES,
    LARGEST_ATTENTION,
    N_FEATURES,
    RULES_AT,
    at,
    rule_features,
)
from civsim.engine.observation.sightings import (
    attends,
    log_of,
    observe_frontier,
    observe_map,
    observe_raiders,
    observe_rivals,
)
from civsim.engine.state import F32, I64, U8, State

if TYPE_CHECKING:
    from civsim.engine.world import World

__all__ = ["FEATURES", "N_FEATURES", "Observation", "Observer", "observe", "observer_of"]

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


class Observation(NamedTuple):
    """What the civilizations of a batch may know."""

    features: F32  # [B, N, F] named by FEATURES; a dead civilization's row is 0
    open: NDArray[np.bool_]  # [8] categories that may be spent on


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
        row[RULES_AT:] = rules[i]
        observe_prices(state, cfg, b, i, row)
        parties = observe_own(state, cfg, b, i, row)
        observe_witness(state, cfg, b, i, row)
        observe_land(state, cfg, b, i, row)
        observe_map(state, cfg, b, i, row)
        observe_frontier(state, cfg, b, i, parties, row)
        observe_plan(state, b, i, row)
        observe_raiders(state, cfg, b, i, row)
        observe_rivals(state, cfg, public, b, i, row)


observe_rows = kernel(_observe_rows)


class Observer:
    """Makes the observations of one scenario's worlds; holds what the rules fix, computed once."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.open: NDArray[np.bool_] = open_categories(scenario).astype(np.bool_)
        config = compile_config(scenario)
        self._config = Pointer(config)
        self._state: Pointer | None = None
        self._rules: F32 = rule_features(scenario, config)
        seats = range(scenario.game.civilizations)
        self._public: U8 = np.array([scenario.seat(i).levels_known for i in seats], np.uint8)

    def __call__(self, state: State) -> Observation:
        """Return the observation of a batch: features float32 [B, N, F], a fresh array, and open categories [8]."""
        n_worlds, n_civs = state.alive.shape
        worlds = np.repeat(np.arange(n_worlds), n_civs)
        features = self.rows(state, worlds, np.tile(np.arange(n_civs), n_worlds))
        return Observation(features.reshape(n_worlds, n_civs, N_FEATURES), self.open.copy())

    def rows(self, state: State, worlds: I64, seats: I64) -> F32:
        """Return the features of seat ``seats[n]`` of world row ``worlds[n]``, float32 [n, F], a fresh array.

        Args:
            state: the batch.
            worlds: rows of the batch, int64 [n].
            seats: a civilization for each, int64 [n].
        """
        if self._state is None or self._state.record is not state:
            self._state = Pointer(state)
        features = np.empty((len(worlds), N_FEATURES), np.float32)
        observe_rows(self._state, self._config, self._rules, self._public, worlds, seats, features)
        return features


_OBSERVERS: WeakKeyDictionary[World, Observer] = WeakKeyDictionary()


def observer_of(world: World) -> Observer:
    """Return the observer of a world's scenario, made once a world."""
    observer = _OBSERVERS.get(world)
    if observer is None:
        observer = _OBSERVERS[world] = Observer(world.scenario)
    return observer


def observe(world: World) -> Observation:
    """Return what every civilization of ``world`` may know now: features float32 [B, N, F], open categories [8].

    The arrays are fresh copies; nothing in them changes when the world steps.
    """
    return observer_of(world)(world.state)
