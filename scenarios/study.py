"""Study files: a question, the factors that may answer it, and how many worlds are played at each point.

A study is TOML: a design (``factorial``, ``latin`` hypercube, ``sobol`` sequence, ``morris`` trajectories or
``saltelli`` rows, or a union of sub-factorials in ``[[points]]``) over *factors*. A factor is one of: ``scenarios``
(its levels are contexts), ``path``/``paths`` with ``levels``, ``path``/``paths`` with a range ``low`` to ``high``, or
``arms`` (named bundles of settings). Paths are dotted scenario settings; ``focal.…`` is the focal seat, wherever it
sits. Scenarios given as paths, and files of the study's own metrics, are relative to the study's file; a relative
``map.file``, ``file:`` policy or own policy's file among a study's own settings is looked for in the working folder.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, ValidationError, model_validator

from civsim.base.constants import MAX_CIVILIZATIONS
from civsim.base.errors import StudyError
from civsim.base.own import parse_reference
from civsim.base.scenario import Frozen
from civsim.scenarios.complaints import did_you_mean, explain, show_value
from civsim.scenarios.hypothesis import Hypothesis
from civsim.scenarios.loader import SUFFIX, is_path
from civsim.scenarios.metrics import MetricSettings
from civsim.scenarios.reading import check_plain, parse, read_text
from civsim.scenarios.stop import LONGEST, Stop, parse_stop

STUDIES = Path(__file__).with_name("studies")
"""Folder of the studies that ship with civsim."""

MAX_POINTS = 1_000_000
MAX_LEVELS = 20_000_000
"""Most levels that a design may have, its points times its factors; each is kept and takes a hundred bytes or so."""

MAX_REPLICATES = 1_000_000
MAX_WORLD = 2**32
FOCAL = "focal"
"""First step of a dotted path that leads to the focal seat."""

Scalar = bool | int | float | str
Finite = Annotated[float, Field(allow_inf_nan=False)]
MapTurn = Annotated[int, Field(ge=1)]
MetricName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
FactorName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")]


class Factor(Frozen):
    """One thing that a study varies. Exactly one of scenarios, levels, low and high, or arms."""

    path: str | None = Field(None, description="dotted setting it sets")
    paths: tuple[str, ...] = Field((), description="dotted settings it sets to one value")
    scenarios: tuple[str, ...] = Field((), description="levels: scenarios by name or path")
    levels: tuple[Any, ...] = Field((), description="levels: values of the path")
    arms: dict[str, dict[str, Any]] = Field(default_factory=dict, description="levels: named settings by path")
    low: Finite | None = Field(None, description="least value of a range")
    high: Finite | None = Field(None, description="largest value of a range")
    scale: Literal["linear", "log"] = Field("linear", description="how a range is filled")
    integer: bool = Field(False, description="a range of whole numbers, both ends included")

    @property
    def targets(self) -> tuple[str, ...]:
        """Dotted paths the factor sets; empty for contexts and arms."""
        return self.paths if self.path is None else (self.path, *self.paths)

    @property
    def writes(self) -> tuple[str, ...]:
        """Dotted paths the factor sets at any of its levels."""
        return (*self.targets, *dict.fromkeys(path for arm in self.arms.values() for path in arm))

    @property
    def is_range(self) -> bool:
        """Whether the factor is a range for a sampled design."""
        return self.low is not None or self.high is not None

    @property
    def choices(self) -> tuple[Any, ...]:
        """The levels of a factor that lists them: scenario names, values, or names of arms."""
        return self.scenarios or self.levels or tuple(self.arms)

    @model_validator(mode="after")
    def _check(self) -> Factor:
        given = [bool(self.scenarios), bool(self.levels), bool(self.arms), self.is_range]
        if sum(given) != 1:
            raise ValueError(f"gives {sum(given)} kinds of level; give one of scenarios, levels, arms, low with high")
        if bool(self.targets) != (bool(self.levels) or self.is_range):
            raise ValueError("path goes with levels or with low and high; add what is missing or drop it")
        if not self.is_range and {"scale", "integer"} & self.model_fields_set:
            raise ValueError("scale and integer have no effect without low and high; drop them")
        if self.is_range:
            self._check_range()
        keys = [json.dumps(choice, sort_keys=True) for choice in self.choices]
        if len(set(keys)) != len(keys):
            raise ValueError("names a level twice; name each once")
        return self

    def _check_range(self) -> None:
        if self.low is None or self.high is None:
            raise ValueError("a range needs both low and high; add the other")
        if not self.low < self.high:
            raise ValueError(f"low={self.low:g} is not below high={self.high:g}; swap or widen them")
        if self.scale == "log" and self.low <= 0:
            raise ValueError(f"low={self.low:g} with scale = 'log'; give a low above 0")
        if self.integer and (self.low != int(self.low) or self.high != int(self.high)):
            raise ValueError("an integer range needs whole low and high; round them")


class Study(Frozen):
    """A designed batch of games, frozen. The games are a pure function of it, of the rules and of its scenarios."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", description="short name")
    question: str = Field("", max_length=4000, description="what it asks, for people")
    scenario: str = Field("baseline", description="scenario of every point, unless a factor has scenarios")
    seed: int = Field(0, ge=0, lt=2**63, description="study seed: the key of every draw")
    replicates: int = Field(100, ge=1, le=MAX_REPLICATES, description="worlds a point")
    first_world: int = Field(0, ge=0, lt=MAX_WORLD, description="id of the first world")
    paired: bool = Field(True, description="every point plays the same worlds; else each its own")
    focal: int | Literal["rotate"] = Field("rotate", description="focal seat; rotate: world id modulo seats")
    series: Literal["none", "focal", "all"] = Field("none", description="seats of the per-turn table")
    maps: tuple[MapTurn, ...] = Field((), description="turns at whose end the owner of every cell is recorded")
    metrics: dict[MetricName, MetricSettings] = Field(
        default_factory=dict, description="metrics of one's own, by the name of their column"
    )
    stop: str | None = Field(
        None, max_length=LONGEST, description="when a game is over before its last turn (civsim.scenarios.stop)"
    )
    design: Literal["factorial", "latin", "sobol", "morris", "saltelli"] = Field(
        "factorial", description="how points are placed"
    )
    samples: int | None = Field(
        None, ge=1, le=MAX_POINTS, description="points of latin, sobol; trajectories of morris; rows of saltelli"
    )
    set: dict[str, Any] = Field(default_factory=dict, description="settings of every point, by dotted path")
    factors: dict[FactorName, Factor] = Field(default_factory=dict, description="what varies, by name")
    points: tuple[dict[str, Any], ...] = Field((), description="sub-factorials whose union is the design")
    hypotheses: dict[FactorName, Hypothesis] = Field(default_factory=dict, description="what is claimed beforehand")
    _folder: Path | None = PrivateAttr(None)  # where scenarios given as paths are; None: the working folder

    @property
    def scenarios(self) -> tuple[str, ...]:
        """Scenarios it names, as they are written."""
        return (self.scenario,) if self.contexts is None else self.factors[self.contexts].scenarios

    @property
    def folder(self) -> Path | None:
        """Folder that scenarios given as relative paths are relative to; None is the working folder."""
        return self._folder

    def locate(self, scenario: str) -> str | Path:
        """Return where a scenario that the study names is: a name of the library, or an absolute path."""
        return ((self._folder or Path.cwd()) / scenario).absolute() if is_path(scenario) else scenario

    @property
    def contexts(self) -> str | None:
        """Name of the factor whose levels are scenarios, if there is one."""
        return next((name for name, factor in self.factors.items() if factor.scenarios), None)

    @property
    def stopping(self) -> Stop | None:
        """When a game is over before its last turn, read; None where every game is played to its end."""
        from civsim.scenarios.games import SERIES

        return None if self.stop is None else parse_stop(self.stop, [*SERIES, *self.metrics])

    @model_validator(mode="after")
    def _check(self) -> Study:
        if isinstance(self.focal, int) and not 0 <= self.focal < MAX_CIVILIZATIONS:
            raise ValueError(f"focal={self.focal} is no seat; give 0 to {MAX_CIVILIZATIONS - 1} or 'rotate'")
        if list(self.maps) != sorted(set(self.maps)):
            raise ValueError(f"maps={list(self.maps)} do not ascend; name each turn once, in order")
        if sum(bool(factor.scenarios) for factor in self.factors.values()) > 1:
            raise ValueError("two factors have scenarios; keep one")
        if self.contexts is not None and "scenario" in self.model_fields_set:
            raise ValueError(f"scenario has no effect beside factors.{self.contexts}.scenarios; drop one")
        self._check_design()
        self._check_points()
        self._check_recorded()
        for varied in self.points or (self.factors,):
            _check_paths({name: self.factors[name] for name in varied})
        return self

    def _check_design(self) -> None:
        ranges = [name for name, factor in self.factors.items() if factor.is_range]
        if self.design == "factorial":
            if ranges and not self.points:
                raise ValueError(f"factors.{ranges[0]} is a range; give levels, or design = 'latin' or 'sobol'")
            if self.samples is not None:
                raise ValueError("samples has no effect in a factorial design; drop it")
            return
        if self.points:
            raise ValueError(f"points have no effect with design={self.design!r}; drop one")
        if self.samples is None:
            raise ValueError(f"samples is missing with design={self.design!r}; add the number of points")
        if not ranges:
            raise ValueError(f"design={self.design!r} has no factor with low and high; add one")
        if self.design in ("morris", "saltelli") and self.samples < 2:
            raise ValueError(f"samples={self.samples} with design={self.design!r} has no spread; give at least 2")

    def _check_recorded(self) -> None:
        if self.metrics:
            from civsim.scenarios.games import check_metric_names

            check_metric_names(self.metrics)
        _ = self.stopping  # read once, so that what cannot be said is refused with the study

    def _check_points(self) -> None:
        if "points" in self.model_fields_set and not self.points:
            raise ValueError("points is empty; add a point, or drop it for a full factorial")
        for index, block in enumerate(self.points):
            if self.contexts is not None and self.contexts not in block:
                raise ValueError(f"points.{index} names no {self.contexts}; add it")
            for name, value in block.items():
                factor = self.factors.get(name)
                if factor is None:
                    raise ValueError(f"points.{index}.{name} is no factor; {did_you_mean(name, self.factors)}")
                if value in ([], ()):
                    raise ValueError(f"points.{index}.{name} is empty; give it a level, or drop it")
                for level in value if isinstance(value, list | tuple) else (value,):
                    _check_level(f"points.{index}.{name}", factor, level)


