"""Play the engine of this checkout and that of another revision side by side, and compare every field every turn.

    python benchmarks/parity.py b7239ae                      every scenario and level below
    python benchmarks/parity.py b7239ae --scenarios war --turns 60 --worlds 4
    python benchmarks/parity.py b7239ae --scenarios baseline war --minds 1 2 3 --seats 1 4

A change that is to leave every trajectory as it is (a refactoring, a faster kernel) must end in "identical". The other
revision is checked out into a temporary folder and plays in a process of its own, since two engines of one import name
cannot share one; each side writes one digest a field and turn, and the first that differs is named. Fields that only
one side has are named and left out, and so are memos.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SCENARIOS = ("bench", "baseline", "war", "raiders", "ridges", "volatile", "crowded", "wrong-model")
LEVELS = ((0, 1, 2), (4, 2, 4), (8, 4, 6), (16, 6, 6))
BENCH = "bench"
BOUGHT = "bought"
DIGEST = 8
MEMOS = ("state.prior_fertility",)
"""Fields that keep a value which follows from others, made when it is first asked for: when that is may change."""


def tables_of(name: str) -> dict[str, Any]:
    """Return a scenario as tables; settings at their default are left out: another revision may not know them yet."""
    import civsim
    from civsim.cli.bench import bench_scenario

    scenario = bench_scenario(LEVELS[0]) if name == BENCH else civsim.load_scenario(name)
    empty: dict[str, Any] = {"game": {}, "thinking": {}, "seat_default": {}, "seats": []}
    tables = {**empty, **scenario.model_dump(mode="json", exclude_defaults=True)}
    return {**tables, "game": {**tables["game"], "turns": scenario.game.turns}}


def with_all(tables: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """Return the tables of a scenario in which every seat has ``settings``."""
    seats = [{**seat, **settings} for seat in tables["seats"]]
    return {**tables, "seat_default": {**tables["seat_default"], **settings}, "seats": seats}


def at_levels(tables: dict[str, Any], levels: tuple[int, ...]) -> dict[str, Any]:
    """Return the tables of a scenario in which every seat is given these levels (h, r, k)."""
    return with_all(tables, {"levels": dict(zip(("horizon", "sight", "attention"), levels, strict=True))})


def with_seats(tables: dict[str, Any], count: int) -> dict[str, Any]:
    """Return the tables of a scenario in which every realm has ``count`` seats of thought; one has no settings."""
    found = copy.deepcopy(tables)
    holders = [(found["thinking"], "seats"), *((seat, "thought") for seat in (found["seat_default"], *found["seats"]))]
    for table, key in holders:
        if count == 1:
            table.pop(key, None)
        elif key in table or key == "seats":
            table[key] = {**table.get(key, {}), "count": count}
    return found


def games(
    names: list[str], turns: int | None, minds: Sequence[int] = (), seats: Sequence[int] = ()
) -> dict[str, dict[str, Any]]:
    """Return the games to play by name: each scenario with its levels bought, then at each of LEVELS.

    Each of them at every level of mind in ``minds`` and with every number of seats of thought in ``seats``; where none
    is named, at the scenario's own.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, mind, count in product(names, minds or [None], seats or [None]):
        base, label = tables_of(name), ""
        if turns is not None:
            base["game"]["turns"] = min(turns, base["game"]["turns"])
        if mind is not None:
            base, label = with_all(base, {"levels_of_mind": mind}), f", mind {mind}"
        if count is not None:
            base, label = with_seats(base, count), f"{label}, {count} of thought"
        for levels in LEVELS:
            found[f"{name} {levels}{label}"] = at_levels(base, levels)
        if name != BENCH:
            found[f"{name} {BOUGHT}{label}"] = base
    return found


def shares_of(turn: int, worlds: int, civilizations: int, closed: list[int]) -> Any:
    """Return shares float64 [worlds, civilizations, 8] that vary by turn, world and seat; closed ones are 0."""
    import numpy as np

    rng = np.random.default_rng([turn, worlds, civilizations])
    raw = rng.random((worlds, civilizations, 8)) + 0.05
    raw[..., 5:] *= 0.3
    raw[..., closed] = 0.0
    return raw / raw.sum(-1, keepdims=True)


