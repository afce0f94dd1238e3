"""From a study to a figure on disk, through the real batch runner, on small worlds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from civsim.analysis.kinds.tradeoff import plot_tradeoff
from civsim.base.errors import ResultsError
from civsim.scenarios import loads_study, run_batch

STUDY = """
name = "sketch"
replicates = 8
[set]
"map.width" = 8
"map.height" = 8
"game.turns" = 12
"game.civilizations" = 2
[factors.context]
scenarios = ["baseline", "peace"]
[factors.cognition_share]
path = "focal.policy.params.cognition"
levels = [0.0, 0.1, 0.2, 0.4, 0.6]
"""
FILES = {
    "tradeoff.png",
    "tradeoff.svg",
    "tradeoff.pdf",
    "tradeoff-dark.png",
    "tradeoff-dark.svg",
    "tradeoff.csv",
    "tradeoff-curve.csv",
    "tradeoff-optimum.csv",
    "tradeoff.command.txt",
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study") / "out"
    run_batch(loads_study(STUDY), folder)
    return folder


def test_a_batch_becomes_a_figure_with_its_numbers_and_command(results: Path, tmp_path: Path) -> None:
    paths = plot_tradeoff(results, tmp_path / "figures", draws=100)
    assert {path.name for path in paths} == FILES == {path.name for path in (tmp_path / "figures").iterdir()}
    assert paths[0].suffix == ".png"
    points = pd.read_csv(tmp_path / "figures" / "tradeoff.csv")
    assert points.groupby("context").size().to_dict() == {"baseline": 5, "peace": 5}
    assert set(points["worlds"]) == {8}
    # With every category open, what is spent on cognition is what was asked for.
    assert points["share_spent"].to_numpy() == pytest.approx(points["share"].to_numpy(), abs=1e-3)
    numbers = points.drop(columns=["context", "correlation", "variance_ratio"])
    assert np.isfinite(numbers.to_numpy(float)).all()
    # Nothing but cognition differs between doses, so muscle shrinks as it grows and the curve is no constant.
    assert (points["gain"] != 0.0).sum() == 8
    command = (tmp_path / "figures" / "tradeoff.command.txt").read_text().splitlines()
    assert command == [
        f"civsim batch sketch --out {results}",
        f"civsim plot tradeoff {results} --out {tmp_path / 'figures'}",
    ]


def test_the_same_results_give_the_same_files(results: Path, tmp_path: Path) -> None:
    first = plot_tradeoff(results, tmp_path / "a", draws=50)
    second = plot_tradeoff(results, tmp_path / "b", draws=50)
    for one, two in zip(first, second, strict=True):
        if one.suffix != ".txt":
            assert one.read_bytes() == two.read_bytes()


def test_results_without_cognition_shares_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    study = loads_study(STUDY.replace("cognition_share", "thought"))
    run_batch(study, tmp_path / "out")
    with pytest.raises(ResultsError, match="cognition_share"):
        plot_tradeoff(tmp_path / "out", tmp_path / "figures")
    assert not (tmp_path / "figures").exists()
    with pytest.raises(ResultsError, match="not a folder"):
        plot_tradeoff(tmp_path / "nowhere", tmp_path / "figures")
