"""Messengers: what one seat of thought sees reaches another as old as the road between them is long.

What there was to see in the last turns is kept once a world, and of each realm which seat had which cell in sight. A
seat that is n turns away from another is told what that one saw n turns ago: holders, works, walls, sites, the armies
and capitals of rivals, bands. What a realm knows of itself (what it holds, what stands and is under way there) follows
from its own orders, and is known at every seat at once.
"""

from __future__ import annotations

import math

import numpy as np

from civsim.base.constants import FAR, NEVER, NOBODY, Category
from civsim.base.kernels import kernel
from civsim.engine.land.geometry import steps_between
from civsim.engine.offices.provinces import has_several
from civsim.engine.offices.rows import copy_over, row_of

_SLACK = 1e-9
"""A road is no turn longer than it is because a division was rounded."""


def _slot_of(state, turn):
    """Return where a turn's sights are kept."""
    return turn % state.past_owner.shape[1]


slot_of = kernel(_slot_of)


def _road_between(state, cfg, b, i, office, other):
    """Return the turns that news takes between two seats of thought: steps / messenger, rounded up.

    One that has fallen in this turn is as far as any can be.
    """
    here, there, steps = state.office_cell[b, i, office], state.office_cell[b, i, other], cfg.width + cfg.height
    if here >= 0 and there >= 0:
        steps = steps_between(cfg, here, there)
    return math.ceil(steps / cfg.pace[i] - _SLACK)


road_between = kernel(_road_between)


def _tell_of_loss(state, cfg, b, i, cell, taker):
    """Let civilization ``i`` know who takes its ``cell``: the seat whose province that is, and who hears of it at once.

    Call it before the cell changes hands, while nobody of ``i`` is at work.
    """
    if not has_several(state, cfg, b, i):
        state.known_owner[b, i, cell] = taker
        return
    there = state.province[b, cell]
    for office in range(state.office_count[b, i]):
        if office == there or road_between(state, cfg, b, i, office, there) == 0:
            state.known_owner[b, row_of(cfg, i, office), cell] = taker


tell_of_loss = kernel(_tell_of_loss)


def _hears_at_once(state, cfg, b, i):
    """Return True where several seats of thought of civilization ``i`` hear what one sees in the same turn."""
    return has_several(state, cfg, b, i) and math.isinf(cfg.pace[i])


hears_at_once = kernel(_hears_at_once)


def _learn_holder(state, cfg, b, i, cell):
    """Let the seat of thought at work know who holds ``cell``, and all seats where they hear at once."""
    state.known_owner[b, i, cell] = state.owner[b, cell]
    if hears_at_once(state, cfg, b, i):
        for office in range(state.office_count[b, i]):
            state.known_owner[b, row_of(cfg, i, office), cell] = state.owner[b, cell]


learn_holder = kernel(_learn_holder)


def _learn_wall(state, cfg, b, i, cell):
    """Let the seat of thought at work know the wall of ``cell``, and all seats where they hear at once."""
    state.known_wall[b, i, cell] = state.wall[b, cell]
    if hears_at_once(state, cfg, b, i):
        for office in range(state.office_count[b, i]):
            state.known_wall[b, row_of(cfg, i, office), cell] = state.wall[b, cell]


learn_wall = kernel(_learn_wall)


def _keep_present(state, cfg, b):
    """Keep what there is to see of a world this turn."""
    at = slot_of(state, state.turn[b])
    copy_over(state.owner[b], state.past_owner[b, at])
    copy_over(state.works[b], state.past_works[b, at])
    copy_over(state.wall[b], state.past_wall[b, at])
    copy_over(state.site_state[b], state.past_site[b, at])
    copy_over(state.capital[b], state.past_capital[b, at])
    copy_over(state.band_cell[b], state.past_band[b, at])
    copy_over(state.band_came[b], state.past_came[b, at])
    for j in range(cfg.n_civs):
        state.past_army[b, at, j] = state.stock[b, j, Category.ARMY]
        state.past_view[b, j, at] = 0


keep_present = kernel(_keep_present)


def _note_view(state, b, i, office, sight):
    """Note what the seat of thought at work has in sight this turn, its land surveyed."""
    view, near = state.past_view[b, i, slot_of(state, state.turn[b])], state.near[b, i]
    bit = np.uint8(1 << office)
    for c in range(view.shape[0]):
        view[c] |= bit if near[c] <= sight else np.uint8(0)


note_view = kernel(_note_view)


def _show(state, cfg, b, i, office, visible):
    """Fill ``visible`` (uint8 [C]) with 0 where a seat of thought sees a cell, or is told at once by one that does."""
    view, mask = state.past_view[b, i, slot_of(state, state.turn[b])], np.uint8(0)
    for other in range(state.office_count[b, i]):
        if other == office or road_between(state, cfg, b, i, office, other) == 0:
            mask |= np.uint8(1 << other)
    for c in range(view.shape[0]):
        visible[c] = 0 if view[c] & mask else FAR


show = kernel(_show)


def _first_to_see(state, b, i, office, c):
    """Return True where no seat of thought before this one has cell ``c`` in sight this turn, and this one has."""
    view = int(state.past_view[b, i, slot_of(state, state.turn[b]), c])
    return view >> office & 1 == 1 and view & ((1 << office) - 1) == 0


