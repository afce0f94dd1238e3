"""Scenario files: from a name or a path to a frozen :class:`~civsim.base.scenario.Scenario`, and back.

A scenario file is TOML. It may say ``base = "baseline"`` (a library name, or a path relative to itself) and then gives
only what differs: tables merge key by key, arrays are replaced, and a ``policy`` that names another policy replaces
the whole ``policy`` table, because parameters belong to one policy. Name and description are never inherited.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from civsim.base.errors import ScenarioError
from civsim.base.scenario import Scenario
from civsim.scenarios.complaints import did_you_mean, explain, leaf_paths, one_line, show_value
from civsim.scenarios.reading import check_plain, parse, read_text

LIBRARY = Path(__file__).with_name("library")
"""Folder of the scenarios that ship with civsim."""

SUFFIX = ".toml"
_LONGEST_CHAIN = 8
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_OWN_KEYS = ("name", "description", "base")
_CHUNK = 1 << 20
_MOST_DIGITS = 6
_TRAINED = "file:"  # how the name of a policy begins that is a checkpoint's folder
_ZOO = "zoo:"  # and of one that ships with civsim


def list_scenarios() -> tuple[str, ...]:
    """Return the names of the library's scenarios, ``baseline`` first, then in alphabetical order."""
    names = sorted(path.stem for path in LIBRARY.glob(f"*{SUFFIX}"))
    return tuple(sorted(names, key=lambda name: name != "baseline"))


def is_path(name: str | Path) -> bool:
    """Return whether ``name`` is meant as a path: a Path, or a text with a folder or the suffix ``.toml``."""
    return isinstance(name, Path) or "/" in name or "\\" in name or name.endswith(SUFFIX)


def load_scenario(name_or_path: str | Path) -> Scenario:
    """Return the scenario of a library name, or of a TOML file.

    Raises:
        ScenarioError: one line naming the file, the dotted key, the value, the limit and the remedy.
    """
    path = _locate(name_or_path)
    source = show_value(str(path)) if is_path(name_or_path) else f"scenario {path.stem!r}"
    return _build(_read(path, source, ()), source)


def loads_scenario(text: str, *, folder: str | Path | None = None, source: str = "scenario text") -> Scenario:
    """Return the scenario that a TOML text describes.

    ``folder`` is where a relative ``base``, ``map.file`` or ``file:`` policy is looked for (default: the working
    folder).

    Raises:
        ScenarioError: as :func:`load_scenario`.
    """
    tables = parse(text, source, ScenarioError)
    where = Path.cwd() if folder is None else Path(folder)
    return _build(_resolve(tables, where, "unnamed", source, ()), source)


def dump_scenario(scenario: Scenario) -> str:
    """Return the whole scenario as TOML text, every setting stated; reading it back gives an equal scenario."""
    import tomli_w

    return tomli_w.dumps(_without_none(plain(scenario)))


def plain(scenario: Scenario) -> dict[str, Any]:
    """Return every setting of a scenario as plain tables that :func:`from_plain` takes back."""
    tables = json.loads(_canonical(scenario.model_dump(mode="python")))
    # A setting that has no effect is refused when stated, so it is not stated.
    if scenario.thinking.belief != "optimistic":
        del tables["thinking"]["optimism"]
    return dict(tables)


def from_plain(tables: Mapping[str, Any], source: str = "scenario") -> Scenario:
    """Return the scenario that plain tables describe. Raises :class:`ScenarioError` as :func:`load_scenario`."""
    return _build(dict(tables), source)


def content_hash(scenario: Scenario, files: Mapping[str, str] | None = None) -> str:
    """Return the SHA-256 (64 hexadecimal digits) of everything that the game depends on.

    It covers every setting, and the content of ``map.file`` and of the checkpoint of every ``file:`` policy; name,
    description and the place of files are left out. ``files`` are its :func:`file_digests`, read now where left out.

    Raises:
        ScenarioError: ``map.file`` or a checkpoint cannot be read.
    """
    found = file_digests(scenario) if files is None else files
    tables = scenario.model_dump(mode="python", exclude={"name", "description"})
    if scenario.map.file is not None:
        tables["map"]["file"] = found[scenario.map.file]
    for seat in (tables["seat_default"], *tables["seats"]):
        name = seat["policy"]["name"]
        if name in found:
            kind = _ZOO if name.startswith(_ZOO) else _TRAINED
            seat["policy"]["name"] = kind + found[name]
    return hashlib.sha256(_canonical(tables).encode()).hexdigest()


