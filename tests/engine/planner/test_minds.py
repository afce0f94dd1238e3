"""Rivals in mind: deadlines by a second, plain telling of the rule; parties in view; what rollouts let rivals take."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from planning import believed_value, candidates, pause, think
from worlds import BUSY, bits, differing, flat_land, random_shares, scenario, split, with_levels

from civsim.base.constants import NOBODY, Category, Channel
from civsim.engine.formulas import rank
from civsim.engine.knowledge.beliefs import believe
from civsim.engine.planner.minds import TAKEN
from civsim.engine.planner.plan import Plan
from civsim.engine.state import PHYSICAL_FIELDS
from civsim.engine.work import Base
from civsim.engine.world import World

NEAR = 1e-9
"""Indices that differ by less, relatively, are tied."""


class Rival:
    """What is taken to be so of a rival: its land, its frontier, what it has and earns."""

    def __init__(self, fund: float) -> None:
        self.cells, self.front, self.fund, self.output = 0, set[int](), fund, 0.0


class Told:
    """The rule of docs/model.md 7, told again: sets and dictionaries, a cell at a time."""

    def __init__(self, world: World, b: int, i: int) -> None:
        state, _, config = world.pointers
        for cell in range(world.n_cells):
            believe(state, config, world._plan_work[0], b, i, cell)
        self.world, self.b, self.i, self.game = world, b, i, world.scenario
        s, work = world.state, world._work[0]
        self.value, self.cost = work.value.tolist(), work.claim_cost.tolist()
        self.fund = float(s.stock[b, i, Category.SETTLEMENT])
        self.share = float(work.shares[b, i, Category.SETTLEMENT])
        own = s.owner[b] == i
        self.holder = {c: int(s.known_owner[b, i, c]) for c in range(world.n_cells) if not own[c]}
        self.free = {c for c, j in self.holder.items() if j in (NOBODY, i)}
        self.rivals: dict[int, Rival] = {}
        self.at = {c: 0.0 for c in self.holder if c not in self.free}
        self.mine, self.parties = self._parties()
        for c in self.at:
            rival = self.rival(self.holder[c])
            rival.cells += 1
            rival.output += self.value[c]
        for cell, (due, j) in self.parties.items():
            self.at[cell] = due
            self.rival(j).cells += 1
        for c, j in self.holder.items():
            if c not in self.free:
                self.rivals[j].front |= self.beside(c)

    def rival(self, j: int) -> Rival:
        return self.rivals.setdefault(j, Rival(self.fund))

    def beside(self, cell: int) -> set[int]:
        return {int(c) for c in self.world.config.neighbours[cell] if c >= 0} & self.free

    def _parties(self) -> tuple[set[int], dict[int, tuple[int, int]]]:
        """The cells that own parties settle, and of those that a rival's party in view does: (turns, whose)."""
        s, b, i = self.world.state, self.b, self.i
        now, lag = int(s.turn[b]), self.game.claims.lag
        own = {int(c): int(d) - now for c, d in zip(s.party_cell[b, i], s.party_due[b, i], strict=True) if c >= 0}
        first: dict[int, tuple[int, int]] = {}
        for j in range(self.world.n_civilizations):
            for cell, due in zip(s.party_cell[b, j].tolist(), (s.party_due[b, j] - now).tolist(), strict=True):
                seen = j != i and cell in self.free and s.seen[b, i, cell] == now and due < lag
                if seen and due < own.get(cell, math.inf) and due < first.get(cell, (math.inf, 0))[0]:
                    first[cell] = due, j
        return {cell for cell in own if cell in self.free and cell not in first}, first

    def best(self, rival: Rival, arrival: int) -> int | None:
        open_cells = [c for c in rival.front if self.at.get(c, math.inf) > arrival and c not in self.mine]
        index = {c: self.value[c] / self.cost[c] for c in open_cells if self.value[c] > 0.0}
        if not index:
            return None
        best, world_id = max(index.values()), self.world.state.world_id[self.b]
        tied = [c for c, x in index.items() if x >= best * (1.0 - NEAR)]
        return max(tied, key=lambda c: rank(self.world._key, world_id, c))

    def settle(self, turn: int) -> None:
        for cell, (due, j) in list(self.parties.items()):
            if due <= turn:
                del self.parties[cell]
                self.rivals[j].output += self.value[cell]
                self.rivals[j].front |= self.beside(cell)

    def orders(self, turn: int) -> None:
        claims = self.game.claims
        for j in sorted(self.rivals):
            rival = self.rivals[j]
            for _ in range(claims.per_turn):
                cell = self.best(rival, turn + claims.lag)
                if cell is None:
                    break
                price = self.cost[cell] * (1.0 + claims.growth * max(rival.cells - 1, 0))
                if price > rival.fund:
                    break
                rival.fund -= price
                rival.cells += 1
                self.at[cell], self.parties[cell] = turn + claims.lag, (turn + claims.lag, j)
                if claims.lag == 0:
                    self.settle(turn)

    def deadlines(self) -> list[float]:
        kept = 1.0 - self.game.economy.depreciation.settlement
        left = self.game.game.turns - 1 - int(self.world.state.turn[self.b])
        for turn in range(min(self.game.thinking.mind_turns, left) + 1):
            if turn > 0:
                self.settle(turn)
                for rival in self.rivals.values():
                    rival.fund = rival.fund * kept + self.share * rival.output
            self.orders(turn)
        return [self.at.get(c, math.inf) for c in range(self.world.n_cells)]


