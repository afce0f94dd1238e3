"""Perception, which works on whole rows of bytes, does what its definition says cell by cell."""

from __future__ import annotations

import numpy as np
import pytest
from random_states import SIZES, TURN, changed, copied, random_game, random_state, run

from civsim.base.constants import FAR, NEVER, Category, Channel, Noise, Seen, Witness
from civsim.engine.compiled import Config, compile_config
from civsim.engine.formulas import _long_run_fertility
from civsim.engine.rules.perception import perception
from civsim.engine.state import State


def steps_from(config: Config, own: np.ndarray, depth: int) -> np.ndarray:
    """Steps from the marked cells out to ``depth``, breadth first; FAR beyond."""
    near = np.where(own, 0, FAR).astype(np.uint8)
    ring = np.flatnonzero(own).tolist()
    for step in range(1, depth + 1):
        reached = {int(c) for cell in ring for c in config.neighbours[cell] if c >= 0 and near[c] == FAR}
        near[list(reached)] = step
        ring = sorted(reached)
    return near


def beside_rival(config: Config, known_owner: np.ndarray, c: int, i: int) -> bool:
    """Whether a neighbour is known to be a rival's."""
    return any(k >= 0 and known_owner[k] not in (-1, i) for k in config.neighbours[c])


def discover(state: State, config: Config, b: int, i: int, c: int) -> None:
    """Add a cell to the sums of what was ever seen."""
    fertility = _long_run_fertility(state, config, b, c) * float(state.noise[b, i, Noise.FERTILITY, c])
    # A product of two float32 is a float32, in kernels as in numpy.
    ore = float(state.ore[b, c] * state.noise[b, i, Noise.ORE, c])
    for sum_, term in (
        (Seen.CELLS, 1.0),
        (Seen.FERTILITY, fertility),
        (Seen.ORE, ore),
        (Seen.RUGGEDNESS, float(state.ruggedness[b, c])),
        (Seen.HAZARD, float(state.hazard[b, c])),
    ):
        state.seen_sum[b, i, sum_] += term


def look_at(state: State, config: Config, b: int, i: int, c: int) -> None:
    """Bring what is known of one cell in sight up to date; gains are counted before."""
    holder, turn = int(state.owner[b, c]), int(state.turn[b])
    if state.seen[b, i, c] < 0:
        discover(state, config, b, i, c)
    if holder not in (-1, i):
        if state.capital[b, holder] == c:
            state.known_capital[b, i, holder] = c
        state.force_seen[b, i, holder] = state.stock[b, holder, Category.ARMY]
        state.force_turn[b, i, holder] = turn
    state.seen[b, i, c], state.known_owner[b, i, c] = turn, holder
    for known, true in (("known_works", "works"), ("known_wall", "wall"), ("known_site", "site_state")):
        getattr(state, known)[b, i, c] = getattr(state, true)[b, c]


def perceive(state: State, config: Config, b: int, i: int) -> None:
    """The rule for one civilization, by its definition."""
    sight, turn = int(state.level[b, i, Channel.SIGHT]), int(state.turn[b])
    near = state.near[b, i]
    near[:] = steps_from(config, state.owner[b] == i, max(sight, 1))
    state.near_fresh[b, i], state.near_depth[b, i] = 1, max(sight, 1)
    witness, known_owner = state.witness[b, i], state.known_owner[b, i]
    view = [c for c in range(config.n_cells) if near[c] <= sight]
    for c in view:
        gained = state.owner[b, c] not in (-1, i) and known_owner[c] == -1 and state.seen[b, i, c] == turn - 1
        witness[Witness.RIVAL_GAINS] += gained and beside_rival(config, known_owner, c, i)
    for c in view:
        look_at(state, config, b, i, c)
    witness[Witness.CELL_TURNS] += state.cells[b, i]
    for c in range(config.n_cells):
        if near[c] == 0:
            witness[Witness.EXPOSED_TURNS] += beside_rival(config, known_owner, c, i)
        elif state.seen[b, i, c] == turn and known_owner[c] == -1:
            witness[Witness.RIVAL_EXPOSURE] += beside_rival(config, known_owner, c, i)
    for r, cell in enumerate(state.band_cell[b]):
        if cell >= 0 and near[cell] <= sight:
            came = state.band_came[b, r]
            if state.band_turn[b, i, r] == NEVER or state.band_since[b, i, r] != came:
                state.band_from[b, i, r] = cell
            state.band_seen[b, i, r], state.band_turn[b, i, r], state.band_since[b, i, r] = cell, turn, came


@pytest.mark.parametrize("torus", [False, True])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_perception_is_its_definition(width: int, height: int, torus: bool) -> None:
    game = random_game(width, height, torus)
    before = random_state(game, 12, seed=width + height)
    by_cell, by_row = copied(before), copied(before)
    config = compile_config(game)
    for b in range(len(before.turn)):
        for i in range(config.n_civs):
            if before.alive[b, i]:
                perceive(by_cell, config, b, i)
    run(perception, game, by_row)
    assert changed(by_cell, by_row) == []
    assert (by_row.witness[..., Witness.RIVAL_EXPOSURE] > 0).any() or width * height < 10
    assert (by_row.near_depth.max(), by_row.seen.max()) == (4, TURN)


def test_a_fresh_survey_is_kept_and_a_stale_one_made_again() -> None:
    game = random_game(7, 5, False)
    state = random_state(game, 4, seed=1)
    state.alive[:], state.level[:, :, 1] = 1, 2
    run(perception, game, state)
    surveyed = state.near.copy()
    state.owner[:] = np.where(state.owner == 0, -1, state.owner)
    run(perception, game, state)
    assert np.array_equal(state.near, surveyed)
    state.near_fresh[:, 0] = 0
    run(perception, game, state)
    assert (state.near[:, 0] == FAR).all()
    assert np.array_equal(state.near[:, 1:], surveyed[:, 1:])
