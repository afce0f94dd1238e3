"""What commands about players print: progress of games, tables, numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from civsim.cli.progress import progress_bar

_WIDTH = 160


@contextmanager
def games_bar(wanted: bool | None) -> Iterator[Callable[[str, int], Callable[[int], None]]]:
    """Show games played on stderr, by default on a terminal; yield what makes a report for one player's games.

    It is called with the player's name and the number of all games, of every player.
    """
    with progress_bar("", "games", None, wanted) as bar:
        done = 0

        def begin(label: str, total: int) -> Callable[[int], None]:
            bar.begin(total, done, label)

            def played(games: int) -> None:
                nonlocal done
                done += games
                bar.advance(games)

            return played

        yield begin


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on stdout: the first column to the left, the others to the right."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for place, text in enumerate(header):
        table.add_column(text, justify="left" if place == 0 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console = Console()
    (console if console.is_terminal else Console(width=_WIDTH)).print(table)


def number(value: float) -> str:
    """Return a number with about four digits that count."""
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"


def within(value: float, low: float, high: float, sign: bool = False) -> str:
    """Return a number and its interval."""
    first = f"+{number(value)}" if sign and value > 0.0 else number(value)
    return f"{first} [{number(low)}, {number(high)}]"


def percent(value: float, low: float | None = None, high: float | None = None) -> str:
    """Return a share in percent, and its interval where there is one."""
    digits = 1 if value < 0.1 else 0
    text = f"{100 * value:.{digits}f} %"
    return text if low is None or high is None else f"{text} [{100 * low:.{digits}f}, {100 * high:.{digits}f}]"
