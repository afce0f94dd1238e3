"""Every rule, compiled, does what its plain Python function does: ids alike, quantities within a few ulps."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import traces

from civsim.engine.rules.order import RULES

ULPS = 2e-5
"""Relative gap allowed after twelve turns: float32 rounds differently where plain Python keeps float32 in between."""


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
            assert np.allclose(compiled[name], plain[name], rtol=ULPS, atol=ULPS), name
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
