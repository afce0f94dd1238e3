"""Policy improvement by trial: known answers, luck kept apart, and nothing that depends on the batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from worlds import BUSY, STILL, bits, differing, flat_land, given_orders, scenario, with_levels

from civsim.agents import seat_policies
from civsim.base.constants import WORLD_IDS, Objective, OrderKind
from civsim.base.errors import ScenarioError
from civsim.base.scenario import Scenario
from civsim.engine.believed import IMAGINED
from civsim.engine.land.landscape import Land
from civsim.engine.world import World
from civsim.scenarios import improvement
from civsim.scenarios.alternatives import Alternative
from civsim.scenarios.effort import MOST_SAMPLES, Effort, trial_ids
from civsim.scenarios.games import play_worlds
from civsim.scenarios.improvement import Improved, candidates_of, improve_worlds

CLAIM, ATTACK, WORK, WALL = (int(kind) for kind in (OrderKind.CLAIM, OrderKind.ATTACK, OrderKind.WORK, OrderKind.WALL))
TURNS = 20
WAR = with_levels(scenario(BUSY, army__price=0.3), 3, 3, 6)
FOUGHT = Effort(1, 3, 4, 12, 128, 0.5)
"""Enough luck, and enough of a risk, for some of its orders to be changed."""

QUICK = {"game.turns": TURNS, "claims.cost": 1.0}
ALONE = with_levels(scenario({**STILL, **QUICK}), 0, 1, 2)
"""One civilization that follows the rule of thumb, in a world without luck."""


def uneven_land(**rich: float) -> Land:
    """Land of no two equal cells for ALONE, its capital at row 2, column 2, with some cells as given: c15=2.0."""
    fertility = np.random.default_rng(0).uniform(0.5, 0.6, 36).astype(np.float32)
    fertility[14] = 1.0
    for name, value in rich.items():
        fertility[int(name[1:])] = value
    return flat_land(ALONE, [14])._replace(fertility=fertility)


def improve(game: Scenario, ids: list[int], effort: Effort, **options: Any) -> list[Improved]:
    return improve_worlds(game, ids, 3, effort, **options)


def welfare_after(land: Land, turn: int, claim: int | None) -> float:
    """Welfare of ALONE if it is by rule but for one turn (from 1), in which it claims a cell or nothing."""
    world, policies = World(ALONE, 1, 3, land=land), seat_policies(ALONE)
    while not world.done.all():
        orders = None
        if int(world.state.turn[0]) + 1 == turn:
            orders = given_orders(world, *([] if claim is None else [(0, OrderKind.CLAIM, claim)]))
        world.step(policies.shares(world), orders)
    return float(world.state.utility[0, 0, Objective.WELFARE])


TEMPTING = uneven_land(c15=1.2, c13=0.9, c12=20.0)
"""The rule claims 15, east of the capital, where it can; a fortune lies behind 13, in the west."""


@pytest.fixture(scope="module")
def tempted() -> Improved:
    """The world whose best first claim is known, improved up to its first choice."""
    (whole,) = improve(ALONE, [0], Effort(0, 4, 2, TURNS, 2), land=TEMPTING)
    (world,) = improve(ALONE, [0], Effort(0, 4, 2, whole.decisions[0].turn, 2), land=TEMPTING)
    return world


def test_the_best_first_claim_is_found_where_the_rule_errs(tempted: Improved) -> None:
    (decision,) = tempted.decisions
    assert decision.planned == ((CLAIM, 15, 0),)
    assert decision.given == ((CLAIM, 13, 0),)
    assert decision.compared == 1 + 3 + 1  # the rule's, the other neighbours of the capital, waiting
    values = {cell: welfare_after(TEMPTING, decision.turn, cell) for cell in (8, 13, 15, 20, None)}
    assert max(values, key=lambda cell: values[cell]) == 13
    assert tempted.planner["welfare"] == values[15]
    assert tempted.ceiling["welfare"] == values[13]
    assert decision.earned == values[13] - values[15]


def test_without_luck_a_change_earns_what_it_promised() -> None:
    land = uneven_land(c15=0.9, c13=0.7, c12=8.0, c27=5.0, c32=9.0)
    (world,) = improve(ALONE, [0], Effort(0, 8, 2, TURNS, 2), land=land)
    changes = [one for one in world.decisions if one.given is not None]
    assert len(changes) >= 2
    for one in changes:
        assert one.promised > 0.0
        assert one.earned == pytest.approx(one.promised, rel=1e-9)
        assert one.worth == pytest.approx(one.promised, rel=1e-9)
    # Every change is an improvement, and together they are the whole gap.
    gap = world.ceiling["welfare"] - world.planner["welfare"]
    assert sum(one.earned for one in world.decisions) == pytest.approx(gap, rel=1e-12)


def test_samples_differ_in_luck_alone() -> None:
    two, eight = (improve(ALONE, [0], Effort(0, 4, n, 12, n), land=TEMPTING)[0] for n in (2, 8))
    assert [each.given for each in two.decisions] == [each.given for each in eight.decisions]
    assert any(each.given for each in two.decisions)
    assert all(each.error == pytest.approx(0.0, abs=1e-12) for each in (*two.decisions, *eight.decisions))
    checks = 2 * 32 * sum(each.given is not None for each in two.decisions)
    assert eight.games - checks == 4 * (two.games - checks)


def test_where_every_cell_is_alike_the_planner_is_at_its_ceiling() -> None:
    game = with_levels(scenario({**STILL, **QUICK}, claims__lag=0), 0, 1, 2)
    (world,) = improve(game, [0], Effort(0, 4, 2, TURNS), land=flat_land(game, [14]))
    assert len(world.decisions) > 3
    assert all(one.given is None and one.earned == 0.0 for one in world.decisions)
    # Waiting is tried, and worse; another cell is as good.
    assert world.ceiling == world.planner


CHANCE = {**STILL, **QUICK, "map.hazard": 0.1, "disasters.duration": 1, "claims.lag": 0}
"""ALONE with disasters that are over when a claim arrives: what has struck a cell makes it no worse."""


def hazardous(land: Land) -> Land:
    return land._replace(hazard=np.full(36, 0.1, np.float32))


def test_where_luck_alone_tells_cells_apart_no_order_is_changed_for_it() -> None:
    """Every claim is as good as another, each cell with disasters of its own; waiting is worse."""
    game = with_levels(scenario(CHANCE, map__torus=True), 0, 1, 2)
    worlds = improve(game, list(range(16)), Effort(0, 4, 4, TURNS), land=hazardous(flat_land(game, [14])))
    decisions = [one for world in worlds for one in world.decisions]
    assert len(decisions) > 100
    assert sum(one.error > 0.0 for one in decisions) > 0.8 * len(decisions)
    assert sum(one.promised > 0.0 for one in decisions) > 0.1 * len(decisions)
    # As often as the risk allows: in one world of twenty. By what did best in four draws it would be most turns.
    assert sum(any(one.given for one in world.decisions) for world in worlds) <= 2
    gains = np.array([world.ceiling["welfare"] - world.planner["welfare"] for world in worlds])
    assert gains.mean() >= -2.0 * gains.std(ddof=1) / np.sqrt(len(gains))


def test_through_luck_the_best_first_claim_is_found() -> None:
    game = with_levels(scenario(CHANCE), 0, 1, 2)
    worlds = improve(game, list(range(6)), Effort(0, 4, 4, 6), land=hazardous(TEMPTING))
    for world in worlds:
        first = world.decisions[0]
        assert (first.planned, first.given) == (((CLAIM, 15, 0),), ((CLAIM, 13, 0),))
        assert first.promised > 4.0 * first.error > 0.0
        assert first.worth == pytest.approx(first.promised, abs=4.0 * (first.error + first.worth_error))
    assert np.mean([world.ceiling["welfare"] - world.planner["welfare"] for world in worlds]) > 1.0


@pytest.mark.parametrize("objective", [item.name.lower() for item in Objective])
def test_the_seat_s_own_objective_is_improved(objective: str) -> None:
    game = with_levels(scenario({**STILL, **QUICK}, game__objective=objective), 0, 1, 2)
    (world,) = improve(game, [0], Effort(0, 4, 2, TURNS, 2), land=TEMPTING)
    gap = world.ceiling[objective] - world.planner[objective]
    assert sum(one.earned for one in world.decisions) == pytest.approx(gap)
    # Alone in its world a seat has all of its output from the start.
    assert (gap > 0.0) == (objective != "share")


@pytest.fixture(scope="module")
def fought() -> list[Improved]:
    """Three busy worlds, improved together."""
    return improve(WAR, [0, 3, 11], FOUGHT)


def test_turns_not_improved_are_the_planner_s_game(fought: list[Improved]) -> None:
    played = play_worlds(WAR, [0, 3, 11], 3)
    for row, (none, some) in enumerate(zip(improve(WAR, [0, 3, 11], FOUGHT._replace(turns=0)), fought, strict=True)):
        expected = {item.name.lower(): played.civs[item.name.lower()][row, 1] for item in Objective}
        assert none.planner == none.ceiling == some.planner == expected
        assert (none.decisions, none.games) == ((), 0)


def test_luck_and_rivals_make_choices_and_changes(fought: list[Improved]) -> None:
    decisions = [one for world in fought for one in world.decisions]
    kinds = {order[0] for one in decisions for order in one.given or ()}
    assert kinds >= {CLAIM, ATTACK}
    assert any(one.given is None for one in decisions)
    assert any(one.promised < 0.0 for one in decisions)
    changed = [one for one in decisions if one.given is not None]
    assert all((one.worth != 0.0 and one.worth_error > 0.0) == (one.given is not None) for one in decisions)
    assert np.mean([one.worth for one in changed]) > 0.0
    assert all(one.promised > 2.0 * one.error for one in decisions if one.given is not None)
    assert all(one.samples >= 16 for one in decisions if one.given is not None)
    assert {one.samples for one in decisions} >= {4, 8, 32}
    for world in fought:
        gap = world.ceiling["welfare"] - world.planner["welfare"]
        assert sum(one.earned for one in world.decisions) == pytest.approx(gap, abs=1e-9)
        least, most = (
            sum(one.compared * n for one, n in zip(world.decisions, draws, strict=True))
            for draws in ([FOUGHT.samples] * len(world.decisions), [one.samples for one in world.decisions])
        )
        checks = 2 * FOUGHT.checks * sum(one.given is not None for one in world.decisions)
        assert least < world.games - checks < most
        assert [one.turn for one in world.decisions] == sorted({one.turn for one in world.decisions})


def test_a_world_does_not_depend_on_the_others_or_on_how_trials_are_packed(
    fought: list[Improved], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert improve(WAR, [3], FOUGHT) == [fought[1]]
    monkeypatch.setattr(improvement, "_TOGETHER", 5)
    assert improve(WAR, [11, 0], FOUGHT, threads=2) == [fought[2], fought[0]]


def test_trials_leave_the_true_worlds_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every choice is tried but none is taken, the true worlds are those of the planners, bit for bit."""
    tables = []
    decide = improvement._Table._decide

    def kept(self: Any, *arguments: Any) -> None:
        decide(self, *arguments)
        tables.append(self)

    monkeypatch.setattr(improvement._Table, "_decide", kept)
    worlds = improve(WAR, [0, 3, 11], FOUGHT)
    assert len(tables) > 10
    plain, policies = World(WAR, world_ids=[0, 3, 11], seed=3), seat_policies(WAR)
    while not plain.done.all():
        plain.step(policies.shares(plain))
    assert not differing(bits(plain, plain.state._fields), bits(tables[0].truth, plain.state._fields))
    assert all(world.ceiling == world.planner for world in worlds)