LANDS: dict[str, dict[str, Any]] = {
    "busy": {},
    "no lag": {"claims.lag": 0},
    "long lag": {"claims.lag": 3},
    "torus": {"map.torus": True, "claims.growth": 0.1},
    "one claim": {"claims.per_turn": 1, "thinking.mind_turns": 7},
    "crowded": {"map.width": 6, "map.height": 6, "claims.cost": 0.5, "game.civilizations": 4},
    "leaking": {"economy.depreciation.settlement": 0.2},
}


def paused(changes: dict[str, Any], turns: int, worlds: int = 4) -> World:
    """Worlds stopped to deliberate after some turns."""
    game = scenario({**BUSY, "game.turns": 60, "claims.cost": 1.0, "claims.lag": 2, **changes})
    world = World(with_levels(game, 0, 4, 6), worlds, seed=turns)
    rng = np.random.default_rng(turns)
    for _ in range(turns):
        world.step(random_shares(world, rng))
    pause(world, random_shares(world, rng))
    return world


@pytest.mark.parametrize("land", LANDS)
def test_deadlines_are_those_of_the_rule_told_again(land: str) -> None:
    taken, seen = 0, 0
    for turns in (1, 4, 8, 13, 20):
        world = paused(LANDS[land], turns)
        for b, i in np.argwhere(world.state.alive).tolist():
            think(world, b, i, horizon=60)
            found = world._work[0].rival_at.copy()
            told = Told(world, b, i)
            seen += len(told.parties)
            expected = np.array(told.deadlines())
            assert np.array_equal(found, expected), (turns, b, i)
            taken += int((np.isfinite(found) & (found > 0.0)).sum())
    assert taken > 100
    assert (seen > 0) == (land != "no lag")


@pytest.mark.parametrize("horizon", [1, 2, 5, 9])
def test_a_mind_that_looks_no_further_than_a_plan_can_tells_it_the_same(horizon: int) -> None:
    """At level 1 every deadline that a plan of this horizon can be late for is there, and is as it would be."""
    later = 0
    for turns in (1, 6, 13):
        world = paused({}, turns)
        lag = world.scenario.claims.lag
        for b, i in np.argwhere(world.state.alive).tolist():
            think(world, b, i, horizon=60)
            whole = world._work[0].rival_at.copy()
            think(world, b, i, horizon=horizon)
            found = world._work[0].rival_at.copy()
            # What is left in the fund after the last turn is spent in the next, and is there a lag later.
            matters = whole < horizon + 1 + lag
            assert np.array_equal(found[matters], whole[matters])
            assert (found[~matters] >= horizon + 1 + lag).all()
            later += int((found != whole).sum())
    assert later > 0


LENGTH, RICH = 9, 4


def strip(
    level: int, *, rival: float = 2.0, fund: float = 6.0, sight: int = 16, turns: int = 60, lag: int = 1
) -> World:
    """A row of nine cells, seen whole: a row of barren rock beside it, capitals at its ends, a rich cell between."""
    game = scenario(
        {"map.width": LENGTH, "map.height": 2, "map.hazard": 0.0, "game.civilizations": 2, "game.turns": 60},
        claims={"cost": 4.0, "growth": 0.0, "lag": lag, "per_turn": 1},
        thinking={"price": {"horizon": 2.0, "sight": 2.0, "attention": 3.0}, "max_sight": 32},
        seat_default={"levels": {"horizon": 12, "sight": sight, "attention": 6}, "levels_of_mind": level},
    )
    rock = dict.fromkeys(range(LENGTH, 2 * LENGTH), 0.0)
    rich = {0: 2.0, LENGTH - 1: rival, RICH: 4.0, **rock}
    world = World(game, land=flat_land(game, (0, LENGTH - 1), 0.5, rich=rich))
    pause(world, split(world, settlement=1, consumption=1))
    world.state.stock[0, 0, Category.SETTLEMENT] = fund
    return world


def test_rivals_stand_still_at_level_0() -> None:
    world = strip(0)
    think(world, horizon=12)
    assert np.flatnonzero(np.isfinite(world._work[0].rival_at)).tolist() == [LENGTH - 1]


