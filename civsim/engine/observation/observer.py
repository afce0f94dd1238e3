"""What a civilization may know when it divides its next output: the end of the last turn, as it saw it.

Nothing hidden enters a feature: no unseen cell, no rival's army beyond what was last seen of it, no variable that
attention does not reach. The names, ranges and meanings are in :mod:`civsim.engine.observation.features`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import (
    MAX_OFFICES,
    N_CATEGORIES,
    N_CHANNELS,
    N_ORDER_KINDS,
    N_VARIABLES,
    NOBODY,
    Channel,
    Price,
    Variable,
    Witness,
)
from civsim.base.kernels import inlined, kernel
from civsim.base.pointer import Pointer, borrowed, entry
from civsim.base.scenario import Scenario
from civsim.engine.compiled import compile_config, open_categories
from civsim.engine.formulas import FORCE_WEIGHT, attack_frequency, channel_price, force_price, frequency
from civsim.engine.observation.book import make_book, make_sheet
from civsim.engine.observation.features import (
    FEATURES,
    LARGEST_ATTENTION,
    N_FEATURES,
    RULES_AT,
    at,
    features_of,
)
from civsim.engine.observation.scale import (
    LANES,
    attended_to,
    attends,
    log_count,
    log_of,
    log_together,
    slot_of,
)
from civsim.engine.observation.sightings import observe_raiders, observe_rivals
from civsim.engine.observation.territory import (
    mark_cells,
    observe_frontier,
    observe_holdings,
    observe_land,
    observe_map,
)
from civsim.engine.offices.rows import CAPITAL
from civsim.engine.state import F32, I64, State

if TYPE_CHECKING:
    from civsim.engine.world import World

__all__ = ["FEATURES", "N_FEATURES", "Observation", "Observer", "observe", "observer_of"]

_ALIVE, _TURN, _TURNS_LEFT = at("alive"), at("turn"), at("turns_left")
_OUTPUT, _CONSUMPTION, _TRIBUTE = slot_of("output"), slot_of("consumption"), slot_of("tribute")
_MUSTER, _STOCK, _ATTACK_FORCE = slot_of("muster"), slot_of("stock_settlement"), slot_of("attack_force")
_CELLS, _LAND_SHARE, _PARTIES = at("cells"), at("land_share"), at("parties")
_SPENT, _DONE, _LOST = at("spent_consumption"), at("done_claim"), at("lost_disaster")
_LEVEL_H, _LEVEL_R, _LEVEL_K = at("level_horizon"), at("level_sight"), at("level_attention")
_ATTENDED = at("attended_ore")
_RATE_DISASTER, _RATE_ATTACK = at("rate_disaster"), at("rate_attack")
_RATE_RAID, _RATE_ADVANCE = at("rate_raid"), at("rate_advance")
_PLAN_KNOWN, _PLAN_WAIT, _PLAN_KIND = at("plan_known"), at("plan_wait"), at("plan_claim")
_PRICE, _FORCE_PRICE = at("price_horizon"), at("force_price")
_PLAN_VALUE, _PLAN_SIZE, _PLAN_AGE = at("plan_value"), slot_of("plan_value"), at("plan_age")
_THOUGHT_SEATS, _THOUGHT_CAPITAL = at("thought_seats"), at("thought_capital")


class Observation(NamedTuple):
    """What the civilizations of a batch may know."""

    features: F32  # [B, N, F] named by FEATURES, then as features_of() says; a dead civilization's row is 0
    open: NDArray[np.bool_]  # [8] categories that may be spent on


def _observe_own(state, cfg, book, sheet, out, b, i, attended):
    """Write what a civilization knows of itself: clock, ledger, stocks, levels, record; return parties under way."""
    raw = sheet.raw
    turn = state.turn[b]
    out[_TURN] = turn / cfg.turns
    out[_TURNS_LEFT] = log_count(book.logs, cfg.turns - turn)
    raw[_OUTPUT] = state.output[b, i]
    raw[_CONSUMPTION] = state.consumption[b, i]
    raw[_TRIBUTE] = state.tribute[b, i]
    out[_CELLS] = log_count(book.logs, state.cells[b, i])
    out[_LAND_SHARE] = state.cells[b, i] / cfg.n_cells
    muster = 0.0
    for slot in range(state.muster.shape[2]):
        muster += state.muster[b, i, slot]
    raw[_MUSTER] = muster
    parties = 0
    for slot in range(state.party_cell.shape[2]):
        if state.party_cell[b, i, slot] != NOBODY:
            parties += 1
    out[_PARTIES] = log_count(book.logs, parties)
    for category in range(1, N_CATEGORIES):
        raw[_STOCK + category - 1] = state.stock[b, i, category]
    out[_LEVEL_H] = log_count(book.logs, state.level[b, i, Channel.HORIZON])
    out[_LEVEL_R] = log_count(book.logs, state.level[b, i, Channel.SIGHT])
    out[_LEVEL_K] = min(state.level[b, i, Channel.ATTENTION] / LARGEST_ATTENTION, 1.0)
    for variable in range(N_VARIABLES):
        out[_ATTENDED + variable] = 1.0 if attends(attended, variable) else 0.0
    total = 0.0
    for category in range(N_CATEGORIES):
        total += state.spent[b, i, category]
    if total > 0.0:
        for category in range(N_CATEGORIES):
            out[_SPENT + category] = min(state.spent[b, i, category] / total, 1.0)
    for kind in range(N_ORDER_KINDS):
        out[_DONE + kind] = log_count(book.logs, state.gains[b, i, kind])
    for kind in range(state.losses.shape[2]):
        out[_LOST + kind] = log_count(book.logs, state.losses[b, i, kind])
    return parties


observe_own = inlined(_observe_own)


def _observe_witness(state, cfg, sheet, out, b, i):
    """Write the frequencies a civilization expects, from its priors and what it has witnessed."""
    raw = sheet.raw
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
    raw[_ATTACK_FORCE] = size


observe_witness = inlined(_observe_witness)


def _observe_plan(state, book, sheet, out, b, i):
    """Write the planner's last plan, as it was when it was made; of its value, the size."""
    raw = sheet.raw
    if state.plan_turn[b, i] < 0:
        return
    out[_PLAN_KNOWN] = 1.0
    kind = state.plan_kind[b, i]
    if kind < 0:
        out[_PLAN_WAIT] = 1.0
    else:
        out[_PLAN_KIND + kind] = 1.0
    raw[_PLAN_SIZE] = abs(state.plan_value[b, i])
    out[_PLAN_AGE] = log_count(book.logs, state.turn[b] - 1 - state.plan_turn[b, i])