first_to_see = kernel(_first_to_see)


def _list_news(state, b, i, other, turn, cells):
    """List the cells that seat ``other`` saw in a past turn and the one at work knows no better; return how many."""
    view, seen, n = state.past_view[b, i, slot_of(state, turn)], state.seen[b, i], np.int64(0)
    for c in range(view.shape[0]):
        cells[n] = c
        n += (view[c] >> other & 1) & (seen[c] < turn)
    return n


list_news = kernel(_list_news)


def _hear_of_land(state, b, i, turn, cells, n):
    """Bring what the seat at work knows of ``cells[:n]`` up to what there was to see in a past turn."""
    at = slot_of(state, turn)
    for k in range(n):
        c = cells[k]
        state.seen[b, i, c] = turn
        state.known_owner[b, i, c] = state.past_owner[b, at, c]
        state.known_works[b, i, c] = state.past_works[b, at, c]
        state.known_wall[b, i, c] = state.past_wall[b, at, c]
        state.known_site[b, i, c] = state.past_site[b, at, c]


hear_of_land = kernel(_hear_of_land)


def _was_seen(state, b, i, other, at, cell):
    """Return True where seat ``other`` had ``cell`` in sight in the turn kept in slot ``at``."""
    return cell >= 0 and state.past_view[b, i, at, cell] >> other & 1 == 1


was_seen = kernel(_was_seen)


def _hear_of_rivals(state, cfg, b, i, other, turn):
    """Take note of the armies and capitals that seat ``other`` met in a past turn, unless they were met since.

    Where no capital is known an older sight of one is news.
    """
    at = slot_of(state, turn)
    owner, view = state.past_owner[b, at], state.past_view[b, i, at]
    for j in range(cfg.n_civs):
        if j == i or (state.force_turn[b, i, j] > turn and state.known_capital[b, i, j] != NOBODY):
            continue
        met = False
        for c in range(cfg.n_cells):
            met |= (owner[c] == j) & (view[c] >> other & 1 == 1)
        if not met:
            continue
        if state.force_turn[b, i, j] < turn:
            state.force_seen[b, i, j], state.force_turn[b, i, j] = state.past_army[b, at, j], turn
        seat = state.past_capital[b, at, j]
        if was_seen(state, b, i, other, at, seat) and owner[seat] == j:
            state.known_capital[b, i, j] = seat


hear_of_rivals = kernel(_hear_of_rivals)


def _knows_later(state, b, i, r, turn, came):
    """Return True where the seat at work knows of band ``r`` from ``turn`` or later, or that it has gone since.

    The band in question had appeared in turn ``came``; of two in one slot the earlier has gone before the later came.
    """
    if state.band_turn[b, i, r] == NEVER:
        return state.band_since[b, i, r] >= came
    return state.band_turn[b, i, r] >= turn


knows_later = kernel(_knows_later)


def _forget_band(state, cfg, b, i, r):
    """Let civilization ``i`` know, at every seat of thought, that band ``r`` has come to its land and goes.

    Call it before the band is gone. Of several seats none believes news of it that is still on the road.
    """
    if not has_several(state, cfg, b, i):
        state.band_turn[b, i, r] = NEVER
        return
    for office in range(state.office_count[b, i]):
        m = row_of(cfg, i, office)
        state.band_turn[b, m, r], state.band_since[b, m, r] = NEVER, state.band_came[b, r]


forget_band = kernel(_forget_band)


def _merge_land(state, b, i, m, c):
    """Let row ``i`` know of cell ``c`` what row ``m`` does, which saw it later."""
    state.seen[b, i, c] = state.seen[b, m, c]
    state.known_owner[b, i, c] = state.known_owner[b, m, c]
    state.known_works[b, i, c] = state.known_works[b, m, c]
    state.known_wall[b, i, c] = state.known_wall[b, m, c]
    state.known_site[b, i, c] = state.known_site[b, m, c]


merge_land = kernel(_merge_land)


def _merge_others(state, cfg, b, i, m):
    """Let row ``i`` know of rivals and bands what row ``m`` learned later."""
    for j in range(cfg.n_civs):
        if state.force_turn[b, m, j] > state.force_turn[b, i, j]:
            state.force_seen[b, i, j], state.force_turn[b, i, j] = state.force_seen[b, m, j], state.force_turn[b, m, j]
            if state.known_capital[b, m, j] != NOBODY:
                state.known_capital[b, i, j] = state.known_capital[b, m, j]
        if state.known_capital[b, i, j] == NOBODY:
            state.known_capital[b, i, j] = state.known_capital[b, m, j]
    for r in range(state.band_cell.shape[1]):
        if state.band_turn[b, m, r] > state.band_turn[b, i, r]:
            state.band_seen[b, i, r], state.band_turn[b, i, r] = state.band_seen[b, m, r], state.band_turn[b, m, r]
            state.band_since[b, i, r], state.band_from[b, i, r] = state.band_since[b, m, r], state.band_from[b, m, r]
            state.band_aim[b, i, r] = state.band_aim[b, m, r]


merge_others = kernel(_merge_others)
