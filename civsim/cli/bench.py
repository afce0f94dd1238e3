"""How fast the engine is on this machine, by the games of :mod:`civsim.cli.bench_games`; and learning, and peers.

``civsim bench`` calls :func:`bench`. Learning is timed by :mod:`civsim.cli.bench_training`, compiling by
:mod:`civsim.cli.bench_cold`, other simulators by :mod:`civsim.cli.bench_peers`.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from civsim.base.constants import RULES_VERSION
from civsim.base.errors import CivsimError
from civsim.cli.bench_cold import COLD_TARGET, time_cold
from civsim.cli.bench_games import (
    EVERY_RULE,
    HEADER,
    MIN_REPEATS,
    SHARES,
    Levels,
    Timing,
    bench_scenario,
    play,
    row,
    time_threads,
)
from civsim.cli.bench_sweeps import FAR, MYOPIC, PLANNING, headline, sweeps, time_tables

TARGETS = {MYOPIC: 555_000.0, PLANNING: 45_000.0, FAR: 16_000.0}
"""Decisions per second and core to reach at levels (h, r, k), on the world of ``EVERY_RULE``."""

THREAD_TARGET = 1.8
"""Speed of two threads over one to reach."""

THREAD_WORLDS = {MYOPIC: 1024, PLANNING: 64}
"""Levels of that comparison, and worlds at each: enough that a step lasts far longer than it takes to wake a thread (a
tenth of a millisecond here), and that the chunks that threads share are many."""


def machine() -> dict[str, Any]:
    """Return what the numbers were measured on: processor, cores, load, versions."""
    cpuinfo = Path("/proc/cpuinfo")
    models = (
        [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        if cpuinfo.is_file()
        else []
    )
    return {
        "processor": models[0] if models else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "cores_usable": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load_average": list(os.getloadavg()) if hasattr(os, "getloadavg") else [],
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "numpy": importlib.metadata.version("numpy"),
        "numba": importlib.metadata.version("numba"),
        "civsim": importlib.metadata.version("civsim"),
        "rules": RULES_VERSION,
    }


def _targets(
    levels: Sequence[Timing], threads: dict[str, dict[str, float]], cold: dict[str, float] | None
) -> list[dict[str, Any]]:
    """Return each target with what was measured and whether it was met."""
    rows = [
        {
            "what": "decisions per second and core at (h, r, k) = ({}, {}, {})".format(*timing.levels),
            "target": TARGETS[timing.levels],
            "measured": timing.per_second,
            "met": timing.per_second >= TARGETS[timing.levels],
        }
        for timing in levels
    ]
    for name, pair in threads.items():
        ratio, what = pair["ratio"], f"two threads over one at (h, r, k) = {name}"
        rows.append({"what": what, "target": THREAD_TARGET, "measured": ratio, "met": ratio >= THREAD_TARGET})
    if cold is not None:
        what, seconds = "processor seconds of a first game, compiling, at most", cold["cold"]
        rows.append({"what": what, "target": COLD_TARGET, "measured": seconds, "met": seconds <= COLD_TARGET})
    return rows


def _time_threads(cores: int, repeats: int, echo: Callable[[str], None]) -> dict[str, dict[str, float]]:
    """Compare two threads with one, where there are two cores."""
    threads = {}
    for levels, worlds in THREAD_WORLDS.items() if cores > 1 else ():
        pair = threads[str(levels)] = time_threads(levels, worlds, repeats)
        ratios = "{ratio:.2f}× wall; processor time over wall {cpu_ratio:.2f}".format(**pair)
        echo(f"two threads over one at {levels}: {ratios}")
    return threads


def _time_cold(levels: Levels, echo: Callable[[str], None]) -> dict[str, float]:
    found = time_cold(levels)
    echo(
        "a first game: {cold:.1f} processor seconds with its kernels compiled, {warm:.1f} with them kept".format(
            **found
        )
    )
    return found


def _step_peers(repeats: int, echo: Callable[[str], None]) -> dict[str, Any]:
    from civsim.cli.bench_peers import bench_peers

    return bench_peers(repeats, echo)


def _greet(echo: Callable[[str], None]) -> dict[str, Any]:
    """Say what the numbers are measured on, and return it."""
    facts = machine()
    echo("{processor}, {cores_usable} cores usable, Python {python}, numba {numba}, rules {rules}".format(**facts))
    load = facts["load_average"]
    if load and load[0] > 1.0:
        echo(f"load average {load[0]:.1f}: the machine is busy; per cpu-s is then the fairer column")
    return facts


def bench(
    quick: bool = False,
    out: Path | None = None,
    *,
    repeats: int = MIN_REPEATS,
    cold: bool = True,
    peers: bool = False,
    echo: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Time the engine and learning, print tables, and return (and write, where ``out`` is given) the results.

    Args:
        quick: time the headline and the threads alone, on a quarter of the worlds, and learning at short horizons
            alone.
        out: a JSON file: machine, versions, targets, every timing.
        repeats: timings behind each median.
        cold: compile the kernels in a fresh process and time that.
        peers: step other simulators too, those that are installed.
        echo: called with each line.

    The ratio of two threads is left out on a single core.

    Raises:
        CivsimError: fewer than :data:`MIN_REPEATS` repeats, or the folder of ``out`` does not exist.
    """
    if out is not None and not out.parent.is_dir():
        raise CivsimError(f"{str(out.parent)!r} is not a folder; create it before writing {out.name!r}")
    facts = _greet(echo)
    for levels in TARGETS:
        play(bench_scenario(levels, turns=2), 2, 0, 1)
    echo(HEADER)
    heads = time_tables(headline(quick), repeats, lambda timing: echo(row(timing)))
    swept = {} if quick else time_tables(sweeps(), repeats, lambda timing: echo(row(timing)))
    threads = _time_threads(facts["cores_usable"], repeats, echo)
    compiled = _time_cold(PLANNING, echo) if cold else None
    compared = _step_peers(repeats, echo) if peers else {}
    from civsim.cli.bench_training import bench_training

    training = bench_training(repeats, quick, min(2, facts["cores_usable"]), echo)
    targets = _targets(heads["levels"], threads, compiled) + training.pop("targets")
    for target in targets:
        verdict = "met" if target["met"] else "MISSED"
        echo(f"{verdict:>7}  {target['what']}: {target['measured']:,.2f} (target {target['target']:,.2f})")
    result = {
        "command": "civsim bench" + (" --quick" if quick else "") + (" --peers" if peers else ""),
        "machine": facts,
        "scenario": EVERY_RULE,
        "shares": SHARES,
        "targets": targets,
        "headline": _plain(heads),
        "sweeps": _plain(swept),
        "threads": threads,
        "compiling": compiled,
        "peers": compared,
        "training": training,
    }
    if out is not None:
        _write(out, result, echo)
    return result


def _write(out: Path, result: dict[str, Any], echo: Callable[[str], None]) -> None:
    from civsim.base.files import write_text

    write_text(out, json.dumps(result, indent=1) + "\n")
    echo(f"wrote {out}")


def _plain(tables: dict[str, list[Timing]]) -> dict[str, list[dict[str, Any]]]:
    return {name: [timing._asdict() for timing in timings] for name, timings in tables.items()}
