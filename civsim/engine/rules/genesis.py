"""Genesis: a world row set to its first moment, a pure function of (seed, world id, scenario)."""

from __future__ import annotations

import math

import numpy as np

from civsim.base.constants import N_NOISE, N_PRICES, N_VARIABLES, Draw
from civsim.base.kernels import kernel
from civsim.base.randomness import fill_uniform, uniform, uniform_lanes
from civsim.engine.land.landscape import Land
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
    for i in range(cfg.n_civs):
        for variable in range(N_NOISE):
            for c in range(cfg.n_cells):
                entity = (i * N_NOISE + variable) * cfg.n_cells + c
                u, v, _, _ = uniform_lanes(key, state.world_id[b], 0, entity, Draw.NOISE)
                normal = math.sqrt(-2.0 * math.log(u)) * math.cos(_TWO_PI * v)
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


def _open_eyes(state, cfg, work, b):
    """Give every civilization its first levels and its first look around."""
    for i in range(cfg.n_civs):
        set_levels(state, cfg, b, i)
        sight = sight_of(state, b, i)
        survey(state, cfg, work, b, i, max(int(sight), 1))
        look(state, cfg, work, b, i, sight)


open_eyes = kernel(_open_eyes)


def _begin_world(state, cfg, key, work, b, sigma):
    """Set all that is drawn of row ``b``: salience, error factors (s.d. ``sigma``), prices, site states; then look."""
    for i in range(cfg.n_civs):
        if cfg.salience[0] >= 0:
            state.salience[b, i, :] = cfg.salience
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


def land_row(state: State, b: int, world_id: int, land: Land) -> None:
    """Set row ``b`` back to rest as world ``world_id`` on ``land``, its seats on their capitals, in place."""
    state.world_id[b] = world_id
    reset_row(state, b)
    for name in ("fertility", "ore", "ruggedness", "hazard", "site"):
        getattr(state, name)[b] = getattr(land, name)
    seats = np.arange(len(land.capitals))
    state.owner[b, land.capitals] = seats
    state.capital[b] = land.capitals
    state.cells[b] = 1
    state.play_order[b] = seats