observe_plan = inlined(_observe_plan)


def _observe_prices(state, cfg, sheet, out, b, i):
    """Write the prices of this world over those of the scenario, which are there, where they differ."""
    for channel in range(N_CHANNELS):
        if state.price_factor[b, channel] != 1.0:
            out[_PRICE + channel] = log_of(channel_price(state, cfg, b, i, channel))
    if state.price_factor[b, Price.FORCE] != 1.0:
        out[_FORCE_PRICE] = log_of(force_price(state, cfg, b, i))


observe_prices = inlined(_observe_prices)


def _observe_offices(state, cfg, row, b, i):
    """Write how thought is housed: in how many seats, and what share of it at the capital."""
    count = state.office_count[b, i]
    row[_THOUGHT_SEATS] = count / MAX_OFFICES
    row[_THOUGHT_CAPITAL] = state.office_weight[b, i, CAPITAL] if count > 1 else 1.0


observe_offices = inlined(_observe_offices)


def _observe_one(state, cfg, book, sheet, row, b, i):
    """Write the features of civilization ``i`` of world ``b``, which holds a cell, into ``row``."""
    for slot in range(LANES):
        sheet.raw[slot] = 0.0
    for feature in range(RULES_AT):
        row[feature] = 0.0
    for feature in range(RULES_AT, N_FEATURES):
        row[feature] = book.rules[i, feature - RULES_AT]
    row[_ALIVE] = 1.0
    attended = attended_to(state.salience[b, i], state.level[b, i, Channel.ATTENTION])
    observe_prices(state, cfg, sheet, row, b, i)
    parties = observe_own(state, cfg, book, sheet, row, b, i, attended)
    observe_witness(state, cfg, sheet, row, b, i)
    mark_cells(state, cfg, sheet, b, i)
    observe_land(state, cfg, book, sheet, row, b, i, attended)
    observe_map(state, cfg, book, sheet, row, b, i)
    if attends(attended, Variable.RIVALS):
        observe_holdings(state, cfg, book, sheet, row, b, i)
    observe_frontier(state, cfg, book, sheet, row, b, i, attended, parties)
    observe_plan(state, book, sheet, row, b, i)
    observe_raiders(state, cfg, book, sheet, row, b, i, attended)
    observe_rivals(state, cfg, book, sheet, row, b, i, attended)
    log_together(sheet, row)
    if state.plan_value[b, i] < 0.0:
        row[_PLAN_VALUE] = -row[_PLAN_VALUE]
    if cfg.most_offices > 1:
        observe_offices(state, cfg, row, b, i)


