"""What beats a rival: contest exponents of cognitive and of physical spending, and their rate of exchange.

The odds of beating a rival are (c/c')^r_c · (p/p')^r_p: the ratio form of a contest (Hirshleifer, *Public Choice*
63(2), 1989; a stochastic ground for it: Jia, *Public Choice* 135, 2008), which is a Bradley–Terry model (*Biometrika*
39, 1952) whose log strength is linear in log inputs. The exponents are a logit on differences of logs; a tie counts as
half a win (fractional logit: Papke and Wooldridge, *Journal of Applied Econometrics* 11(6), 1996), and errors may be
correlated within a world. The model is marginal: its odds are those of worlds taken together, not of one world whose
land and luck are known, whose exponents would be larger.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from civsim.analysis.statistics.clustered import combination, find_clusters, ratio, two_sided_p
from civsim.analysis.statistics.resample import LEVEL, Estimate
from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]

ELO_PER_LOG_ODDS = 400.0 / np.log(10.0)
"""Elo points of one unit of log odds: 400 points are odds of 10 to 1 (Elo, *The Rating of Chessplayers*, 1978)."""

TIE = 0.5
"""What an even result counts as, in wins."""

_SEPARATED = 1e-7
"""Sum of margins, in units of the largest difference of an input, above which a direction parts wins from losses."""


class Strength(NamedTuple):
    """Contest exponents, with intervals; each estimate is 0-d."""

    cognition: Estimate  # r_c: log odds of a win per log unit of relative cognitive input
    physical: Estimate  # r_p: the same of physical input
    total: Estimate  # r_c + r_p: what a doubling of both does
    advantage: Estimate | None  # log odds of a win at equal inputs; None where it is held at 0
    elo_cognition: Estimate  # Elo points per doubling of cognitive input
    elo_physical: Estimate  # the same of physical input
    exchange: Estimate  # units of physical input that replace one unit of cognitive input at ``at``
    bounded: bool  # whether r_p is away from 0, so that the exchange has an interval with two ends
    at: tuple[float, float]  # cognitive and physical input at which the exchange is taken
    unit_p: float  # two-sided p of r_c = 1, above which wins are more concentrated than cognitive inputs
    contests: int
    ties: int
    clusters: int


def _checked(wins: ArrayLike, *differences: ArrayLike) -> tuple[F64, F64]:
    """Return (wins [n], log differences [n, k]) or raise ResultsError."""
    y = np.asarray(wins, np.float64)
    columns = [np.asarray(column, np.float64) for column in differences]
    if y.ndim != 1 or any(column.shape != y.shape for column in columns) or len(y) <= len(columns):
        shapes = ", ".join(str(column.shape) for column in (y, *columns))
        raise ResultsError(f"contests of shapes {shapes}; give wins and differences one a contest, and more of them")
    if not np.isin(y, (0.0, TIE, 1.0)).all():
        bad = y[~np.isin(y, (0.0, TIE, 1.0))][0]
        raise ResultsError(f"win={bad:g} is not 0, 0.5 or 1; count a tie as half a win")
    if np.ptp(y) == 0.0:
        raise ResultsError(f"every one of {len(y)} contests ended alike (win={y[0]:g}), so nothing tells inputs apart")
    x = np.column_stack(columns)
    if not np.isfinite(x).all():
        raise ResultsError("a log difference of inputs is not finite; leave out contests in which an input is 0")
    if np.linalg.matrix_rank(x) < x.shape[1]:
        raise ResultsError("the inputs do not vary apart from each other; vary both shares in the study")
    return y, x


def _refuse_separation(y: F64, x: F64) -> None:
    """Raise ResultsError where a direction β has s·x'β ≥ 0 in every contest (s = ±1 won or lost) and > 0 in some.

    The likelihood has no maximum then (Albert and Anderson, *Biometrika* 71(1), 1984). A tie pulls both ways, so
    x'β must be 0 in it. Found by linear programming (Konis, DPhil thesis, Oxford, 2007).
    """
    from scipy.optimize import linprog

    scaled = x / np.abs(x).max(0)
    decided = y != TIE
    signed = scaled[decided] * np.where(y[decided] == 1.0, 1.0, -1.0)[:, None]
    # A direction is one of infinitely many multiples; the bounds pick one.
    found = linprog(
        -signed.sum(0) if decided.any() else np.zeros(x.shape[1]),
        A_ub=-signed if decided.any() else None, b_ub=np.zeros(len(signed)) if decided.any() else None,
        A_eq=scaled[~decided] if not decided.all() else None,
        b_eq=np.zeros(int((~decided).sum())) if not decided.all() else None, bounds=(-1.0, 1.0),
    )  # fmt: skip
    if found.status != 0 or found.fun is None or found.fun < -_SEPARATED:
        raise ResultsError("the inputs part wins from losses completely, so no exponent is largest; play more worlds")


def estimate_strength(
    wins: ArrayLike, cognition: ArrayLike, physical: ArrayLike, clusters: ArrayLike, *,
    at: tuple[float, float] = (1.0, 1.0), advantage: bool = False, level: float = LEVEL,
) -> Strength:  # fmt: skip
    """Return the contest exponents of two inputs.

    Args:
        wins: float [n], 1 where the first of a pair beat the second, 0 where it lost, 0.5 for a tie.
        cognition: float [n], ln of the first's cognitive input less ln of the second's.
        physical: float [n], the same of physical input.
        clusters: [n] or [n, columns], the world of each contest.
        at: cognitive and physical input, both > 0 and in one unit, at which their rate of exchange is taken:
            (r_c / c) / (r_p / p), with Fieller's interval.
        advantage: estimate the log odds at equal inputs too (a seat's advantage) rather than hold them at 0. Without it
            the order of a pair does not matter.
        level: coverage, in (0, 1).

    Raises:
        ResultsError: wins other than 0, 0.5 and 1, wins that are all alike, in all worlds alike or parted completely by
            the inputs; inputs that do not vary or are not finite; fewer than two worlds; or a place of exchange that is
            not above 0.
    """
    import statsmodels.api as sm

    y, x = _checked(wins, cognition, physical)
    if not (0.0 < at[0] < np.inf and 0.0 < at[1] < np.inf):
        raise ResultsError(f"at={at} is no place of exchange; give two inputs above 0")
    if advantage:
        x = np.column_stack([x, np.ones(len(y))])
    groups = find_clusters(clusters, len(y))
    _refuse_separation(y, x)
    fit = sm.GLM(y, x, family=sm.families.Binomial()).fit(cov_type="cluster", cov_kwds={"groups": groups.codes})
    beta, v = np.asarray(fit.params), np.asarray(fit.cov_params())
    if (np.diag(v) <= np.finfo(np.float64).eps * beta**2).any():
        raise ResultsError(f"all {groups.number} worlds say the same, so no interval can be made; play more worlds")
    free = groups.freedom
    c, p, total = np.eye(len(beta))[0], np.eye(len(beta))[1], np.eye(len(beta))[:2].sum(0)
    exchange, bounded = ratio(beta[:2], v[:2, :2], free, level)
    place = at[1] / at[0]
    doubling = ELO_PER_LOG_ODDS * np.log(2.0)
    return Strength(
        cognition=combination(beta, v, c, free, level),
        physical=combination(beta, v, p, free, level),
        total=combination(beta, v, total, free, level),
        advantage=combination(beta, v, np.eye(len(beta))[2], free, level) if advantage else None,
        elo_cognition=combination(beta, v, doubling * c, free, level),
        elo_physical=combination(beta, v, doubling * p, free, level),
        exchange=Estimate(*(np.asarray(place * part) for part in exchange)),
        bounded=bounded,
        at=at,
        unit_p=two_sided_p(beta[0] - 1.0, float(np.sqrt(v[0, 0])), free),
        contests=len(y),
        ties=int((y == TIE).sum()),
        clusters=groups.number,
    )


def pair_contests(civs: pd.DataFrame, outcome: str, inputs: tuple[str, ...]) -> pd.DataFrame:
    """Return one row for the focal civilization against each rival of its run.

    ``civs`` has the columns ``run_id``, ``is_focal`` (bool), ``outcome`` and ``inputs`` (all ≥ 0), and any columns of
    the run, which are kept from the focal's row. Columns added: ``win`` (1, 0.5 for a tie, 0), for each input
    ``d_<input>`` (ln of the focal's less ln of the rival's; ±inf or nan where one is 0), ``own_<input>`` and
    ``rival_<input>``.
    """
    first = civs[civs["is_focal"]]
    second = civs.loc[~civs["is_focal"], ["run_id", outcome, *inputs]]
    pairs = first.merge(second, on="run_id", suffixes=("", ".rival"))
    gap = np.sign(pairs[outcome].to_numpy(np.float64) - pairs[f"{outcome}.rival"].to_numpy(np.float64))
    added = {"win": TIE * (1.0 + gap)}
    for name in inputs:
        own, rival = pairs[name].to_numpy(np.float64), pairs[f"{name}.rival"].to_numpy(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            added |= {f"d_{name}": np.log(own) - np.log(rival), f"own_{name}": own, f"rival_{name}": rival}
    dropped = [f"{name}.rival" for name in (outcome, *inputs)]
    return pairs.drop(columns=[*dropped, *inputs]).assign(**added)