@pytest.mark.parametrize("level", [1, 2, 3])
def test_who_does_not_attend_to_rivals_expects_nothing_of_them(level: int) -> None:
    world = strip(level)
    world.state.level[0, 0, Channel.ATTENTION] = 2
    think(world, horizon=12)
    assert np.isinf(world._work[0].rival_at).all()


def send_party(world: World, cell: int, due: int) -> None:
    """Let the rival have a party under way."""
    world.state.party_cell[0, 1, 0], world.state.party_due[0, 1, 0] = cell, world.state.turn[0] + due


@pytest.mark.parametrize(("sight", "due", "known"), [(16, 2, True), (2, 2, False), (16, 3, False)])
def test_a_party_is_a_deadline_where_its_goal_is_in_view_from_the_turn_after(sight: int, due: int, known: bool) -> None:
    world = strip(1, sight=sight, lag=3, rival=0.0, fund=0.0)
    send_party(world, 6, due)
    think(world, horizon=40)
    assert (world._work[0].rival_at[6] == due) == known
    assert known == bool(np.isfinite(world._work[0].rival_at[RICH + 1]))


def test_of_two_parties_the_first_to_come_has_the_cell() -> None:
    for own, others, settles in [(1, 2, True), (2, 1, False), (2, 2, True)]:
        world = strip(1, lag=3, rival=0.0, fund=0.0)
        world.state.party_cell[0, 0, 0], world.state.party_due[0, 0, 0] = 1, world.state.turn[0] + own
        send_party(world, 1, others)
        think(world, horizon=12)
        assert world._work[0].sizes[Base.PENDING] == settles
        assert np.isfinite(world._work[0].rival_at[1]) != settles


def rolled(world: World, plan: Plan, path: list[int], horizon: int = 30) -> np.ndarray:
    """When rivals hold each cell, once a plan has been rolled out."""
    believed_value(world, plan, path, horizon)
    return world._work[0].roll_rival.copy()


def test_in_a_rollout_a_rival_takes_what_it_would_and_not_what_is_claimed_first() -> None:
    world = strip(2, fund=40.0)
    think(world, horizon=12)
    alone = np.array(Told(world, 0, 0).deadlines())[:LENGTH]
    assert (alone[1:LENGTH] < math.inf).all()
    ahead = rolled(world, Plan.CLAIM, [1, 2, 3, RICH])
    assert (ahead[1 : RICH + 1] == TAKEN).all()
    assert np.array_equal(ahead[RICH + 1 : LENGTH], alone[RICH + 1 :])
    world = strip(2, fund=0.0, rival=9.0)
    think(world, horizon=12)
    behind = rolled(world, Plan.CLAIM, [1, 2, 3, RICH])
    assert behind[RICH] == np.array(Told(world, 0, 0).deadlines())[RICH]


@pytest.mark.parametrize("rollout", [12, 40])
def test_where_no_rival_comes_near_both_levels_value_every_plan_alike(rollout: int) -> None:
    values = []
    for level in (1, 2):
        world = strip(level, rival=0.0)
        think(world, horizon=12)
        plans = [(Plan.RULE, []), (Plan.WAIT, []), *candidates(world)]
        values.append([believed_value(world, plan, path, rollout) for plan, path in plans])
    assert values[0] == values[1]
    assert len(values[0]) > 2


@pytest.mark.parametrize("civilizations", [1, 3])
def test_levels_of_mind_change_nothing_in_a_world_of_ones_own(civilizations: int) -> None:
    ends = []
    for level in (0, 1, 2, 3):
        changes = {"game.civilizations": civilizations, "thinking.levels_of_mind": level}
        world = World(with_levels(scenario({**BUSY, **changes}), 6, 3, 6), 2, seed=1)
        rng = np.random.default_rng(0)
        while not world.done.all():
            world.step(random_shares(world, rng))
        ends.append(bits(world, (*PHYSICAL_FIELDS, "plan_value", "plans")))
    same = [not differing(ends[0], other) for other in ends[1:]]
    assert same == [civilizations == 1] * 3


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_world_is_the_same_alone_in_a_batch_and_on_threads(level: int) -> None:
    changes = {"thinking.levels_of_mind": level, "claims.lag": 2, "map.width": 7, "map.height": 7}
    game = with_levels(scenario({**BUSY, **changes}), 5, 2, 6)
    batch, threads = World(game, 6, seed=3), World(game, 6, seed=3, threads=3)
    alone = [World(game, 1, seed=3, world_ids=[row]) for row in range(6)]
    rng = np.random.default_rng(2)
    while not batch.done.all():
        shares = random_shares(batch, rng)
        batch.step(shares)
        threads.step(shares)
        for row, world in enumerate(alone):
            world.step(shares[row : row + 1])
    assert not differing(bits(batch), bits(threads))
    assert all(not differing(bits(world, row=0), bits(batch, row=row)) for row, world in enumerate(alone))
