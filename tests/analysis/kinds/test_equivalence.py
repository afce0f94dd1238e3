"""The equivalence kind: strata that fail are passed on, worlds left out are told, intervals are named as they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from planted_grid import grid_results

from civsim.analysis.kinds.equivalence import KIND
from civsim.analysis.kinds.kind import SKIPPED
from civsim.analysis.results import Resampling, Results
from civsim.base.errors import ResultsError

ARMS = {"arms": {"paid": {"a.b": 1}, "sham same": {"a.b": 2}}}
RATE = {"path": "raiders.rate", "levels": [0.0, 0.5]}


def shams(failed: float | None = None, world: int | None = None) -> Results:
    """Return sham arms at two rates; the games of one rate (or of one world) failed."""
    made = grid_results({"arm": ARMS, "rate": RATE}, lambda at: 0.0, worlds=20, noise=0.01)
    runs = made.runs.copy()
    bad = (runs["factor.rate"] == failed) | (runs["world_id"] == world)
    runs.loc[bad, "status"], runs.loc[bad, "welfare"] = "failed", np.nan
    return replace(made, runs=runs, manifest={**made.manifest, "study": {**made.study, "paired": True}})


def test_a_stratum_without_games_is_passed_on() -> None:
    tables = KIND.tables(shams(failed=0.5), Resampling())
    assert tables[""]["stratum"].tolist() == ["rate 0"]
    assert tables[SKIPPED]["stratum"].tolist() == ["rate 0.5"]
    assert SKIPPED not in KIND.tables(shams(), Resampling())


def test_worlds_left_out_are_told() -> None:
    assert len(KIND.read(KIND.tables(shams(), Resampling()))) == 2
    tables = KIND.tables(shams(world=3), Resampling())
    assert tables[""]["dropped"].tolist() == [1, 1]
    assert KIND.read(tables)[-1].endswith("rate 0: 1; rate 0.5: 1.")


def test_all_games_failed_is_one_line() -> None:
    results = shams()
    with pytest.raises(ResultsError, match="failed") as caught:
        KIND.tables(replace(results, runs=results.runs.assign(status="failed", welfare=np.nan)), Resampling())
    assert "\n" not in str(caught.value)


def test_its_intervals_are_named_where_they_are_not_the_general_ones() -> None:
    figure = KIND.draw(KIND.tables(shams(), Resampling()), ["Intervals: 95 %, 2,000 resamples."])
    small = " ".join(text.get_text() for text in figure.texts).replace("\n", " ")
    assert "90 % intervals of Student's t" in small
    assert "not resampled" in small
    assert "90 % of Student's t" in KIND.method


def test_the_margin_is_the_hypothesis_s_where_the_study_states_one() -> None:
    made = shams()
    params = {"plus": [{"arm": "sham same"}], "minus": [{"arm": "paid"}]}
    claim = {"expected": "nothing", "margin": 4.0, "params": params}
    study = {**made.study, "hypotheses": {"placebo": claim}}
    stated = KIND.tables(replace(made, manifest={**made.manifest, "study": study}), Resampling())[""]
    assert stated["margin"].tolist() == pytest.approx([4.0, 4.0])
    assert (KIND.tables(made, Resampling())[""]["margin"] < 1.1).all()
