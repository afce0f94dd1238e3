"""A known answer: its parameters, its rows of theory against simulation, and how a row is judged.

Rows that come from random draws are judged by an interval whose coverage is shared out over all such rows of a case
(Bonferroni): where theory holds, a run of a case shows a false failure with probability :data:`FAMILY` at most. Rows
without chance are judged by equality, or by a tolerance that the row's note states.

K9 is the exception. It judges coverage by fixed bounds, each row by itself: a sound estimator leaves them in 0.6 % of
runs of 200 replications and 0.3 % of 1,000, so that with 69 rows, say, a third of such runs have a false failure
somewhere, and a fifth of the long ones. Its replications are numbered, and the same numbers always say the same. K8
judges no row that theory says the value of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isclose, isfinite, nan
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BeforeValidator, Field

from civsim.base.scenario import Frozen

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

FAMILY = 0.001
"""Probability at most that a case in which theory holds fails by chance; its random rows share it equally."""

POWER = 0.8
"""Probability with which a departure is to be found, where a row says what departure it would find."""

ROUNDING = 1e-9
"""Relative difference that counts as none where equality is asked for."""

MOST_VALUES = 64
"""Values of one parameter in one run."""

Relation = Literal["=", "≥", "≤", ">", "<"]
Report = Callable[[int, int], None]
"""Told how much of a case is done, and of how much in all."""


def several(value: Any) -> Any:
    """Return a list of values from ``1,2,4``, from one value, or as it is."""
    if isinstance(value, str):
        from civsim.scenarios.reading import parse_value

        return [parse_value(part.strip()) for part in value.split(",") if part.strip()]
    return value if isinstance(value, list | tuple) else [value]


_SEVERAL = (BeforeValidator(several), Field(min_length=1, max_length=MOST_VALUES))
Positives = Annotated[tuple[Annotated[float, Field(gt=0.0, le=1e6, allow_inf_nan=False)], ...], *_SEVERAL]
"""Values above 0, each tried in turn."""

Exponents = Annotated[tuple[Annotated[float, Field(gt=0.0, le=16.0, allow_inf_nan=False)], ...], *_SEVERAL]
"""Exponents of a contest, in (0, 16], each tried in turn."""

Turns = Annotated[tuple[Annotated[int, Field(ge=0, le=512)], ...], *_SEVERAL]
"""Numbers of turns, from 0 to 512, each tried in turn."""

Seed = Annotated[int, Field(ge=0, le=10**9)]
"""Seed of everything random in a case."""


class Row(NamedTuple):
    """One comparison. NaN stands for a theory that is not stated and for an end of an interval that there is not."""

    label: str  # the quantity
    parameters: str  # its values of the parameters
    theory: float
    simulated: float
    low: float  # interval of what was simulated, or simulated ∓ the tolerance
    high: float
    passed: bool | None  # None: reported, and not judged
    note: str = ""  # how the row is judged, and what else a reader must know
    relation: Relation = "="  # what theory says: simulated = theory, or at least theory, ...

    @property
    def verdict(self) -> str:
        """``pass``, ``FAIL`` or ``reported``."""
        return "reported" if self.passed is None else "pass" if self.passed else "FAIL"


def _quiet(done: int, total: int) -> None:
    """Say nothing."""


class How(NamedTuple):
    """How a case is run; nothing here changes what is true."""

    full: bool = False  # the long form: more replications, and what must be learned first
    threads: int = 1  # processes or threads, >= 1; no result depends on it
    report: Report = _quiet


class Drawing(NamedTuple):
    """A figure of a case: what it is called, the tables it draws, and how it is drawn inside the house style."""

    stem: str
    tables: Mapping[str, pd.DataFrame]
    draw: Callable[[], Figure]


class KnownAnswer(NamedTuple):
    """A case in which theory or brute force says what the simulator must do."""

    name: str  # K1 … K20
    title: str
    theory: str  # the formula or the oracle, and its source
    own_world: str  # the world of its own that it uses, in words; '' where a scenario file alone sets it up
    settings: type[Frozen]  # its parameters, with ranges, defaults and descriptions
    run: Callable[[Any, How], list[Row]]
    figure: Callable[[Any, How], Drawing] | None = None  # of what was run with the same settings


def words(**values: Any) -> str:
    """Return ``m=2, players=3`` for people."""
    return ", ".join(
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}" for name, value in values.items()
    )


def _inside(theory: float, low: float, high: float) -> bool:
    slack = ROUNDING * max(1.0, abs(theory))
    return bool(low - slack <= theory <= high + slack)


def frequency(label: str, parameters: str, theory: float, hits: int, trials: int, rows: int, note: str = "") -> Row:
    """Judge ``hits`` of ``trials`` by the Clopper–Pearson interval (*Biometrika* 26(4), 1934).

    ``rows`` is the number of random rows of the case. The interval covers with 1 − FAMILY / rows.
    """
    from scipy.stats import binomtest

    level = 1.0 - FAMILY / rows
    own = binomtest(hits, trials).proportion_ci(confidence_level=level, method="exact")
    low, high = float(own.low), float(own.high)
    return Row(label, parameters, theory, hits / trials, low, high, _inside(theory, low, high), note or _level(level))


def least_caught(theory: float, trials: int, rows: int, power: float = POWER) -> float:
    """Return the smallest true rate above ``theory`` that a row of ``trials`` finds to be above it with ``power``.

    The row fails where the lower Clopper–Pearson limit of :func:`frequency` lies above ``theory``: from c hits on. The
    rate p solves P(Binomial(trials, p) ≥ c) = I_p(c, trials − c + 1) = power. It is 1 where no number of hits would do.
    """
    from scipy.special import betaincinv
    from scipy.stats import binom

    hits = int(binom.isf(0.5 * FAMILY / rows, trials, theory)) + 1
    return float(betaincinv(hits, trials - hits + 1, power)) if hits <= trials else 1.0


def mean(label: str, parameters: str, theory: float, values: ArrayLike, rows: int, note: str = "") -> Row:
    """Judge the mean of independent ``values``, float [n ≥ 2], by Student's interval, as :func:`frequency` does."""
    from civsim.analysis.statistics.resample import student_estimate

    level = 1.0 - FAMILY / rows
    found = student_estimate(values, level)
    low, high = float(found.low), float(found.high)
    return Row(
        label, parameters, theory, float(found.value), low, high, _inside(theory, low, high), note or _level(level)
    )


