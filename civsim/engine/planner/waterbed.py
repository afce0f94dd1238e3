"""The waterbed: a wall sends bands that have not set out yet to the next cell, in a rollout and between orders."""

from __future__ import annotations

import numpy as np

from civsim.base.constants import NOBODY
from civsim.base.kernels import kernel
from civsim.engine.formulas import defence_of, sack_chance
from civsim.engine.knowledge.others import band_seen
from civsim.engine.land.geometry import edge_length
from civsim.engine.land.ways import Way, delay
from civsim.engine.planner.gates import choose_from_gate, choose_over
from civsim.engine.planner.raids import (
    believed_target,
    count_falls,
    expect_bands,
    own_prize,
)
from civsim.engine.planner.realm import column_of, count_output, share_left
from civsim.engine.planner.ways import CLEARLY, roll_entries
from civsim.engine.registers import NOW, ROLLED
from civsim.engine.work import Base, Belief, Clock, Fund, Levels, Purse, Realm


def _falls_to_second(cfg, work, place, pull):
    """Send a band from the rim's ``place``, whom a rollout's wall turns away, to what was second best. True if it is.

    What pulls as it did when it was second, and no other came near, is the best now where the first is down to a
    ``pull`` clearly below: walls only lower what pulls. The spare stays, which is as much as the next best pulls or
    more.
    """
    k = np.int64(work.second[NOW, place])
    if k < 0 or pull >= CLEARLY * work.spare[NOW, place]:
        return False
    if work.prize[ROLLED, k] * cfg.rim_nearness[work.target[k], place] != work.spare[NOW, place]:
        return False
    work.gate[ROLLED, place] = k
    return True


falls_to_second = kernel(_falls_to_second)


def _turn_away(cfg, key, work, world, row):
    """Send bands from the rim that walls have turned away from an own cell to what pulls most now. Return True if any.

    No others need a look: walls lower what pulls to their own cells, so that what pulled most elsewhere still does; and
    neither does a cell that pulls more than the next best did before. An own cell's place in ``target`` is its column.
    """
    turned, held = False, work.sizes[Base.HELD]
    if cfg.blocks:
        # A wall lowers all that lies behind it, and makes its bands late.
        choose_over(cfg, key, work, world, row)
        return True
    for place in range(edge_length(cfg)):
        k = np.int64(work.gate[row, place])
        if 0 <= k < held:
            pull = work.prize[row, k] * cfg.rim_nearness[work.target[k], place]
            if CLEARLY * pull < work.spare[row, place]:
                if row == NOW or not falls_to_second(cfg, work, place, pull):
                    choose_from_gate(cfg, key, work, world, row, place)
                turned = turned or work.gate[row, place] != k
    return turned


turn_away = kernel(_turn_away)


def _divert(cfg, key, work, world, realm, counts, row, army, left):
    """Let the bands yet to come heed walls as they are priced: columns get what raids now fall on them.

    A cell of the rim brings as many raids as before, be it to the realm or past it to a rival's, or too late: ``left``
    turns are to come.
    """
    if cfg.raid_noise <= 0.0 and not turn_away(cfg, key, work, world, row):
        return
    held, raids, total = work.sizes[Base.HELD], work.scalars[Belief.RAID], work.scalars[Belief.GATES]
    cells = held + work.sizes[Base.APART]
    count_falls(cfg, work, row, left)
    for k in range(held):
        now = raids * cells * work.score[k] / total
        if now != realm[Realm.RAIDED, k]:
            realm[Realm.RAIDED, k] = now
            realm[Realm.KEEP, k] = share_left(cfg, realm, k, army, realm[Realm.WALL, k])
            count_output(realm, counts, k)


divert = kernel(_divert)


def _heed_wall(state, cfg, key, work, b, i, cell):
    """Bring raids as believed up to date after the wall of ``cell`` was raised: bands not yet on their way heed it."""
    k, army = column_of(work, cell), work.funds[Fund.ARMY]
    if k < 0 or work.sizes[Base.TARGETS] == 0:
        return
    work.prize[NOW, k] = own_prize(cfg, work, work.base, k, army)
    if cfg.blocks:
        walled = delay(cfg, work.base[Realm.WALL, k], work.base[Realm.RUGGEDNESS, k])
        if work.ways[Way.BELIEVED, cell] != 1 + walled:
            work.ways[Way.BELIEVED, cell] = 1 + walled
            work.clock[Clock.PASSAGE] += 1
    if (work.base[Realm.RAIDED, k] > 0.0 or cfg.blocks) and work.scalars[Belief.GATES] > 0.0:
        left = work.levels[Levels.TURNS_LEFT]
        divert(cfg, key, work, state.world_id[b], work.base, work.base_counts, np.int64(NOW), army, left)
    if work.sizes[Base.RAIDS] > 0:
        expect_bands(state, cfg, key, work, b, i)