def play(path: Path, worlds: int, seed: int, threads: int) -> None:
    """Play the games in the JSON file ``path`` and print one line of digests a game."""
    import numpy as np

    try:
        from civsim.base.scenario import Scenario
    except ImportError:  # the module's name before 29 November 2026
        from civsim.base.config import Scenario  # type: ignore[import-not-found, no-redef]
    from civsim.base.constants import Category
    from civsim.engine.world import World

    for name, tables in json.loads(path.read_text()).items():
        scenario = Scenario.model_validate(tables)
        world = World(scenario, n_worlds=worlds, seed=seed, threads=threads)
        closed = [int(Category[each.upper()]) for each in scenario.game.closed]
        turns: list[dict[str, str]] = []
        for turn in range(scenario.game.turns + 1):
            if turn > 0:
                world.step(shares_of(turn, worlds, scenario.game.civilizations, closed))
            records = (("state", world.state), ("orders", world.orders))
            turns.append(
                {
                    f"{kind}.{field}": hashlib.blake2b(np.ascontiguousarray(value), digest_size=DIGEST).hexdigest()
                    for kind, record in records
                    for field, value in record._asdict().items()
                }
            )
        print(json.dumps({"name": name, "turns": turns}), flush=True)


def checkout(revision: str, folder: Path) -> Path:
    """Return ``folder`` with the tree of ``revision`` in it."""
    archive = subprocess.run(["git", "archive", revision], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)
    for sister in ("agents", "scenarios", "analysis"):
        link = folder / "civsim" / sister
        if not link.exists():  # linked in since 29 November 2026
            link.symlink_to(folder / sister)
    return folder


def start(program: str, tree: Path, arguments: list[str]) -> subprocess.Popen[str]:
    """Start a program of this folder as a worker on the engine in ``tree``, with pipes to and from it."""
    command = [sys.executable, program, "--play", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    if "NUMBA_CACHE_DIR" in os.environ:
        # Engines of before November 2026 keep kernels by the numba rules, under which two trees would mix.
        environment["NUMBA_CACHE_DIR"] = str(Path(os.environ["NUMBA_CACHE_DIR"]) / f"beside-{tree.name}")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen(command, cwd=tree, env=environment, text=True, **pipes)


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return one line for the first turn that differs, naming its fields; none where the games are identical."""
    for turn, (before, after) in enumerate(zip(old["turns"], new["turns"], strict=True)):
        wrong = [field for field in before if field in after and field not in MEMOS and before[field] != after[field]]
        if wrong:
            return [f"{old['name']}: differs from turn {turn} on, in {', '.join(wrong)}"]
    return []


def compare(options: argparse.Namespace) -> int:
    """Play both sides, report, and return the exit code: 0 identical, 1 not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        chosen = games(options.scenarios, options.turns, options.minds, options.seats)
        (folder / "games.json").write_text(json.dumps(chosen))
        tree = folder / "before"
        tree.mkdir()
        arguments = [str(folder / "games.json"), str(options.worlds), str(options.seed), str(options.threads)]
        trees = checkout(options.revision, tree), ROOT
        sides = [start(__file__, tree, arguments) for tree in trees]
        faults: list[str] = []
        compared = 0
        for old_line, new_line in zip(*(side.stdout for side in sides if side.stdout), strict=False):
            old, new = json.loads(old_line), json.loads(new_line)
            if compared == 0:
                only = sorted(set(old["turns"][0]) ^ set(new["turns"][0]))
                print(f"fields of one side only: {', '.join(only) or 'none'}")
            compared += 1
            found = differences(old, new)
            faults += found
            print(found[0] if found else f"{old['name']}: identical, {len(old['turns'])} turns", flush=True)
        codes = [side.wait() for side in sides]
    if any(codes) or compared != len(chosen):
        print(f"{compared} of {len(chosen)} games were compared; exit codes {codes}")
        return 1
    print(f"{compared} games: {'identical' if not faults else f'{len(faults)} differ'}")
    return 1 if faults else 0


def main() -> int:
    """Read the command line."""
    if sys.argv[1:2] == ["--play"]:
        path, worlds, seed, threads = sys.argv[2:6]
        play(Path(path), int(worlds), int(seed), int(threads))
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision", help="the revision to compare this checkout with")
    parser.add_argument("--scenarios", nargs="+", default=list(SCENARIOS), help="names of scenarios, or 'bench'")
    parser.add_argument("--minds", nargs="+", type=int, default=(), help="levels of mind (default: the scenario's)")
    parser.add_argument("--seats", nargs="+", type=int, default=(), help="seats of thought (default: the scenario's)")
    parser.add_argument("--worlds", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--turns", type=int, default=None, help="play shorter games")
    return compare(parser.parse_args())


if __name__ == "__main__":
    raise SystemExit(main())
