"""Recordings as files: an npz archive without pickles, made small, and read as a stranger's file is read.

``about`` is a header, JSON text in bytes: format, versions, the scenario in full with its content hash, seed, world id,
turns. ``shares`` are the bytes of the shares, byte by byte ([bytes, N, 8, P]), so that what is alike lies side by side
and deflates well. ``kind`` [P, N, K] says where there are orders, ``cell`` (bytes, [2, n]) and ``choice`` [n] what they
are, one after the other; ``marks`` [P + 1] are checksums. ``land`` and ``capitals`` are empty where the land is drawn;
else the game needs no map file any more.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.archive import UNREADABLE, Wanted, read_archive, write_archive
from civsim.base.constants import N_CATEGORIES, N_ORDER_KINDS, RULES_VERSION, WORLD_IDS, OrderKind
from civsim.base.errors import RecordingError, ScenarioError
from civsim.base.scenario import MAX_PER_TURN, Scenario
from civsim.engine.land.landscape import QUANTITIES, Land, check_land
from civsim.engine.state import I8, I32, ORDER_SPEC, field_ranges, orders_per_turn
from civsim.scenarios.complaints import one_line, show_value
from civsim.scenarios.loader import from_plain, plain
from civsim.scenarios.recordings.recorder import Recording

SUFFIX = ".rec"
"""How the name of a recording ends."""

FORMAT, FORMAT_VERSION = "civsim-recording", 1
MAX_HEADER = 1 << 20
"""Most bytes of a header."""

MAX_SLOTS = N_ORDER_KINDS * MAX_PER_TURN
"""Most orders a civilization can give in a turn, under the rules of any version."""

_NAMES = ("about", "shares", "kind", "cell", "choice", "marks", "land", "capitals")
_SHARE_TYPES: Mapping[str, np.dtype[Any]] = {"float32": np.dtype(np.float32), "float64": np.dtype(np.float64)}
_KEYS: Mapping[str, type] = {
    "format": str, "format_version": int, "civsim": str, "rules": int, "engine": str, "content": str, "scenario": dict,
    "seed": int, "world_id": int, "turns": int, "slots": int, "shares": str, "given": list,
}  # fmt: skip
_REMEDY = "give a file that `civsim run --record` wrote"
_WORD = re.compile(r"[A-Za-z0-9_.+!-]{1,80}")
"""What a version or a digest may be: it is shown to people."""
_LANDS = (*QUANTITIES, "site")
_SEEDS = 1 << 64
_CELL = np.dtype(np.int16)
"""A map has fewer than 2**15 cells."""


def save_recording(recording: Recording, path: str | Path) -> None:
    """Write a recording to a file, whole or not at all; the same recording gives the same bytes.

    Raises:
        CivsimError: the folder does not exist, or ``path`` is a folder.
    """
    about = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "civsim": recording.version,
        "rules": recording.rules,
        "engine": recording.engine,
        "content": recording.content,
        "scenario": plain(recording.scenario),
        "seed": recording.seed,
        "world_id": recording.world_id,
        "turns": recording.turns,
        "slots": recording.kind.shape[2],
        "shares": recording.shares.dtype.name,
        "given": np.flatnonzero(~recording.planned).tolist(),
    }
    text = json.dumps(about, sort_keys=True, separators=(",", ":")).encode()
    land, there = recording.land, recording.kind != OrderKind.NONE
    grounds = [] if land is None else [getattr(land, name).astype(np.float32) for name in _LANDS]
    arrays = {
        "about": np.frombuffer(text, np.uint8),
        "shares": _unravelled(recording.shares.transpose(1, 2, 0)),
        "kind": recording.kind,
        "cell": _unravelled(recording.cell[there].astype(_CELL)),
        "choice": recording.choice[there],
        "marks": recording.marks,
        "land": np.array(grounds, np.float32).reshape(len(grounds), recording.scenario.n_cells),
        "capitals": np.zeros(0, np.int32) if land is None else land.capitals,
    }
    write_archive(path, arrays)


def _unravelled(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Return values of any shape as bytes [itemsize, ...], least significant first."""
    little = values.astype(values.dtype.newbyteorder("<"), order="C")
    octets = np.frombuffer(little.tobytes(), np.uint8).reshape(*values.shape, values.itemsize)
    return np.ascontiguousarray(np.moveaxis(octets, -1, 0))


