"""Recovery of what the tests of hypotheses estimate, through the same path that a study takes."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from civsim.analysis.hypotheses.registry import read_test
from civsim.analysis.hypotheses.shapes import ELO
from civsim.analysis.recovery.case import Case
from civsim.analysis.recovery.planted import Levels, planted_results
from civsim.analysis.results import Resampling, Results
from civsim.scenarios.study import Study, loads_study

F64 = NDArray[np.float64]

DRAWS = Resampling(draws=300)
"""Bootstrap draws of a replication: the standard error's own Monte Carlo error is then 4 %."""

WORLDS = 60
CONTRAST = 1.5
ELO_STEP = -25.0
BEST = (0.35, -0.05)
"""Best dose where the context is 0, and its slope on the context."""
REINVESTED = 0.3
HUMP = 1.0
PASSED, CONTEST = 0.6, 0.25

_SWEEP = """
name = "planted"
replicates = {worlds}
[factors.place]
path = "thinking.noise"
levels = [0.0, 1.0, 2.0]
[factors.dose]
path = "focal.policy.params.cognition"
levels = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
"""
_SEATS = """
name = "planted"
replicates = 120
[factors.horizon]
path = "focal.levels.horizon"
levels = [2, 4]
"""
_MATCHES = """
name = "planted"
replicates = 400
[factors.horizon]
path = "focal.levels.horizon"
levels = [2, 4, 8, 16, 32]
"""


@cache
def _study(text: str) -> Study:
    return loads_study(text)


def _run(results: Results, test: str, params: dict[str, Any]) -> tuple[float, float]:
    """Return the interval of one test."""
    found, read = read_test("planted", {"test": test, "params": params})
    evidence = found.run(results, read, DRAWS, None)
    return evidence.low, evidence.high


def _noise(rng: np.random.Generator, worlds: F64, scale: float = 1.0) -> F64:
    return np.asarray(scale * rng.normal(size=len(worlds)), np.float64)


def recover_contrast(replication: int) -> tuple[float, float, float]:
    """Return a planted interaction of two factors and its interval."""

    def columns(levels: Levels, shared: F64, rng: np.random.Generator) -> dict[str, F64]:
        both = CONTRAST if levels["place"] == 2.0 and levels["dose"] == 0.6 else 0.0
        return {"welfare": both + levels["dose"] + levels["place"] + shared + _noise(rng, shared)}

    results = planted_results(_study(_SWEEP.format(worlds=WORLDS)), columns, replication, common=5.0)
    corners = {
        "plus": [{"place": 2.0, "dose": 0.6}, {"place": 0.0, "dose": 0.05}],
        "minus": [{"place": 2.0, "dose": 0.05}, {"place": 0.0, "dose": 0.6}],
    }
    return CONTRAST, *_run(results, "contrast", corners)


def recover_hump(replication: int) -> tuple[float, float, float]:
    """Return the planted weaker slope of an inverted U, and its interval: the fall is half as steep as the rise."""

    def columns(levels: Levels, shared: F64, rng: np.random.Generator) -> dict[str, F64]:
        height = {0.0: 0.0, 1.0: 2.0 * HUMP, 2.0: HUMP}[levels["place"]]
        return {"welfare": shared + height + _noise(rng, shared)}

    results = planted_results(_study(_SWEEP.format(worlds=WORLDS)), columns, replication, common=5.0)
    sides = {
        "rise": [[{"place": 1.0}, 1.0], [{"place": 0.0}, -1.0]],
        "fall": [[{"place": 2.0}, 1.0], [{"place": 1.0}, -1.0]],
    }
    return HUMP, *_run(results, "hump", sides)


def recover_agreement(replication: int) -> tuple[float, float, float]:
    """Return the planted distance from 1 of pass-through, the nearer to 1 of the two, and its interval.

    Log outputs are 0.6 times log levels and a logistic luck whose scale makes the contest coefficient 0.25.
    """
    study = _study(_SEATS)
    results = planted_results(study, _nothing, replication)
    rng = np.random.default_rng([replication, 2])
    runs = results.runs
    levels = np.array([1.0, 2.0, 4.0, 8.0])
    # The difference of two Gumbel variables is logistic; its scale is the slope over the contest coefficient.
    luck = rng.gumbel(size=(len(runs), len(levels))) * PASSED / CONTEST
    output = np.exp(PASSED * np.log(levels) + luck + rng.normal(size=(len(runs), 1)))
    seats = np.tile(np.arange(len(levels)), len(runs))
    table = runs.loc[runs.index.repeat(len(levels)), ["run_id", "world_id"]].reset_index(drop=True)
    results.__dict__["civs"] = table.assign(seat=seats, output=output.ravel(), level_horizon=levels[seats])
    return 1.0 - PASSED, *_run(results, "passthrough-agreement", {})


