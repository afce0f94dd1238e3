"""Attacks of rivals in mind: a second, plain telling of the rule; and where it is not played, nothing changes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from planning import believed_value, pause, think
from worlds import BUSY, bits, differing, hold, random_shares, scenario, split, still_world, with_levels

from civsim.base.constants import Category, Channel, Witness
from civsim.engine.planner.incursions import armed_rivals, times
from civsim.engine.planner.plan import Plan
from civsim.engine.registers import ROLLED
from civsim.engine.state import PHYSICAL_FIELDS
from civsim.engine.work import Base, Belief, Count, MindFund, Purse, Realm, Roll
from civsim.engine.world import World

TURNS, HORIZON = 20, 9
RIVAL = 1
ARMY = {
    "projection": 8.0,
    "lag": 0,
    "price": 0.4,
    "decisiveness": 2.0,
    "loss_winner": 0.15,
    "loss_loser": 0.4,
    "disruption": 3,
    "minimum": 1.0,
}
SEEN = {"sight": 20, "attention": 6}
SHARES = {"army": 0.1, "consumption": 0.9}
OURS, THEIRS = (13, 14, 15, 20, 21), (16, 22, 27)
FERTILE = {13: 1.0, 14: 1.0, 15: 4.0, 20: 2.0, 21: 3.0, 16: 2.0, 22: 1.0, 27: 1.0}
WALLED, WALL, ROUGH = 21, 2.0, {15: 0.25, 21: 0.5}


def border(
    level: int = 2,
    army: float = 3.0,
    rival: float = 4.0,
    lands: tuple[int, ...] = THEIRS,
    often: float = 0.2,
    capitals: tuple[int, ...] = (14, 27),
    **changes: Any,
) -> World:
    """A realm of five cells beside a rival of three, who settles nothing; it is about to deliberate."""
    mind = {"levels_of_mind": level, "prior": {"attack": often}, **changes.pop("thinking", {})}
    army_of = {**ARMY, "per_turn": changes.pop("army__per_turn", 1)}
    world = still_world(
        **{"army": army_of, "economy__depreciation": {"army": 0.1}, "game__turns": TURNS, **changes},
        capitals=capitals,
        rich=FERTILE,
        ruggedness=ROUGH,
        fertility=0.0,
        claims__per_turn=0,
        works__per_turn=0,
        walls__per_turn=0,
        thinking=mind,
        seat_default={"levels": {"horizon": HORIZON, **SEEN}},
    )
    hold(world, 0, *(cell for cell in OURS if cell != 14))
    hold(world, RIVAL, *(cell for cell in lands if cell != 27))
    world.state.wall[:, WALLED] = WALL
    world.state.stock[:, 0, Category.ARMY], world.state.stock[:, RIVAL:, Category.ARMY] = army, rival
    pause(world, split(world, **SHARES))
    think(world, horizon=HORIZON)
    # What the realm itself attacks is another rule.
    world._work[0].sizes[Base.HOLDS] = 1
    return world


class Told:
    """The rule of docs/model.md 7, told again: dictionaries, a cell at a time."""

    def __init__(self, world: World) -> None:
        s, self.world, self.army = world.state, world, world.scenario.army
        config = world.config
        self.near = {c: [int(n) for n in config.neighbours[c] if n >= 0] for c in range(world.n_cells)}
        self.stay = dict.fromkeys(OURS, 1.0)
        self.idle: dict[int, int] = {}  # the turn from which a cell taken gives output
        self.theirs = {int(c) for c in np.flatnonzero(s.owner[0] == RIVAL)}
        self.output = sum(FERTILE[c] for c in self.theirs)
        self.force = float(s.stock[0, RIVAL, Category.ARMY])
        self.own = float(s.stock[0, 0, Category.ARMY])
        self.price = self.army.price
        self.lost = 0.0  # what the force lost was worth, for the service it had left
        self.seat = {0: 14, RIVAL: 27}
        seen = s.witness[0, 0]
        weight, prior = world.scenario.thinking.prior.weight, world.scenario.thinking.prior.attack
        self.often = (seen[Witness.ATTACKS] + weight * prior) / (seen[Witness.EXPOSED_TURNS] + weight)

    def share(self, who: int, cell: int) -> float:
        width = self.world.scenario.map.width
        (r, c), (y, x) = divmod(self.seat[who], width), divmod(cell, width)
        return math.exp(-(abs(r - y) + abs(c - x)) / self.army.projection)

    def battle(self, cell: int) -> tuple[float, float, float]:
        attack, guard = self.force * self.share(RIVAL, cell), self.own * self.share(0, cell)
        defence = (guard + (WALL if cell == WALLED else 0.0)) * (1.0 + ROUGH.get(cell, 0.0))
        return attack, attack**2 / (attack**2 + defence**2) if attack > 0 else 0.0, guard

    def worth(self, left: int) -> float:
        kept = self.world.scenario.game.discount * 0.9
        served, whole = (sum(kept**t for t in range(1, n + 1)) for n in (left, TURNS - 1))
        return self.price * served / whole

    def fallen(self, force: float, chance: float) -> float:
        return force * (chance * self.army.loss_winner + (1.0 - chance) * self.army.loss_loser)

    def rate(self, cell: int, left: int) -> float:
        attack, chance, _ = self.battle(cell)
        discount = self.world.scenario.game.discount
        years = sum(discount**t for t in range(self.army.disruption + 1, left + 1))
        won, lost = chance * FERTILE[cell] * years, self.fallen(attack, chance) * self.worth(left)
        return won / lost if attack >= self.army.minimum and won > lost else 0.0

    def attack(self, turn: int) -> None:
        left = TURNS - 1 - turn
        due = min(self.often * len(self.open_cells()), self.army.per_turn)
        while due > 0.0:
            rates = {c: self.rate(c, left) for c in self.open_cells()}
            if not rates or max(rates.values()) <= 0.0:
                return
            self.fight(max(rates, key=lambda c: rates[c]), min(due, 1.0), turn)
            due -= 1.0

    def open_cells(self) -> list[int]:
        return [c for c in self.stay if self.stay[c] >= 0.5 and set(self.near[c]) & self.theirs]

    def storm(self, cell: int, turn: int) -> None:
        """An own attack: what it meets is the army as it is then, and both lose force."""
        attack, guard = self.own * self.share(0, cell), self.force * self.share(RIVAL, cell)
        chance = attack**2 / (attack**2 + (guard * (1.0 + ROUGH.get(cell, 0.0))) ** 2)
        own = self.fallen(attack, chance)
        self.own -= own
        self.lost += self.world.scenario.game.discount**turn * own * self.worth(TURNS - 1 - turn)
        self.force -= self.fallen(guard, 1.0 - chance)
        self.stay[cell], self.idle[cell] = chance, turn + self.army.disruption + 1

    def fight(self, cell: int, often: float, turn: int) -> None:
        attack, chance, guard = self.battle(cell)
        fought = often * self.stay[cell]
        self.force -= fought * self.fallen(attack, chance)
        own = fought * self.fallen(guard, 1.0 - chance)
        self.own -= own
        self.lost += self.world.scenario.game.discount**turn * own * self.worth(TURNS - 1 - turn)
        self.output += fought * chance * FERTILE[cell]
        self.stay[cell] -= fought * chance
        if self.stay[cell] < 0.5:
            self.theirs.add(cell)

    def roll(self, horizon: int, storms: int = -1) -> None:
        for turn in range(horizon + 1):
            if turn > 0:
                self.force = self.force * 0.9 + SHARES["army"] * self.output / self.price
                output = sum(self.stay[c] * FERTILE[c] for c in self.stay if turn >= self.idle.get(c, 0))
                self.own = self.own * 0.9 + SHARES["army"] * output / self.price
            if turn == 0 and storms >= 0:
                self.storm(storms, turn)
            self.attack(turn)


def stays(world: World) -> dict[int, float]:
    """The chance that each own cell is held at the end of the last rollout."""
    work = world._work[0]
    return {int(work.counts[Count.CELL, k]): float(work.realm[Realm.STAY, k]) for k in range(work.roll[Roll.HELD])}


@pytest.mark.parametrize("horizon", [1, 4, HORIZON])
@pytest.mark.parametrize(("army", "rival"), [(3.0, 4.0), (0.0, 4.0), (1.0, 8.0), (2.0, 30.0), (300.0, 4.0)])
@pytest.mark.parametrize(("often", "at_most"), [(0.2, 1), (1.0, 1), (0.02, 1), (0.7, 3)])
def test_a_rollout_is_the_rule_told_again(army: float, rival: float, horizon: int, often: float, at_most: int) -> None:
    world = border(army=army, rival=rival, often=often, army__per_turn=at_most)
    told = Told(world)
    assert world._work[0].sizes[Base.ARMED] == 1
    believed_value(world, Plan.RULE, [], horizon)
    told.roll(horizon)
    assert stays(world) == pytest.approx(told.stay, rel=1e-6)
    purse, rivals = world._work[0].purse, world._work[0].mind_purse[ROLLED, RIVAL]
    assert purse[Purse.ARMY] == pytest.approx(told.own, rel=1e-6)
    assert purse[Purse.LOST] == pytest.approx(told.lost, rel=1e-6)
    assert rivals[MindFund.ARMY] == pytest.approx(told.force, rel=1e-6)
    assert rivals[MindFund.OUTPUT] == pytest.approx(told.output, rel=1e-6)
    assert (min(told.stay.values()) < 1.0) == (army < 300.0)


@pytest.mark.parametrize("horizon", [1, HORIZON])
@pytest.mark.parametrize(("army", "rival"), [(8.0, 4.0), (4.0, 9.0), (30.0, 30.0)])
@pytest.mark.parametrize("often", [0.2, 1.0])
def test_an_own_attack_meets_the_army_in_mind_and_costs_it(
    army: float, rival: float, often: float, horizon: int
) -> None:
    world = border(army=army, rival=rival, often=often)
    told = Told(world)
    believed_value(world, Plan.ATTACK, [16], horizon)
    told.roll(horizon, storms=16)
    purse, rivals = world._work[0].purse, world._work[0].mind_purse[ROLLED, RIVAL]
    assert stays(world) == pytest.approx(told.stay, rel=1e-6)
    assert purse[Purse.ARMY] == pytest.approx(told.own, rel=1e-6)
    assert purse[Purse.LOST] == pytest.approx(told.lost, rel=1e-6)
    assert rivals[MindFund.ARMY] == pytest.approx(told.force, rel=1e-6)


def test_who_expects_no_attack_plays_none() -> None:
    world = border(often=0.0, army=0.0, rival=30.0)
    believed_value(world, Plan.RULE, [], HORIZON)
    assert set(stays(world).values()) == {1.0}


def test_attacks_are_as_many_as_the_frequency_says_however_many_rivals_there_are() -> None:
    world = border(army=0.0, rival=30.0, capitals=(14, 27, 8), army__per_turn=64)
    believed_value(world, Plan.RULE, [], 1)
    work, expected = world._work[0], 0.0
    held = range(work.roll[Roll.HELD])
    exposed = [k for k in held if work.mind_beside[ROLLED, work.counts[Count.CELL, k]] != 0]
    assert max(bin(int(work.mind_beside[ROLLED, work.counts[Count.CELL, k]])).count("1") for k in exposed) == 2
    config, plan_work = world.pointers[2], world._plan_work[0]
    for rival in (RIVAL, 2):
        expected += times(config, plan_work, np.int64(rival), armed_rivals(config, plan_work))
    still_own = [k for k in exposed if work.realm[Realm.STAY, k] >= 0.5]
    assert expected == pytest.approx(work.scalars[Belief.ATTACK] * len(still_own))
    assert expected > 0.0


def test_a_border_moves_with_what_is_likelier_lost_than_held() -> None:
    world = border(army=0.0, rival=30.0, lands=(16, 27))
    believed_value(world, Plan.RULE, [], HORIZON)
    held = stays(world)
    assert held[15] < 0.5
    assert held[14] < 1.0, "it lies beside own land alone until that is lost"


def alike(one: World, other: World) -> bool:
    """Whether rollouts of either world end in the same, value and land."""
    found = []
    for world in (one, other):
        value = believed_value(world, Plan.RULE, [], HORIZON)
        found.append((value, stays(world)))
    return found[0] == found[1]


def unseen(world: World) -> World:
    """Let the rival's army be one that was never seen."""
    world.state.force_turn[0, 0, RIVAL] = -1
    think(world, horizon=HORIZON)
    return world


