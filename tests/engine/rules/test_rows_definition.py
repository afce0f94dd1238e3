"""Rules that work on whole rows of cells do what their definitions say cell by cell, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from random_states import KEY, SIZES, TURN, changed, copied, random_game, random_state, run, work_of

from civsim.base.constants import Draw, Witness
from civsim.base.pointer import Pointer
from civsim.base.randomness import uniform_lanes
from civsim.engine.compiled import compile_config
from civsim.engine.rules.arrivals import advance_cells
from civsim.engine.rules.nature import Loss, nature
from civsim.engine.rules.production import production

MAPS = pytest.mark.parametrize(("width", "height"), SIZES)
WORLDS = 12


def draw(world: int, cell: int, purpose: Draw) -> float:
    """The draw of one cell in this turn."""
    return float(uniform_lanes(KEY, world, TURN, cell // 4, int(purpose))[cell % 4])


@MAPS
def test_nature_strikes_and_flips_by_the_draw_of_each_cell(width: int, height: int) -> None:
    game = random_game(width, height, False)
    by_cell = random_state(game, WORLDS, seed=width)
    by_row = copied(by_cell)
    for b in range(WORLDS):
        for c in range(width * height):
            if draw(b, c, Draw.DISASTER) < by_cell.hazard[b, c]:
                by_cell.disrupted[b, c] = max(by_cell.disrupted[b, c], game.disasters.duration)
                i = by_cell.owner[b, c]
                if i >= 0:
                    by_cell.losses[b, i, Loss.DISASTER] += 1
                    by_cell.witness[b, i, Witness.DISASTERS] += 1.0
            if by_cell.site[b, c] and draw(b, c, Draw.FLIP) < game.map.volatility:
                by_cell.site_state[b, c] = 1 - by_cell.site_state[b, c]
    run(nature, game, by_row)
    assert changed(by_cell, by_row) == []


@MAPS
def test_output_is_summed_in_the_order_of_cells(width: int, height: int) -> None:
    game = random_game(width, height, False, **{"map.volatile_low": 0.3, "economy.ore_weight": 0.7})
    by_cell = random_state(game, WORLDS, seed=width)
    by_row = copied(by_cell)
    for b in range(WORLDS):
        total = [0.0] * game.game.civilizations
        for c in range(width * height):
            i = by_cell.owner[b, c]
            if i >= 0 and by_cell.disrupted[b, c] == 0:
                fertility = float(by_cell.fertility[b, c]) * (1.0 if by_cell.site_state[b, c] else 0.3)
                total[i] += fertility * (1.0 + float(by_cell.works[b, c])) + 0.7 * float(by_cell.ore[b, c])
        by_cell.output[b] = total
    run(production, game, by_row)
    assert changed(by_cell, by_row) == []


@MAPS
def test_clocks_count_down_and_works_mature(width: int, height: int) -> None:
    game = random_game(width, height, False)
    by_cell = random_state(game, WORLDS, seed=width)
    by_row = copied(by_cell)
    gain = float(game.works.menu[0].gain)
    mature = by_cell.work_left == 1
    by_cell.works[mature] = (by_cell.works[mature].astype(np.float64) + gain).astype(np.float32)
    by_cell.work_kind[mature] = -1
    by_cell.work_left[:] = np.maximum(by_cell.work_left - 1, 0)
    by_cell.disrupted[:] = np.maximum(by_cell.disrupted - 1, 0)
    config, work = Pointer(compile_config(game)), work_of(game, np.zeros((WORLDS, 1, 8)))
    for b in range(WORLDS):
        advance_cells(Pointer(by_row), config, work, b)
    assert changed(by_cell, by_row) == []
    assert mature.any()
