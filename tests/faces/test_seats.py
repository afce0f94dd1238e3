"""The core of the faces: who sits where, which worlds come next, what is live, and going on from a snapshot."""

from __future__ import annotations

import numpy as np
import pytest
from face_games import PEACE, SEED, WAR, scripted_actions, scripted_rivals
from hypothesis import given, settings
from hypothesis import strategies as st

from civsim.base.errors import ActionError, CivsimError, ScenarioError, SnapshotError
from civsim.engine.world import World
from civsim.faces.ledger import _count_turn, count_turn
from civsim.faces.seating import fixed, neighbouring, seat_of_world
from civsim.faces.seats import SeatBatch, WorldQueue, check_world_id


def batch(scenario=WAR, n_worlds=2, learners=2, **kwargs) -> SeatBatch:
    made = SeatBatch(
        scenario, scripted_rivals("simplex"), n_worlds, neighbouring(scenario, "rotate", learners), actions="simplex"
    )
    made.begin(kwargs.get("seed", SEED), np.arange(n_worlds))
    return made


def test_rotating_learners_sit_side_by_side_from_the_worlds_number_on():
    seating = neighbouring(WAR, "rotate", 3)
    assert seating.seats(np.array([0, 1, 3, 6])).tolist() == [[0, 1, 2], [1, 2, 3], [3, 0, 1], [2, 3, 0]]
    assert [seat_of_world("rotate", w, 4) for w in (0, 3, 4)] == [0, 3, 0]


def test_fixed_seats_stay():
    assert neighbouring(WAR, 2).seats(np.array([0, 1, 7])).tolist() == [[2], [2], [2]]
    assert fixed(WAR, [3, 1]).seats(np.array([0, 5])).tolist() == [[3, 1], [3, 1]]
    assert fixed(WAR, None).seats(np.array([5])).tolist() == [[0, 1, 2, 3]]


@pytest.mark.parametrize(
    "make",
    [
        lambda: neighbouring(WAR, "rotate", 0),
        lambda: neighbouring(WAR, "rotate", 5),
        lambda: neighbouring(WAR, "rotate", True),
        lambda: neighbouring(WAR, 1, 2),
        lambda: neighbouring(WAR, 4),
        lambda: neighbouring(WAR, "all"),
        lambda: fixed(WAR, []),
        lambda: fixed(WAR, [1, 1]),
        lambda: fixed(WAR, [0, 4]),
        lambda: fixed(WAR, ["rotate"]),
        lambda: WorldQueue(-1),
        lambda: WorldQueue(2**32),
        lambda: WorldQueue(0, step=1.5),
        lambda: SeatBatch(WAR, scripted_rivals("softmax"), 0, neighbouring(WAR, 0)),
        lambda: SeatBatch(WAR, scripted_rivals("softmax"), 1, neighbouring(WAR, 0), actions="levels"),
    ],
)
def test_bad_settings_are_refused_in_one_line(make):
    with pytest.raises(ScenarioError) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_queue_goes_its_own_way_in_each_series():
    queue = WorldQueue(10, series=3, step=3)
    everyone, last = np.arange(3), np.array([2])
    assert queue.upcoming(everyone).tolist() == [10, 11, 12]
    queue.begun(everyone, queue.upcoming(everyone))
    queue.begun(last, queue.upcoming(last))
    assert queue.upcoming(everyone).tolist() == [13, 14, 18]
    assert queue.upcoming(everyone, rewind=True).tolist() == [10, 11, 12]
    queue.begun(last, np.array([100]))
    assert queue.upcoming(everyone).tolist() == [13, 14, 103]


@pytest.mark.parametrize("part", range(4))
def test_world_ids_wrap_round_within_their_part(part):
    first, last = part * 2**30, (part + 1) * 2**30 - 1
    queue = WorldQueue(last, series=2, step=2)
    everyone = np.arange(2)
    assert queue.upcoming(everyone).tolist() == [last, first]
    queue.begun(everyone, queue.upcoming(everyone))
    assert queue.upcoming(everyone).tolist() == [first + 1, first + 2]