def _ravelled(octets: NDArray[np.uint8], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the values that :func:`_unravelled` took apart."""
    little = np.frombuffer(np.moveaxis(octets, 0, -1).tobytes(), dtype.newbyteorder("<"))
    return little.reshape(octets.shape[1:]).astype(dtype)


class _About(NamedTuple):
    """What a header says, checked."""

    scenario: Scenario
    turns: int
    slots: int
    shares: np.dtype[Any]
    planned: NDArray[np.bool_]  # [turns]
    told: dict[str, Any]


def load_recording(path: str | Path) -> Recording:
    """Return the game in a file that :func:`save_recording` wrote.

    Nothing in the file is believed: sizes are checked before anything is unpacked, every array against the header and
    the scenario in it.

    Raises:
        RecordingError: the file is missing, cut short, damaged or foreign, too large for what it says it is, of another
            format, or its scenario cannot be played by this release.
    """
    place = f"recording={show_value(str(path))}"
    _check_kind(path, place)
    head = read_archive(path, {"about": _bytes(MAX_HEADER)}, "recording", RecordingError, _NAMES)
    about = _read_header(head["about"], place)
    arrays = read_archive(path, _wanted(about), "recording", RecordingError, _NAMES)
    _check_arrays(arrays, about, place)
    told, land = about.told, _land(arrays, about.scenario, place)
    kind, cell, choice = _orders(arrays, about, place)
    return Recording(
        about.scenario,
        told["seed"],
        told["world_id"],
        told["rules"],
        told["engine"],
        told["civsim"],
        told["content"],
        land,
        np.ascontiguousarray(_ravelled(arrays["shares"], about.shares).transpose(2, 0, 1)),
        kind,
        cell,
        choice,
        about.planned,
        arrays["marks"],
    )


def _check_kind(path: str | Path, place: str) -> None:
    """Make sure that the file is an archive which may be a recording: what else it is has its own remedy."""
    if not Path(path).is_file():
        lack = "is a folder" if Path(path).is_dir() else "does not exist"
        raise RecordingError(f"{place} {lack}; {_REMEDY}")
    try:
        with zipfile.ZipFile(path) as archive:
            there = "about.npy" in archive.namelist()
    except UNREADABLE as fault:
        raise RecordingError(f"{place} cannot be read as a recording ({one_line(fault)[:80]}); {_REMEDY}") from None
    if not there:
        raise RecordingError(f"{place} is no recording of civsim; {_REMEDY}")


def _bytes(largest: int) -> Wanted:
    return Wanted(np.dtype(np.uint8), largest, exact=True)


def _wanted(about: _About) -> dict[str, Wanted]:
    """Return what each array but the header may be, by its most elements."""
    game = about.scenario.game
    orders = about.turns * game.civilizations * about.slots
    return {
        "shares": _bytes(about.turns * game.civilizations * N_CATEGORIES * about.shares.itemsize),
        "kind": Wanted(np.dtype(np.int8), orders, exact=True),
        "cell": _bytes(orders * _CELL.itemsize),
        "choice": Wanted(np.dtype(np.int8), orders, exact=True),
        "marks": Wanted(np.dtype(np.uint32), about.turns + 1, exact=True),
        "land": Wanted(np.dtype(np.float32), len(_LANDS) * about.scenario.n_cells, exact=True),
        "capitals": Wanted(np.dtype(np.int32), game.civilizations, exact=True),
    }


def _read_header(octets: NDArray[np.uint8], place: str) -> _About:
    try:
        told = json.loads(octets.tobytes())
    except (ValueError, RecursionError) as fault:
        raise RecordingError(f"{place} has a header that is no JSON ({one_line(fault)[:80]}); record again") from None
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise RecordingError(f"{place} is no recording of civsim; {_REMEDY}")
    if told.get("format_version") != FORMAT_VERSION:
        found = show_value(told.get("format_version"))
        raise RecordingError(f"{place} has format_version={found}; this release reads {FORMAT_VERSION}, use its own")
    for key, kind in _KEYS.items():
        value = told.get(key)
        word = not isinstance(value, str) or _WORD.fullmatch(value)
        if not isinstance(value, kind) or isinstance(value, bool) or not word:
            raise RecordingError(f"{place} is damaged ({key} in its header is missing or wrong); record again")
    scenario = _scenario(told, place)
    limits = {
        "seed": _SEEDS - 1,
        "world_id": WORLD_IDS - 1,
        "turns": scenario.game.turns,
        "slots": MAX_SLOTS,
    }
    for key, most in limits.items():
        if not 0 <= told[key] <= most:
            raise RecordingError(f"{place} has {key}={show_value(told[key])}, outside 0 … {most}; record again")
    if told["shares"] not in _SHARE_TYPES:
        found = show_value(told["shares"])
        raise RecordingError(f"{place} has shares={found}; they are one of {', '.join(_SHARE_TYPES)}, record again")
    turns, given = told["turns"], told["given"]
    if not all(isinstance(turn, int) and 0 <= turn < turns for turn in given) or len(given) > turns:
        raise RecordingError(f"{place} has given={show_value(given)}, not turns of its {turns}; record again")
    planned = np.ones(turns, np.bool_)
    planned[np.array(given, np.int64)] = False
    return _About(scenario, turns, told["slots"], _SHARE_TYPES[told["shares"]], planned, told)


def _scenario(told: dict[str, Any], place: str) -> Scenario:
    """Return the scenario of a header; one of other rules as this release's rules have it, if they can."""
    tables = dict(told["scenario"])
    other = told["rules"] != RULES_VERSION
    if other:
        tables["rules"] = RULES_VERSION
    try:
        return from_plain(tables, "its scenario")
    except ScenarioError as fault:
        if other:
            raise RecordingError(
                f"{place} was played by rules version {show_value(told['rules'])}, and version {RULES_VERSION} cannot "
                f"play its scenario ({fault}); replay it with civsim {show_value(told['civsim'])}"
            ) from None
        raise RecordingError(f"{place} is damaged ({fault}); record again") from None


def _check_arrays(arrays: Mapping[str, NDArray[Any]], about: _About, place: str) -> None:
    """Make sure that every array but those of the land has its shape."""
    turns, civilizations = about.turns, about.scenario.game.civilizations
    n = int((arrays["kind"] != OrderKind.NONE).sum())
    shapes: dict[str, tuple[int, ...]] = {
        "shares": (about.shares.itemsize, civilizations, N_CATEGORIES, turns),
        "kind": (turns, civilizations, about.slots),
        "cell": (_CELL.itemsize, n),
        "choice": (n,),
        "marks": (turns + 1,),
    }
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise RecordingError(f"{place} has {name} of shape {arrays[name].shape}; {shape} belongs, record again")


def _orders(arrays: Mapping[str, NDArray[Any]], about: _About, place: str) -> tuple[I8, I32, I8]:
    """Return kind, cell and choice of the orders, [P, N, K], all ids of this world; K is this release's."""
    kind, own = arrays["kind"], orders_per_turn(about.scenario)
    there = kind != OrderKind.NONE
    if there[:, :, own:].any():
        raise RecordingError(f"{place} has more orders a turn than the {own} its scenario allows; record again")
    told = {"kind": kind[there], "cell": _ravelled(arrays["cell"], _CELL), "choice": arrays["choice"]}
    ranges = field_ranges(about.scenario, ORDER_SPEC)
    fields = []
    for name, values in told.items():
        low, high = ranges[name]
        if values.size and not low <= values.min() <= values.max() <= high:
            bad = values[(values < low) | (values > high)][0]
            raise RecordingError(f"{place} has an order with {name}={bad}, outside {low} … {high}; record again")
        spec = ORDER_SPEC[name]
        whole = np.full((*kind.shape[:2], max(own, about.slots)), spec.fill, spec.dtype)
        whole[:, :, : about.slots][there] = values
        fields.append(np.ascontiguousarray(whole[:, :, :own]))
    return fields[0], fields[1], fields[2]


def _land(arrays: Mapping[str, NDArray[Any]], scenario: Scenario, place: str) -> Land | None:
    grounds, capitals = arrays["land"], arrays["capitals"]
    if grounds.size == 0 and capitals.size == 0:
        if scenario.map.file is None:
            return None
        raise RecordingError(f"{place} lacks the land of its map file {show_value(scenario.map.file)}; record again")
    if grounds.shape != (len(_LANDS), scenario.n_cells):
        expected = (len(_LANDS), scenario.n_cells)
        raise RecordingError(f"{place} has land of shape {grounds.shape}; {expected} belongs, record again")
    try:
        return check_land(Land(**dict(zip(_LANDS, grounds, strict=True)), capitals=capitals), scenario)
    except ScenarioError as fault:
        raise RecordingError(f"{place} is damaged ({fault}); record again") from None
