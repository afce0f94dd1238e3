"""Policy improvement in the true engine: one seat's orders on land, each tried in the game itself to its end.

Turn by turn, what a seat's planner would order is set beside the same orders with one on land replaced. Each set is
played to the end of the game: the rivals plan as they do, the seat itself from the next turn on, and policies are asked
again every turn. Luck is drawn anew, from this turn on, the same for every set; the land stays. A set that is
established to do better on average than the planner's orders (:mod:`civsim.scenarios.racing` says how, and how often
luck is drawn) is then given in the true world, whose own luck no trial has used: how much better a choice looked, which
is too much because it was chosen for it, is noted and nothing more; the true game judges. It has luck of its own, most
of it not of the seat's making; what a change is worth on average is told by further games, under luck that has chosen
nothing. Summed over a world's changes that is, in expectation, just what the true game shows (the performance
difference lemma: Kakade and Langford 2002, ICML), and varies less.

What chance of error a world may have is spent on its choices in turn, the j-th getting a share of 1/(j (j + 1)): all
together they have no more, however many there are (Bonferroni, as each comes: Javanmard and Montanari 2018, Annals of
Statistics 46(2)), and the first, on which the later ones rest, have most.

It is one step of policy improvement (Howard 1960; rollout: Bertsekas and Tsitsiklis 1996) taken at every turn, by one
who knows the land, the rivals' minds and the odds: what perfect thought about one's next orders would be worth. Plans
of several turns are not tried as such, so it is a bound from below on what perfect thought could do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.agents import seat_policies
from civsim.base.constants import N_OBJECTIVES, TIE, Objective, OrderKind, OrderStatus
from civsim.base.errors import ScenarioError
from civsim.base.scenario import Frozen, Scenario
from civsim.engine.land.landscape import Land
from civsim.engine.state import Orders, allocate_orders, bytes_per_world
from civsim.engine.world import World
from civsim.scenarios.alternatives import Alternative, alternatives, make_desk
from civsim.scenarios.effort import Effort, check_effort, trial_ids
from civsim.scenarios.racing import Race

LAND = (OrderKind.CLAIM, OrderKind.ATTACK)
"""Kinds of order that are replaced; works and walls are given as the planner gives them."""

_TOGETHER = 128
_BYTES = 512 * 2**20
"""Games tried at once, at most, and the memory they may take; no result depends on either."""

Order = tuple[int, int, int]
"""Kind, cell, menu entry."""

F64 = NDArray[np.float64]
Report = Callable[[int], None]
"""Called with the number of worlds that got through another turn."""


class Decision(Frozen):
    """A turn in which there was something to choose."""

    turn: int  # from 1
    compared: int  # sets of orders, the planner's included; >= 2
    planned: tuple[Order, ...]  # what the planner would order
    given: tuple[Order, ...] | None  # what was ordered instead; None where the planner's orders stood
    samples: int  # draws of luck for those that were tried longest
    promised: float  # by how much the best of those beat the planner's orders in the trials, on average; biased up
    error: float  # standard error of that
    worth: float  # by how much it does on average under luck that chose nothing; unbiased; 0 where there was no change
    worth_error: float  # standard error of that
    earned: float  # what the change was worth in the true world, the later turns planned; 0 where there was none


class Improved(Frozen):
    """What one seat of one world achieved, by its planner alone and with every choice made by trial."""

    world_id: int
    planner: dict[str, float]  # by objective, at the end of the game
    ceiling: dict[str, float]
    decisions: tuple[Decision, ...]  # in order of turns
    games: int  # played to the end as trials


class _Trial(NamedTuple):
    """A game to be played to its end from a row of the true worlds."""

    row: int
    world_id: int
    orders: tuple[Order, ...] | None  # of the seat in its first turn; None: it plans


def candidates_of(planned: Sequence[Order], found: Sequence[Alternative], most: int) -> list[tuple[Order, ...]]:
    """Return the sets of orders that are tried beside the planner's own.

    At most ``most`` have one of the alternatives, taken in their order, in place of the planner's first order of its
    kind, or before all others where it has none of the kind; no order is given twice. Then there is waiting: the
    planner's orders without those of a kind, for each kind of order on land that it gives.

    Args:
        planned: the planner's orders of the turn that were carried out, in their sequence.
        found: alternatives, the best first.
        most: how many of them are tried, at most.
    """
    sets: list[tuple[Order, ...]] = []
    for kind, cell, _ in found:
        if len(sets) == most:
            break
        mine = [place for place, order in enumerate(planned) if order[0] == kind]
        if mine and planned[mine[0]][1] == cell:
            continue
        at = mine[0] if mine else 0
        rest = [order for order in planned[at + bool(mine) :] if order[:2] != (kind, cell)]
        sets.append((*planned[:at], (kind, cell, 0), *rest))
    for kind in LAND:
        left = tuple(order for order in planned if order[0] != kind)
        if len(left) < len(planned):
            sets.append(left)
    return sets


def improve_worlds(
    scenario: Scenario,
    world_ids: Sequence[int],
    seed: int,
    effort: Effort,
    *,
    threads: int = 1,
    land: Land | None = None,
    report: Report | None = None,
) -> list[Improved]:
    """Play worlds twice, by a seat's planner and with its orders improved by trial, and return what it achieved.

    No result of a world depends on the others, or on the threads.

    Args:
        scenario: the game; every seat plays what it names.
        world_ids: the worlds, each below ``IMAGINED``.
        seed: study seed.
        effort: whose orders, and how thoroughly.
        threads: threads of the engine.
        land: land for every world instead of drawn land.
        report: called as worlds get through a turn.

    Raises:
        ScenarioError: the effort or the ids are out of range, or a world cannot be made.
    """
    check_effort(effort, scenario, world_ids)
    table = _Table(scenario, world_ids, seed, effort, threads, land)
    for _ in range(effort.turns):
        table.turn()
        if report is not None:
            report(len(world_ids))
    return table.finish()


class _Table:
    """The true worlds, what is tried beside them, and what has been decided so far."""

    def __init__(
        self,
        scenario: Scenario,
        world_ids: Sequence[int],
        seed: int,
        effort: Effort,
        threads: int,
        land: Land | None,
    ) -> None:
        ids, self.effort, self.scenario = np.asarray(world_ids, np.int64), effort, scenario
        self.objective = int(Objective[scenario.game.objective.upper()])
        self.policies = seat_policies(scenario)
        self.truth = World(scenario, world_ids=ids, seed=seed, threads=threads, land=land)
        self.probe = World(scenario, world_ids=ids, seed=seed, threads=threads, land=land)
        rows = max(1, min(_TOGETHER, _BYTES // bytes_per_world(scenario)))
        self.trials = World(scenario, rows, seed, threads=threads, land=land)
        # A row is idle until a game is copied into it: its own is over.
        self.trials.state.turn[:] = scenario.game.turns
        self.desk = make_desk(scenario.n_cells)
        self.standing = np.zeros((len(ids), N_OBJECTIVES))  # the seat's objectives if it planned from here on
        self.changed = np.ones(len(ids), np.bool_)  # whether another turn than the planner's was played since
        self.planner: F64 | None = None  # the seat's objectives if it plans all along
        self.decisions: list[list[Decision]] = [[] for _ in ids]
        self.games = np.zeros(len(ids), np.int64)

    def turn(self) -> None:
        """Decide a turn of every world, and play it."""
        shares = self.policies.shares(self.truth)
        planned = self._planned(shares)
        sets = self._candidates(shares, planned)
        self._judge(self._play_out(self._standing(), shares))
        races = {row: self._race(row, some) for row, some in enumerate(sets) if len(some) > 1}
        while going := [row for row, race in races.items() if race.players]:
            trials = [trial for row in going for trial in self._trials(row, races[row], sets[row])]
            values, at = self._play_out(trials, shares)[:, self.objective], 0
            for row in going:
                shape = len(races[row].players), len(races[row].draws)
                races[row].tell(values[at : at + shape[0] * shape[1]].reshape(shape), TIE)
                at += shape[0] * shape[1]
                self.games[row] += shape[0] * shape[1]
        worth = self._checked(
            {row: (sets[row][0], sets[row][race.winner]) for row, race in races.items() if race.winner}, shares
        )
        given = [
            self._decide(row, some, races[row], worth.get(row)) if row in races else None
            for row, some in enumerate(sets)
        ]
        self._go_on(shares, given)

    def _checked(
        self, changes: Mapping[int, tuple[tuple[Order, ...], tuple[Order, ...]]], shares: NDArray[np.float32]
    ) -> dict[int, F64]:
        """Return by how much each change of orders, (from, to) by row, does under luck that chose nothing, [checks]."""
        trials, number = [], self.effort.checks
        for row, both in changes.items():
            world_id, turn = int(self.truth.state.world_id[row]), int(self.truth.state.turn[row])
            ids = trial_ids(world_id, turn, number, check=True).tolist()
            trials += [_Trial(row, one, orders) for orders in both for one in ids]
            self.games[row] += len(ids) * 2
        values = self._play_out(trials, shares)[:, self.objective].reshape(-1, 2, number)
        return {row: after - before for row, (before, after) in zip(changes, values, strict=True)}

    def _standing(self) -> list[_Trial]:
        """Return the games that say what the seat achieves if it plans from here on, where that may have changed."""
        return [_Trial(row, int(self.truth.state.world_id[row]), None) for row in np.flatnonzero(self.changed).tolist()]

    def _race(self, row: int, sets: Sequence[tuple[Order, ...]]) -> Race:
        """Return the race of a world's sets of orders, with its share of the risk."""
        choices = len(self.decisions[row]) + 1
        level = self.effort.risk / (choices * (choices + 1))
        return Race(len(sets) - 1, self.effort.samples, self.effort.most_samples, level)

    def _trials(self, row: int, race: Race, sets: Sequence[tuple[Order, ...]]) -> list[_Trial]:
        """Return the games that a race asks for, player by player."""
        world_id, turn, draws = int(self.truth.state.world_id[row]), int(self.truth.state.turn[row]), race.draws
        ids = trial_ids(world_id, turn, draws.stop)[draws.start :].tolist()
        return [_Trial(row, one, sets[player]) for player in race.players for one in ids]

    def _planned(self, shares: NDArray[np.float32]) -> list[tuple[list[Order], list[Order]]]:
        """Return what each world's planner orders this turn: all of it, and what is carried out."""
        rows = np.arange(self.truth.n_worlds)
        self.probe.copy_rows(self.truth, rows, rows)
        self.probe.step(shares)
        found = []
        for row in rows:
            orders = [values[row, self.effort.seat] for values in self.probe.orders]
            slots = [slot for slot in range(len(orders[0])) if orders[0][slot] != OrderKind.NONE]
            every: list[Order] = [(int(orders[0][k]), int(orders[1][k]), int(orders[2][k])) for k in slots]
            done = [order for order, k in zip(every, slots, strict=True) if orders[3][k] == OrderStatus.DONE]
            found.append((every, done))
        return found

    def _candidates(
        self, shares: NDArray[np.float32], planned: list[tuple[list[Order], list[Order]]]
    ) -> list[list[tuple[Order, ...]]]:
        """Return the sets of orders that are compared in each world, the planner's own first."""
        rows, seat = np.arange(self.truth.n_worlds), self.effort.seat
        self.probe.copy_rows(self.truth, rows, rows)
        # Who gives no order keeps its funds and its border: the turn's end shows all that it could have ordered.
        alone = np.zeros((len(rows), self.truth.n_civilizations), np.bool_)
        alone[:, seat] = True
        self.probe.step(shares, allocate_orders(self.scenario, len(rows)), alone)
        sets = []
        for row, (every, done) in enumerate(planned):
            found = alternatives(self.probe, row, seat, self.desk)
            sets.append([tuple(every), *candidates_of(done, found, self.effort.candidates)])
        return sets

    def _play_out(self, trials: Sequence[_Trial], shares: NDArray[np.float32]) -> F64:
        """Play games to their end and return the seat's objectives, float64 [trials, 4]."""
        values = np.zeros((len(trials), N_OBJECTIVES))
        places, world = self.trials.n_worlds, self.trials
        for start in range(0, len(trials), places):
            some = trials[start : start + places]
            # Spread over the batch, so that every thread has its share of them.
            rows = np.arange(len(some)) * places // len(some)
            world.copy_rows(self.truth, [one.row for one in some], rows, [one.world_id for one in some])
            dealt = np.zeros((places, *shares.shape[1:]), shares.dtype)
            dealt[rows] = shares[[one.row for one in some]]
            world.step(dealt, *self._given(places, rows, [one.orders for one in some]))
            while not world.done.all():
                world.step(self.policies.shares(world))
            values[start : start + places] = world.state.utility[rows, self.effort.seat]
        if not np.isfinite(values).all():
            bad = trials[int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])]
            raise ScenarioError(f"world {bad.world_id} ends with an objective that is not finite; try other settings")
        return values

    def _given(
        self, n_worlds: int, rows: NDArray[np.int64], orders: Sequence[tuple[Order, ...] | None]
    ) -> tuple[Orders | None, NDArray[np.bool_] | None]:
        """Return the seat's orders in some rows of a batch, and a mask of where there are any; None, None for none."""
        if all(one is None for one in orders):
            return None, None
        record, seat = allocate_orders(self.scenario, n_worlds), self.effort.seat
        mask = np.zeros((n_worlds, self.truth.n_civilizations), np.bool_)
        for row, some in zip(rows, orders, strict=True):
            if some is None:
                continue
            mask[row, seat] = True
            for slot, (kind, cell, choice) in enumerate(some):
                record.kind[row, seat, slot], record.cell[row, seat, slot] = kind, cell
                record.choice[row, seat, slot] = choice
        return record, mask

    def _judge(self, values: F64) -> None:
        """Take note of what a seat achieves if it plans from this turn on, where that may have changed."""
        before = self.standing
        self.standing = before.copy()
        self.standing[self.changed] = values
        if self.planner is None:
            self.planner = self.standing
            return
        gains = self.standing[:, self.objective] - before[:, self.objective]
        for row in np.flatnonzero(self.changed):
            self.decisions[row][-1] = self.decisions[row][-1].model_copy(update={"earned": float(gains[row])})

    def _decide(
        self, row: int, sets: Sequence[tuple[Order, ...]], race: Race, worth: F64 | None
    ) -> tuple[Order, ...] | None:
        """Note which set of orders is given after a race that is over; None where it is the planner's."""
        best, gains = race.best()
        self.decisions[row].append(
            Decision(
                turn=int(self.truth.state.turn[row]) + 1,
                compared=len(sets),
                planned=tuple(sets[0]),
                given=tuple(sets[best]) if race.winner else None,
                samples=len(gains),
                promised=float(gains.mean()),
                error=_error(gains),
                worth=0.0 if worth is None else float(worth.mean()),
                worth_error=0.0 if worth is None else _error(worth),
                earned=0.0,
            )
        )
        return self.decisions[row][-1].given

    def _go_on(self, shares: NDArray[np.float32], given: Sequence[tuple[Order, ...] | None]) -> None:
        """Play the turn in the true worlds, by what was decided."""
        rows = np.arange(self.truth.n_worlds)
        self.truth.step(shares, *self._given(len(rows), rows, given))
        self.changed = np.array([one is not None for one in given])

    def finish(self) -> list[Improved]:
        """Play the true worlds to their end and return what was achieved."""
        while not self.truth.done.all():
            self.truth.step(self.policies.shares(self.truth))
        values = self.truth.state.utility[:, self.effort.seat]
        self._judge(values[self.changed])
        planner = values if self.planner is None else self.planner
        return [
            Improved(
                world_id=int(world_id),
                planner=_by_objective(planner[row]),
                ceiling=_by_objective(values[row]),
                decisions=tuple(self.decisions[row]),
                games=int(self.games[row]),
            )
            for row, world_id in enumerate(self.truth.state.world_id)
        ]


def _by_objective(values: F64) -> dict[str, float]:
    return {item.name.lower(): float(values[item]) for item in Objective}


def _error(values: F64) -> float:
    """Return the standard error of a mean."""
    return float(values.std(ddof=1) / np.sqrt(len(values)))