def _check_level(where: str, factor: Factor, level: Any) -> None:
    """Check a level stated in a point: one of those that the factor lists, or a number in its range."""
    shown = f"{where}={show_value(level)}"
    if not factor.is_range:
        if not any(_same(level, choice) for choice in factor.choices):
            known = (*factor.scenarios, *factor.arms)
            remedy = "add it to the factor's levels" if factor.levels else did_you_mean(str(level), known)
            raise ValueError(f"{shown} is not a level; {remedy}")
        return
    low, high = factor.low or 0.0, factor.high or 0.0
    number = isinstance(level, int | float) and not isinstance(level, bool)
    if not number:
        raise ValueError(f"{shown} is not a number; give one in the factor's range")
    if not low <= level <= high:
        raise ValueError(f"{shown} is not in the factor's range; give {low:g} to {high:g}, or widen it")
    if factor.integer and level != int(level):
        raise ValueError(f"{shown} is not a whole number; round it")


def _same(one: Any, other: Any) -> bool:
    """Return whether two levels are equal; unlike in Python, true is not 1."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _check_paths(factors: Mapping[str, Factor]) -> None:
    """Check that no two factors that vary together set one setting, or a setting and the table it lies in."""
    set_by: dict[str, tuple[str, str]] = {}  # (factor, path) by path
    below: dict[str, tuple[str, str]] = {}  # the same by every table above a path
    for name, factor in factors.items():
        for path in factor.writes:
            tables = list(itertools.accumulate(path.split("."), "{}.{}".format))
            found = next((set_by[table] for table in tables if table in set_by), None) or below.get(path)
            if found is not None:
                first, other = found
                both = show_value(path) if path == other else f"{show_value(other)} and {show_value(path)}"
                raise ValueError(f"factors.{first} and factors.{name} both set {both}; drop one, or use arms")
        for path in factor.writes:
            set_by.setdefault(path, (name, path))
            for table in itertools.accumulate(path.split("."), "{}.{}".format):
                below.setdefault(table, (name, path))


def list_studies() -> tuple[str, ...]:
    """Return the names of the studies that ship with civsim, in alphabetical order."""
    return tuple(sorted(path.stem for path in STUDIES.glob(f"*{SUFFIX}")))


def load_study(name_or_path: str | Path) -> Study:
    """Return a study by library name or from a TOML file.

    Scenarios in the study that are paths are relative to its file; they are kept as they are written.

    Raises:
        StudyError: one line naming the file, the dotted key, the value, the limit and the remedy.
    """
    if is_path(name_or_path):
        path = Path(name_or_path)
    elif name_or_path in list_studies():
        path = STUDIES / f"{name_or_path}{SUFFIX}"
    else:
        remedy = did_you_mean(str(name_or_path), list_studies())
        raise StudyError(f"no study is called {show_value(str(name_or_path))}; {remedy} (a file is given as a path)")
    source = show_value(str(path)) if is_path(name_or_path) else f"study {path.stem!r}"
    text = read_text(path, StudyError)
    return loads_study(text, folder=path.parent, source=source, name=path.stem)


def loads_study(
    text: str, *, folder: str | Path | None = None, source: str = "study text", name: str = "unnamed"
) -> Study:
    """Return the study that a TOML text describes; ``name`` is taken where the text gives none.

    Raises:
        StudyError: as :func:`load_study`.
    """
    tables = parse(text, source, StudyError)
    tables.setdefault("name", name)
    return study_from_plain(tables, source, folder=Path.cwd() if folder is None else folder)


def study_from_plain(tables: Mapping[str, Any], source: str = "study", *, folder: str | Path | None = None) -> Study:
    """Return the study that plain tables describe; ``folder`` is where scenarios given as paths are looked for.

    Raises:
        StudyError: as :func:`load_study`.
    """
    check_plain(dict(tables), source, StudyError)
    try:
        study = Study.model_validate_json(json.dumps(tables), strict=True)
    except ValidationError as error:
        raise StudyError(explain(error, Study, source)) from None
    files = any((found := parse_reference(metric.function)) and found.is_file for metric in study.metrics.values())
    if folder is not None and (files or any(is_path(name) for name in study.scenarios)):
        study._folder = Path(folder).absolute()
    return study
