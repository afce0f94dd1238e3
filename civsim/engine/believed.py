"""A world as one civilization believes it to be, as a batch of the engine that is stepped like any other.

Nothing hidden enters: what is read of the true world is the civilization's own row, the cells it holds, the land of
cells it has seen, the bands in its view, and the prices, which all pay. The rest is believed or guessed.

* Land seen is as it is, times the civilization's error factors where its model is wrong, which are then spent: 1 in the
  new world. Its error of claim costs has no place in the land and stays in its planner, as do its errors of land that
  it has not seen. That land is as its planner believes it: fertility by the scenario's rule, ore, ruggedness and
  hazard at their means over what it has seen, no rich site.
* A cell of its own that it has looked at is exact. Any other is as last seen, holder, works, wall and site alike; no
  work is under way on it and it is not disrupted. A cell never seen is free and bare, or its own and bare.
* A rival holds what it is known to hold, and is out of the game where that is nothing. Its army is the one last seen,
  or what the civilization expects of an attack if none was; all other stocks, musters, parties and its ledger are 0.
  Its capital is its known cell nearest to where the capital was last seen, or nearest to the civilization's own
  capital if it never was. Its levels follow from the scenario and no staff; its order of attention is drawn by the new
  world id; it knows what stands within its sight, as after a reset, and its model is right.
* A band stands where it was seen, as strong as it looked, if that was in the last turn; its target is open. One that
  is out of view is gone.
* The civilization's stocks, parties, works, levels, plans and knowledge are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import DRAWN, NEVER, NOBODY, WORLD_IDS, Category, Noise
from civsim.base.errors import ScenarioError
from civsim.base.kernels import kernel
from civsim.engine.knowledge.beliefs import unseen_fertility
from civsim.engine.knowledge.own import read_levels
from civsim.engine.offices.provinces import house_at_capital
from civsim.engine.offices.rows import other_rows
from civsim.engine.planner.belief import begin_beliefs
from civsim.engine.rules.genesis import draw_salience, wake
from civsim.engine.rules.territory import move_capital
from civsim.engine.state import SPEC, State, allocate, allocate_orders, field_ranges
from civsim.engine.work import Belief
from civsim.engine.world import World, check_threads

IMAGINED = 3 * WORLD_IDS // 4
"""World ids of believed worlds are from here where none are given: no world that is trained, chosen or judged by."""

_AS_SEEN = {"works": "known_works", "wall": "known_wall", "site_state": "known_site"}
_HOLDINGS = ("works", "wall", "site_state", "disrupted", "work_left", "work_kind")
_ERRORS = {"fertility": Noise.FERTILITY, "ore": Noise.ORE, "hazard": Noise.HAZARD}
_UNSEEN = {
    "ore": Belief.ORE,
    "ruggedness": Belief.RUGGEDNESS,
    "hazard": Belief.HAZARD,
}


def believed_world(
    world: World,
    row: int,
    seat: int,
    *,
    n_worlds: int | None = None,
    world_ids: Sequence[int] | NDArray[np.integer[Any]] | None = None,
    threads: int = 1,
) -> World:
    """Return what civilization ``seat`` of world ``row`` believes its world to be, now; see the module for how.

    The true world is not touched. Every row of the batch is the same but for its luck to come and what is drawn of its
    rivals' minds: both are those of its world id. Under the id of the true world that is the true world's luck, which
    the civilization cannot know. A reset leaves the belief behind: it begins drawn worlds.

    Args:
        world: the true worlds.
        row: one of them, in [0, B).
        seat: a civilization that holds a cell there.
        n_worlds: rows of the new batch; default 1. Give this or ``world_ids``.
        world_ids: their ids, each in [0, 2**32); left out, ids from :data:`IMAGINED` on that follow from the true one.
        threads: threads that share a step of the new batch.

    Raises:
        ScenarioError: the row, the seat, a count or an id is out of range, or the civilization is out of the game.
    """
    _check_seat(world, row, seat)
    ids = _ids(int(world.state.world_id[row]), n_worlds, world_ids)
    scenario = world.scenario
    records = allocate(scenario, len(ids)), allocate_orders(scenario, len(ids))
    believed = World._of(scenario, world.seed, *records, None, check_threads(threads))
    seen = world.state.seen[row, seat] != NEVER
    _know_oneself(believed, world, row, seat)
    _know_cells(believed.state, world.state, row, seat, seen)
    _believe_land(believed, world.state, row, seat, seen)
    _guess_rivals(believed, seat)
    _place_bands(believed.state, world.state, row, seat, world.scenario.raiders.gather)
    believed.copy_rows(believed, [0], np.arange(len(ids)), ids)
    if believed.config.salience[0] == DRAWN:
        draw_minds(believed.pointers.state, believed.pointers.config, believed._key, seat)
    return believed


def _check_seat(world: World, row: int, seat: int) -> None:
    if not 0 <= row < world.n_worlds:
        raise ScenarioError(f"row={row} is outside 0 … {world.n_worlds - 1}; give a row of the batch")
    if not 0 <= seat < world.n_civilizations:
        raise ScenarioError(f"seat={seat} is outside 0 … {world.n_civilizations - 1}; give a seat of the scenario")
    if not world.state.alive[row, seat]:
        raise ScenarioError(
            f"seat={seat} of row {row} holds no cell and believes nothing; give one that is in the game"
        )


def _ids(true_id: int, n_worlds: int | None, world_ids: Any) -> NDArray[np.int64]:
    """Return the ids of the new batch; :meth:`World.copy_rows` checks those that were given."""
    if world_ids is None:
        count = 1 if n_worlds is None else n_worlds
        if not isinstance(count, int | np.integer) or count < 1:
            raise ScenarioError(f"n_worlds={n_worlds!r} is below 1; give a whole number of worlds")
        # One on, so that a world with an id of this range is not believed under its own.
        return IMAGINED + (true_id + 1 + np.arange(count, dtype=np.int64)) % (WORLD_IDS - IMAGINED)
    given = np.asarray(world_ids)
    if given.ndim != 1 or given.size == 0 or n_worlds not in (None, given.size):
        raise ScenarioError(f"world_ids of shape {given.shape} with n_worlds={n_worlds}; give a list of ids, no count")
    return given


def _know_oneself(believed: World, world: World, row: int, seat: int) -> None:
    """Fill the civilization's own row, its orders, and what everybody knows; under the true id until all is built."""
    mine, true = believed.state, world.state
    for name in ("world_id", "turn", "price_factor"):
        getattr(mine, name)[0] = getattr(true, name)[row]
    for name, spec in SPEC.items():
        # Of what is on the road between seats of thought the capital knows nothing: messengers set out anew.
        if spec.shape[:2] == ("B", "N") and name not in ("play_order", "past_view"):
            getattr(mine, name)[0, seat] = getattr(true, name)[row, seat]
        elif spec.shape[:2] == ("B", "M"):
            # Whatever other seats of thought know, this is what the capital believes.
            rows = [seat, *other_rows(world.config, seat)]
            getattr(mine, name)[0, rows] = getattr(true, name)[row, seat]
    # Their land is theirs to survey.
    mine.near_fresh[0, other_rows(world.config, seat)] = 0
    mine.play_order[0] = np.arange(world.n_civilizations)
    for name in world.orders._fields:
        getattr(believed.orders, name)[0, seat] = getattr(world.orders, name)[row, seat]
    believed._shares[0, seat] = world._shares[row, seat]


