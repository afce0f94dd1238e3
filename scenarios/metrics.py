"""Metrics of one's own: numbers of each seat's turn, that a study records beside civsim's.

The function behind ``module:name`` or ``file.py:name`` is called after every turn with what the turn brought
(:class:`civsim.engine.recorder.StepRecord`) and with the worlds' state (:class:`civsim.engine.state.State`); neither
can be written to. It returns a number for each seat, [B, N], or for each world, [B], which then is every seat's. nan
is no number: such a turn does not count. Of a run it is what its turns make together: their mean, say, or the last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from civsim.base.errors import CivsimError, StudyError
from civsim.base.own import Reference, explain_fault, load_own, parse_reference, plugins, source_digest_of
from civsim.base.scenario import Frozen
from civsim.base.settings import setting

if TYPE_CHECKING:
    from civsim.engine.recorder import StepRecord
    from civsim.engine.state import State

GROUP = "civsim.metrics"
"""Group of entry points by which an installed package offers metrics."""

Over = Literal["mean", "sum", "min", "max", "last"]
F64 = NDArray[np.float64]
Arrays = TypeVar("Arrays", "StepRecord", "State")


class MetricSettings(Frozen):
    """A metric of one's own, as a study names it."""

    function: str = Field(description="module:name, file.py:name (beside the study's file), or what a package offers")
    over: Over = setting("mean", "what its turns make of a run")


class OwnMetric(NamedTuple):
    """A metric ready to be measured."""

    name: str  # of its columns
    over: Over
    function: Callable[[StepRecord, State], Any]
    reference: Reference

    @property
    def source(self) -> str:
        """SHA-256 of its code (:func:`civsim.base.own.source_digest_of`). Raises :class:`StudyError` if it changed."""
        try:
            return source_digest_of(self.reference, f"metric {self.name!r}:")
        except CivsimError as error:
            raise StudyError(str(error)) from None


def load_metrics(asked: Mapping[str, MetricSettings], folder: Path | None = None) -> tuple[OwnMetric, ...]:
    """Return the metrics of a study, in its order; files are taken from ``folder``, the working folder if None.

    Raises:
        StudyError: there is no such file, module or name, its code fails, or it cannot be called.
    """
    found = []
    for name, settings in asked.items():
        try:
            reference = _reference(name, settings.function).beside(folder or Path.cwd())
            function = load_own(reference, f"metric {name!r}:")
        except CivsimError as error:
            raise StudyError(str(error)) from None
        if not callable(function):
            raise StudyError(f"metric {name!r}: {reference} is {type(function).__name__}; name a function")
        found.append(OwnMetric(name, settings.over, function, reference))
    return tuple(found)


def _reference(name: str, function: str) -> Reference:
    offered = plugins(GROUP)
    found = parse_reference(offered.get(function, function))
    if found is None:
        remedy = f"give module:name or file.py:name{', or one of ' + ', '.join(offered) if offered else ''}"
        raise StudyError(f"metric {name!r}: {function!r} names no function; {remedy}")
    return found


class Meter:
    """Measures the metrics of B worlds with N seats, turn by turn.

    Args:
        metrics: what is measured.
        state: the worlds' state, which is read in place.
    """

    def __init__(self, metrics: Sequence[OwnMetric], state: State) -> None:
        self.metrics, self._shape = tuple(metrics), state.alive.shape
        self._state = _read_only(state) if self.metrics else state
        self._kept = {metric.name: _start(metric.over, self._shape) for metric in self.metrics}
        self._counted = {metric.name: np.zeros(self._shape, np.bool_) for metric in self.metrics}
        self._turns = {metric.name: np.zeros(self._shape, np.int64) for metric in self.metrics}

    def measure(self, record: StepRecord, playing: NDArray[np.bool_]) -> dict[str, F64]:
        """Return the turn's value of each metric, float64 [B, N]; count it for the worlds ``playing`` (bool [B]).

        Raises:
            StudyError: a metric's code fails, or what it returns has another shape.
        """
        found = {}
        seen = _read_only(record) if self.metrics else record
        for metric in self.metrics:
            value = self._value(metric, seen)
            self._count(metric, value, playing[:, None] & ~np.isnan(value))
            found[metric.name] = value
        return found

    def runs(self) -> dict[str, F64]:
        """Return each metric of the runs so far, float64 [B, N]; nan where no turn gave a number."""
        found = {}
        for metric in self.metrics:
            value = self._kept[metric.name].copy()
            if metric.over == "mean":
                value /= np.maximum(self._turns[metric.name], 1)
            value[~self._counted[metric.name]] = np.nan
            found[metric.name] = value
        return found

    def _value(self, metric: OwnMetric, record: StepRecord) -> F64:
        try:
            value = np.asarray(metric.function(record, self._state), np.float64)
        except Exception as error:
            raise StudyError(
                f"metric {metric.name!r} ({metric.reference}): {explain_fault(error)}; correct it"
            ) from None
        if value.shape == self._shape[:1]:
            value = value[:, None]
        if value.shape not in (self._shape, (self._shape[0], 1)):
            wanted = f"{list(self._shape)}, a number a world and seat, or {list(self._shape[:1])}, one a world"
            raise StudyError(
                f"metric {metric.name!r} ({metric.reference}) has shape {list(value.shape)}; return {wanted}"
            )
        return np.broadcast_to(value, self._shape).copy()

    def _count(self, metric: OwnMetric, value: F64, counts: NDArray[np.bool_]) -> None:
        kept = self._kept[metric.name]
        self._counted[metric.name] |= counts
        self._turns[metric.name] += counts
        if metric.over == "last":
            kept[counts] = value[counts]
        elif metric.over == "min":
            kept[counts] = np.minimum(kept, value)[counts]
        elif metric.over == "max":
            kept[counts] = np.maximum(kept, value)[counts]
        else:
            kept[counts] += value[counts]


def _start(over: Over, shape: tuple[int, ...]) -> F64:
    return np.full(shape, {"min": np.inf, "max": -np.inf}.get(over, 0.0))


def _read_only(arrays: Arrays) -> Arrays:
    """Return the same named arrays, through views that cannot be written to."""
    views = {name: values.view() for name, values in arrays._asdict().items()}
    for view in views.values():
        view.flags.writeable = False
    return arrays._replace(**views)
