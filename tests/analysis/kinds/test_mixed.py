"""The mixed kind: doses that fail do not stop others, and the share of the map is said of what it is a share of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from planted_grid import grid_results

from civsim.analysis.kinds.kind import SKIPPED
from civsim.analysis.kinds.mixed import KIND
from civsim.analysis.results import Resampling, Results
from civsim.base.errors import ResultsError

FACTORS = {
    "horizon": {"path": "focal.levels.horizon", "levels": [0, 4, 16]},
    "rate": {"path": "raiders.rate", "levels": [0.0, 0.5]},
}


def dosed() -> Results:
    made = grid_results(FACTORS, lambda at: 0.1 * at["horizon"], worlds=12)
    return replace(made, manifest={**made.manifest, "study": {**made.study, "paired": True}})


def lose(results: Results, bad: np.ndarray) -> Results:
    runs = results.runs.copy()
    runs.loc[bad, "status"], runs.loc[bad, "welfare"] = "failed", np.nan
    return replace(results, runs=runs)


def test_skipped_strata_of_every_dose_are_passed_on() -> None:
    results = dosed()
    bad = (results.runs["factor.rate"] == 0.5).to_numpy()
    tables = KIND.tables(lose(results, bad), Resampling())
    assert tables[""]["dose"].tolist() == ["horizon"]
    assert tables[SKIPPED]["stratum"].tolist() == ["rate 0.5", "every stratum of rate"]


def test_all_games_failed_is_one_line() -> None:
    results = dosed()
    with pytest.raises(ResultsError, match="look at failed games") as caught:
        KIND.tables(lose(results, np.ones(len(results.runs), bool)), Resampling())
    assert "\n" not in str(caught.value)


def test_the_share_is_of_what_the_dose_and_its_slopes_leave() -> None:
    results = dosed()
    tables = KIND.tables(lose(results, (results.runs["world_id"] == 0).to_numpy()), Resampling())
    said = KIND.read(tables)
    assert "left after the dose and each map's own slope, at the dose's mean, is the map" in said[0]
    rate = next(words for words in said if "rate 0 to 0.5" in words)
    assert "left after the dose, at the dose's mean" in rate
    assert "games failed and left out: 3; maps left out whole: 1" in said[0]
    assert tables[""]["dropped"].tolist() == [1] * len(tables[""])
    figure = KIND.draw(tables, [])
    assert "in neither part" in " ".join(text.get_text() for text in figure.texts).replace("\n", " ")
