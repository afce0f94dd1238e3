"""Genesis: a world row set to its first moment, a pure function of (seed, world id, scenario)."""

from __future__ import annotations

import math

import numpy as np

from civsim.base.approximate import COSINE_ERROR, EXP_ERROR, LOG_ERROR, near_cosine, near_exp, near_log
from civsim.base.constants import DRAWN, N_NOISE, N_PRICES, N_VARIABLES, Draw
from civsim.base.kernels import kernel
from civsim.base.pointer import Pointer, entry
from civsim.base.randomness import fill_pairs, fill_uniform, uniform
from civsim.base.scenario import Scenario
from civsim.engine.land.landscape import QUANTITIES, Land, copy_row, fill_land, prepared
from civsim.engine.offices.provinces import house_at_capital
from civsim.engine.rest import Resting
from civsim.engine.rules.allocation import set_levels
from civsim.engine.rules.looking import look, sight_of, survey
from civsim.engine.state import F64, I64, Orders, State

_TWO_PI = 2.0 * math.pi
_FURTHEST = 6.77  # no normal deviate of 32-bit draws lies farther out

_NEAR_SIGMA = 8.0
"""Largest s.d. of error factors that are told from near values."""

_NEAR_MARGIN = 4.0 * (EXP_ERROR + _FURTHEST * (LOG_ERROR + COSINE_ERROR))
"""Relative error of a near factor over 1 + σ, generously."""

_FIRST_SITE_CHANCE = 0.5


def _draw_salience(state, key, b, i):
    """Draw the order in which civilization ``i`` takes up variables (Fisher–Yates on keyed draws)."""
    order = state.salience[b, i]
    for rank in range(N_VARIABLES):
        order[rank] = rank
    for rank in range(N_VARIABLES - 1, 0, -1):
        entity = i * N_VARIABLES + rank
        other = int(uniform(key, state.world_id[b], 0, entity, Draw.SALIENCE) * (rank + 1))
        order[rank], order[other] = order[other], order[rank]


draw_salience = kernel(_draw_salience)


def _error_factor(sigma, u, v):
    """Return the error factor e^(σ·z) of two uniform draws (Box–Muller)."""
    return math.exp(sigma * (math.sqrt(-2.0 * math.log(u)) * math.cos(_TWO_PI * v)))


error_factor = kernel(_error_factor, forceinline=False)


def _error_factors(sigma, u, v, tops, out):
    """Write the :func:`error_factor` of every pair of draws into ``out``; all are arrays [C].

    The factors are float32, so nearly all of them are told from near values, many at once
    (:mod:`civsim.base.approximate`); ``tops`` is scratch, float32.
    """
    margin = _NEAR_MARGIN * (1.0 + sigma)
    doubtful = 0
    for c in range(out.shape[0]):
        normal = math.sqrt(-2.0 * near_log(u[c])) * near_cosine(v[c])
        factor = near_exp(min(sigma, _NEAR_SIGMA) * normal)
        low, top = np.float32(factor * (1.0 - margin)), np.float32(factor * (1.0 + margin))
        out[c], tops[c] = low, top
        doubtful += low != top
    if doubtful > 0 or sigma > _NEAR_SIGMA:
        for c in range(out.shape[0]):
            if out[c] != tops[c] or sigma > _NEAR_SIGMA:
                out[c] = error_factor(sigma, u[c], v[c])


error_factors = kernel(_error_factors, fastmath={"contract"}, forceinline=False)


def _draw_noise(state, cfg, key, b, sigma):
    """Draw the error factors of every civilization, variable and cell."""
    u, v, tops = np.empty(cfg.n_cells), np.empty(cfg.n_cells), np.empty(cfg.n_cells, np.float32)
    for i in range(cfg.n_civs):
        for variable in range(N_NOISE):
            fill_pairs(key, state.world_id[b], (i * N_NOISE + variable) * cfg.n_cells, Draw.NOISE, u, v)
            error_factors(sigma, u, v, tops, state.noise[b, i, variable])


draw_noise = kernel(_draw_noise)


def _draw_prices(state, cfg, key, b):
    """Draw the factor of every price of world ``b``, log-uniform between the inverse of the largest and the largest."""
    for price in range(N_PRICES):
        u = uniform(key, state.world_id[b], 0, price, Draw.PRICE)
        state.price_factor[b, price] = math.exp((2.0 * u - 1.0) * cfg.price_spread[price])


draw_prices = kernel(_draw_prices)


