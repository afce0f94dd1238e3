"""Progress on stderr: the one bar that long commands show."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Bar:
    """A bar on stderr that fills up as things are done; it shows nothing unless it is wanted."""

    def __init__(self, progress: Progress | None, task: TaskID | None) -> None:
        self._progress, self._task = progress, task

    def advance(self, done: int, detail: str | None = None) -> None:
        """Count ``done`` more, and say something beside it where there is something to say."""
        self._update(advance=done, detail=detail)

    def advance_to(self, done: int, detail: str | None = None) -> None:
        """Set what is done in all."""
        self._update(completed=done, detail=detail)

    def begin(self, total: int, done: int = 0, label: str | None = None) -> None:
        """Set how much there is in all, what of it is done, and the label before the bar."""
        self._update(total=total, completed=done, description=label)

    def label(self, text: str) -> None:
        """Set the label before the bar."""
        self._update(description=text)

    def _update(self, **fields: object) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, **{name: value for name, value in fields.items() if value is not None})  # type: ignore[arg-type]


@contextmanager
def progress_bar(label: str, unit: str, total: int | None, wanted: bool | None) -> Iterator[Bar]:
    """Yield a bar of ``total`` units on stderr; by default (None) only where stderr is a terminal."""
    if not (sys.stderr.isatty() if wanted is None else wanted):
        yield Bar(None, None)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit + " {task.fields[detail]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield Bar(progress, progress.add_task(label, total=total, detail=""))