observe_one = inlined(_observe_one)


def _observe_rows(state, cfg, book, sheet, worlds, seats, out):
    """Write the features of civilization ``seats[n]`` of world ``worlds[n]`` into ``out[n]``, float32 [n, F]."""
    rows = borrowed(out)
    for n in range(rows.shape[0]):
        row = rows[n]
        if state.alive[worlds[n], seats[n]] == 0:
            for feature in range(rows.shape[1]):
                row[feature] = 0.0
        else:
            observe_one(state, cfg, book, sheet, row, worlds[n], seats[n])


observe_rows = kernel(_observe_rows)


class Observer:
    """Makes the observations of one scenario's worlds; holds what the rules fix, computed once."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.open: NDArray[np.bool_] = open_categories(scenario).astype(np.bool_)
        self.width = len(features_of(scenario))
        """F, the features of an observation."""
        config = compile_config(scenario)
        self._config, self._book = Pointer(config), Pointer(make_book(scenario, config))
        self._sheet, self._busy = Pointer(make_sheet(scenario.n_cells)), Lock()
        self._state: Pointer | None = None
        self._everyone: tuple[I64, I64] = (np.zeros(0, np.int64), np.zeros(0, np.int64))
        self._observe: Callable[..., None] = observe_rows

    def __reduce__(self) -> tuple[type[Observer], tuple[Scenario]]:
        """Copy and pickle as the scenario alone: all else follows from it, or is scratch."""
        return Observer, (self.scenario,)

    def __call__(self, state: State) -> Observation:
        """Return the observation of a batch: features float32 [B, N, F], a fresh array, and open categories [8]."""
        n_worlds, n_civs = state.alive.shape
        if len(self._everyone[0]) != state.alive.size:
            self._everyone = np.repeat(np.arange(n_worlds), n_civs), np.tile(np.arange(n_civs), n_worlds)
        features = self.rows(state, *self._everyone)
        return Observation(features.reshape(n_worlds, n_civs, self.width), self.open.copy())

    def rows(self, state: State, worlds: I64, seats: I64) -> F32:
        """Return the features of seat ``seats[n]`` of world row ``worlds[n]``, float32 [n, F], a fresh array.

        Args:
            state: the batch.
            worlds: rows of the batch, int64 [n].
            seats: a civilization for each, int64 [n].
        """
        features = np.empty((len(worlds), self.width), np.float32)
        # An entry point takes an array's memory as it is told, whatever the array is.
        rows = np.ascontiguousarray(worlds, np.int64), np.ascontiguousarray(seats, np.int64)
        with self._busy:
            if self._state is None or self._state.record is not state:
                self._take(state)
            self._observe(self._state, self._config, self._book, self._sheet, *rows, features)
        return features

    def _take(self, state: State) -> None:
        """Make ready for a state: its pointer, and the kernel as a bare entry point."""
        self._state = Pointer(state)
        rows, like = np.zeros(1, np.int64), np.zeros((1, self.width), np.float32)
        self._observe = entry(observe_rows, self._state, self._config, self._book, self._sheet, rows, rows, like)


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
