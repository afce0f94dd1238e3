"""An observation by the names of its features, for those who write a civilization by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from civsim.engine.observation.features import FEATURES, at
from civsim.engine.state import F32
from civsim.faces.answers import likely


class Observed(Mapping[str, float]):
    """What one civilization may know, by the name of the feature (:mod:`civsim.engine.observation.features`).

    Args:
        row: float32 [F], which is not written to afterwards.
    """

    def __init__(self, row: F32) -> None:
        self.row = row

    def __getitem__(self, name: str) -> float:
        try:
            return float(self.row.item(at(name)))
        except KeyError:
            raise KeyError(f"{name!r} is no feature of the observation; {likely(name, FEATURES)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(FEATURES)

    def __len__(self) -> int:
        return len(FEATURES)
