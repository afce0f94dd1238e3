"""K8: the best horizon against the amount of belief noise: a planner with a wrong model should not look too far.

Jiang, Kulesza, Singh and Lewis (*AAMAS* 2015) show that the planning horizon that is best under an estimated model is
shorter than the one that is best under the true model, and shorter the worse the estimate. A small study is played: one
civilization is given its horizon, and the error of every belief is log-normal with s.d. ``thinking.noise``. The curve
is reported, with whether it falls; nothing is tuned, and its sign is not judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, model_validator

from civsim.base.scenario import Frozen
from civsim.validation.case import How, KnownAnswer, Row, Seed, Turns, reported, several, words

if TYPE_CHECKING:
    import pandas as pd

    from civsim.analysis.panel import Panel

F64 = NDArray[np.float64]

FULL_WORLDS = 96
DRAWS = 2000
HORIZON, NOISE, POINT = "factor.horizon", "factor.noise", "point of K8"
SELECTED = "h is selected on the same worlds, so that this gain and its interval are too high"
"""What the note of a best horizon says of the gain there."""

STUDY = """
name = "wrong-model"
seed = {seed}
replicates = {worlds}
focal = "rotate"
[set]
"game.turns" = {turns}
"map.width" = 12
"map.height" = 12
"thinking.max_horizon" = 512
"seat_default.policy.params.cognition" = 0.0
"seat_default.levels" = {{ horizon = 4, sight = 4, attention = 6 }}
"focal.policy.params.cognition" = 0.0
"focal.levels.sight" = 6
"focal.levels.attention" = 6
[factors.context]
scenarios = ["{scenario}"]
[factors.noise]
path = "thinking.noise"
levels = {noise}
[factors.horizon]
path = "focal.levels.horizon"
levels = {horizons}
"""
"""The study: what the scenario leaves open is as in the study ``returns``, on a smaller map and in shorter games."""

Noises = Annotated[
    tuple[Annotated[float, Field(ge=0.0, le=5.0)], ...], BeforeValidator(several), Field(min_length=1, max_length=16)
]


class Settings(Frozen):
    """Parameters of K8."""

    noise: Noises = Field((0.0, 0.5, 1.0, 2.0), description="s.d. of the log error of a belief")
    h: Turns = Field((0, 1, 2, 4, 8, 16), description="horizons (turns), two or more")
    worlds: int = Field(24, ge=4, le=10_000, description="worlds at each point; 96 at least with --full")
    turns: int = Field(50, ge=10, le=500, description="turns of a game")
    scenario: str = Field("baseline", pattern=r"^[a-z0-9-]{1,64}$", description="a scenario of the library")
    seed: Seed = Field(0, description="study seed")

    @model_validator(mode="after")
    def _check(self) -> Settings:
        if len(set(self.h)) < 2:
            raise ValueError("h has one horizon; give two or more, h=0,4,16 say")
        return self


def play(settings: Settings, worlds: int, how: How) -> list[Panel]:
    """Play the study; return a panel of welfare by horizon for each level of noise, all over the same worlds.

    A world of which a game failed at any noise or horizon is left out of all panels.

    Raises:
        ResultsError: no world has all its games.
    """
    from civsim.scenarios import loads_study, read_runs, run_batch

    noises, horizons = sorted(set(settings.noise)), sorted(set(settings.h))
    text = STUDY.format(
        seed=settings.seed,
        worlds=worlds,
        turns=settings.turns,
        scenario=settings.scenario,
        noise=noises,
        horizons=horizons,
    )
    total, done = worlds * len(noises) * len(horizons), 0

    def played(games: int, _failed: int) -> None:
        nonlocal done
        done += games
        how.report(done, total)

    with TemporaryDirectory() as folder:
        out = Path(folder) / "study"
        run_batch(loads_study(text), out, threads=how.threads, report=played)
        runs = read_runs(out, failed=True)
    return shared_panels(runs, noises, horizons)


def shared_panels(runs: pd.DataFrame, noises: Sequence[float], horizons: Sequence[int]) -> list[Panel]:
    """Return a panel by horizon for each of ``noises``, ascending, over the worlds that have every game.

    Raises:
        ResultsError: no world has all its games.
    """
    from civsim.analysis.panel import make_panel

    # One arm a point of the design: a world enters with all its points or not at all.
    place = runs[HORIZON].map(list(horizons).index)
    if len(noises) > 1:
        place = place + len(horizons) * runs[NOISE].map(list(noises).index)
    every = make_panel(runs.assign(**{POINT: place}), "welfare", POINT)
    values = every.values.reshape(every.n_worlds, len(noises), len(horizons))
    return [every._replace(arms=tuple(horizons), values=values[:, index]) for index in range(len(noises))]


def best_horizons(panels: list[Panel]) -> tuple[F64, F64]:
    """Return the best horizon by noise, [P], and its resamples of whole worlds, [draws, P], jointly over noises.

    Resampled means are stretched for how few the worlds are; the panels must be of the same worlds.
    """
    from civsim.analysis.statistics.resample import bootstrap_weights, stretched_means

    arms = np.asarray(panels[0].arms, np.float64)
    weights = bootstrap_weights(panels[0].n_worlds, DRAWS)
    values = np.stack([panel.values for panel in panels], axis=1)  # [W, P, A]
    best = arms[values.mean(axis=0).argmax(axis=1)]
    return best, arms[stretched_means(values, weights).argmax(axis=2)]


def run(settings: Settings, how: How) -> list[Row]:
    """Play and report; see the module."""
    from civsim.analysis.statistics.resample import interval, student_estimate

    worlds = max(settings.worlds, FULL_WORLDS) if how.full else settings.worlds
    panels = play(settings, worlds, how)
    noises = sorted(set(settings.noise))
    best, drawn = best_horizons(panels)
    low, high = interval(drawn)
    rows = []
    for index, (noise, panel) in enumerate(zip(noises, panels, strict=True)):
        gain = student_estimate(panel.column(best[index]) - panel.values[:, 0])
        note = (
            f"welfare {float(gain.value):+.3g} [{float(gain.low):.3g}, {float(gain.high):.3g}] over h={panel.arms[0]}; "
            f"{SELECTED}; {panel.n_worlds} worlds, {panel.dropped} left out"
        )
        rows.append(reported("best horizon", words(noise=noise), best[index], low[index], high[index], note))
    if len(noises) > 1:
        fall, falls = best[0] - best[-1], drawn[:, 0] - drawn[:, -1]
        ends = interval(falls)
        word = "it falls" if ends[0] > 0.0 else "it rises" if ends[1] < 0.0 else "not told apart from level"
        part = f"noise {noises[0]:g} to {noises[-1]:g}"
        rows.append(reported("fall of the best horizon", part, fall, float(ends[0]), float(ends[1]), word))
    # The sign is not judged; that there is a curve with its interval is.
    return [row if isfinite(row.low) and isfinite(row.high) else row._replace(passed=False) for row in rows]


CASE = KnownAnswer(
    "K8",
    "horizon against a wrong model",
    "the best horizon is shorter the worse the model (Jiang et al. 2015); reported with its interval, sign not judged",
    "",
    Settings,
    run,
)
