"""From a study to the points it plays: full factorials, sampled designs, and unions of factorials.

Sampled designs are a pure function of the study seed. From :mod:`scipy.stats.qmc`: a Latin hypercube (McKay, Beckman
and Conover 1979) or a scrambled Sobol sequence (Sobol 1967; Owen 1998). From SALib, for sensitivity analysis: Morris's
trajectories, in which one factor moves at a time (Morris, *Technometrics* 33(2), 1991), or Saltelli's rows A, AB and B
for Sobol indices (Saltelli et al., *Computer Physics Communications* 181(2), 2010). Factors with levels are crossed
with them.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import Draw
from civsim.base.errors import CivsimError, ScenarioError, StudyError
from civsim.base.scenario import Scenario
from civsim.scenarios.complaints import show_value
from civsim.scenarios.loader import load_scenario, override
from civsim.scenarios.study import FOCAL, MAX_LEVELS, MAX_POINTS, MAX_WORLD, Factor, Study

Levels = dict[str, Any]

MORRIS_LEVELS = 4
"""Levels of Morris's grid on [0, 1]; an elementary effect then spans 2/3 of a factor's range."""


class Point(NamedTuple):
    """One point of a design."""

    number: int  # place in the design, from 0
    levels: Mapping[str, Any]  # level of each factor by name; None where the point leaves the factor alone
    scenario: str  # name or path of its scenario
    settings: Mapping[str, Any]  # settings by dotted path; focal.… is the focal seat


def design_points(study: Study) -> tuple[Point, ...]:
    """Return every point of a study's design, in order. A union of factorials keeps the first of equal points.

    Raises:
        StudyError: no point or more than a million, more than MAX_LEVELS levels in all, a Sobol or Saltelli design
            whose samples are no power of two, a Morris or Saltelli design without SALib, or world ids that run past
            2**32.
    """
    rows = list(_rows(study))
    if not rows:
        raise StudyError(f"study {study.name!r} has no point; give its factors levels")
    last = study.first_world + study.replicates * (1 if study.paired else len(rows))
    if last > MAX_WORLD:
        raise StudyError(f"study {study.name!r} needs world ids up to {last - 1}; keep them below 2**32")
    return tuple(_point(study, index, levels) for index, levels in enumerate(rows))


def world_ids(study: Study, point: Point) -> range:
    """Return the ids of the worlds played at a point, ``replicates`` neighbours."""
    first = study.first_world + (0 if study.paired else point.number * study.replicates)
    return range(first, first + study.replicates)


def focal_seats(study: Study, ids: NDArray[np.int64], civilizations: int) -> NDArray[np.int64]:
    """Return the focal seat of each world, int64 like ``ids``: fixed, or the world id modulo the number of seats.

    Raises:
        StudyError: the fixed seat is not in the game.
    """
    if study.focal == "rotate":
        return ids % civilizations
    if study.focal >= civilizations:
        raise StudyError(f"focal={study.focal} with {civilizations} civilizations; give 0 to {civilizations - 1}")
    return np.full_like(ids, study.focal)


class Resolver:
    """Scenarios of a study's points. Files are read once; a base scenario is shared by the points that stand on it."""

    def __init__(self, study: Study) -> None:
        """Read every scenario the study names. Raises :class:`StudyError` for one that cannot be read."""
        self.study = study
        try:
            self.bases: dict[str, Scenario] = {name: load_scenario(study.locate(name)) for name in study.scenarios}
        except ScenarioError as error:
            raise StudyError(f"study {study.name!r}: {error}") from None

    def civilizations(self, point: Point) -> int:
        """Return the number of seats at a point (its settings may change it)."""
        return self._apply(point, focal=None).game.civilizations

    def scenario(self, point: Point, focal: int) -> Scenario:
        """Return the scenario of a point where ``focal`` is the focal seat. Raises :class:`StudyError`."""
        return self._apply(point, focal)

    def _apply(self, point: Point, focal: int | None) -> Scenario:
        general = {path: value for path, value in point.settings.items() if not is_focal(path)}
        seat = {path: value for path, value in point.settings.items() if is_focal(path)}
        settings: dict[str, Any] = dict(general)
        for path, value in seat.items() if focal is not None else ():
            settings[f"seats.{focal}{path[len(FOCAL) :]}"] = value
        try:
            return override(self.bases[point.scenario], settings) if settings else self.bases[point.scenario]
        except CivsimError as error:
            raise StudyError(f"study {self.study.name!r}, point {point.number}: {error}") from None


def is_focal(path: str) -> bool:
    """Return whether a dotted path leads to the focal seat."""
    return path.startswith(f"{FOCAL}.")


