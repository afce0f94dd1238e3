"""Peers are stepped as they ship, and one that is missing is named; nothing here is timed."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from civsim.cli import bench_peers as module
from civsim.cli.bench_peers import HEADER, PEERS, Game, Peer, PeerTiming, bench_peers, row, time_peer, why_missing


def _counting(seed: int) -> Game:
    """Begin a game of ten agents, of whom one dies in every step."""
    agents = itertools.count(10, -1)
    alive = [next(agents)]
    return lambda: alive.append(next(agents)), lambda: alive[-1]


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_a_peer_that_is_installed_can_be_stepped(peer: Peer) -> None:
    pytest.importorskip(peer.package)
    if why_missing(peer) is not None:
        pytest.skip(f"{peer.name}: {why_missing(peer)}")
    step, count = peer.begin(3)
    assert count() >= 8
    step()
    assert count() > 0


def test_agents_that_are_there_when_a_step_begins_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEPS", 4)
    assert module._steps(Peer("counting", "numpy", _counting), 0)[2] == 9 + 8 + 7 + 6
    timing = time_peer(Peer("counting", "numpy", _counting), 5)
    assert (timing.repeats, timing.agents) == (5, 8)
    assert timing.per_second > 0.0


def test_missing_peers_are_named_and_the_others_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(seed: int) -> Game:
        raise ImportError("no module named 'sugar'")

    peers = (Peer("here", "numpy", _counting), Peer("gone", "no_such_peer", _counting), Peer("old", "numpy", lacking))
    monkeypatch.setattr(module, "PEERS", peers)
    monkeypatch.setattr(module, "_time_own", lambda repeats: [])
    monkeypatch.setattr(module, "STEPS", 4)
    lines: list[str] = []
    found: dict[str, Any] = bench_peers(5, lines.append)
    assert [timing["name"] for timing in found["timings"]] == ["here"]
    assert found["missing"]["gone"] == "no_such_peer is not installed"
    assert "no module named 'sugar'" in found["missing"]["old"]
    assert sum("left out" in line for line in lines) == 2


def test_rows_line_up() -> None:
    timing = PeerTiming("Sugarscape with trade", "pettingzoo", "1.27.0", 200, 5, 123456.7, 123456.7)
    assert len(row(timing)) == len(HEADER)
