"""What there is to see of each cell: as it is, or as one civilization believes it to be.

A civilization's sight is asked of the planner's own kernels (``engine.knowledge``, ``engine.planner.belief``), so that
it shows what the civilization plans with: what it remembers, how stale that is, and what it expects of the rest. Rivals
are rolled on as far as ``thinking.mind_turns`` says, even where its plans look less far.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import NEVER, NOBODY
from civsim.base.kernels import kernel
from civsim.base.pointer import Pointer
from civsim.engine.knowledge.beliefs import believe_cells, believed_ruggedness
from civsim.engine.knowledge.own import list_realm, read_funds, read_levels
from civsim.engine.offices.rows import CAPITAL, change_places, put_to_work
from civsim.engine.planner.belief import begin_beliefs, list_land
from civsim.engine.planner.minds import expect_rivals
from civsim.engine.rules.production import fill_yields
from civsim.engine.workspace import allocate_work
from civsim.engine.world import World
from civsim.faces.drawing import believed_owner, last_look
from civsim.faces.thinkers import Thinker, at_hand, provinces, row_of_thinker


class Sight(NamedTuple):
    """The map in somebody's eyes, one entry a cell."""

    value: NDArray[np.float64]  # [C] output a turn of whoever holds it; believed: expected, disasters counted
    ruggedness: NDArray[np.float64]  # [C] in [0, 1]
    owner: NDArray[np.int8]  # [C] who holds it, -1 for nobody; believed: own as it is, others as last seen
    works: NDArray[np.float32]  # [C] added share of fertility, likewise
    wall: NDArray[np.float32]  # [C] units of wall, likewise
    site: NDArray[np.bool_]  # [C] a rich site; believed: known to be one
    low: NDArray[np.bool_]  # [C] a volatile site in its low state; believed: when last seen
    idle: NDArray[np.bool_]  # [C] disrupted; believed: own cells alone
    begun: NDArray[np.bool_]  # [C] a work is under way; believed: own cells alone
    seen: NDArray[np.int64]  # [C] turn as of which it is known, -1 for never
    in_view: NDArray[np.bool_]  # [C] of one's own province, or seen when civilizations last looked
    rival_in: NDArray[np.float64]  # [C] turns until a rival is expected to take it, by the rule of thumb; inf for never
    province: NDArray[np.int8]  # [C] seat of thought that it belongs to, -1 for none; believed: of own cells alone


def _fill_ruggedness(state, cfg, work, b, i, ruggedness):
    """Fill ``ruggedness`` (float64 [C]) with what civilization ``i`` believes."""
    for c in range(cfg.n_cells):
        ruggedness[c] = believed_ruggedness(state, cfg, work, b, i, np.int32(c))


fill_ruggedness = kernel(_fill_ruggedness)


def _think(state, cfg, key, work, b, i, office, cells, ruggedness):
    """Let a seat of thought of civilization ``i`` form its beliefs of ``cells``, and of what rivals will take."""
    change_places(state, cfg, b, i, office)
    # The capital thinks of the whole realm.
    put_to_work(work, office if office != CAPITAL else np.int64(NOBODY))
    read_levels(state, cfg, work, b, i)
    read_funds(state, cfg, work, b, i)
    begin_beliefs(state, cfg, key, work, b, i)
    believe_cells(state, cfg, work, b, i, cells, len(cells))
    list_land(state, cfg, work, b, i, list_realm(state, cfg, work, b, i))
    expect_rivals(state, cfg, key, work, b, i, np.int64(cfg.mind_turns))
    fill_ruggedness(state, cfg, work, b, i, ruggedness)
    put_to_work(work, np.int64(NOBODY))
    change_places(state, cfg, b, i, office)


think = kernel(_think)


class Eyes:
    """Looks at one world of a batch and changes no bit of it.

    Args:
        world: the batch.
        row: which world of it.
    """

    def __init__(self, world: World, row: int) -> None:
        self._world, self._row = world, row
        # Asking for a belief may fill the memo of what unseen land is worth: here it fills a copy.
        self._memo = world.state.prior_fertility.copy()
        self._state = Pointer(world.state._replace(prior_fertility=self._memo))
        self._scratch = allocate_work(world.scenario, world.shares)
        self._work = Pointer(self._scratch)
        self._cells = np.arange(world.n_cells, dtype=np.int32)
        self.scalars = self._scratch.scalars
        """Frequencies and means of the civilization last looked through, by ``engine.work.Belief``."""

    def truth(self) -> Sight:
        """Return the map as it is."""
        state, row, cells = self._world.state, self._row, self._world.n_cells
        fill_yields(self._state, self._world.pointers.config, row, self._scratch.uniforms)
        return Sight(
            value=self._scratch.uniforms.copy(),
            ruggedness=state.ruggedness[row].astype(np.float64),
            owner=state.owner[row].copy(),
            works=state.works[row].copy(),
            wall=state.wall[row].copy(),
            site=state.site[row] == 1,
            low=state.site_state[row] == 0,
            idle=state.disrupted[row] > 0,
            begun=state.work_left[row] > 0,
            seen=np.full(cells, last_look(state, row), np.int64),
            in_view=np.ones(cells, np.bool_),
            rival_in=np.full(cells, np.inf),
            province=provinces(state, row, None),
        )

    def belief(self, seat: int, office: int = CAPITAL) -> Sight:
        """Return the map as a seat of thought of civilization ``seat``, by default its capital, believes it to be."""
        thinker, rugged = Thinker(seat, office), np.empty(self._world.n_cells)
        self._think(thinker, rugged)
        state, row, m = self._world.state, self._row, row_of_thinker(self._world.scenario, thinker)
        own, seen = state.owner[row] == seat, state.seen[row, m].astype(np.int64)
        known = seen != NEVER
        site = (state.site[row] == 1) & known
        return Sight(
            value=self._scratch.value.copy(),
            ruggedness=rugged,
            owner=believed_owner(state, row, seat, m),
            works=np.where(own, state.works[row], np.where(known, state.known_works[row, m], 0)),
            wall=np.where(own, state.wall[row], np.where(known, state.known_wall[row, m], 0)),
            site=site,
            low=site & (state.known_site[row, m] == 0),
            idle=own & (state.disrupted[row] > 0),
            begun=own & (state.work_left[row] > 0),
            seen=seen,
            in_view=at_hand(state, row, thinker) | (known & (seen == last_look(state, row))),
            rival_in=np.where(own, np.inf, self._scratch.rival_at),
            province=provinces(state, row, seat),
        )

    def _think(self, thinker: Thinker, ruggedness: NDArray[np.float64]) -> None:
        """Let a thinker form its beliefs of every cell, in scratch of our own."""
        np.copyto(self._memo, self._world.state.prior_fertility)
        state, config, work, key = self._state, self._world.pointers.config, self._work, self._world._key
        think(state, config, key, work, self._row, *map(np.int64, thinker), self._cells, ruggedness)