def recover_elo_slope(replication: int) -> tuple[float, float, float]:
    """Return a planted fall of Elo a doubling from one doubling to the next, and its interval."""

    def columns(levels: Levels, shared: F64, rng: np.random.Generator) -> dict[str, F64]:
        gap = 150.0 + ELO_STEP * np.log2(levels["horizon"])
        chance = 1.0 / (1.0 + 10.0 ** (-gap / ELO))
        won = (rng.random(len(shared)) < chance).astype(np.float64)
        return {"output": won, "rival_output": 1.0 - won}

    results = planted_results(_study(_MATCHES), columns, replication)
    arms = [{"horizon": level} for level in (2, 4, 8, 16, 32)]
    return ELO_STEP, *_run(results, "elo-slope", {"arms": arms, "doubling": [1.0, 2.0, 3.0, 4.0, 5.0]})


def recover_best_dose(replication: int) -> tuple[float, float, float]:
    """Return the planted slope of the best dose on a context, and its interval."""

    def columns(levels: Levels, shared: F64, rng: np.random.Generator) -> dict[str, F64]:
        best = BEST[0] + BEST[1] * levels["place"]
        return {"welfare": shared - 40.0 * (levels["dose"] - best) ** 2 + _noise(rng, shared)}

    results = planted_results(_study(_SWEEP.format(worlds=WORLDS)), columns, replication, common=5.0)
    moves = {"moves": [{"place": 0.0}, {"place": 1.0}, {"place": 2.0}], "at": [0.0, 1.0, 2.0], "dose": "dose"}
    return BEST[1], *_run(results, "best-dose", moves)


def recover_reinvestment(replication: int) -> tuple[float, float, float]:
    """Return the planted slope of log growth on log spending, and its interval."""
    results = planted_results(_study(_SWEEP.format(worlds=WORLDS)), _nothing, replication)
    rng = np.random.default_rng([replication, 1])
    runs = results.runs[results.runs["factor.place"] == 0.0]
    log_share = np.log(runs["factor.dose"].to_numpy(np.float64))
    luck = 0.3 * rng.normal(size=WORLDS)[runs["world_id"].to_numpy()]
    early = 3.0 + luck + 0.1 * rng.normal(size=len(runs))
    spending = log_share + early
    late = early + 0.5 + REINVESTED * spending + 0.2 * rng.normal(size=len(runs))
    parts = [
        pd.DataFrame({"run_id": runs["run_id"].to_numpy(), "world_id": runs["world_id"].to_numpy(), "turn": turn,
                      "is_focal": True, "output": np.expm1(values)})
        for turn, values in ((20, early), (80, late))
    ]  # fmt: skip
    # The one place where a table is put in by hand: no game was played that could have written it.
    results.__dict__["series"] = pd.concat(parts, ignore_index=True)
    kept = Results(results.folder, results.manifest, runs, results.facts)
    kept.__dict__["series"] = results.__dict__["series"]
    return REINVESTED, *_run(kept, "reinvestment", {"share": "dose", "window": 1})


def _nothing(_levels: Levels, shared: F64, _rng: np.random.Generator) -> dict[str, F64]:
    return {"welfare": shared}


CASES: tuple[Case, ...] = (
    Case("weaker slope of an inverted U", recover_hump, "a rise of twice the fall, with world effects"),
    Case("pass-through against contest", recover_agreement, "log output linear in log level with logistic luck"),
    Case("contrast of arms", recover_contrast, "interaction planted in a two-factor design with world effects"),
    Case("Elo a doubling, per doubling", recover_elo_slope, "wins drawn from Elo's logistic with a linear gap"),
    Case("slope of the best dose", recover_best_dose, "parabolas whose peak moves with a context"),
    Case("reinvestment slope", recover_reinvestment, "log growth linear in log spending, shares assigned"),
)
