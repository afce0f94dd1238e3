"""A/A: the whole analysis on arms that are the same. How often does each estimator find what is not there?

Outcomes of independent worlds of *one* arm are shuffled and dealt to two arms, test after test, no world twice. Nothing
differs between the arms, so that an honest test at 5 % rejects in 5 % of them, whatever the outcome's distribution.
Doses, inputs and instruments are drawn apart from the outcomes, so that their effect is none as well. The equivalence
test is given a difference of exactly its margin, where it may reject in 5 %.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from civsim.analysis.hypotheses.evidence import bootstrap_evidence
from civsim.analysis.hypotheses.verdict import decide
from civsim.analysis.panel import Panel
from civsim.analysis.results import Resampling
from civsim.analysis.statistics.clustered import critical, two_sided_p
from civsim.analysis.statistics.discovery import share
from civsim.analysis.statistics.equivalence import equivalence_test
from civsim.analysis.statistics.instruments import anderson_rubin_p, instrumented_slope
from civsim.analysis.statistics.mixed import mixed_effect
from civsim.analysis.statistics.paired import contrast, paired_differences, unpaired_difference
from civsim.analysis.statistics.production import fit_cobb_douglas
from civsim.analysis.statistics.resample import LEVEL, Estimate
from civsim.analysis.statistics.strength import estimate_strength
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

F64 = NDArray[np.float64]

NOMINAL = 1.0 - LEVEL
"""Share of tests that reject where nothing is there."""

DRAWS = 400
"""Bootstrap draws of one test."""

MARGIN = 0.5
"""Margin of the equivalence test, in standard deviations of the outcome."""

STRENGTH = 0.6
"""First-stage effect of the instrument on the dose, both in standard deviations or so."""

KOLMOGOROV = 1.358
"""√n times the largest gap between an empirical distribution and its own, exceeded 5 times in 100 (Kolmogorov 1933)."""

MIN_WORLDS = 8
"""Worlds an arm below which the dose contrast has none."""


class Trial(NamedTuple):
    """One test of what is not there."""

    p: float  # nan where the estimator has an interval alone
    rejected: bool


def _from_interval(low: float, high: float) -> Trial:
    return Trial(float("nan"), not low <= 0.0 <= high)


def _from_p(p: float) -> Trial:
    return Trial(p, p < NOMINAL)


def _from_estimate(estimate: Estimate, worlds: int) -> Trial:
    """Return the trial of a symmetric Student interval, whose p follows from its width."""
    error = 0.5 * float(estimate.high - estimate.low) / critical(worlds - 1.0)
    return _from_p(two_sided_p(float(estimate.value), error, worlds - 1.0))


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))


def _unpaired(a: F64, b: F64, rng: np.random.Generator) -> Trial:
    return _from_interval(*unpaired_difference(a, b, draws=DRAWS, seed=_seed(rng))[1:])


def _paired(a: F64, b: F64, rng: np.random.Generator) -> Trial:
    worlds = np.column_stack([np.zeros(len(a), np.int64), np.arange(len(a))])
    panel = Panel(worlds, ("a", "b"), np.column_stack([a, b]), 0)
    row = paired_differences(panel, "a", draws=DRAWS, seed=_seed(rng)).iloc[1]
    return _from_interval(float(row["low"]), float(row["high"]))


def _dose(a: F64, b: F64, rng: np.random.Generator) -> Trial:
    """Test the slope over four equal doses, two from each arm."""
    half = len(a) // 2
    table = np.column_stack([a[:half], b[:half], a[half : 2 * half], b[half : 2 * half]])
    _, low, high = contrast(table, np.array([[-0.3], [-0.1], [0.1], [0.3]]), draws=DRAWS, seed=_seed(rng))
    return _from_interval(float(low[0]), float(high[0]))


def _verdict(a: F64, b: F64, rng: np.random.Generator) -> Trial:
    """Judge a pre-registered claim of a difference either way, as a study of one hypothesis does."""
    resampling = Resampling(draws=DRAWS, seed=_seed(rng))
    found = bootstrap_evidence((b - a)[:, None], lambda means: means[:, 0], resampling)
    verdict = decide(found, found.p, 1.0, expected="either", asked=2)
    return Trial(found.p, verdict == "supported")


def _equivalent(a: F64, b: F64, _: np.random.Generator) -> Trial:
    margin = MARGIN * float(np.concatenate([a, b]).std())
    return _from_p(equivalence_test(b - a + margin, margin).p)


def _rows(a: F64, b: F64) -> tuple[F64, NDArray[np.int64]]:
    """Return (outcomes standardised [2W], world [2W]): two rows a world."""
    values = np.concatenate([a, b])
    return (values - values.mean()) / values.std(), np.tile(np.arange(len(a)), 2)


def _logit(a: F64, b: F64, rng: np.random.Generator) -> Trial:
    wins = np.where(a == b, 0.5, (b > a).astype(np.float64))
    first, second = rng.normal(0.0, 1.0, (2, len(a)))
    return _from_estimate(estimate_strength(wins, first, second, np.arange(len(a))).cognition, len(a))


def _regression(a: F64, b: F64, rng: np.random.Generator) -> Trial:
    values, worlds = _rows(a, b)
    fit = fit_cobb_douglas(np.exp(values), np.exp(rng.normal(0.0, 1.0, (len(values), 2))), worlds)
    return _from_estimate(Estimate(*(np.asarray(part[0]) for part in fit.elasticities)), len(a))


def _dose_chosen(values: F64, rng: np.random.Generator) -> tuple[F64, F64]:
    """Return (dose, instrument): the dose moves with the outcome though it does nothing to it."""
    z = rng.normal(0.0, 1.0, len(values))
    return STRENGTH * z + 0.5 * values + rng.normal(0.0, 0.5, len(values)), z


def _instrumented(a: F64, b: F64, rng: np.random.Generator) -> Trial:
    values, worlds = _rows(a, b)
    return _from_p(instrumented_slope(values, *_dose_chosen(values, rng), worlds).p)


def _anderson_rubin(a: F64, b: F64, rng: np.random.Generator) -> Trial:
    values, worlds = _rows(a, b)
    return _from_p(anderson_rubin_p(values, *_dose_chosen(values, rng), worlds, 0.0))


def _mixed(a: F64, b: F64, _: np.random.Generator) -> Trial:
    values, worlds = _rows(a, b)
    fit = mixed_effect(values, np.repeat([0.0, 1.0], len(a)), worlds)
    return _from_p(fit.p)


ESTIMATORS: dict[str, Callable[[F64, F64, np.random.Generator], Trial]] = {
    "difference of independent arms": _unpaired,
    "paired difference": _paired,
    "dose contrast": _dose,
    "verdict on a hypothesis": _verdict,
    "equivalence (TOST) at its margin": _equivalent,
    "contest logit": _logit,
    "regression clustered by world": _regression,
    "two-stage least squares": _instrumented,
    "Anderson–Rubin": _anderson_rubin,
    "mixed effects": _mixed,
}
"""Every estimator that the A/A test runs: name → one trial on two arms, float [W] each."""


def run_null_tests(
    outcomes: ArrayLike, worlds: int, *, seed: int = 0, estimators: Sequence[str] | None = None, most: int | None = None
) -> pd.DataFrame:
    """Return one row an estimator and test: ``estimator``, ``test``, ``p`` (nan if it has none), ``rejected``.

    Args:
        outcomes: float [n], one outcome of each of n independent worlds of one arm.
        worlds: of each arm of a test; n // (2 · worlds) tests are made, each of worlds of its own.
        seed: of the shuffle and of all that is drawn beside it.
        estimators: names in :data:`ESTIMATORS`; all if left out.
        most: tests at most.

    Raises:
        ResultsError: outcomes that are not finite or do not vary, too few for one test, or an unknown estimator.
    """
    pool = np.asarray(outcomes, np.float64)
    if pool.ndim != 1 or not np.isfinite(pool).all() or np.ptp(pool) == 0.0:
        raise ResultsError("the outcomes of an A/A test must be finite and vary; leave failed games out")
    if worlds < MIN_WORLDS or len(pool) < 2 * worlds:
        raise ResultsError(
            f"outcomes={len(pool)} make no test of 2 × {worlds} worlds; give more, or {MIN_WORLDS} an arm"
        )
    names = list(ESTIMATORS) if estimators is None else list(estimators)
    unknown = [name for name in names if name not in ESTIMATORS]
    if unknown:
        raise ResultsError(f"estimator={unknown[0]!r} is not known; give one of {', '.join(ESTIMATORS)}")
    count = min(len(pool) // (2 * worlds), most or len(pool))
    dealt = np.random.default_rng(seed).permutation(pool)[: count * 2 * worlds].reshape(count, 2, worlds)
    rows = []
    for test, (a, b) in enumerate(dealt):
        for name in names:
            rng = np.random.default_rng([seed, test, list(ESTIMATORS).index(name)])
            rows.append({"estimator": name, "test": test, **ESTIMATORS[name](a, b, rng)._asdict()})
    return pd.DataFrame(rows)


def rejection_rates(tests: pd.DataFrame, level: float = LEVEL) -> pd.DataFrame:
    """Return one row an estimator: ``tests``, ``rejected``, ``rate``, ``low``, ``high``, ``nominal``, ``honest``.

    The interval is Clopper and Pearson's; ``honest`` is whether it holds the nominal rate, or lies below it.
    """
    rows = []
    for name, part in tests.groupby("estimator", sort=False):
        found = share(int(part["rejected"].sum()), len(part), level)
        rows.append(
            {"estimator": name, "tests": len(part), "rejected": int(part["rejected"].sum()), "rate": found.value,
             "low": found.low, "high": found.high, "nominal": NOMINAL, "honest": found.low <= NOMINAL}
        )  # fmt: skip
    return pd.DataFrame(rows)


def draw_false_positives(tests: pd.DataFrame, rates: pd.DataFrame, notes: Sequence[str]) -> Figure:
    """Return the figure: rates with intervals against the nominal one, and p-values against the uniform.

    Draw it inside :func:`civsim.analysis.style.house_style`; ``notes`` are the paragraphs of small print.
    """
    from civsim.analysis.style import NOTE_LINE, add_note, add_title, new_figure, wrap_note

    small = wrap_note(notes)
    foot = NOTE_LINE * len(small) + 0.62
    height = 0.6 + 0.24 * max(len(rates), 9) + foot
    figure = new_figure(height)
    grid = figure.add_gridspec(
        1, 2, width_ratios=(1.0, 0.85), wspace=0.3, left=0.27, right=0.975, top=1 - 0.6 / height, bottom=foot / height
    )
    _draw_rates(figure.add_subplot(grid[0]), rates)
    _draw_uniform(figure.add_subplot(grid[1]), tests, rates)
    add_title(figure, "What is found where nothing is there", "Identical arms on independent worlds, test after test")
    add_note(figure, small)
    return figure


def _draw_rates(axes: Axes, rates: pd.DataFrame) -> None:
    from civsim.analysis.style import COLOURS, MARKERS, RULE

    axes.axvline(100.0 * NOMINAL, color=RULE, linewidth=1.0, zorder=0)
    for row, (_, rate) in enumerate(rates.iterrows()):
        colour, marker = (COLOURS[0], MARKERS[0]) if rate["honest"] else (COLOURS[1], MARKERS[1])
        axes.plot([100.0 * rate["low"], 100.0 * rate["high"]], [-row, -row], color=colour)
        axes.plot(100.0 * rate["rate"], -row, marker, color=colour)
    axes.set_yticks([-row for row in range(len(rates))], list(rates["estimator"]))
    axes.set_xlim(left=0.0)
    axes.set_xlabel("Tests that reject (%)")


def _draw_uniform(axes: Axes, tests: pd.DataFrame, rates: pd.DataFrame) -> None:
    """Draw one line an estimator that has p-values, and the band in which each alone would lie 95 times in 100."""
    from civsim.analysis.style import COLOURS, MUTED, RULE

    ends = np.array([0.0, 1.0])
    reach = KOLMOGOROV / np.sqrt(int(rates["tests"].min()))
    axes.fill_between(ends, ends - reach, ends + reach, color=RULE, alpha=0.35, linewidth=0, zorder=0)
    axes.plot(ends, ends, color=RULE, linewidth=1.0, zorder=0)
    for name, part in tests.groupby("estimator", sort=False):
        p = np.sort(part["p"].dropna().to_numpy())
        if len(p):
            odd = not rates.loc[rates["estimator"] == name, "honest"].item()
            colour = COLOURS[1] if odd else COLOURS[0]
            axes.step(p, np.arange(1, len(p) + 1) / len(p), where="post", color=colour, linewidth=0.7, alpha=0.8)
    axes.text(0.98, 0.03, "a line an estimator;\nshaded: 95 % band of one", color=MUTED, fontsize=6.6, ha="right")
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(0.0, 1.0)
    axes.set_xlabel("p-value")
    axes.set_ylabel("Share of tests with a p-value this small")
