"""Kernels of the observation, third part: what a civilization knows of raiders and of its rivals.

Each writes into one row of features, which is 0 to begin with, and quantities whose logarithms are taken together into
``raw``. Places in the row are in
:mod:`civsim.engine.observation.features`; the first part and the whole are in
:mod:`civsim.engine.observation.observer`.
"""

from __future__ import annotations

from civsim.base.constants import NOBODY, Channel, Variable
from civsim.base.kernels import inlined
from civsim.engine.land.geometry import steps_between
from civsim.engine.observation.features import LARGEST_ATTENTION, RIVAL_SLOTS, RIVAL_WIDTH, RIVALS_AT, at
from civsim.engine.observation.scale import attends, log_count, slot_of

_BANDS_SEEN, _BANDS, _BANDS_NEAR = at("raiders_seen"), at("raiders"), at("raiders_distance")
_BANDS_FORCE, _RIVAL_FORCE = slot_of("raiders_force"), slot_of("rival1_force")
(
    _R_EXISTS,
    _R_KNOWN,
    _R_FORCE_KNOWN,
    _,
    _R_FORCE_AGE,
    _R_CELLS,
    _R_DISTANCE,
    _R_LEVELS_KNOWN,
    _R_HORIZON,
    _R_SIGHT,
    _R_ATTENTION,
) = range(RIVAL_WIDTH)


def _observe_raiders(state, cfg, book, sheet, out, b, i, attended):
    """Write the bands in sight in the last turn, where raiders were attended to."""
    raw = sheet.raw
    if not attends(attended, Variable.RAIDERS):
        return
    bands = 0
    force = 0.0
    nearest = 1.0
    for band in range(state.band_cell.shape[1]):
        place = state.band_seen[b, i, band]
        if place == NOBODY or place != state.band_cell[b, band] or state.band_turn[b, i, band] != state.turn[b] - 1:
            continue
        bands += 1
        force += state.band_strength[b, band]
        steps = steps_between(cfg, place, state.capital[b, i])
        nearest = min(nearest, steps / (cfg.width + cfg.height))
    if bands > 0:
        out[_BANDS_SEEN] = 1.0
        out[_BANDS] = log_count(book.logs, bands)
        raw[_BANDS_FORCE] = force
        out[_BANDS_NEAR] = nearest


observe_raiders = inlined(_observe_raiders)


def _observe_rivals(state, cfg, book, sheet, out, b, i, attended):
    """Finish the rivals' features begun with their land: existence, armies when last seen, public levels."""
    raw = sheet.raw
    known = attends(attended, Variable.RIVALS)
    for d in range(min(cfg.n_civs - 1, RIVAL_SLOTS)):
        rival = i + d + 1 if i + d + 1 < cfg.n_civs else i + d + 1 - cfg.n_civs
        slot = RIVALS_AT + RIVAL_WIDTH * d
        out[slot + _R_EXISTS] = 1.0
        if known and state.force_turn[b, i, rival] >= 0:
            out[slot + _R_FORCE_KNOWN] = 1.0
            raw[_RIVAL_FORCE + d] = state.force_seen[b, i, rival]
            out[slot + _R_FORCE_AGE] = log_count(book.logs, state.turn[b] - 1 - state.force_turn[b, i, rival])
        if out[slot + _R_FORCE_KNOWN] > 0.0 or out[slot + _R_CELLS] > 0.0:
            out[slot + _R_KNOWN] = 1.0
        out[slot + _R_CELLS] = log_count(book.logs, int(out[slot + _R_CELLS]))
        if book.public[rival]:
            out[slot + _R_LEVELS_KNOWN] = 1.0
            out[slot + _R_HORIZON] = log_count(book.logs, state.level[b, rival, Channel.HORIZON])
            out[slot + _R_SIGHT] = log_count(book.logs, state.level[b, rival, Channel.SIGHT])
            out[slot + _R_ATTENTION] = min(state.level[b, rival, Channel.ATTENTION] / LARGEST_ATTENTION, 1.0)


observe_rivals = inlined(_observe_rivals)
