"""Raiders do what the text of the rule says, band by band and cell by cell, in plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest
from worlds import BUSY, random_shares, scenario

from civsim.base.constants import Category, Draw
from civsim.base.randomness import uniform
from civsim.engine.rules.order import RULES
from civsim.engine.rules.raiders import raiders
from civsim.engine.state import State
from civsim.engine.world import World

AT = RULES.index(raiders)


class Plain:
    """The rule for one world of a batch, as docs/model.md tells it."""

    def __init__(self, world: World, state: State, b: int) -> None:
        self.world, self.state, self.b = world, state, b
        self.raiders, self.map = world.scenario.raiders, world.scenario.map
        self.block, self.rough = world.scenario.walls.block, self.map.block
        self.ways: dict[tuple[int, int], dict[int, int]] = {}
        self.turn, self.name = int(state.turn[b]), int(state.world_id[b])

    def draw(self, turn: int, entity: int, purpose: Draw) -> float:
        return float(uniform(self.world._key, self.name, turn, entity, purpose))

    def gap(self, one: int, other: int) -> tuple[int, int]:
        """Signed steps (down, across) from one cell to another, the short way round on a torus."""
        found = []
        for a, c, side in (
            (one // self.map.width, other // self.map.width, self.map.height),
            (one % self.map.width, other % self.map.width, self.map.width),
        ):
            step = c - a
            if self.map.torus and 2 * abs(step) > side:
                step += -side if step > 0 else side
            found.append(step)
        return found[0], found[1]

    def steps(self, one: int, other: int) -> int:
        return sum(abs(step) for step in self.gap(one, other))

    def beside(self, cell: int) -> list[int]:
        return [c for c in range(self.map.width * self.map.height) if self.steps(cell, c) == 1]

    def enter(self, cell: int, mover: int = -1) -> int:
        """Turns to enter a cell: one, and whole further ones for a wall not the mover's own and for the land."""
        s, b = self.state, self.b
        wall = 0.0 if s.owner[b, cell] == mover >= 0 else float(s.wall[b, cell])
        return 1 + math.floor(self.block * wall + self.rough * float(s.ruggedness[b, cell]) + 1e-5)

    def way(self, start: int, end: int, mover: int = -1) -> int:
        """The least turns from one cell to another: Bellman's equation, by passes over all cells."""
        if self.block == self.rough == 0.0:
            return self.steps(start, end)
        if (start, mover) not in self.ways:
            self.ways[start, mover] = self.turns_from(start, mover)
        return self.ways[start, mover][end]

    def turns_from(self, start: int, mover: int) -> dict[int, int]:
        turns = {c: 0 if c == start else 10**9 for c in range(self.map.width * self.map.height)}
        enter, beside, changed = {c: self.enter(c, mover) for c in turns}, {c: self.beside(c) for c in turns}, True
        while changed:
            changed = False
            for c in turns:
                best = min(turns[n] for n in beside[c]) + enter[c]
                if best < turns[c]:
                    turns[c], changed = best, True
        return turns

    def defence(self, cell: int) -> float:
        s, b, i = self.state, self.b, int(self.state.owner[self.b, cell])
        away = self.way(int(s.capital[b, i]), cell, i)
        force = float(s.stock[b, i, Category.ARMY]) * math.exp(-away / self.world.scenario.army.projection)
        return (force + float(s.wall[b, cell])) * (1.0 + float(s.ruggedness[b, cell]))

    def score(self, at: int, cell: int) -> float:
        """Loot times chance over the way, in logs; with noise a Gumbel draw that belongs to the band."""
        s, b = self.state, self.b
        loot = float(s.fertility[b, cell]) * (1.0 + float(s.works[b, cell]))
        chance = -self.defence(cell) / self.raiders.strength
        return math.log(loot) + chance - self.raiders.way * math.log(1 + self.way(at, cell))

    def choose(self, r: int) -> int:
        s, b = self.state, self.b
        held = [c for c in range(s.owner.shape[1]) if s.owner[b, c] >= 0]
        scores = {c: self.score(int(s.band_cell[b, r]), c) for c in held}
        if self.raiders.noise > 0.0:
            for c in held:
                taste = -math.log(-math.log(self.draw(int(s.band_came[b, r]), c, Draw.RAID_TARGET)))
                scores[c] += self.raiders.noise * taste
            return max(held, key=lambda c: scores[c])
        best = max(scores.values())
        tied = [c for c in held if scores[c] > best - 1e-6]
        return max(tied, key=lambda c: self.draw(0, c, Draw.TIE))

    def step_toward(self, at: int, target: int) -> int:
        down, across = self.gap(at, target)
        row, column = divmod(at, self.map.width)
        if abs(down) >= abs(across):
            row = (row + int(np.sign(down))) % self.map.height
        else:
            column = (column + int(np.sign(across))) % self.map.width
        return row * self.map.width + column

    def walk(self, r: int, target: int) -> None:
        """A turn of the cheapest way: before the next cell for the turns that it took when the step began."""
        s, b, at = self.state, self.b, int(self.state.band_cell[self.b, r])
        if s.band_next[b, r] < 0:
            onward = {n: self.enter(n) + self.way(n, target) for n in self.beside(at)}
            tied = [n for n, turns in onward.items() if turns == min(onward.values())]
            s.band_next[b, r] = max(tied, key=lambda n: self.draw(0, n, Draw.TIE))
            s.band_left[b, r] = self.enter(int(s.band_next[b, r]))
        s.band_left[b, r] -= 1
        if s.band_left[b, r] == 0:
            s.band_cell[b, r], s.band_next[b, r] = s.band_next[b, r], -1

    def fight(self, r: int) -> None:
        s, b = self.state, self.b
        cell = int(s.band_cell[b, r])
        if self.defence(cell) < s.band_strength[b, r]:
            s.disrupted[b, cell] = max(int(s.disrupted[b, cell]), self.raiders.disruption)
            for field in (s.works, s.wall):
                field[b, cell] = float(field[b, cell]) * (1.0 - self.raiders.damage)
            self.ways = {}
            s.losses[b, s.owner[b, cell], 2] += 1
        s.band_cell[b, r] = s.band_target[b, r] = s.band_came[b, r] = s.band_next[b, r] = -1
        s.band_strength[b, r], s.band_left[b, r] = 0.0, 0

    def play(self) -> None:
        s, b = self.state, self.b
        for r in range(s.band_cell.shape[1]):
            if s.band_cell[b, r] < 0 or self.turn <= s.band_came[b, r] + self.raiders.gather:
                continue
            if s.band_target[b, r] < 0 or s.owner[b, s.band_target[b, r]] < 0:
                s.band_target[b, r] = self.choose(r)
                s.band_next[b, r], s.band_left[b, r] = -1, 0
            target = int(s.band_target[b, r])
            if self.block > 0.0 or self.rough > 0.0:
                if s.band_cell[b, r] != target:
                    self.walk(r, target)
                if s.band_cell[b, r] == target:
                    self.fight(r)
                continue
            s.band_cell[b, r] = self.step_toward(int(s.band_cell[b, r]), target)
            if s.band_cell[b, r] == target:
                self.fight(r)
        free = [r for r in range(s.band_cell.shape[1]) if s.band_cell[b, r] < 0]
        if self.draw(self.turn, 0, Draw.RAID_SPAWN) < self.raiders.rate and free:
            rim = self.rim()
            s.band_cell[b, free[0]] = rim[int(self.draw(self.turn, 0, Draw.RAID_PLACE) * len(rim))]
            s.band_strength[b, free[0]] = -math.log(self.draw(self.turn, 0, Draw.RAID_STRENGTH)) * self.raiders.strength
            s.band_came[b, free[0]] = self.turn

    def rim(self) -> list[int]:
        """The first row, then (where edges do not meet) the last, then what is left of the sides, row by row."""
        w, h = self.map.width, self.map.height
        if self.map.torus:
            return [*range(w), *(row * w for row in range(1, h))]
        sides = [cell for row in range(1, h - 1) for cell in (row * w, row * w + w - 1)]
        return [*range(w), *range((h - 1) * w, h * w), *sides]