@pytest.mark.parametrize("value", [-1, 2**32, 1.0, "3", None, True])
def test_a_world_id_is_an_integer_in_range(value):
    with pytest.raises(CivsimError, match="start=.* is not an integer"):
        check_world_id("start", value, ActionError)
    assert check_world_id("start", np.int64(7), ActionError) == 7


def test_rivals_are_asked_for_the_seats_the_learners_do_not_hold():
    asked = []

    def rivals(world, mask):
        asked.append(mask.copy())
        return np.full((2, 4, 8), 1 / 8, np.float32)

    made = SeatBatch(WAR, rivals, 2, neighbouring(WAR, "rotate", 2))
    made.begin(SEED, np.array([3, 5]))
    made.step(np.zeros((4, 8)))
    assert asked[0].tolist() == [[True, False, False, True], [False, True, True, False]]
    made.restart(np.array([1]), np.array([6]))
    made.step(np.zeros((4, 8)))
    assert asked[1].tolist() == [[True, False, False, True], [False, False, True, True]]


def test_rivals_shares_are_not_written_to():
    kept = np.full((2, 4, 8), 1 / 8, np.float32)
    kept.flags.writeable = False
    made = SeatBatch(WAR, lambda world, mask: kept, 2, neighbouring(WAR, "rotate", 4))
    made.begin(SEED, np.arange(2))
    made.step(np.ones((8, 8)))


def test_malformed_rivals_are_refused_and_nothing_moves():
    made = SeatBatch(WAR, lambda world, mask: np.zeros((2, 3, 8), np.float32), 2, neighbouring(WAR, "rotate"))
    made.begin(SEED, np.arange(2))
    with pytest.raises(ActionError, match=r"\(2, 3, 8\); give \(2, 4, 8\)"):
        made.step(np.zeros((2, 8)))
    assert made.world.state.turn.tolist() == [0, 0]


def test_where_nobody_is_live_nothing_moves():
    made = batch()
    while made.live.any():
        made.step(np.ones((4, 8)))
    before = made.snapshot()
    rewards, ended = made.step(np.ones((4, 8)))
    assert not rewards.any()
    assert not ended.any()
    assert all(np.array_equal(values, before[name]) for name, values in made.snapshot().items())
    with pytest.raises(ActionError, match="episode is over"):
        made.check_on()


def test_before_anything_has_begun():
    made = SeatBatch(WAR, scripted_rivals("softmax"), 1, neighbouring(WAR, 0))
    for act in (lambda: made.world, lambda: made.step(np.zeros((1, 8))), made.check_on, made.snapshot, made.observe):
        with pytest.raises(ActionError, match="no episode has begun"):
            act()


def test_an_episode_is_as_long_as_its_row_was_live():
    made = batch(n_worlds=4, learners=4)
    lengths = np.zeros(16, int)
    while made.live.any():
        lengths += made.live
        turn = made.world.state.turn.max()
        made.step(
            np.concatenate([scripted_actions(WAR, "simplex", w, turn)[made.seats[4 * w :][:4]] for w in range(4)])
        )
    assert [made.episode(row)["l"] for row in range(16)] == lengths.tolist()
    assert lengths.min() < lengths.max() == WAR.game.turns
    episode = made.episode(0)
    assert set(episode) == {"r", "l", "world_id", "seat", "objective", "objectives", "alive"}
    assert episode["alive"] == [bool(held) for held in made.world.state.alive[0]]


def test_a_turn_is_taken_down_in_every_row():
    rng = np.random.default_rng(0)
    rows = np.repeat(np.arange(6), 2), rng.integers(0, 4, 12), rng.random(12) < 0.7
    turn = rng.normal(0, 1, (6, 4)), rng.integers(0, 2, (6, 4)).astype(np.uint8), rng.random(6) < 0.3
    for count in (_count_turn, count_turn):
        ledger = np.ones(12), np.full(12, 5)
        rewards, ended, live = np.zeros(12), np.zeros(12, np.bool_), np.zeros(12, np.bool_)
        count(rows, turn, ledger, (rewards, ended, live))
        assert np.array_equal(rewards, np.where(rows[2], turn[0][rows[0], rows[1]], 0.0))
        assert np.array_equal(live, rows[2] & (turn[1][rows[0], rows[1]] != 0) & ~turn[2][rows[0]])
        assert np.array_equal(ended, rows[2] & ~live)
        assert np.array_equal(ledger[0], 1.0 + rewards)
        assert np.array_equal(ledger[1], 5 + rows[2])