def file_digests(scenario: Scenario) -> dict[str, str]:
    """Return the SHA-256 of the content of ``map.file`` and of each trained policy, by how the scenario names it.

    Raises:
        ScenarioError: one of them cannot be read.
    """
    found = {}
    if scenario.map.file is not None:
        found[scenario.map.file] = _digest(Path(scenario.map.file), "map.file", "an npz file")
    for seat in (scenario.seat_default, *scenario.seats):
        name = seat.policy.name
        if name.startswith((_TRAINED, _ZOO)) and name not in found:
            found[name] = _digest_policy(name)
    return found


def override(scenario: Scenario, settings: Mapping[str, Any]) -> Scenario:
    """Return a scenario with some settings replaced, by dotted path: those of ``seats`` last, else in the order given.

    ``seats.<i>.…`` reaches one seat (seats before it are written out as ``seat_default``); ``works.menu.<i>.…`` an
    entry of the menu. A value may be a whole table. A relative ``map.file`` or ``file:`` policy given here is looked
    for in the working folder.

    Raises:
        ScenarioError: an unknown path (with the likely one meant), or a value outside its limits.
    """
    tables = json.loads(_canonical(scenario.model_dump(mode="python", exclude_unset=True)))
    for path in sorted(settings, key=lambda path: path.split(".")[0] == "seats"):
        _put(tables, scenario, path, settings[path])
    return _build(tables, "setting")


def _canonical(tables: Any) -> str:
    return json.dumps(tables, sort_keys=True, separators=(",", ":"), allow_nan=True)


def _digest_policy(name: str) -> str:
    """Return the digest of a trained policy's checkpoint."""
    from civsim.agents.checkpoint import checkpoint_folder
    from civsim.agents.zoo import zoo_folder

    if name.startswith(_ZOO):
        return _digest_folder(zoo_folder(name[len(_ZOO) :]))
    # A run stands for one of its checkpoints, and that is what is played.
    return _digest_folder(checkpoint_folder(name[len(_TRAINED) :]))