heed_wall = kernel(_heed_wall)


def _start_raids(work):
    """Copy the bands seen into a rollout's own rows; those yet to come wait for :func:`heed_rolled`."""
    for r in range(work.sizes[Base.RAIDS]):
        work.raid_column[ROLLED, r], work.raid_due[ROLLED, r] = work.raid_column[NOW, r], work.raid_due[NOW, r]


start_raids = kernel(_start_raids)


def _price_walls(cfg, work):
    """Price the targets as believed now, but for own walls raised in a rollout. Return True where there are any."""
    raised = False
    for k in range(work.sizes[Base.HELD]):
        work.prize[ROLLED, k] = work.prize[NOW, k]
        risen = work.realm[Realm.WALL, k] - work.base[Realm.WALL, k]
        if risen > 0.0:
            work.prize[ROLLED, k] *= sack_chance(cfg, defence_of(0.0, risen, work.realm[Realm.RUGGEDNESS, k]))
            raised = True
    if raised:
        for at in range(work.sizes[Base.HELD], work.sizes[Base.TARGETS]):
            work.prize[ROLLED, at] = work.prize[NOW, at]
        for place in range(edge_length(cfg)):
            work.gate[ROLLED, place], work.spare[ROLLED, place] = work.gate[NOW, place], work.spare[NOW, place]
    if raised and cfg.blocks:
        roll_entries(cfg, work)
    return raised


price_walls = kernel(_price_walls)


def _heeds(cfg, turn, horizon):
    """Return True where the bands yet to come heed walls before rolled turn ``turn`` of ``horizon``: the last.

    Where walls block they do before every turn that is a power of two as well: a castle keeps bands late from the turn
    on in which it is high enough, and in a rollout to the end no turn comes after the last.
    """
    return turn == horizon or (cfg.blocks and turn & (turn - 1) == 0)


heeds = kernel(_heeds)


def _heed_rolled(cfg, key, work, world, turn):
    """Let the bands yet to come heed the walls that a rollout has raised by rolled turn ``turn``, see :func:`heeds`.

    A band strikes some turns after it has chosen, so that those of the turns before chose by walls as they are now;
    raids of the last turn are those of all the turns beyond.
    """
    if work.scalars[Belief.GATES] > 0.0 and price_walls(cfg, work):
        left, army = work.levels[Levels.TURNS_LEFT] - turn, work.purse[Purse.ARMY]
        divert(cfg, key, work, world, work.realm, work.counts, np.int64(ROLLED), army, left)


heed_rolled = kernel(_heed_rolled)


def _set_out(state, cfg, key, work, b, i, turn):
    """Let the seen bands that set out in rollout turn ``turn`` choose anew, by the realm as it is then."""
    priced = False
    for r in range(work.sizes[Base.RAIDS]):
        if work.raid_step[r] != turn:
            continue
        cell = band_seen(state, b, i, work.raid_band[r])[0]
        if not priced:
            for k in range(work.sizes[Base.TARGETS]):
                own = k < work.sizes[Base.HELD]
                army = work.purse[Purse.ARMY]
                work.prize[ROLLED, k] = own_prize(cfg, work, work.realm, k, army) if own else work.prize[NOW, k]
            priced = True
            if cfg.blocks:
                roll_entries(cfg, work)
        row, here = np.int64(ROLLED), np.int64(cell)
        # It sets out from here: no way of it lies behind it.
        place, steps = believed_target(cfg, key, work, state.world_id[b], here, row, np.int64(0), np.int64(NOBODY))
        work.raid_column[ROLLED, r] = work.target_column[place] if place >= 0 else NOBODY
        work.raid_due[ROLLED, r] = turn - 1 + max(steps, 1)


set_out = kernel(_set_out)