FIELDS = (
    "band_cell", "band_target", "band_next", "band_left", "band_strength", "band_came", "disrupted", "works", "wall",
    "losses",
)  # fmt: skip


@pytest.mark.parametrize(("block", "rough"), [(0.0, 0.0), (1.5, 2.0)])
@pytest.mark.parametrize("torus", [False, True])
@pytest.mark.parametrize(
    ("way", "noise", "gather"), [(1.0, 0.0, 0), (0.0, 0.0, 3), (2.5, 0.0, 1), (1.0, 0.5, 0), (0.0, 2.0, 2)]
)
def test_the_rule_is_its_text(way: float, noise: float, gather: int, torus: bool, block: float, rough: float) -> None:
    options = {"way": way, "noise": noise, "gather": gather, "rate": 0.7}
    land = {"torus": torus, "block": rough}
    world = World(scenario(BUSY, map=land, raiders=options, army__projection=5.0, walls__block=block), 3, seed=7)
    rng, chosen, stood = np.random.default_rng(4), 0, 0
    for _ in range(16):
        np.copyto(world._shares, random_shares(world, rng))
        state, orders, config = world.pointers
        for rule in RULES[:AT]:
            rule(state, orders, config, world._key, world._plan_work[0])
        plain = State(*(field.copy() for field in world.state))
        raiders(state, orders, config, world._key, world._plan_work[0])
        for b in range(3):
            Plain(world, plain, b).play()
        for name in FIELDS:
            assert np.allclose(getattr(world.state, name), getattr(plain, name), rtol=1e-6), name
        chosen += int((world.state.band_target >= 0).sum())
        stood += int((world.state.band_left > 0).sum())
        for rule in RULES[AT + 1 :]:
            rule(state, orders, config, world._key, world._plan_work[0])
    assert chosen > 20
    assert world.state.losses[:, :, 2].sum() > 0
    assert (stood > 5) == (block > 0.0)


