"""An observation by the names of its features, for those who write a civilization by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from civsim.engine.observation.features import FEATURE_TABLE, OFFICE_TABLE, at
from civsim.engine.state import F32
from civsim.faces.answers import likely

_NAMES = tuple(feature.name for feature in (*FEATURE_TABLE, *OFFICE_TABLE))


class Observed(Mapping[str, float]):
    """What one civilization may know, by the name of the feature (:mod:`civsim.engine.observation.features`).

    Args:
        row: float32 [F], which is not written to afterwards.
    """

    def __init__(self, row: F32) -> None:
        self.row = row
        self._names = _NAMES[: len(row)]

    def __getitem__(self, name: str) -> float:
        try:
            return float(self.row.item(at(name)))
        except (KeyError, IndexError):
            raise KeyError(f"{name!r} is no feature of the observation; {likely(name, self._names)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