def _level(level: float) -> str:
    return f"theory inside the {100.0 * level:.6g} % interval"


def exact(label: str, parameters: str, theory: float, simulated: float, note: str = "equality, bit for bit") -> Row:
    """Judge by equality."""
    return Row(label, parameters, theory, simulated, simulated, simulated, bool(theory == simulated), note)


def close(label: str, parameters: str, theory: float, simulated: float, tolerance: float, note: str) -> Row:
    """Judge by an absolute ``tolerance`` > 0; ``note`` says where it comes from."""
    low, high = simulated - tolerance, simulated + tolerance
    passed = isfinite(simulated) and (_inside(theory, low, high) or isclose(theory, simulated, rel_tol=ROUNDING))
    return Row(label, parameters, theory, simulated, low, high, passed, note)


def bound(label: str, parameters: str, theory: float, relation: Relation, simulated: float, note: str) -> Row:
    """Judge by an inequality between what was simulated and the bound ``theory``."""
    holds = {
        "=": np.equal,
        "≥": np.greater_equal,
        "≤": np.less_equal,
        ">": np.greater,
        "<": np.less,
    }[relation]
    return Row(label, parameters, theory, simulated, nan, nan, bool(holds(simulated, theory)), note, relation)


def reported(label: str, parameters: str, simulated: float, low: float = nan, high: float = nan, note: str = "") -> Row:
    """Report a number that nothing is demanded of."""
    return Row(label, parameters, nan, simulated, low, high, None, note)