def test_a_band_gathers_and_then_answers_the_walls_that_stand() -> None:
    """It stands for ``gather`` turns after that in which it appeared; a wall raised on its way does not turn it."""
    from worlds import hold, no_orders, split, still_world

    world = still_world(
        capitals=(14,), rich={21: 2.1}, raiders={"rate": 1e-9, "strength": 2.0, "way": 0.0, "gather": 3}
    )
    hold(world, 0, 21)
    state = world.state
    state.band_cell[0, 0], state.band_strength[0, 0], state.band_came[0, 0] = 0, 1.0, 0
    world.state.turn[:] = 1
    seen = []
    for turn in range(1, 6):
        if turn == 3:
            state.wall[0, 21] = 2.0
        if turn == 5:
            state.wall[0, 14] = 9.0
        world.step(split(world, consumption=1), no_orders(world))
        seen.append((int(state.band_cell[0, 0]), int(state.band_target[0, 0])))
    assert seen[:3] == [(0, -1)] * 3
    assert [target for _, target in seen[3:]] == [14, 14]
    assert seen[3][0] != 0


def test_a_band_that_loses_its_target_looks_again() -> None:
    from worlds import hold, no_orders, split, still_world

    world = still_world(capitals=(14,), rich={21: 9.0}, raiders={"rate": 1e-9, "way": 0.0, "noise": 0.2})
    hold(world, 0, 21)
    state = world.state
    state.band_cell[0, 0], state.band_strength[0, 0] = 0, 1.0
    world.step(split(world, consumption=1), no_orders(world))
    assert state.band_target[0, 0] == 21
    state.owner[0, 21], state.cells[0, 0] = -1, 1
    world.step(split(world, consumption=1), no_orders(world))
    assert state.band_target[0, 0] == 14


def test_what_draws_bands_does_not_depend_on_the_slot_they_take() -> None:
    """A band is named by the turn it appeared in: its taste is the same in every arm, whatever slots are taken."""
    chosen = []
    for slot in (0, 2):
        world = World(scenario(BUSY, raiders={"rate": 1e-9, "noise": 1.0, "way": 0.0}), 40, seed=3)
        state = world.state
        state.band_cell[:, slot], state.band_strength[:, slot], state.band_came[:, slot] = 0, 1.0, 0
        world.state.turn[:] = 1
        world.step(random_shares(world, np.random.default_rng(1)))
        chosen.append(state.band_target[:, slot].tolist())
    assert chosen[0] == chosen[1]
    assert len(set(chosen[0])) > 1


@pytest.mark.parametrize("torus", [False, True])
def test_a_band_is_on_its_way_for_as_long_as_its_way_takes(torus: bool) -> None:
    """Conservation of turns: over walls and land drawn at random none is lost and none is gained."""
    from worlds import no_orders, split, still_world

    rng = np.random.default_rng(5)
    for start in (0, 5, 21, 32):
        rough = dict(enumerate(rng.uniform(0.0, 1.0, 36)))
        changes = {"ruggedness": rough, "map__torus": torus, "map__block": 3.0, "walls__block": 2.0}
        world = still_world(raiders={"rate": 1e-9}, game__turns=200, **changes)
        state = world.state
        state.wall[0] = np.where(rng.random(36) < 0.4, rng.uniform(0.0, 4.0, 36), 0.0)
        state.band_cell[0, 0], state.band_strength[0, 0] = start, 1.0
        plain = Plain(world, state, 0)
        told, turns = plain.way(start, 14), 0
        while state.band_cell[0, 0] >= 0:
            world.step(split(world, consumption=1), no_orders(world))
            turns += 1
        assert turns == told
