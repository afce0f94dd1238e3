"""Events are those that the state counts, and a civilization is told of those that it knows of."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from watched import CROWDED, filmed
from worlds import given_orders, scenario, split, still_world, with_levels

from civsim.base.constants import NOBODY, OrderKind, Witness
from civsim.engine.rules.nature import Loss
from civsim.viewer.camera import Camera
from civsim.viewer.events import EVENTS, Event

BLOODY = with_levels(
    scenario(CROWDED, raiders__rate=1.0, raiders__strength=12.0, map__hazard=0.1, game__turns=60), 5, 3, 6
)


def told(frame: Any, view: int, kind: Event) -> list[tuple[int, int, int]]:
    return [tuple(event[1:]) for event in frame.views[view].note["events"] if event[0] == kind]


@pytest.mark.parametrize("lag", [0, 1])
def test_events_are_as_many_as_the_state_counts(lag: int) -> None:
    game = scenario(BLOODY.model_dump(exclude_unset=True), claims__lag=lag)
    met: Counter[int] = Counter()
    for seed in range(4):
        losses = raids = done = settled = alive = None
        for world, _, frame in filmed(game, seed=seed):
            state = world.state
            before = losses, raids, done, settled, alive
            losses, raids = state.losses[0].copy(), state.witness[0, :, Witness.RAIDS].copy()
            done, settled, alive = state.gains[0].copy(), state.owner[0].copy(), state.alive[0].copy()
            if before[0] is None:
                assert frame.views[0].note["events"] == []
                continue
            struck = np.bincount([seat for _, seat, _ in told(frame, 0, Event.DISASTER)], minlength=3)
            sacked = np.bincount([seat for _, seat, _ in told(frame, 0, Event.SACKED)], minlength=3)
            withstood = np.bincount([seat for _, seat, _ in told(frame, 0, Event.WITHSTOOD)], minlength=3)
            assert np.array_equal(sacked, losses[:, Loss.RAID] - before[0][:, Loss.RAID])
            assert np.array_equal(sacked + withstood, raids - before[1])
            # A cell settled, struck and taken in one turn is the one disaster whose victim cannot be told: it falls to
            # the one that took the cell.
            unseen = losses[:, Loss.DISASTER] - before[0][:, Loss.DISASTER] - struck
            passed_on = sum(before[3][cell] == NOBODY for cell, _, _ in told(frame, 0, Event.TAKEN))
            assert unseen.sum() == 0
            assert abs(unseen).sum() <= 2 * passed_on
            fought = np.bincount(
                [seat for kind in (Event.TAKEN, Event.HELD) for _, seat, _ in told(frame, 0, kind)], minlength=3
            )
            assert np.array_equal(fought, (done - before[2])[:, OrderKind.ATTACK])
            for cell, seat, other in told(frame, 0, Event.TAKEN):
                # Who takes back what it lost in the same turn takes it from nobody that was there before.
                was = before[3][cell]
                assert (settled[cell], NOBODY if was == seat else was) == (seat, other)
            for cell, seat, _ in told(frame, 0, Event.SETTLED):
                assert (settled[cell], before[3][cell]) == (seat, NOBODY)
            fallen = [seat for _, seat, _ in told(frame, 0, Event.FALLEN)]
            assert fallen == np.flatnonzero(before[4] > alive).tolist()
            met.update(event[0] for event in frame.views[0].note["events"])
    assert set(met) == set(Event) == set(EVENTS)


def test_a_civilization_is_told_what_it_did_and_what_befell_it() -> None:
    met: Counter[int] = Counter()
    for world, _, frame in filmed(BLOODY, seed=1):
        everything = [tuple(event) for event in frame.views[0].note["events"]]
        for seat in range(3):
            note = frame.views[1 + seat].note
            mine = [event for event in everything if event[2] == seat or (event[0] == Event.TAKEN and event[3] == seat)]
            assert sorted(map(tuple, note["events"])) == sorted(mine)
            met.update(event[0] for event in mine)
            lost = sum(event[0] == Event.TAKEN and event[3] == seat for event in mine)
            assert note["attacked"] >= lost
        assert world.n_civilizations == 3
    assert set(met) >= set(Event) - {Event.FALLEN}


def test_an_attack_that_is_beaten_off_is_told_to_the_attacker_alone() -> None:
    world = still_world(1, capitals=(14, 15), seed=2, army__lag=0, army__minimum=0.1)
    camera = Camera(world)
    world.step(split(world, army=1.0), given_orders(world, (0, OrderKind.ATTACK, 15)))
    frame = camera.frame()
    kind = Event.TAKEN if world.state.owner[0, 15] == 0 else Event.HELD
    assert told(frame, 0, kind) == told(frame, 1, kind) == [(15, 0, 1 if kind == Event.TAKEN else NOBODY)]
    assert told(frame, 2, Event.HELD) == []
    assert frame.views[2].note["attacked"] == 1


def test_of_a_turn_that_it_did_not_see_begin_nothing_is_told() -> None:
    world, camera, _ = next(filmed(BLOODY))
    for _ in range(3):
        world.step(np.full((1, 3, 8), 0.125))
    assert camera.frame().views[0].note["events"] == []
    world.reset()
    assert camera.frame().views[0].note["events"] == []
