"""The crew: every part is carried out, whoever sleeps is woken, what is raised arrives, and nothing idles for long."""

from __future__ import annotations

import gc
import os
import threading
import time

import pytest

from civsim.engine import threads
from civsim.engine.threads import AWAKE, Crew, looks_awake


@pytest.fixture(params=["looking", "sleeping"])
def crews(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> type[Crew]:
    """Crews whose threads look for the next task, whatever the cores; and crews whose threads never do."""
    if request.param == "sleeping":
        monkeypatch.setattr(threads, "looks_awake", lambda: 0)
    monkeypatch.setattr(threads, "cores", lambda: 64)
    return Crew


@pytest.mark.parametrize("workers", [1, 2, 3, 5])
@pytest.mark.parametrize("parts", [0, 1, 2, 3, 11])
def test_every_part_is_carried_out_once(workers: int, parts: int, crews: type[Crew]) -> None:
    crew = crews(workers)
    for _ in range(3):
        done: list[int] = []
        crew.run(done.append, range(parts))
        assert sorted(done) == list(range(parts))


def test_parts_run_side_by_side(crews: type[Crew]) -> None:
    meeting = threading.Barrier(3, timeout=10.0)
    crew = crews(3)
    for _ in range(3):
        crew.run(lambda part: meeting.wait(), range(3))
        assert not meeting.broken


def test_tasks_follow_each_other_at_any_distance(crews: type[Crew]) -> None:
    crew, counts = crews(3), [0] * 3

    def count(part: int) -> None:
        counts[part] += 1

    for turn in range(2000):
        if turn % 100 == 0:
            time.sleep(5 * AWAKE)
        crew.run(count, range(3))
        assert counts == [turn + 1] * 3


@pytest.mark.parametrize("part", [0, 1, 2])
def test_what_a_part_raises_is_raised_and_the_others_are_done(part: int, crews: type[Crew]) -> None:
    crew, done = crews(3), []

    def task(given: int) -> None:
        if given == part:
            raise ValueError(f"part {given}")
        time.sleep(0.01)
        done.append(given)

    for _ in range(2):
        with pytest.raises(ValueError, match=f"part {part}"):
            crew.run(task, range(3))
        assert sorted(done) == sorted({0, 1, 2} - {part})
        done.clear()
    crew.run(done.append, range(3))
    assert sorted(done) == [0, 1, 2]


def test_a_crew_that_idles_takes_no_time(crews: type[Crew]) -> None:
    crew = crews(3)
    for _ in range(10):
        crew.run(lambda part: None, range(3))
    time.sleep(100 * AWAKE)
    begun = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - begun < 0.05


def test_the_threads_end_when_the_crew_is_let_go(crews: type[Crew]) -> None:
    class Batch:
        def __init__(self) -> None:
            self.crew = crews(3)

        def run(self, part: int) -> None:
            return

    gc.collect()
    before, batch = threading.active_count(), Batch()
    batch.crew.run(batch.run, range(3))
    assert threading.active_count() == before + 2
    del batch
    gc.collect()
    assert threading.active_count() == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_a_child_makes_threads_of_its_own(crews: type[Crew]) -> None:
    crew = crews(3)
    crew.run(lambda part: None, range(3))
    child = os.fork()
    if child == 0:
        done: list[int] = []
        crew.run(done.append, range(3))
        os._exit(0 if sorted(done) == [0, 1, 2] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    done = []
    crew.run(done.append, range(3))
    assert sorted(done) == [0, 1, 2]


def test_more_threads_than_cores_do_not_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "cores", lambda: 2)
    crew = Crew(3)
    crew.run(lambda part: None, range(3))
    assert crew._team is not None
    assert crew._team.looks == 0
    pair = Crew(2)
    pair.run(lambda part: None, range(2))
    assert pair._team is not None
    assert pair._team.looks == looks_awake() > 0
