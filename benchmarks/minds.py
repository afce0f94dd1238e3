r"""What levels of mind are worth, and what a return to thinking consists of: ``python benchmarks/minds.py DIR``.

Reads games that ``contexts.py play`` has kept in DIR and prints two tables. Levels of mind by sight, for every arm that
was played at all of them; and the parts of a return, context by context, for a planner of 16 turns:

longer plans in view    npv of reach 16 over the rule of thumb, rivals standing still to both
simulating them         the planner of horizon 16 over npv of reach 16, likewise
deadlines               the same planner with rivals rolled on (level 1) over rivals standing still (level 0)
rivals that play on     level 2 over level 1
sight                   at level 1, the whole map over sight 4

    python benchmarks/contexts.py play --library --worlds 100 --out out/parts \
        --arms h0 npv-16+mind-0 h16+mind-0 h16+mind-1 h16+mind-2 h16+mind-1+sight-4
    python benchmarks/minds.py out/parts

Differences are log points a turn of seat 0 with 95 % intervals over the same worlds (Student's t).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from contexts import read_played
from contexts_arms import ARMS, SIGHTS, VARIED
from contexts_report import Games
from scipy.stats import t as student

from civsim.base.constants import MAX_MIND
from civsim.base.errors import CivsimError, ResultsError

PARTS = {
    "longer plans in view": ("npv-16+mind-0", "h0"),
    "simulating them": ("h16+mind-0", "npv-16+mind-0"),
    "deadlines": ("h16+mind-1", "h16+mind-0"),
    "rivals that play on": ("h16+mind-2", "h16+mind-1"),
    "sight": ("h16+mind-1", "h16+mind-1+sight-4"),
}
"""Parts of a return: an arm, and the one that it is compared with."""

_LEVEL, _INPUT = 0.95, 2
_Played = dict[str, dict[str, Games]]


def gain(played: _Played, context: str, arm: str, other: str) -> str:
    """Return the gain of an arm over another in a context, with its interval; "—" where one was not played."""
    if any(context not in played.get(name, {}) for name in (arm, other)):
        return "—"
    first, second = played[arm][context], played[other][context]
    if first.world_ids != second.world_ids:
        raise ResultsError(f"{context}: {arm} and {other} met other worlds; play them again")
    apart = first.points - second.points
    half = student.ppf((1 + _LEVEL) / 2, len(apart) - 1) * apart.std(ddof=1) / np.sqrt(len(apart))
    return f"{apart.mean():+.1f} ± {half:.1f}"


def parts_table(played: _Played) -> list[str]:
    """Return the table of :data:`PARTS`, a context a row, as lines of Markdown."""
    contexts = sorted({context for pair in PARTS.values() for name in pair for context in played.get(name, {})})
    lines = ["| context | " + " | ".join(PARTS) + " |", "| --- |" + " ---: |" * len(PARTS)]
    return lines + [
        f"| {context} | " + " | ".join(gain(played, context, *pair) for pair in PARTS.values()) + " |"
        for context in contexts
    ]


def minds_table(played: _Played) -> list[str]:
    """Return the gain of every level of mind over the one below, by context, arm and sight, as lines of Markdown."""
    steps = range(1, MAX_MIND + 1)
    head = " | ".join(f"level {mind - 1} → {mind}" for mind in steps)
    lines = [f"| context | arm | sight | {head} |", "| --- | --- | ---: |" + " ---: |" * len(steps)]
    for context in sorted({context for name in played if ARMS[name].variant for context in played[name]}):
        for arm in VARIED:
            for sight in (*SIGHTS, None):
                end = "" if sight is None else f"+sight-{sight}"
                row = [
                    gain(played, context, f"{arm}+mind-{mind}{end}", f"{arm}+mind-{mind - 1}{end}") for mind in steps
                ]
                if any(one != "—" for one in row):
                    lines.append(f"| {context} | {arm} | {sight or 'all'} | " + " | ".join(row) + " |")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns the exit code, 2 for input that cannot be used."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if len(given) != 1:
        sys.stderr.write(f"minds: error: {len(given)} arguments where one is needed; give the folder of the games\n")
        return _INPUT
    try:
        played = read_played(Path(given[0]))
        if not played:
            raise ResultsError(f"{given[0]!r} holds no games; give the folder that `contexts.py play` wrote")
        sys.stdout.write("\n".join([*parts_table(played), "", *minds_table(played)]) + "\n")
    except CivsimError as error:
        sys.stderr.write(f"minds: error: {error}\n")
        return _INPUT
    return 0


if __name__ == "__main__":
    sys.exit(main())