def _draw_site_states(state, cfg, key, work, b):
    """Draw the first state of every volatile site: high or low alike."""
    fill_uniform(key, state.world_id[b], 0, Draw.SITE_STATE, work.uniforms)
    for c in range(cfg.n_cells):
        if state.site[b, c] and work.uniforms[c] < _FIRST_SITE_CHANCE:
            state.site_state[b, c] = 0


draw_site_states = kernel(_draw_site_states)


def _wake(state, cfg, work, b, i):
    """Give civilization ``i`` its first levels and its first look around."""
    set_levels(state, cfg, b, i)
    sight = sight_of(state, b, i)
    survey(state, cfg, work, b, i, max(int(sight), 1))
    look(state, cfg, work, b, i, state.near[b, i], sight)


wake = kernel(_wake)


def _open_eyes(state, cfg, work, b):
    """Wake every civilization."""
    for i in range(cfg.n_civs):
        wake(state, cfg, work, b, i)


open_eyes = kernel(_open_eyes)


def _settle(state, cfg, b):
    """Seat every civilization on its capital, alone."""
    for i in range(cfg.n_civs):
        state.owner[b, state.capital[b, i]] = i
        state.cells[b, i] = 1
        house_at_capital(state, cfg, b, i)
        state.play_order[b, i] = i


settle = kernel(_settle)


def _begin_world(state, cfg, key, work, b, sigma):
    """Seat all on their capitals, set what is drawn of row ``b`` (error factors with s.d. ``sigma``), then look."""
    settle(state, cfg, b)
    for i in range(cfg.n_civs):
        if cfg.salience[0] != DRAWN:
            copy_row(cfg.salience, state.salience[b, i])
        else:
            draw_salience(state, key, b, i)
    if cfg.noisy:
        draw_noise(state, cfg, key, b, sigma)
    if cfg.prices_drawn:
        draw_prices(state, cfg, key, b)
    if cfg.volatility > 0.0:
        draw_site_states(state, cfg, key, work, b)
    open_eyes(state, cfg, work, b)


begin_world = kernel(_begin_world)


def _begin_rows(state, cfg, key, work, rows, sigma):
    """Set rows that have their land to their first moment."""
    for b in rows:
        begin_world(state, cfg, key, work, b, sigma)


begin_rows = kernel(_begin_rows)


def _fill_rows(state, config, blur, places, key, rows):
    """Draw the land of rows at rest, straight into the state."""
    for b in rows:
        land = Land(
            state.fertility[b], state.ore[b], state.ruggedness[b], state.hazard[b], state.site[b], state.capital[b]
        )
        fill_land(config, blur, places, key, state.world_id[b], land)


fill_rows = kernel(_fill_rows)


class Genesis:
    """Sets rows of one batch to their first moment.

    Args:
        scenario: the game.
        state: the batch's state, which is written.
        orders: its orders, which are written.
        shares: float64 [B, N, 8], the shares of its last step, which are written.
        pointer: a pointer to the state.
        config: one to its configuration.
        key: the key of its draws.
        work: a pointer to scratch that no thread is using when rows begin.
    """

    def __init__(
        self,
        scenario: Scenario,
        state: State,
        orders: Orders,
        shares: F64,
        pointer: Pointer,
        config: Pointer,
        key: np.uint64,
        work: Pointer,
    ) -> None:
        self._state, self._pointer, self._key, self._work = state, pointer, key, work
        self._ground = prepared(scenario.map, scenario.game.civilizations)
        self._sigma = float(scenario.thinking.noise)
        self._rest = Resting(scenario, state, orders, shares)
        rows = np.zeros(1, np.int64)
        self._fill = entry(fill_rows, pointer, *self._ground, key, rows)
        self._begin = entry(begin_rows, pointer, config, key, work, rows, self._sigma)

    def __call__(self, config: Pointer, rows: I64, world_ids: I64, land: Land | None) -> None:
        """Set rows to the first moment of the given worlds.

        Args:
            config: the configuration.
            rows: int64 [n], contiguous, each in [0, B).
            world_ids: int64 [n].
            land: land of these worlds; None for what is drawn.
        """
        self._rest(rows)
        self._state.world_id[rows] = world_ids
        if land is None:
            self._fill(self._pointer, *self._ground, self._key, rows)
        else:
            lay_land(self._state, rows, land)
        self._begin(self._pointer, config, self._key, self._work, rows, self._sigma)


def lay_land(state: State, rows: I64, land: Land) -> None:
    """Give rows the land ``land``, in place."""
    for name in (*QUANTITIES, "site"):
        getattr(state, name)[rows] = getattr(land, name)
    state.capital[rows] = land.capitals