def _rows(study: Study) -> Iterator[Levels]:
    if study.points:
        yield from _union(study)
        return
    listed = {name: factor.choices for name, factor in study.factors.items() if not factor.is_range}
    sampled = {name: factor for name, factor in study.factors.items() if factor.is_range}
    count = math.prod(len(levels) for levels in listed.values()) * (study.samples or 1)
    count *= block_size(study.design, len(sampled))
    if count > MAX_POINTS:
        raise StudyError(f"study {study.name!r} has {count} points; keep at most {MAX_POINTS}")
    _check_levels(study, count)
    for combination in itertools.product(*listed.values()):
        fixed = dict(zip(listed, combination, strict=True))
        for values in _samples(study, sampled) if sampled else [{}]:
            levels = fixed | values
            yield {name: levels[name] for name in study.factors}


def _check_levels(study: Study, points: int) -> None:
    if points * len(study.factors) > MAX_LEVELS:
        raise StudyError(
            f"study {study.name!r} has {points} points of {len(study.factors)} factors; "
            f"keep at most {MAX_LEVELS} levels in all, {MAX_LEVELS // len(study.factors)} points"
        )


def _union(study: Study) -> Iterator[Levels]:
    seen: set[str] = set()
    for block in study.points:
        axes = {name: block[name] if isinstance(block[name], list | tuple) else (block[name],) for name in block}
        for combination in itertools.product(*axes.values()):
            levels: Levels = dict.fromkeys(study.factors)
            levels |= dict(zip(axes, combination, strict=True))
            key = json.dumps(levels, sort_keys=True)
            if key in seen:
                continue
            seen.add(key)
            if len(seen) > MAX_POINTS:
                raise StudyError(f"study {study.name!r} has more than {MAX_POINTS} points; drop some")
            _check_levels(study, len(seen))
            yield levels


def _samples(study: Study, factors: Mapping[str, Factor]) -> list[Levels]:
    """Return the sampled points of the range factors, in [low, high] each on its own scale."""
    rng = np.random.default_rng([study.seed, int(Draw.DESIGN)])
    unit = _unit_points(study.design, study.samples or 0, len(factors), rng)
    columns = [stretch(factor, unit[:, column]) for column, factor in enumerate(factors.values())]
    return [dict(zip(factors, values, strict=True)) for values in zip(*columns, strict=True)]


def block_size(design: str, factors: int) -> int:
    """Return how many points one sample of a design is: a trajectory, a row of A, AB and B, or a single point."""
    return {"morris": factors + 1, "saltelli": factors + 2}.get(design, 1)


def _unit_points(design: str, samples: int, factors: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a sampled design on the unit cube, float64 [points, factors]."""
    if design in ("sobol", "saltelli") and samples & (samples - 1):
        near = 1 << (samples.bit_length() - 1)
        what = "Sobol" if design == "sobol" else "Saltelli"
        raise StudyError(f"samples={samples} is no power of two, which a {what} design needs; give {near}")
    if design in ("morris", "saltelli"):
        return _salib_points(design, samples, factors, rng)
    from scipy.stats import qmc

    if design == "sobol":
        return qmc.Sobol(factors, scramble=True, rng=rng).random(samples)
    return qmc.LatinHypercube(factors, rng=rng).random(samples)


def _salib_points(design: str, samples: int, factors: int, rng: np.random.Generator) -> NDArray[np.float64]:
    try:
        from SALib.sample import morris, sobol
    except ImportError:
        raise StudyError(f"design={design!r} needs SALib; install it: pip install 'civsim[sensitivity]'") from None
    problem = {"num_vars": factors, "names": [f"x{index}" for index in range(factors)], "bounds": [[0, 1]] * factors}
    if design == "morris":
        return np.asarray(morris.sample(problem, samples, num_levels=MORRIS_LEVELS, seed=rng), np.float64)
    return np.asarray(sobol.sample(problem, samples, calc_second_order=False, seed=rng), np.float64)


def stretch(factor: Factor, unit: NDArray[np.float64]) -> list[float] | list[int]:
    """Map points of [0, 1] to the range of a factor.

    A real factor: low + u (high − low), or low (high / low)^u on a log scale. A whole one: the same over
    [low, high + 1), rounded down, so that every number has its share of the scale.
    """
    low, high = float(factor.low or 0.0), float(factor.high or 0.0) + (1.0 if factor.integer else 0.0)
    value = low * (high / low) ** unit if factor.scale == "log" else low + unit * (high - low)
    if not factor.integer:
        return [float(item) for item in np.clip(value, low, high)]
    return [int(item) for item in np.clip(np.floor(value), low, high - 1.0)]


def _point(study: Study, index: int, levels: Levels) -> Point:
    scenario = levels.get(study.contexts) if study.contexts else study.scenario
    settings: dict[str, Any] = dict(study.set)
    for name, level in levels.items():
        factor = study.factors[name]
        if level is None or factor.scenarios:
            continue
        if factor.arms:
            settings |= factor.arms[level]
        else:
            settings |= dict.fromkeys(factor.targets, level)
    if not isinstance(scenario, str):
        raise StudyError(f"study {study.name!r}, point {index}: scenario={show_value(scenario)} is no scenario's name")
    return Point(index, levels, scenario, settings)
