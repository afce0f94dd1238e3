"""A league of opponents for self-play: the latest learner, its past selves, and scripted anchors.

A learner that meets only itself can go round in circles and takes each lap for progress. Here every rival seat of a
world is played by an opponent drawn when the world begins, and kept to its end: the learner as of the last rollout
("latest"), one of its kept snapshots ("past"), or a scripted policy ("scripted"), in stated proportions. Past selves
are drawn by prioritised fictitious self-play: the more often one still wins, the more often it is met (Vinyals et al.,
"Grandmaster level in StarCraft II using multi-agent reinforcement learning", Nature 2019, Methods).

A draw is keyed by (seed, world id, seat), so that it depends on neither the batch nor the order of the rows; which
opponent a draw stands for depends on the league as it is when the world begins. Trained opponents act without torch,
one inference for each network over all the seats it plays.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from civsim.agents.league_settings import Kind, LeagueSettings
from civsim.agents.league_store import (
    Counts,
    LeagueRecord,
    LeagueState,
    NetworkRecord,
    checked_record,
    network_arrays,
    network_from,
    taken,
)
from civsim.agents.network import Algorithm, Head, LearnedPolicy, Normalisation
from civsim.agents.policy import PolicyContext
from civsim.agents.registry import make_policy
from civsim.base.constants import N_CATEGORIES, Draw
from civsim.base.errors import ActionError, CheckpointError
from civsim.base.randomness import as_key, fill_uniform
from civsim.base.scenario import Scenario
from civsim.engine.observation.observer import Observation, observer_of
from civsim.engine.state import F32, F64, I64
from civsim.engine.world import World

LEARNER = -1
"""In place of an opponent: the caller fills the seat itself."""

LATEST = 0
"""Number of the opponent that is the learner as of the last refresh; anchors follow, then snapshots."""

NO_WORLD = -1
"""In place of a world id: the row has played none yet."""

Bools = NDArray[np.bool_]


class Standing(NamedTuple):
    """How the learner stands against one opponent."""

    name: str  # "latest", "past:STEPS" or the policy's name
    kind: Kind
    steps: int  # turns of experience it had; 0 for an anchor
    games: float  # games remembered, the prior's not counted
    win_rate: float  # of the learner, ties half, drawn toward 1/2 by the prior
    probability: float  # that a rival seat of a new world is played by it


class League:
    """Opponents for the rival seats of a batch of worlds; it is called in place of the scenario's own rivals.

    One league serves one batch: it must see every turn of it. ``refresh`` comes before the first call, then once a
    rollout, as do ``report`` and ``snapshot``.

    Args:
        scenario: the game; makes the anchors.
        settings: who plays how often.
        seed: study seed in [0, 2**64), the key of the draws of opponents.
        head: what the learner's last layer stands for (see :mod:`civsim.agents.network`).
        algorithm: what trains the learner; says how its weights are named.

    Raises:
        ScenarioError: an anchor is unknown.
        CheckpointError: an anchor ``file:FOLDER`` cannot be loaded.
    """

    def __init__(
        self,
        scenario: Scenario,
        settings: LeagueSettings,
        seed: int,
        *,
        head: Head = "softmax",
        algorithm: Algorithm = "ppo",
    ) -> None:
        self.scenario, self.settings, self.seed = scenario, settings, int(seed)
        self.head: Head = head
        self.algorithm: Algorithm = algorithm
        self._key = as_key(self.seed)
        self._seats = scenario.game.civilizations
        names = settings.anchors if settings.scripted > 0.0 else ()
        self._anchors = {LATEST + 1 + k: make_policy(name, {}, scenario) for k, name in enumerate(names)}
        self._anchor_names = dict(zip(self._anchors, names, strict=True))
        self._networks: dict[int, LearnedPolicy] = {}  # the latest, the kept, and those thinned out but still playing
        self._kept: dict[int, int] = {}  # turns of experience of every snapshot that is drawn, oldest first
        self._counts = {number: Counts() for number in (LATEST, *self._anchors)}
        self._next_number = LATEST + 1 + len(names)
        self._last_kept = 0
        self._ended: dict[int, I64] = {}  # [N] opponents of ended worlds, until the report
        self._clear_batch(0)

    def _clear_batch(self, n_worlds: int) -> None:
        self._world_id: I64 = np.full(n_worlds, NO_WORLD, np.int64)  # [B] the world of each row
        self._opponent: I64 = np.full((n_worlds, self._seats), LEARNER, np.int64)  # [B, N] numbers of opponents

    def __call__(self, world: World, mask: Bools) -> F32:
        """Return the opponents' shares for the next turn, float32 [B, N, 8].

        Args:
            world: the batch. A row that begins (turn 0) draws its opponents.
            mask: bool [B, N], the seats that the caller fills itself; their rows are 0, as are those of eliminated
                civilizations and finished worlds.

        Raises:
            CheckpointError: nothing was learnt yet: ``refresh`` was not called.
            ActionError: the batch has another number of seats, or a row is in the middle of a world whose beginning
                the league has not seen.
        """
        if world.n_civilizations != self._seats or mask.shape != (world.n_worlds, self._seats):
            raise ActionError(
                f"mask of shape {mask.shape} for {world.n_worlds} worlds of {world.n_civilizations} civilizations; "
                f"the league plays bool (worlds, {self._seats})"
            )
        if LATEST not in self._networks:
            raise CheckpointError("the league has no latest player; call refresh() with the learner's weights first")
        self._begin(world, mask)
        shares = np.zeros((world.n_worlds, self._seats, N_CATEGORIES), np.float32)
        playing = np.where((world.state.alive != 0) & ~world.done[:, None] & ~mask, self._opponent, LEARNER)
        self._play_networks(world, playing, shares)
        self._play_anchors(world, playing, shares)
        return shares

    def _begin(self, world: World, mask: Bools) -> None:
        """Draw the opponents of every row that begins a world."""
        state = world.state
        if len(self._world_id) != world.n_worlds:
            self._clear_batch(world.n_worlds)
        begins = (state.turn == 0) & ~world.done
        unseen = ~begins & ~world.done & (state.world_id != self._world_id)
        if unseen.any():
            row = int(np.flatnonzero(unseen)[0])
            raise ActionError(
                f"world {int(state.world_id[row])} in row {row} is in turn {int(state.turn[row])}, but the league has "
                "not seen it begin; call one league at every turn of one batch"
            )
        if not begins.any():
            return
        numbers, bounds = self._distribution()
        uniform = np.empty(self._seats)
        for row in np.flatnonzero(begins).tolist():
            before = int(self._world_id[row])
            if before != NO_WORLD:
                self._ended[before] = self._opponent[row].copy()
            fill_uniform(self._key, int(state.world_id[row]), 0, int(Draw.LEAGUE), uniform)
            drawn = numbers[np.searchsorted(bounds, uniform, side="right")]
            self._opponent[row] = np.where(mask[row], LEARNER, drawn)
            self._world_id[row] = state.world_id[row]
        self._forget_retired()

    def _distribution(self) -> tuple[I64, F64]:
        """Return the opponents' numbers [K] and the upper ends [K − 1] of their parts of (0, 1)."""
        weights = self._probabilities()
        numbers = np.array([number for number, weight in weights.items() if weight > 0.0], np.int64)
        parts = np.array([weights[int(number)] for number in numbers], np.float64)
        return numbers, np.cumsum(parts / parts.sum())[:-1]

    def _probabilities(self) -> dict[int, float]:
        """Return the probability of each opponent, by number: the latest, the snapshots, the anchors."""
        chosen = self.settings
        hardness = {number: (1.0 - self._win_rate(number)) ** chosen.exponent for number in self._kept}
        total = math.fsum(hardness.values())
        latest = chosen.latest if self._kept else chosen.latest + chosen.past
        past = {number: chosen.past * weight / total for number, weight in hardness.items()}
        scripted = {number: chosen.scripted / len(self._anchors) for number in self._anchors}
        return {LATEST: latest} | past | scripted

    def _win_rate(self, number: int) -> float:
        """Return the learner's win rate against an opponent, in (0, 1): with the prior's games at 1/2."""
        prior, counts = self.settings.prior, self._counts[number]
        return (counts.wins + prior / 2.0) / (counts.games + prior)

    def _play_networks(self, world: World, playing: I64, shares: F32) -> None:
        """Fill the seats of trained opponents: one inference a network, over all the seats it plays."""
        rows, seats = np.nonzero(np.isin(playing, list(self._networks)))
        if not len(rows):
            return
        observer = observer_of(world)
        features = observer.rows(world.state, rows, seats)
        numbers = playing[rows, seats]
        for number in np.unique(numbers).tolist():
            own = numbers == number
            shares[rows[own], seats[own]] = self._networks[number].shares(features[own], observer.open)

    def _play_anchors(self, world: World, playing: I64, shares: F32) -> None:
        """Fill the seats of scripted opponents: one call a policy, on the block of worlds and seats where it plays."""
        state, observer = world.state, observer_of(world)
        for number, policy in self._anchors.items():
            held = playing == number
            rows, seats = np.flatnonzero(held.any(axis=1)), np.flatnonzero(held.any(axis=0))
            if not len(rows):
                continue
            observation = None
            if policy.needs_observation:
                features = observer.rows(state, np.repeat(rows, len(seats)), np.tile(seats, len(rows)))
                observation = Observation(features.reshape(len(rows), len(seats), observer.width), observer.open.copy())
            context = PolicyContext(
                world.scenario,
                world.seed,
                state.world_id[rows],
                state.turn[rows],
                tuple(int(seat) for seat in seats),
                observer.open,
            )
            block = np.ix_(rows, seats)
            shares[block] = np.where(held[block][..., None], policy(observation, context), shares[block])

    def refresh(self, weights: Mapping[str, NDArray[Any]], normalisation: Normalisation) -> None:
        """Make the learner, as it is now, the latest opponent; the arrays are copied.

        Worlds under way that meet the latest go on with the new one.

        Args:
            weights: float32 arrays by the learner's own names; those of its value network are ignored.
            normalisation: how it scales features now.

        Raises:
            CheckpointError: a weight is missing, of another shape, or not finite.
        """
        own = Normalisation(*(np.array(values, np.float64) for values in normalisation))
        self._networks[LATEST] = LearnedPolicy.from_arrays(weights, own, self.head, algorithm=self.algorithm)

    def snapshot(self, steps: int) -> bool:
        """Keep the latest as a past opponent, if ``every`` turns have passed since the last one; return whether.

        Where more than ``capacity`` are kept, the one is dropped whose neighbours lie closest together in turns: the
        first and the newest stay, and those between stay evenly spread. Worlds that it plays keep it to their end.

        Args:
            steps: turns of experience of the latest.

        Raises:
            CheckpointError: nothing was learnt yet: ``refresh`` was not called.
        """
        if LATEST not in self._networks:
            raise CheckpointError("the league has no latest player to keep; call refresh() first")
        if self.settings.past == 0.0 or steps - self._last_kept < self.settings.every:
            return False
        number = self._next_number
        self._next_number += 1
        # Networks are replaced, never written to, so that the two may share one.
        self._networks[number] = self._networks[LATEST]
        self._kept[number] = self._last_kept = steps
        self._counts[number] = Counts()
        if len(self._kept) > self.settings.capacity:
            numbers, times = list(self._kept), list(self._kept.values())
            gaps = [after - before for before, after in zip(times[:-2], times[2:], strict=True)]
            dropped = numbers[1 + int(np.argmin(gaps))]
            del self._kept[dropped], self._counts[dropped]
        self._forget_retired()
        return True

    def _forget_retired(self) -> None:
        """Let go of networks that are neither drawn any more nor still playing."""
        needed = {LATEST, *self._kept, *(int(number) for number in np.unique(self._opponent))}
        self._networks = {number: network for number, network in self._networks.items() if number in needed}

    def report(self, episodes: Iterable[Mapping[str, Any]]) -> None:
        """Note how learners' episodes ended; give every finished episode once, before the next rollout begins.

        The learner beats an opponent of its world where its recorded objective is the larger; a tie is half a win. A
        learner that was eliminated loses to the opponents that outlived it, whatever they had by then.

        Args:
            episodes: ``info["episode"]`` of finished rows: ``world_id``, ``seat``, ``objectives`` [N], ``alive`` [N].

        Raises:
            ActionError: an episode of a world that the league did not play, or that was reported before.
        """
        current = {int(world_id): row for row, world_id in enumerate(self._world_id)}
        for episode in episodes:
            world_id, seat = int(episode["world_id"]), int(episode["seat"])
            if world_id in current:
                opponents = self._opponent[current[world_id]]
            elif world_id in self._ended:
                opponents = self._ended[world_id]
            else:
                raise ActionError(f"world {world_id} was not played by this league; report every episode once, in time")
            # As of the episode's end: an opponent that is gone by the report may have outlived the learner.
            objectives, alive = episode["objectives"], episode["alive"]
            for other in np.flatnonzero(opponents != LEARNER):
                difference = objectives[seat] - objectives[other]
                outlived = alive[other] and not alive[seat]
                win = 0.0 if outlived else float(difference > 0.0) + float(difference == 0.0) / 2.0
                self._note(int(opponents[other]), win)
        self._ended.clear()

    def _note(self, number: int, win: float) -> None:
        """Count a game against an opponent, unless it was thinned out meanwhile."""
        if number in self._counts:
            kept = 1.0 - 1.0 / self.settings.memory
            games, wins = self._counts[number]
            self._counts[number] = Counts(kept * games + 1.0, kept * wins + win)

    def standings(self) -> tuple[Standing, ...]:
        """Return how the learner stands against every opponent: the latest, the snapshots by age, the anchors."""
        rows = []
        for number, probability in self._probabilities().items():
            kind: Kind = "latest" if number == LATEST else "past" if number in self._kept else "scripted"
            steps = self._kept.get(number, 0)
            name = {"latest": kind, "past": f"past:{steps}"}.get(kind) or self._anchor_names[number]
            rows.append(Standing(name, kind, steps, self._counts[number].games, self._win_rate(number), probability))
        return tuple(rows)

    def state(self) -> LeagueState:
        """Return everything the league is, as copies; :func:`civsim.agents.league_store.save_league` writes it."""
        record = LeagueRecord(
            settings=self.settings.model_dump(mode="json"),
            seed=self.seed,
            head=self.head,
            algorithm=self.algorithm,
            seats=self._seats,
            last_kept=self._last_kept,
            next_number=self._next_number,
            kept=tuple(self._kept.items()),
            counts=tuple((number, *counts) for number, counts in self._counts.items()),
            networks=tuple(
                NetworkRecord(number=number, layers=len(net.layers), activation=net.activation, squash=net.squash)
                for number, net in self._networks.items()
            ),
        )
        ended = np.array(list(self._ended.values()), np.int64)
        arrays: dict[str, NDArray[Any]] = {
            "world_id": self._world_id.copy(),
            "opponent": self._opponent.copy(),
            "ended.world_id": np.array(list(self._ended), np.int64),
            "ended.opponent": ended.reshape(-1, self._seats),
        }
        for number, network in self._networks.items():
            arrays |= network_arrays(number, network)
        return LeagueState(record.model_dump(mode="json"), arrays)

    @classmethod
    def restore(cls, scenario: Scenario, settings: LeagueSettings, seed: int, state: LeagueState) -> Self:
        """Return the league of a state; it goes on bit for bit as the saved one would have.

        Raises:
            CheckpointError: the state is damaged, or belongs to other settings, another seed or number of seats.
            ScenarioError: an anchor is unknown.
        """
        record, arrays = checked_record(state.record), state.arrays
        own = settings.model_dump(mode="json")
        different = [name for name in own if record.settings.get(name) != own[name]]
        if different or set(record.settings) != set(own):
            name = min(different or set(record.settings) ^ set(own))
            raise CheckpointError(f"league: saved under another {name}; resume with the settings it was started with")
        seats = scenario.game.civilizations
        if (record.seed, record.seats) != (int(seed), seats):
            raise CheckpointError(
                f"league: saved for seed={record.seed} and {record.seats} seats, not seed={seed} and {seats}; "
                "resume with the settings it was started with"
            )
        league = cls(scenario, settings, seed, head=record.head, algorithm=record.algorithm)
        league._last_kept, league._next_number = record.last_kept, record.next_number
        league._kept = dict(record.kept)
        league._counts = {number: Counts(games, wins) for number, games, wins in record.counts}
        league._networks = {each.number: network_from(each, record.head, arrays) for each in record.networks}
        league._world_id = taken(arrays, "world_id", np.int64, (None,))
        worlds = len(league._world_id)
        league._opponent = taken(arrays, "opponent", np.int64, (worlds, seats))
        ids = taken(arrays, "ended.world_id", np.int64, (None,))
        opponents = taken(arrays, "ended.opponent", np.int64, (len(ids), seats))
        league._ended = {int(world_id): opponents[k] for k, world_id in enumerate(ids)}
        league._check_numbers()
        return league

    def _check_numbers(self) -> None:
        """Refuse a state that names an opponent it does not hold."""
        playing = {int(number) for number in np.unique(self._opponent)} - {LEARNER}
        missing = (playing | set(self._kept)) - set(self._networks) - set(self._anchors)
        if missing or set(self._counts) != {LATEST, *self._kept, *self._anchors}:
            raise CheckpointError(f"league: opponents {sorted(missing)[:3]} are named but not there; train again")