def test_live_and_seats_that_were_handed_out_do_not_change():
    made = batch(n_worlds=3)
    live, seats = made.live, made.seats
    copies = live.copy(), seats.copy()
    while made.live.any():
        made.step(np.ones((6, 8)))
    made.restart(np.array([0, 2]), np.array([7, 8]))
    assert np.array_equal(live, copies[0])
    assert np.array_equal(seats, copies[1])


@settings(max_examples=15)
@given(
    scenario=st.sampled_from([PEACE, WAR]),
    n_worlds=st.integers(1, 3),
    learners=st.integers(1, 3),
    turns=st.integers(0, 20),
    seed=st.integers(0, 2**64 - 1),
)
def test_at_any_moment_it_is_consistent_and_goes_on_from_a_snapshot(scenario, n_worlds, learners, turns, seed):
    rng = np.random.default_rng(turns)
    one, other = (batch(scenario, n_worlds, learners, seed=seed) for _ in range(2))
    following = n_worlds

    def play(made: SeatBatch, actions: np.ndarray, following: int) -> tuple:
        result = made.step(actions)
        fresh = made.finished
        made.restart(fresh, following + np.arange(len(fresh)))
        return *result, made.observe(), made.live, made.seats, len(fresh)

    for _ in range(turns):
        following += play(one, rng.dirichlet(np.ones(8), one.n_rows), following)[-1]
    state = one.world.state
    alive = state.alive[one.row_world, one.seats] != 0
    assert np.array_equal(one.live, alive & ~one.world.done[one.row_world])
    assert not one.observe()[~alive].any()
    other.restore(one.snapshot())
    for _ in range(12):
        actions = rng.dirichlet(np.ones(8), one.n_rows)
        left, right = play(one, actions, following), play(other, actions, following)
        assert all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))
        assert [one.episode(row) for row in range(one.n_rows)] == [other.episode(row) for row in range(one.n_rows)]
        following += left[-1]


def broken(**changes) -> dict:
    arrays = batch().snapshot()
    return {name: values for name, values in {**arrays, **changes}.items() if values is not None}


BAD = {
    "nothing": {},
    "no rows": broken(**{"rows.return": None}),
    "fewer rows": broken(**{"rows.length": np.zeros(3, np.int64)}),
    "another dtype": broken(**{"rows.return": np.zeros(4, object)}),
    "another seating": broken(**{"rows.seat": np.array([0, 2, 1, 2])}),
    "too much": broken(extra=np.zeros(1)),
    "no turn": broken(**{"world.state.turn": None}),
    "another scenario": {**World(PEACE, 2).snapshot(), "rows.seat": np.zeros(4, np.int64)},
}


@pytest.mark.parametrize("arrays", BAD.values(), ids=BAD.keys())
def test_a_snapshot_that_does_not_fit_is_refused_and_nothing_changes(arrays):
    made = batch()
    made.step(np.ones((4, 8)))
    before = made.snapshot()
    with pytest.raises(SnapshotError) as caught:
        made.restore(arrays)
    assert "\n" not in str(caught.value)
    assert all(np.array_equal(values, before[name]) for name, values in made.snapshot().items())


def test_a_snapshot_of_another_game_is_refused():
    longer = WAR.model_copy(update={"game": WAR.game.model_copy(update={"turns": 11})})
    with pytest.raises(SnapshotError, match="same settings"):
        batch(longer).restore(batch().snapshot())
    with pytest.raises(SnapshotError, match="rows"):
        batch(n_worlds=3).restore(batch().snapshot())


def test_a_snapshot_owes_nothing_to_the_batch():
    made = batch()
    taken = made.snapshot()
    copies = {name: values.copy() for name, values in taken.items()}
    made.step(np.ones((4, 8)))
    assert all(np.array_equal(taken[name], copies[name]) for name in taken)
    other = batch()
    other.restore(taken)
    other.step(np.ones((4, 8)))
    assert all(np.array_equal(taken[name], copies[name]) for name in taken)
    assert not any(values.dtype.hasobject for values in taken.values())
