"""Threads that share a step: every part is done once, by whoever is free, and no bit of a game depends on it."""

from __future__ import annotations

import threading
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from civsim.base.constants import N_CATEGORIES
from civsim.cli.bench import SHARES, bench_scenario
from civsim.engine.threads import CHUNKS_A_THREAD, MOST_CHUNKS, Crew, chunk_bounds
from civsim.engine.world import World


@given(st.integers(1, 3000), st.integers(1, 256))
def test_chunks_cover_every_world_once_and_in_order(worlds: int, threads: int) -> None:
    workers = min(threads, worlds)
    bounds = chunk_bounds(worlds, workers)
    assert [row for lo, hi in bounds for row in range(lo, hi)] == list(range(worlds))
    sizes = [hi - lo for lo, hi in bounds]
    assert sizes == sorted(sizes, reverse=True)
    assert workers <= len(bounds) <= 2 * max(workers, MOST_CHUNKS)
    # The last to be taken are small, so that nobody waits long for them.
    assert workers == 1 or sizes[-1] <= max(1, worlds // (CHUNKS_A_THREAD * workers), worlds // MOST_CHUNKS) * 2


def test_one_thread_steps_all_worlds_at_once_and_two_in_chunks_that_get_smaller() -> None:
    assert chunk_bounds(1000, 1) == [(0, 1000)]
    assert [hi - lo for lo, hi in chunk_bounds(64, 2)] == [16, 12, 9, 6, 5, 4, 3, 2, 2, 2, 2, 1]
    assert chunk_bounds(3, 2) == [(0, 1), (1, 2), (2, 3)]


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_every_place_of_a_queue_is_taken_once(workers: int) -> None:
    crew, done = Crew(workers), Counter[int]()
    lock = threading.Lock()

    def task(part: tuple[int, int]) -> None:
        with lock:
            done[part[1]] += 1

    for _ in range(50):
        crew.share(task, [[(thread, place) for place in range(40)] for thread in range(workers)])
    assert done == dict.fromkeys(range(40), 50)


def test_a_thread_that_is_held_up_leaves_the_queue_to_the_others() -> None:
    crew, held, done = Crew(2), threading.Event(), []

    def task(part: tuple[int, int]) -> None:
        thread, place = part
        if thread == 1:
            held.wait(10.0)
        done.append(place)
        if len(done) == 9:
            held.set()

    crew.share(task, [[(thread, place) for place in range(10)] for thread in range(2)])
    assert sorted(done) == list(range(10))


def test_what_a_place_raises_is_raised_by_the_queue() -> None:
    def task(part: int) -> None:
        raise ValueError(part)

    with pytest.raises(ValueError, match="7"):
        Crew(2).share(task, [[7, 7], [7, 7]])


@pytest.mark.parametrize("journal", [False, True])
def test_worlds_in_shared_chunks_play_the_games_of_one_thread(journal: bool) -> None:
    scenario = bench_scenario((2, 2, 4), side=8, civilizations=3, turns=25)
    batches = [World(scenario, 37, seed=3, threads=threads) for threads in (1, 2, 3)]
    if journal:
        for world in batches:
            world.keep_journal()
    shares = np.broadcast_to(np.array(SHARES), (37, 3, N_CATEGORIES))
    for _ in range(25):
        for world in batches:
            world.step(shares)
    alone, *others = (world.snapshot() for world in batches)
    for other in others:
        assert all(np.array_equal(alone[name], other[name]) for name in alone)
