"""Perception of a realm with several seats of thought: each sees from its own province, and hears of the rest."""

from __future__ import annotations

import numpy as np

from civsim.base.constants import NEVER, NOBODY, Witness
from civsim.base.kernels import kernel
from civsim.engine.land.marks import marks
from civsim.engine.offices.news import (
    hear_of_land,
    hear_of_rivals,
    knows_later,
    list_news,
    merge_land,
    merge_others,
    note_view,
    road_between,
    show,
    slot_of,
    was_seen,
)
from civsim.engine.offices.rows import change_places, put_to_work, row_of, share_row
from civsim.engine.rules.looking import (
    ADJACENT,
    count_exposure,
    discover,
    follow,
    look,
    sight_of,
    spot_bands,
    spread_sight,
)

_EVERYWHERE = np.uint8(0)
"""Where what is visible is marked, sight is no limit."""


def _survey_province(state, cfg, work, b, i, office, depth):
    """Fill ``near`` of the seat at work with the steps from its province, as far as ``depth``, unless it is fresh."""
    if state.near_fresh[b, i] and state.near_depth[b, i] == depth:
        return
    reached, owner, province = marks(cfg, work.marked), state.owner[b], state.province[b]
    for c in range(cfg.n_cells):
        reached[c] = (owner[c] == i) & (province[c] == office)
    spread_sight(state, cfg, work, b, i, depth)


survey_province = kernel(_survey_province)


def _look_out(state, cfg, work, b, i):
    """Survey every province, and note which seat has what in sight."""
    for office in range(state.office_count[b, i]):
        change_places(state, cfg, b, i, office)
        sight = sight_of(state, b, i)
        survey_province(state, cfg, work, b, i, office, max(int(sight), ADJACENT))
        note_view(state, b, i, office, sight)
        change_places(state, cfg, b, i, office)


look_out = kernel(_look_out)


def _hear_of_bands(state, cfg, work, b, i, other, turn):
    """Take note of the bands that seat ``other`` had in sight in a past turn, unless they were seen since."""
    at = slot_of(state, turn)
    for r in range(state.band_cell.shape[1]):
        cell, came = state.past_band[b, at, r], state.past_came[b, at, r]
        if not was_seen(state, b, i, other, at, cell) or knows_later(state, b, i, r, turn, came):
            continue
        follow(state, cfg, work, b, i, r, cell, came)
        state.band_seen[b, i, r], state.band_turn[b, i, r], state.band_since[b, i, r] = cell, turn, came


hear_of_bands = kernel(_hear_of_bands)


def _hear(state, cfg, work, b, i, other, turn):
    """Let the seat at work hear what seat ``other`` saw in a past turn."""
    n = list_news(state, b, i, other, turn, work.queue)
    for k in range(n):
        if state.seen[b, i, work.queue[k]] == NEVER:
            discover(state, cfg, b, i, work.queue[k])
    hear_of_land(state, b, i, turn, work.queue, n)
    hear_of_rivals(state, cfg, b, i, other, turn)
    if cfg.raid_rate > 0.0:
        hear_of_bands(state, cfg, work, b, i, other, turn)


hear = kernel(_hear)


def _hear_all(state, cfg, work, b, i, office):
    """Let the seat at work hear what messengers bring this turn from the others."""
    for other in range(state.office_count[b, i]):
        road = road_between(state, cfg, b, i, office, other)
        turn = state.turn[b] - road
        if other != office and road > 0 and turn >= state.drawn_turn[b, i]:
            hear(state, cfg, work, b, i, other, turn)


hear_all = kernel(_hear_all)


def _perceive_by_office(state, cfg, work, b, i):
    """Let every seat of thought of civilization ``i`` see what it can and hear what it is told.

    What a realm counts (:class:`Witness`) is counted once, by the first seat that sees it; its chronicle is common.
    """
    look_out(state, cfg, work, b, i)
    state.witness[b, i, Witness.CELL_TURNS] += state.cells[b, i]
    for office in range(state.office_count[b, i]):
        change_places(state, cfg, b, i, office)
        put_to_work(work, office)
        visible = work.visible
        show(state, cfg, b, i, office, visible)
        look(state, cfg, work, b, i, visible, _EVERYWHERE)
        count_exposure(state, cfg, work, b, i, sight_of(state, b, i))
        if cfg.raid_rate > 0.0:
            spot_bands(state, cfg, work, b, i, visible, _EVERYWHERE)
        hear_all(state, cfg, work, b, i, office)
        put_to_work(work, NOBODY)
        change_places(state, cfg, b, i, office)


perceive_by_office = kernel(_perceive_by_office)


def _hold_council(state, cfg, work, b, i):
    """Bring together all that the seats of thought know, and what is on the road; every seat begins with that.

    It is held before provinces are drawn anew, so that no seat is told of a province that is no longer.
    """
    latest, before = state.turn[b] - 1, np.int64(state.office_count[b, i])
    for office in range(1, before):
        m = row_of(cfg, i, office)
        for c in range(cfg.n_cells):
            if state.seen[b, m, c] > state.seen[b, i, c]:
                if state.seen[b, i, c] == NEVER:
                    discover(state, cfg, b, i, c)
                merge_land(state, b, i, m, c)
        merge_others(state, cfg, b, i, m)
    if before > 1:
        kept = state.past_owner.shape[1]
        for turn in range(max(latest - kept + 1, state.drawn_turn[b, i]), latest + 1):
            for office in range(before):
                hear(state, cfg, work, b, i, office, turn)
    for office in range(1, cfg.offices[i]):
        share_row(state, b, i, row_of(cfg, i, office))
    state.near_fresh[b, i] = 0


hold_council = kernel(_hold_council)