def _know_cells(mine: State, true: State, row: int, seat: int, seen: NDArray[np.bool_]) -> None:
    """Fill who holds what, and how it stands: own cells as they are, others as last seen."""
    own = true.owner[row] == seat
    held_by = true.known_owner[row, seat]
    mine.owner[0] = np.where(own, seat, np.where(held_by == seat, NOBODY, held_by))
    for name in ("province", "road"):
        # Empty where thought is housed at capitals alone.
        ours = own[: getattr(mine, name).shape[1]]
        getattr(mine, name)[0, ours] = getattr(true, name)[row, ours]
    for name, memory in _AS_SEEN.items():
        getattr(mine, name)[0, seen] = getattr(true, memory)[row, seat, seen]
    for name in _HOLDINGS:
        getattr(mine, name)[0, own & seen] = getattr(true, name)[row, own & seen]


def _believe_land(believed: World, true: State, row: int, seat: int, seen: NDArray[np.bool_]) -> None:
    """Fill the land: what was seen times the errors of the model, and what the planner believes of the rest."""
    mine, work = believed.state, believed._plan_work[0]
    for name in ("fertility", "ore", "ruggedness", "hazard", "site"):
        getattr(mine, name)[0, seen] = getattr(true, name)[row, seen]
    state, _, config = believed.pointers
    read_levels(state, config, work, 0, seat)
    begin_beliefs(state, config, believed._key, work, 0, seat)
    scalars = believed._work[0].scalars
    mine.fertility[0, ~seen] = unseen_fertility(state, config, work, 0, seat)
    for name, belief in _UNSEEN.items():
        getattr(mine, name)[0, ~seen] = scalars[belief]
    if believed.config.noisy:
        factors = mine.noise[0, seat]
        for name, error in _ERRORS.items():
            getattr(mine, name)[0, seen] *= factors[error, seen]
            factors[error, seen] = 1.0
        np.minimum(mine.hazard, field_ranges(believed.scenario)["hazard"][1], out=mine.hazard)


