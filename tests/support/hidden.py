"""What is hidden from a civilization, changed at random: whatever it is told must stay as it was."""

from __future__ import annotations

import numpy as np

from civsim.base.constants import NEVER, NOBODY
from civsim.engine.offices.rows import other_rows
from civsim.engine.state import SPEC
from civsim.engine.world import World


def scramble(world: World, row: int, seat: int, rng: np.random.Generator) -> None:
    """Change, at random, everything that is hidden from a civilization; what it has seen stays seen."""
    s, game = world.state, world.scenario
    n, cells = world.n_civilizations, world.n_cells
    own, unseen = s.owner[row] == seat, s.seen[row, seat] == NEVER
    rivals = np.arange(n) != seat
    minds = ~np.isin(np.arange(s.level.shape[1]), [seat, *other_rows(world.config, seat)])
    for name, most in (("fertility", 9.0), ("ore", 5.0), ("ruggedness", 1.0), ("hazard", 0.9)):
        getattr(s, name)[row, unseen] = rng.uniform(0.0, most, unseen.sum())
    s.site[row, unseen] = rng.integers(0, 2, unseen.sum())
    away = ~own
    s.owner[row, away] = rng.choice([NOBODY, *np.flatnonzero(rivals)], away.sum())
    for name in ("works", "wall"):
        getattr(s, name)[row, away] = rng.uniform(0.0, 3.0, away.sum())
    s.disrupted[row, away] = rng.integers(0, 3, away.sum())
    s.site_state[row, away] = rng.integers(0, 2, away.sum())
    s.work_left[row, away] = rng.integers(0, 2, away.sum())
    for name, spec in SPEC.items():
        if spec.shape[1:2] in (("N",), ("M",)) and name != "play_order":
            values = getattr(s, name)
            hidden = rivals if spec.shape[1] == "N" else minds
            values[row, hidden] = rng.integers(0, 2, values[row, hidden].shape)
    s.play_order[row] = rng.permutation(n)
    s.salience[row, rivals] = rng.permuted(np.tile(np.arange(4), (n - 1, 1)), axis=1)
    hidden = s.band_turn[row, seat] != s.turn[row] - 1
    s.band_cell[row, hidden] = rng.integers(-1, cells, hidden.sum())
    s.band_strength[row, hidden] = rng.uniform(0.0, 9.0, hidden.sum())
    s.band_came[row, hidden] = rng.integers(NEVER, s.turn[row] + 1, hidden.sum())
    s.band_target[row] = rng.integers(-1, cells, game.raiders.bands)
    s.band_next[row] = rng.integers(-1, cells, game.raiders.bands)
    s.band_left[row] = rng.integers(0, 9, game.raiders.bands)
    world.orders.kind[row, rivals] = rng.integers(-1, 4, world.orders.kind[row, rivals].shape)
    world._shares[row, rivals] = rng.uniform(0.0, 1.0, (n - 1, 8))
