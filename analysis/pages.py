"""Pages of the docs whose numbers a program writes: their tables, their generated blocks, and the program itself.

The prose of such a page is written by people; every block between ``<!-- generated: NAME -->`` and ``<!-- end -->`` is
replaced by its program, and no measured number stands outside such a block.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from civsim.base.errors import CivsimError, ResultsError

FIGURES = "figures"
"""Folder of the figures, inside that of the page."""

EXIT_INPUT = 2
"""Exit code for input that cannot be used."""

_BLOCK = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def gain(value: float, low: float, high: float, digits: int = 1) -> str:
    """Return ``value [low, high]`` for a table, as printed; bold where the printed interval leaves out 0."""
    rounded = [round(float(number), digits) + 0.0 for number in (value, low, high)]
    if not any(rounded):
        return "0"
    first, *limits = (f"{number:+.{digits}f}".replace("-", "−") if number else "0" for number in rounded)
    text = f"{first} [{', '.join(limits)}]"
    return f"**{text}**" if rounded[1] > 0.0 or rounded[2] < 0.0 else text


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; the first column is left-aligned, the others right-aligned."""
    lines = [
        "| " + " | ".join(header) + " |",
        "|" + "|".join(["---"] + ["---:"] * (len(header) - 1)) + "|",
        *("| " + " | ".join(row) + " |" for row in rows),
    ]
    return "\n".join(lines)


def rules_line(versions: Iterable[object]) -> str:
    """Return under which versions of the rules a page's games were played: its block ``rules``, at its head."""
    played = " and ".join(sorted({str(version) for version in versions}))
    return f"Played under rules version {played}; results of different rules versions are not comparable."


def fill_blocks(page: str, blocks: Mapping[str, str]) -> str:
    """Return ``page`` with every generated block replaced.

    Raises:
        ResultsError: the page has a block nobody makes, or lacks one.
    """
    found = [match.group(2) for match in _BLOCK.finditer(page)]
    for name in [*found, *blocks]:
        if name not in blocks or name not in found:
            raise ResultsError(
                f"block {name!r} is not both in the page and made; keep its markers, or drop it from both"
            )
    return _BLOCK.sub(lambda match: f"{match.group(1)}{blocks[match.group(2)].rstrip()}\n{match.group(3)}", page)


def page_program(
    module: str, about: str, results: str, page: str, write: Callable[[Path, Path], list[Path]]
) -> Callable[[Sequence[str] | None], int]:
    """Return the program of a page, ``python -m MODULE RESULTS DOCS``.

    Args:
        module: its import name.
        about: what it does, one line.
        results: what the first argument is.
        page: file name of the page, in the folder that is the second argument.
        write: fills the page from the results and returns the files written.

    The program takes its arguments (those of the command line if None) and returns the exit code: 2 for input that
    cannot be used, said in one line.
    """

    def main(arguments: Sequence[str] | None = None) -> int:
        parser = argparse.ArgumentParser(prog=f"python -m {module}", description=about)
        parser.add_argument("results", type=Path, help=results)
        parser.add_argument("docs", type=Path, help=f"folder that holds {page}")
        given = parser.parse_args(arguments)
        try:
            paths = write(given.results, given.docs)
        except CivsimError as error:
            sys.stderr.write(f"civsim: error: {error}\n")
            return EXIT_INPUT
        sys.stdout.write("".join(f"{path}\n" for path in paths))
        return 0

    return main
