"""What each seat of thought knows, as rows of the record: the one that looks or decides stands in its realm's place.

Every kernel that looks, believes or plans reads row ``i`` of civilization ``i``. What the capital knows rests there;
what another seat knows is exchanged with it for as long as that seat is at work, so no kernel need know who is.
"""

from __future__ import annotations

from typing import Any

from civsim.base.kernels import kernel
from civsim.engine.work import Levels

CAPITAL = 0
"""The seat of thought at the capital; where there is one only, it is this."""


def _row_of(cfg, i, office):
    """Return the row of knowledge of a seat of thought of civilization ``i`` while it is not at work."""
    return i if office == CAPITAL else cfg.n_civs + i * (cfg.most_offices - 1) + office - 1


row_of = kernel(_row_of)


def other_rows(cfg: Any, i: int) -> list[int]:
    """Return the rows of knowledge of all seats of thought of civilization ``i`` but the capital's."""
    return [_row_of(cfg, i, office) for office in range(1, cfg.most_offices)]


def _exchange(one, other):
    """Exchange two rows."""
    for k in range(one.shape[0]):
        one[k], other[k] = other[k], one[k]


exchange = kernel(_exchange)


def _copy(source, target):
    """Copy a row over another."""
    for k in range(source.shape[0]):
        target[k] = source[k]


copy_over = kernel(_copy)


def _trade_land(state, b, i, m):
    """Exchange what rows ``i`` and ``m`` know of cells."""
    exchange(state.seen[b, i], state.seen[b, m])
    exchange(state.near[b, i], state.near[b, m])
    exchange(state.known_owner[b, i], state.known_owner[b, m])
    exchange(state.known_works[b, i], state.known_works[b, m])
    exchange(state.known_wall[b, i], state.known_wall[b, m])
    exchange(state.known_site[b, i], state.known_site[b, m])
    exchange(state.seen_sum[b, i], state.seen_sum[b, m])
    exchange(state.prior_fertility[b, i], state.prior_fertility[b, m])


trade_land = kernel(_trade_land)


def _trade_others(state, b, i, m):
    """Exchange what rows ``i`` and ``m`` know of rivals and bands."""
    exchange(state.force_seen[b, i], state.force_seen[b, m])
    exchange(state.force_turn[b, i], state.force_turn[b, m])
    exchange(state.known_capital[b, i], state.known_capital[b, m])
    exchange(state.band_seen[b, i], state.band_seen[b, m])
    exchange(state.band_turn[b, i], state.band_turn[b, m])
    exchange(state.band_since[b, i], state.band_since[b, m])
    exchange(state.band_from[b, i], state.band_from[b, m])
    exchange(state.band_aim[b, i], state.band_aim[b, m])


trade_others = kernel(_trade_others)


def _trade_mind(state, b, i, m):
    """Exchange the levels and the last plan of rows ``i`` and ``m``, and whether each has surveyed its land."""
    exchange(state.level[b, i], state.level[b, m])
    state.near_fresh[b, i], state.near_fresh[b, m] = state.near_fresh[b, m], state.near_fresh[b, i]
    state.plan_kind[b, i], state.plan_kind[b, m] = state.plan_kind[b, m], state.plan_kind[b, i]
    state.near_depth[b, i], state.near_depth[b, m] = state.near_depth[b, m], state.near_depth[b, i]
    state.plan_cell[b, i], state.plan_cell[b, m] = state.plan_cell[b, m], state.plan_cell[b, i]
    state.plan_value[b, i], state.plan_value[b, m] = state.plan_value[b, m], state.plan_value[b, i]
    state.plan_turn[b, i], state.plan_turn[b, m] = state.plan_turn[b, m], state.plan_turn[b, i]


trade_mind = kernel(_trade_mind)


def _change_places(state, cfg, b, i, office):
    """Put a seat of thought of civilization ``i`` in its realm's place, or back; the capital is there when none is."""
    if office != CAPITAL:
        m = row_of(cfg, i, office)
        trade_land(state, b, i, m)
        trade_others(state, b, i, m)
        trade_mind(state, b, i, m)


change_places = kernel(_change_places)


def _share_row(state, b, i, m):
    """Let row ``m`` know what row ``i`` knows; its land is to be surveyed anew."""
    copy_over(state.seen[b, i], state.seen[b, m])
    copy_over(state.known_owner[b, i], state.known_owner[b, m])
    copy_over(state.known_works[b, i], state.known_works[b, m])
    copy_over(state.known_wall[b, i], state.known_wall[b, m])
    copy_over(state.known_site[b, i], state.known_site[b, m])
    copy_over(state.seen_sum[b, i], state.seen_sum[b, m])
    copy_over(state.prior_fertility[b, i], state.prior_fertility[b, m])
    copy_over(state.force_seen[b, i], state.force_seen[b, m])
    copy_over(state.force_turn[b, i], state.force_turn[b, m])
    copy_over(state.known_capital[b, i], state.known_capital[b, m])
    copy_over(state.band_seen[b, i], state.band_seen[b, m])
    copy_over(state.band_turn[b, i], state.band_turn[b, m])
    copy_over(state.band_since[b, i], state.band_since[b, m])
    copy_over(state.band_from[b, i], state.band_from[b, m])
    copy_over(state.band_aim[b, i], state.band_aim[b, m])
    state.near_fresh[b, m] = 0


share_row = kernel(_share_row)


def _at_work(work):
    """Return which seat of thought is at work; -1 where one looks or decides for the whole realm."""
    return work.levels[Levels.OFFICE] - 1


at_work = kernel(_at_work)


def _put_to_work(work, office):
    """Say which seat of thought is at work from now on; -1 for the whole realm."""
    work.levels[Levels.OFFICE] = office + 1


put_to_work = kernel(_put_to_work)