def _guess_rivals(believed: World, seat: int) -> None:
    """Give every rival the cells, army and capital it is taken to have, and its first look around."""
    mine = believed.state
    state, _, config = believed.pointers
    expected_force = believed._work[0].scalars[Belief.FORCE]
    for j in range(believed.n_civilizations):
        if j == seat:
            continue
        mine.cells[0, j] = np.count_nonzero(mine.owner[0] == j)
        mine.alive[0, j] = mine.cells[0, j] > 0
        capital = mine.known_capital[0, seat, j]
        mine.capital[0, j] = mine.capital[0, seat] if capital == NOBODY else capital
        house_at_capital(state, config, 0, j)
        if mine.alive[0, j]:
            seen = mine.force_turn[0, seat, j] != NEVER
            mine.stock[0, j, Category.ARMY] = mine.force_seen[0, seat, j] if seen else expected_force
            move_capital(state, config, believed._key, 0, j)
    # All have looked around when the last turn was played, as the civilization has.
    turn = int(mine.turn[0])
    mine.turn[0] = max(turn - 1, 0)
    for j in range(believed.n_civilizations):
        if j != seat and mine.alive[0, j]:
            wake(state, config, believed._plan_work[0], 0, j)
    mine.turn[0] = turn


def _place_bands(mine: State, true: State, row: int, seat: int, gather: int) -> None:
    """Put the bands that were in view in the last turn where they were seen, on the way they are believed to be on."""
    when = true.band_turn[row, seat]
    in_view = (when != NEVER) & (when == true.turn[row] - 1)
    mine.band_cell[0, in_view] = true.band_seen[row, seat, in_view]
    mine.band_strength[0, in_view] = true.band_strength[row, in_view]
    mine.band_came[0, in_view] = true.band_since[row, seat, in_view]
    on_the_way = in_view & (true.turn[row] - 1 - true.band_since[row, seat] > gather)
    mine.band_target[0, on_the_way] = true.band_aim[row, seat, on_the_way]


def _draw_minds(state, cfg, key, seat):
    """Draw in what order the rivals of civilization ``seat`` take up variables, in every world of the batch."""
    for b in range(state.world_id.shape[0]):
        for i in range(cfg.n_civs):
            if i != seat:
                draw_salience(state, key, b, i)


draw_minds = kernel(_draw_minds)
