"""Genesis: a world row set to its first moment, a pure function of (seed, world id, scenario)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import DRAWN, N_NOISE, N_PRICES, N_VARIABLES, Draw
from civsim.base.kernels import kernel
from civsim.base.randomness import fill_pairs, fill_uniform, uniform
from civsim.engine.land.landscape import QUANTITIES, Land, copy_row, fill_land
from civsim.engine.rules.allocation import set_levels
from civsim.engine.rules.perception import look, sight_of, survey
from civsim.engine.state import State, reset_row

_TWO_PI = 2.0 * math.pi
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


def _draw_noise(state, cfg, key, b, sigma):
    """Draw the error factors e^(σ·z) of every civilization, variable and cell (Box–Muller on keyed draws)."""
    u, v = np.empty(cfg.n_cells), np.empty(cfg.n_cells)
    for i in range(cfg.n_civs):
        for variable in range(N_NOISE):
            fill_pairs(key, state.world_id[b], (i * N_NOISE + variable) * cfg.n_cells, Draw.NOISE, u, v)
            for c in range(cfg.n_cells):
                normal = math.sqrt(-2.0 * math.log(u[c])) * math.cos(_TWO_PI * v[c])
                state.noise[b, i, variable, c] = math.exp(sigma * normal)


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
    look(state, cfg, work, b, i, sight)


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


def run_of(rows: NDArray[np.int64]) -> slice | NDArray[np.int64]:
    """Return ``rows`` as a slice where they follow one another, which indexes far faster; else as they are."""
    if rows.size and np.array_equal(rows, np.arange(rows[0], rows[0] + rows.size)):
        return slice(int(rows[0]), int(rows[0]) + rows.size)
    return rows


def rest_rows(state: State, rows: slice | NDArray[np.int64], world_ids: NDArray[np.int64]) -> None:
    """Set rows back to rest as the given worlds, without land, in place."""
    reset_row(state, rows)
    state.world_id[rows] = world_ids


def lay_land(state: State, rows: slice | NDArray[np.int64], land: Land) -> None:
    """Give rows the land ``land``, in place."""
    for name in (*QUANTITIES, "site"):
        getattr(state, name)[rows] = getattr(land, name)
    state.capital[rows] = land.capitals