def test_no_trial_has_the_luck_of_a_world_that_is_judged() -> None:
    drawn = [
        trial_ids(world, turn, MOST_SAMPLES) for world in (0, 7, 2**31, IMAGINED - 1) for turn in range(0, 2000, 37)
    ]
    ids = np.concatenate(drawn)
    assert ids.min() >= IMAGINED
    assert ids.max() < WORLD_IDS
    one_world = np.concatenate([trial_ids(7, turn, MOST_SAMPLES) for turn in range(2000)])
    assert len(np.unique(one_world)) == 2000 * MOST_SAMPLES
    # More of a turn's luck goes on where less of it ended.
    assert trial_ids(7, 3, 4).tolist() == trial_ids(7, 3, 64)[:4].tolist()
    # What a change is worth is told by luck that chose nothing in its world.
    checks = np.concatenate([trial_ids(7, turn, MOST_SAMPLES, check=True) for turn in range(2000)])
    assert len(np.union1d(one_world, checks)) == 2 * len(one_world)
    assert IMAGINED <= checks.min() <= checks.max() < WORLD_IDS


def test_a_choice_knows_nothing_of_its_own_luck(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worlds that are alike up to a battle choose alike before it, and meet each their own fortune."""
    monkeypatch.setattr(
        improvement,
        "trial_ids",
        lambda world, turn, samples, check=False: IMAGINED + 100 * turn + np.arange(samples) + 10_000 * check,
    )
    base = {**STILL, "game.civilizations": 2, "army.lag": 0, "army.price": 0.5, "thinking.salience": None}
    base["thinking.salience"] = ("rivals", "ore", "hazard", "raiders")
    game = with_levels(scenario(base, claims__per_turn=0), 0, 3, 6)
    land = flat_land(game, [14, 15])._replace(fertility=np.linspace(1.0, 2.0, 36).astype(np.float32))
    worlds = improve(game, list(range(12)), Effort(0, 2, 4, 6, 64, 0.5), land=land)
    changes = [next(one for one in world.decisions if one.given is not None) for world in worlds]
    assert all(one.given[0][:2] == (ATTACK, 15) for one in changes if one.given)
    assert len({one.turn for one in changes}) == 1
    earned = [one.earned for one in changes]
    assert min(earned) < max(earned)
    first = [
        [one.model_copy(update={"earned": 0.0}) for one in world.decisions if one.turn <= changes[0].turn]
        for world in worlds
    ]
    assert all(each == first[0] for each in first)


def alternative(kind: int, cell: int) -> Alternative:
    return Alternative(kind, cell, 1.0)


@pytest.mark.parametrize(
    ("planned", "most", "expected"),
    [
        # Nothing planned: each alternative by itself, and no waiting.
        ([], 4, [[(CLAIM, 5)], [(ATTACK, 6)], [(CLAIM, 7)]]),
        ([], 2, [[(CLAIM, 5)], [(ATTACK, 6)]]),
        ([], 0, []),
        # The planner's own claim is no alternative; works and walls stay; an attack is added first.
        (
            [(CLAIM, 5), (WORK, 1), (WALL, 2)],
            4,
            [
                [(ATTACK, 6), (CLAIM, 5), (WORK, 1), (WALL, 2)],
                [(CLAIM, 7), (WORK, 1), (WALL, 2)],
                [(WORK, 1), (WALL, 2)],
            ],
        ),
        # A second claim stays where it is, unless it is the alternative.
        (
            [(CLAIM, 9), (CLAIM, 5)],
            4,
            [[(CLAIM, 5)], [(ATTACK, 6), (CLAIM, 9), (CLAIM, 5)], [(CLAIM, 7), (CLAIM, 5)], []],
        ),
        # Attacks and claims are waited with apart.
        ([(ATTACK, 6), (CLAIM, 7)], 1, [[(ATTACK, 6), (CLAIM, 5)], [(ATTACK, 6)], [(CLAIM, 7)]]),
        ([(WORK, 1)], 1, [[(CLAIM, 5), (WORK, 1)]]),
    ],
)
def test_sets_of_orders(planned: list[tuple[int, int]], most: int, expected: list[list[tuple[int, int]]]) -> None:
    found = [alternative(CLAIM, 5), alternative(ATTACK, 6), alternative(CLAIM, 7)]
    sets = candidates_of([(kind, cell, 0) for kind, cell in planned], found, most)
    assert sets == [tuple((kind, cell, 0) for kind, cell in orders) for orders in expected]


def test_a_work_keeps_its_entry_of_the_menu() -> None:
    assert candidates_of([(WORK, 1, 3)], [alternative(CLAIM, 5)], 1) == [((CLAIM, 5, 0), (WORK, 1, 3))]


@pytest.mark.parametrize(
    ("effort", "ids", "words"),
    [
        (Effort(3, 4, 4, 5), [0], "seat=3 is outside 0 … 2"),
        (Effort(-1, 4, 4, 5), [0], "seat=-1"),
        (Effort(0, 65, 4, 5), [0], "candidates=65 is outside 0 … 64"),
        (Effort(0, 4, 1, 5), [0], "samples=1 is outside 2 … 256"),
        (Effort(0, 4, 4, 5, 257), [0], "most_samples=257 is outside 4 … 256; the first look is after samples=4"),
        (Effort(0, 4, 8, 5, 4), [0], "most_samples=4 is outside 8 … 256; the first look is after samples=8"),
        (Effort(0, 4, 4, 5, 8, 0.0), [0], r"risk=0 is outside \(0, 0.5\]"),
        (Effort(0, 4, 4, 5, 8, 0.6), [0], r"risk=0.6 is outside \(0, 0.5\]"),
        (Effort(0, 4, 4, 5, 8, 0.1, 1), [0], "checks=1 is outside 2 … 256"),
        (Effort(0, 4, 4, 5, 8, float("nan")), [0], "risk=nan is outside"),
        (Effort(0, 4, 4, 21), [0], "turns=21 is outside 0 … 20; the game has 20 turns"),
        (Effort(0, 4, 4, 5), [], "0 worlds have no ceiling"),
        (Effort(0, 4, 4, 5), [0, IMAGINED], f"world ids reach {IMAGINED}"),
    ],
)
def test_what_cannot_be_improved_is_refused_in_one_line(effort: Effort, ids: list[int], words: str) -> None:
    with pytest.raises(ScenarioError, match=words) as caught:
        improve(WAR, ids, effort)
    assert "\n" not in str(caught.value)


def test_a_world_that_is_not_finite_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    copy_rows: Callable[..., None] = World.copy_rows

    def broken(self: World, *arguments: Any) -> None:
        copy_rows(self, *arguments)
        self.state.utility[:] = np.nan

    monkeypatch.setattr(World, "copy_rows", broken)
    with pytest.raises(ScenarioError, match="world 4 ends with an objective that is not finite"):
        improve(WAR, [4], Effort(0, 1, 2, 1))
