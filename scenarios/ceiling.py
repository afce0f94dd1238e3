"""A ceiling: what perfect thought about a seat's next orders would be worth, world by world, in a resumable folder.

How the orders are improved is said in :mod:`civsim.scenarios.improvement`. The folder holds ``ceiling.json``, which
says what was asked, and one file a world, written whole when it has been played; what is in it depends on that world
and on what was asked alone.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from civsim.base.constants import RULES_VERSION
from civsim.base.errors import ResultsError
from civsim.base.files import remove_leftovers, write_text
from civsim.base.scenario import Scenario
from civsim.scenarios import manifest
from civsim.scenarios.complaints import show_value
from civsim.scenarios.effort import Effort, check_effort
from civsim.scenarios.improvement import Improved, Report, improve_worlds
from civsim.scenarios.loader import content_hash, plain
from civsim.scenarios.sources import source_digest

if TYPE_CHECKING:
    import pandas as pd

FILE = "ceiling.json"
FORMAT = "civsim-ceiling"
FORMAT_VERSION = 2
COMMAND = "civsim ceiling"

TOGETHER = 8
"""Worlds that are improved side by side and written when all have ended; no result depends on it."""


class Kept(Improved):
    """A world as its file holds it."""

    hash: str  # of what was asked


class Ceiling(NamedTuple):
    """What a call of :func:`run_ceiling` found."""

    worlds: tuple[Improved, ...]  # those asked for, in their order
    kept: int  # of them, found from before
    seconds: float  # of processor time, for the others


def ceiling_hash(scenario: Scenario, seed: int, effort: Effort) -> str:
    """Return the SHA-256 of everything a world's result depends on beside its id: game, seed, effort, rules, code."""
    content = {
        "format": [FORMAT, FORMAT_VERSION],
        "rules": RULES_VERSION,
        "civsim": manifest.package_version("civsim"),
        "code": source_digest(),
        "scenario": content_hash(scenario),
        "seed": seed,
        "effort": effort._asdict(),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def run_ceiling(
    scenario: Scenario,
    world_ids: Sequence[int],
    seed: int,
    effort: Effort,
    *,
    out: str | Path | None = None,
    resume: bool = False,
    threads: int = 1,
    report: Report | None = None,
    started: Callable[[int, int], None] | None = None,
    command: str | None = None,
) -> Ceiling:
    """Improve a seat's orders in some worlds, and keep every world's result in a folder if one is given.

    Args:
        scenario: the game.
        world_ids: the worlds, none twice. A folder may be gone on with for others than it was begun with.
        seed: study seed.
        effort: whose orders, and how thoroughly.
        out: folder for the results; new or empty, unless ``resume``.
        resume: keep the worlds found in ``out`` and play only what is missing.
        threads: threads of the engine; they change no result.
        report: called as worlds get through a turn.
        started: called once with the number of worlds' turns to get through, and how many are there already.
        command: the command line that asks for this, noted in the folder.

    Raises:
        CivsimError: something asked for is out of range, ``out`` holds something else, or another process plays into
            it; nothing was written then.
    """
    check_effort(effort, scenario, world_ids)
    digest = ceiling_hash(scenario, seed, effort)
    folder = None if out is None else Path(out)
    with nullcontext() if folder is None else manifest.occupied(folder, resume, FILE, COMMAND):
        found: dict[int, Improved] = {}
        if folder is not None:
            _open_folder(folder, digest, resume, _manifest(scenario, seed, effort, digest, command))
            found = {item: world for item in world_ids if (world := _kept(folder, item, digest)) is not None}
        kept, begun = len(found), time.process_time()
        if started is not None:
            started(len(world_ids) * effort.turns, kept * effort.turns)
        missing = [item for item in world_ids if item not in found]
        for start in range(0, len(missing), TOGETHER):
            some = missing[start : start + TOGETHER]
            for world in improve_worlds(scenario, some, seed, effort, threads=threads, report=report):
                found[world.world_id] = world
                if folder is not None:
                    text = Kept(hash=digest, **world.model_dump()).model_dump_json(indent=1)
                    write_text(folder / _name(world.world_id), text + "\n")
        return Ceiling(tuple(found[item] for item in world_ids), kept, time.process_time() - begun)


def read_ceiling(folder: str | Path) -> tuple[dict[str, Any], tuple[Improved, ...]]:
    """Return the manifest of a folder and the worlds in it, by id.

    Raises:
        ResultsError: there is no such folder, it is of something else, or a file in it is damaged.
    """
    where = Path(folder)
    found = _read_manifest(where)
    worlds = []
    for path in sorted(where.glob("world-*.json")):
        world = _kept(where, int(path.stem.removeprefix("world-")), found["hash"])
        if world is None:
            raise ResultsError(f"{path.name} in {show_value(str(where))} is damaged; delete it and go on with --resume")
        worlds.append(world)
    return found, tuple(worlds)


def ceiling_tables(worlds: Sequence[Improved], objective: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return (worlds, decisions) as tables.

    Worlds: ``world_id``, ``planner`` and ``ceiling`` (the objective called ``objective``), ``worth`` (of all changes,
    in expectation), ``games``. Decisions, one row each: ``world_id``, ``turn`` (from 1), ``compared``, ``changed``,
    ``samples``, ``promised``, ``error``, ``worth``, ``earned``.
    """
    import pandas as pd

    rows = [
        (
            one.world_id,
            one.planner[objective],
            one.ceiling[objective],
            sum(each.worth for each in one.decisions),
            one.games,
        )
        for one in worlds
    ]
    decided = [
        (
            one.world_id,
            each.turn,
            each.compared,
            each.given is not None,
            each.samples,
            each.promised,
            each.error,
            each.worth,
            each.earned,
        )
        for one in worlds
        for each in one.decisions
    ]
    columns = ["world_id", "turn", "compared", "changed", "samples", "promised", "error", "worth", "earned"]
    return (
        pd.DataFrame(rows, columns=["world_id", "planner", "ceiling", "worth", "games"]),
        pd.DataFrame(decided, columns=columns).astype({"changed": bool, "error": float, "worth": float}),
    )


def _name(world_id: int) -> str:
    return f"world-{world_id:010d}.json"


def _manifest(scenario: Scenario, seed: int, effort: Effort, digest: str, command: str | None) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "hash": digest,
        "command": command,
        **manifest.provenance(),
        "seed": seed,
        "effort": effort._asdict(),
        "scenario": plain(scenario),
    }


def _open_folder(folder: Path, digest: str, resume: bool, begun: Mapping[str, Any]) -> None:
    """Make the folder with its manifest, or check that the one found is of what is asked now."""
    if manifest.is_begun(folder, resume):
        manifest.compare(folder, _read_manifest(folder), digest, "ceiling")
    else:
        write_text(folder / FILE, json.dumps(begun, indent=1, sort_keys=True) + "\n")
    remove_leftovers(folder)


def _read_manifest(folder: Path) -> dict[str, Any]:
    found, shown = manifest.read_json(folder, FILE, COMMAND), show_value(str(folder / FILE))
    if not isinstance(found, dict) or found.get("format") != FORMAT or not isinstance(found.get("hash"), str):
        raise ResultsError(f"{shown} is no manifest of a ceiling; give the folder that `{COMMAND}` wrote")
    if found.get("format_version") != FORMAT_VERSION:
        other = show_value(found.get("format_version"))
        raise ResultsError(f"{shown} has format_version={other}; this release reads {FORMAT_VERSION}, use its own")
    return found


def _kept(folder: Path, world_id: int, digest: str) -> Improved | None:
    """Return a world that a folder holds; None where it holds none or its file is damaged.

    Raises:
        ResultsError: the file is whole, but of something else.
    """
    path = folder / _name(world_id)
    if not path.is_file():
        return None
    try:
        found = Kept.model_validate_json(path.read_bytes())
    except ValidationError:
        return None
    if found.hash != digest or found.world_id != world_id:
        raise ResultsError(f"{path.name} is of something else than the rest of {show_value(str(folder))}; remove it")
    return Improved(**found.model_dump(exclude={"hash"}))
