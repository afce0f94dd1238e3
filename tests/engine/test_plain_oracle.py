"""Every rule, compiled, does what its plain Python function does: ids alike, quantities as float32 keeps them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import traces
from bounds import roundings
from worlds import BUSY

from civsim.engine.rules.order import RULES

CELLS = BUSY["map.width"] * BUSY["map.height"]
PER_TURN = CELLS + 10
"""Roundings of a quantity in a turn where plain Python keeps float32 in between: a term a cell, and on the way from
harvest to stock four products, a share, a price, depreciation, a payment, what is under way, and the sum."""

GAP = roundings(traces.TURNS * PER_TURN)
"""Relative gap allowed after all turns, and absolute gap where a quantity is what is left of others of about 1."""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """(compiled, plain) traces."""
    path = tmp_path_factory.mktemp("plain") / "trace.npz"
    support = str(Path(traces.__file__).parent)
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    environment["PYTHONPATH"] = os.pathsep.join([support, os.environ.get("PYTHONPATH", "")])
    subprocess.run([sys.executable, "-W", "ignore", traces.__file__, str(path)], check=True, env=environment)
    with np.load(path) as plain:
        return traces.whole(), dict(plain)


@pytest.mark.parametrize("rule", [traces.name_of(rule) for rule in RULES])
def test_compiled_and_plain_agree(rule: str, pair: tuple[dict[str, np.ndarray], dict[str, np.ndarray]]) -> None:
    compiled, plain = pair
    assert set(compiled) == set(plain)
    names = [name for name in compiled if f".{rule}." in name]
    assert len(names) > 500
    for name in names:
        if compiled[name].dtype.kind == "f":
            assert np.allclose(compiled[name], plain[name], rtol=GAP, atol=GAP), name
        else:
            assert np.array_equal(compiled[name], plain[name]), name


def test_the_traces_are_eventful(pair: tuple[dict[str, np.ndarray], dict[str, np.ndarray]]) -> None:
    compiled = pair[0]
    last = {game: f"{game}.{traces.TURNS - 1:02d}.record" for game in traces.GAMES}
    gains = sum(compiled[f"{place}.gains"].sum(axis=(0, 1)) for place in last.values())
    losses = sum(compiled[f"{place}.losses"].sum(axis=(0, 1)) for place in last.values())
    assert (gains > 0).all(), gains
    assert (losses > 0).all(), losses
    assert all(compiled[f"{place}.plans"].sum() > 0 for place in last.values())
    for game, seats in (("provinces", 3), ("marches", 8)):
        places = [f"{game}.{turn:02d}.record" for turn in range(traces.TURNS)]
        assert compiled[f"{places[-1]}.office_count"].max() == seats
        assert any((compiled[f"{place}.drawn_cells"] == 0).any() for place in places), "no seat of thought has fallen"
