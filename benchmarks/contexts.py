"""Judge rules of thought over many contexts: ``python benchmarks/contexts.py list|arms|play|report``.

list      the drawn contexts, one a line: number and settings
arms      the arms there are, and whether this release can play them
play      arms on the same worlds of every context; what is played is left alone, so that a run goes on where it stopped
report    every planner against rungs of equal and of any reach, one by one and the best of them cross-fitted

Contexts are drawn (150 of them, see drawn_contexts.py), or those of the library. Seat 0 is the arm; the other seats are
as the context has them, with levels given, and nobody pays for thinking. Games are in OUT/ARM/CONTEXT.parquet, the
report in OUT/report.md and, context by context, OUT/judged.csv.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from contexts_arms import ARMS, can_play, find_arm, pairs_of, play_as
from contexts_report import Games, judge_all, markdown
from drawn_contexts import CONTEXTS, SEED, draw_contexts

from civsim.base.constants import RULES_VERSION
from civsim.base.errors import CivsimError, ResultsError, StudyError
from civsim.base.files import atomic_path, write_text
from civsim.base.scenario import Scenario
from civsim.scenarios import content_hash, list_scenarios, load_scenario, override
from civsim.scenarios.complaints import show_value
from civsim.scenarios.games import METRICS, play_worlds
from civsim.scenarios.loader import plain
from civsim.scenarios.sources import source_digest

OUT = Path("out/contexts")
MANIFEST, REPORT, JUDGED = "contexts.json", "report.md", "judged.csv"
FORMAT = "civsim-contexts"
WORLDS, MOST_WORLDS = 24, 2**16
"""Worlds a context by default, and at most: drawn context i has the world ids from i times as many on."""
BATCH = 128
"""Worlds stepped together, at most."""
DRAWN, LIBRARY = "drawn", "library"
GIVEN = {
    "seat_default.policy.params.cognition": 0.0,
    "seat_default.levels": {"horizon": 4, "sight": 4, "attention": 6},
}
"""What every seat of a context of the library has here: modest levels, for nothing."""
_META, _INPUT, _STOPPED, _SHOWN = b"civsim.contexts", 2, 130, 12


class Place(NamedTuple):
    """A context and the worlds it is played on."""

    scenario: Scenario
    world_ids: tuple[int, ...]


def drawn_places(contexts: int, worlds: int) -> list[Place]:
    """Return the first drawn contexts, each with worlds of its own.

    Raises:
        StudyError: a number that is out of range.
    """
    _check_worlds(worlds)
    made = draw_contexts(contexts)
    return [Place(one.scenario, tuple(one.number * MOST_WORLDS + np.arange(worlds))) for one in made]


def library_places(names: Sequence[str], worlds: int) -> list[Place]:
    """Return contexts of the library, all on worlds 0, 1, 2 … with every seat's levels given.

    Raises:
        ScenarioError: there is no such context.
        StudyError: a number that is out of range.
    """
    _check_worlds(worlds)
    made = [override(load_scenario(name), GIVEN) for name in names or list_scenarios()]
    return [Place(scenario, tuple(range(worlds))) for scenario in made]


def _check_worlds(worlds: int) -> None:
    if not 1 <= worlds <= MOST_WORLDS:
        raise StudyError(f"worlds={worlds} is outside 1 … {MOST_WORLDS}; give a number in between")


def play_all(out: Path, source: str, places: Sequence[Place], arms: Sequence[str], threads: int) -> None:
    """Play the arms in every context that are not in ``out`` yet, and say what was done.

    Raises:
        CivsimError: an arm cannot be played, ``out`` holds games of other code or worlds, or a game fails.
    """
    if threads < 1:
        raise StudyError(f"threads={threads} is below 1; give 1 or more")
    for name in arms:
        find_arm(name)
    _open(out, source, len(places[0].world_ids))
    for number, place in enumerate(places, start=1):
        fresh = 0
        for name in dict.fromkeys(arms):
            scenario = play_as(place.scenario, name)
            path = out / name / f"{scenario.name}.parquet"
            if not _is_there(path, place, content_hash(scenario)):
                _play(path, scenario, place.world_ids, threads)
                fresh += 1
        if fresh:
            sys.stdout.write(f"{place.scenario.name}: {fresh} arms played ({number} of {len(places)} contexts)\n")
            sys.stdout.flush()


def _facts(source: str, worlds: int) -> dict[str, Any]:
    """Return what all games of a folder have in common."""
    code = {"code": source_digest(), "rules": RULES_VERSION}
    return {"format": FORMAT, "source": source, "seed": SEED, "worlds": worlds, **code}


def _open(out: Path, source: str, worlds: int) -> None:
    """Make the folder with its manifest, or check that the one found is of the same games."""
    facts = _facts(source, worlds)
    if (out / MANIFEST).exists():
        held = _read_manifest(out)
        for name, value in facts.items():
            if held[name] != value:
                before, now = str(held[name])[:_SHOWN], str(value)[:_SHOWN]
                remedy = "give another --out, or delete it"
                raise ResultsError(f"{show_value(str(out))} holds games of {name} {before}, not {now}; {remedy}")
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ResultsError(f"{show_value(str(out))} holds something else; give a new folder")
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / MANIFEST, json.dumps(facts, indent=1) + "\n")


def _read_manifest(out: Path) -> dict[str, Any]:
    path = out / MANIFEST
    shown = show_value(str(path))
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ResultsError(f"{show_value(str(out))} has no {MANIFEST}; play some games first") from None
    except (OSError, ValueError) as error:
        raise ResultsError(f"{shown} is damaged ({' '.join(str(error).split())[:60]}); play again elsewhere") from None
    if not isinstance(held, dict) or held.get("format") != FORMAT or not set(_facts("", 0)) <= set(held):
        raise ResultsError(f"{shown} is of another kind; give the folder that `play` wrote")
    return held


def _play(path: Path, scenario: Scenario, world_ids: Sequence[int], threads: int) -> None:
    """Play one arm in one context and keep how seat 0 fared."""
    columns: dict[str, list[Any]] = {name: [] for name in METRICS}
    for first in range(0, len(world_ids), BATCH):
        played = play_worlds(scenario, world_ids[first : first + BATCH], SEED, threads=threads)
        wrong = next((error for error in played.errors if error), None)
        if wrong is not None:
            raise ResultsError(f"{scenario.name}: a game failed ({wrong}); report it with {str(path.parent)!r}")
        for name, values in columns.items():
            values.extend(played.civs[name][:, 0])
    said = {
        "content": content_hash(scenario), "discount": scenario.game.discount, "turns": scenario.game.turns,
    }  # fmt: skip
    table = pa.table({"world_id": pa.array(list(world_ids), pa.int64()), **columns})
    path.parent.mkdir(exist_ok=True)
    with atomic_path(path) as temporary:
        pq.write_table(table.replace_schema_metadata({_META: json.dumps(said).encode()}), temporary)


def _is_there(path: Path, place: Place, content: str) -> bool:
    """Return whether an arm was played in a context; a damaged file, or one of other settings, is played again."""
    try:
        table, said = _read(path)
    except (OSError, ResultsError):
        return False
    return said["content"] == content and table["world_id"].to_pylist() == list(place.world_ids)


def _read(path: Path) -> tuple[pa.Table, dict[str, Any]]:
    """Return the games in a file, and what it says of them. Raises :class:`ResultsError` if it is damaged."""
    try:
        table = pq.read_table(path)
        said = json.loads((table.schema.metadata or {})[_META])
        return table.select(["world_id", *METRICS]), {name: said[name] for name in ("content", "discount", "turns")}
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError) as error:
        detail = " ".join(str(error).split())[:60]
        raise ResultsError(f"{show_value(str(path))} is damaged ({detail}); delete it and play again") from None


def read_played(out: Path) -> dict[str, dict[str, Games]]:
    """Return the games of every arm found in ``out``, by context.

    Raises:
        ResultsError: a file is damaged.
    """
    found: dict[str, dict[str, Games]] = {}
    for name in ARMS:
        for path in sorted((out / name).glob("*.parquet")):
            if path.name.startswith("."):  # half written when a run was killed
                continue
            table, said = _read(path)
            ids = tuple(table["world_id"].to_pylist())
            welfare = table["welfare"].to_numpy().astype(np.float64)
            found.setdefault(name, {})[path.stem] = Games(ids, welfare, float(said["discount"]), int(said["turns"]))
    return found


def report(out: Path) -> str:
    """Write the report of a folder of games and return it.

    Raises:
        ResultsError: the folder holds no games, damaged ones, or none that can be compared.
    """
    held, played = _read_manifest(out), read_played(out)
    rows, judged = judge_all(pairs_of(played), played)
    counts = {name: len(contexts) for name, contexts in played.items()}
    most = max(counts.values())
    missing = [f"`{name}` {most - count}" for name, count in counts.items() if count < most]
    facts = [
        f"Contexts: {held['source']}, {most}; {held['worlds']} worlds each, study seed {held['seed']}; rules version "
        f"{held['rules']}, sources {held['code'][:_SHOWN]}.",
        "Differences are in log points of consumption a turn, seat 0, the same worlds in all arms; s.e. over contexts.",
        "t is over the worlds of a context. By chance: contexts expected on either side if nothing differed (two "
        "fifths more against the best of several that are equally good).",
        "The best of several is chosen by one half of a context's worlds and judged by the other, and back.",
        *([f"Contexts not played yet, by arm: {', '.join(missing)}."] if missing else []),
    ]
    text = markdown(rows, judged, facts)
    write_text(out / REPORT, text)
    write_text(out / JUDGED, judged.to_csv(index=False))
    return text


def _list(contexts: int) -> None:
    for one in draw_contexts(contexts):
        digest = hashlib.sha256(json.dumps(plain(one.scenario), sort_keys=True).encode()).hexdigest()[:_SHOWN]
        sys.stdout.write(f"{one.scenario.name} {digest} {json.dumps(one.settings)}\n")


def _arms() -> None:
    for name, arm in ARMS.items():
        kind = "rung" if arm.rung else "planner"
        state = "" if can_play(name) else "  (a setting is missing in this release)"
        sys.stdout.write(f"{name:16} {kind:8} {json.dumps(dict(arm.settings))}{state}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python benchmarks/contexts.py", description=(__doc__ or "").splitlines()[0])
    steps = parser.add_subparsers(dest="step", required=True)
    listed = steps.add_parser("list", help="the drawn contexts and their settings")
    steps.add_parser("arms", help="the arms there are")
    play = steps.add_parser("play", help="play arms in every context")
    for one in (listed, play):
        one.add_argument("--contexts", type=int, default=CONTEXTS, help=f"drawn contexts ({CONTEXTS})")
    play.add_argument("--arms", nargs="+", required=True, help="names; see `arms`")
    play.add_argument("--worlds", type=int, default=WORLDS, help=f"worlds a context ({WORLDS})")
    play.add_argument("--threads", type=int, default=1, help="threads of the games; they change no result (1)")
    play.add_argument("--library", nargs="*", metavar="NAME", help="contexts of the library, all if none is named")
    for one in (play, steps.add_parser("report", help="judge what was played")):
        one.add_argument("--out", type=Path, default=OUT, help=f"folder of the games ({OUT})")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns the exit code, 2 for input that cannot be used."""
    given = _parser().parse_args(arguments)
    try:
        if given.step == "list":
            _list(given.contexts)
        elif given.step == "arms":
            _arms()
        elif given.step == "report":
            sys.stdout.write(report(given.out))
        elif given.library is not None:
            play_all(given.out, LIBRARY, library_places(given.library, given.worlds), given.arms, given.threads)
        else:
            play_all(given.out, DRAWN, drawn_places(given.contexts, given.worlds), given.arms, given.threads)
    except CivsimError as error:
        sys.stderr.write(f"contexts: error: {error}\n")
        return _INPUT
    except KeyboardInterrupt:
        sys.stderr.write("contexts: stopped; the same command goes on where it was\n")
        return _STOPPED
    return 0


if __name__ == "__main__":
    sys.exit(main())