def test_a_border_is_under_one_threat_and_not_two() -> None:
    played, feared = border(), border(level=1)
    assert (played._work[0].base[Realm.HOLD, : len(OURS)] == 1.0).all()
    exposed = feared._work[0].base[Realm.EXPOSURE, : len(OURS)] > 0.0
    assert np.array_equal(feared._work[0].base[Realm.HOLD, : len(OURS)] < 1.0, exposed)
    assert exposed.any()
    assert np.array_equal(played._work[0].base[Realm.EXPOSURE], feared._work[0].base[Realm.EXPOSURE])
    assert not alike(played, feared)


def test_an_army_never_seen_is_expected_by_the_witnessed_frequency() -> None:
    assert alike(unseen(border(2)), unseen(border(1)))


@pytest.mark.parametrize(
    "changes",
    [
        {"thinking": {"attacks": "never"}},
        {"army__war": False},
        {"army__per_turn": 0},
    ],
)
def test_where_no_rule_attacks_none_is_played(changes: dict[str, Any]) -> None:
    assert alike(border(2, **changes), border(1, **changes))


def test_who_does_not_attend_to_rivals_plays_none() -> None:
    world = border()
    world.state.level[0, 0, Channel.ATTENTION] = 2
    think(world, horizon=HORIZON)
    assert world._work[0].sizes[Base.ARMED] == 0


@pytest.mark.parametrize("attacks", ["never", "plan"])
def test_games_differ_only_where_attacks_are_open(attacks: str) -> None:
    """Claims apart, level 2 differs from level 1 by the attacks that are played."""
    ends = []
    for level in (1, 2):
        mind = {"levels_of_mind": level, "attacks": attacks, "prior": {"attack": 0.1}}
        game = scenario({**BUSY, "claims.per_turn": 0, "army.price": 0.1}, thinking=mind)
        world = World(with_levels(game, 6, 4, 6), 4, seed=1)
        for cell, holder in [(j, j % 3) for j in range(world.n_cells)]:
            if (world.state.owner[:, cell] < 0).all():
                hold(world, holder, cell)
        rng = np.random.default_rng(0)
        while not world.done.all():
            world.step(random_shares(world, rng))
        ends.append(bits(world, (*PHYSICAL_FIELDS, "plan_value", "plans")))
    assert bool(differing(*ends)) == (attacks == "plan")