def _digest_folder(folder: Path) -> str:
    """Return one digest of a checkpoint: the name and content of every file in its folder that is not hidden."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    except (OSError, ValueError) as error:
        reason = one_line(getattr(error, "strerror", None) or error)
        raise ScenarioError(
            f"policy {show_value(f'{_TRAINED}{folder}')} cannot be read ({reason}); give the folder that train wrote"
        ) from None
    files = {path.name: _digest(path, "policy file", "the folder that train wrote") for path in paths}
    return hashlib.sha256(_canonical(files).encode()).hexdigest()


def _digest(path: Path, what: str, remedy: str) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as handle:
            while block := handle.read(_CHUNK):
                digest.update(block)
    except (OSError, ValueError) as error:
        reason = one_line(getattr(error, "strerror", None) or error)
        raise ScenarioError(f"{what}={show_value(str(path))} cannot be read ({reason}); give {remedy}") from None
    return digest.hexdigest()


def _without_none(value: Any) -> Any:
    """Drop None (TOML has no null; a setting left out is None)."""
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_none(item) for item in value if item is not None]
    return value


def _build(tables: dict[str, Any], source: str) -> Scenario:
    check_plain(tables, source, ScenarioError)
    try:
        return Scenario.model_validate_json(json.dumps(tables), strict=True)
    except ValidationError as error:
        raise ScenarioError(explain(error, Scenario, source)) from None


def _locate(name: str | Path) -> Path:
    if is_path(name):
        return Path(name)
    if name in list_scenarios():
        return LIBRARY / f"{name}{SUFFIX}"
    remedy = did_you_mean(str(name), list_scenarios())
    raise ScenarioError(f"no scenario is called {show_value(str(name))}; {remedy} (a file is given as a path)")


def _read(path: Path, source: str, chain: tuple[Path, ...]) -> dict[str, Any]:
    """Return the merged tables of a scenario file and the bases it stands on."""
    tables = parse(read_text(path, ScenarioError), source, ScenarioError)
    stem = path.stem if _NAME.fullmatch(path.stem) else "unnamed"
    return _resolve(tables, path.parent, stem, source, (*chain, path.resolve()))


def _resolve(tables: dict[str, Any], folder: Path, name: str, source: str, chain: tuple[Path, ...]) -> dict[str, Any]:
    own = {key: value for key, value in tables.items() if key != "base"}
    own.setdefault("name", name)
    _place_files(own, folder)
    if "base" not in tables:
        return own
    base = tables["base"]
    if not isinstance(base, str):
        raise ScenarioError(f"{source}: base={show_value(base)} is not a text; give a scenario's name or path")
    path = folder / base if is_path(base) else _locate_base(base, source)
    if path.resolve() in chain or len(chain) >= _LONGEST_CHAIN:
        raise ScenarioError(f"{source}: base={show_value(base)} leads back to itself; give another base")
    below = _read(path, f"{source}: base {show_value(base)}", chain)
    inherited = {key: value for key, value in below.items() if key not in _OWN_KEYS}
    return merge(inherited, own)


def _place_files(tables: dict[str, Any], folder: Path) -> None:
    """Make ``map.file`` and the folders of ``file:`` policies absolute, in place; wrong types wait for validation."""
    land = tables.get("map")
    if isinstance(land, dict) and isinstance(land.get("file"), str):
        land["file"] = str((folder / land["file"]).absolute())
    seats = tables.get("seats")
    for seat in (tables.get("seat_default"), *(seats if isinstance(seats, list) else ())):
        policy = seat.get("policy") if isinstance(seat, dict) else None
        name = policy.get("name") if isinstance(policy, dict) else None
        if isinstance(policy, dict) and isinstance(name, str) and name.startswith(_TRAINED):
            policy["name"] = _TRAINED + str((folder / name[len(_TRAINED) :]).absolute())


def _locate_base(base: str, source: str) -> Path:
    try:
        return _locate(base)
    except ScenarioError as error:
        raise ScenarioError(f"{source}: base: {error}") from None


def merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Return ``below`` with what ``above`` says differently; see the module's docstring for the rules."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        whole = key == "policy" and isinstance(value, dict) and "name" in value
        merged[key] = merge(old, value) if isinstance(old, dict) and isinstance(value, dict) and not whole else value
    return merged


def _put(tables: dict[str, Any], scenario: Scenario, path: str, value: Any) -> None:
    """Write ``value`` at a dotted ``path`` of ``tables``, making the tables on the way."""
    steps = path.split(".")
    if steps[0] not in Scenario.model_fields:
        known = [*Scenario.model_fields, *leaf_paths(Scenario)]
        leaves = [leaf for leaf in known if leaf.rsplit(".", 1)[-1] == steps[-1] and "." in leaf]
        remedy = f"did you mean {leaves[0]!r}?" if leaves else did_you_mean(path, known)
        raise ScenarioError(f"{show_value(path)} is not a setting; {remedy}")
    if steps[0] == "seats" and len(steps) > 1:
        _write_out_seats(tables, scenario, path, steps[1])
    here: Any = tables
    for index, step in enumerate(steps[:-1]):
        here = _enter(here, scenario, steps, index, step)
    last = steps[-1]
    if isinstance(here, list):
        _item(here, path, steps[:-1], last)
        here[int(last)] = copy.deepcopy(value)
    elif isinstance(here, dict):
        here[last] = copy.deepcopy(value)
    else:
        raise ScenarioError(f"{show_value(path)} is not a setting; {show_value('.'.join(steps[:-1]))} holds no table")


def _enter(here: Any, scenario: Scenario, steps: list[str], index: int, step: str) -> Any:
    """Return what lies one step down a dotted path, filling in what the scenario takes by default."""
    path = ".".join(steps)
    if isinstance(here, list):
        return _item(here, path, steps[:index], step)
    if not isinstance(here, dict):
        held = show_value(".".join(steps[:index]))
        raise ScenarioError(f"{show_value(path)} is not a setting; {held} holds no table")
    if here.get(step) is None:
        inside: Any = scenario
        for past in steps[: index + 1]:
            inside = getattr(inside, past, None)
        here[step] = [item.model_dump() for item in inside] if isinstance(inside, tuple) else {}
    return here[step]


def _item(here: list[Any], path: str, before: list[str], step: str) -> Any:
    """Return entry ``step`` of an array."""
    number = _number(path, before, step)
    if number >= len(here):
        raise ScenarioError(f"{show_value(path)}: entry {number} of {len(here)}; give 0 to {len(here) - 1}")
    return here[number]


def _number(path: str, before: list[str], step: str) -> int:
    if not step.isdecimal() or not step.isascii() or len(step) > _MOST_DIGITS:
        raise ScenarioError(f"{show_value(path)} is not a setting; give a number after {'.'.join(before)!r}")
    return int(step)


def _write_out_seats(tables: dict[str, Any], scenario: Scenario, path: str, step: str) -> None:
    """Write out ``seats`` as far as the one a path leads to, each as what seats play by default."""
    number = _number(path, ["seats"], step)
    game, default = tables.get("game"), tables.get("seat_default")
    count = game.get("civilizations") if isinstance(game, dict) else None
    count = scenario.game.civilizations if not isinstance(count, int) else count
    if number >= count:
        raise ScenarioError(f"{show_value(path)}: seat {number} of {count}; give 0 to {count - 1}")
    seats = tables.setdefault("seats", [])
    while isinstance(seats, list) and len(seats) <= number:
        seats.append(copy.deepcopy(default or {}))
