"""A restored world goes on bit for bit; anything that is not a snapshot is refused in one line."""

from __future__ import annotations

import contextlib
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from worlds import BUSY, bits, differing, random_shares, scenario

from civsim.base.errors import CivsimError, SnapshotError
from civsim.engine.land.landscape import draw_land
from civsim.engine.state import SPEC, field_ranges
from civsim.engine.storage import snapshot as module
from civsim.engine.world import World

PLAYED = 6
SEVERAL = {**BUSY, "thinking.seats.count": 3, "thinking.seats.messenger": 4.0}
"""Where every field of the record has a value: several seats of thought, and messengers on the road."""


def played(**changes: Any) -> World:
    """A busy world some turns into the game."""
    world = World(scenario(SEVERAL, **changes), 3, seed=2**63 + 5)
    rng = np.random.default_rng(0)
    for _ in range(PLAYED):
        world.step(random_shares(world, rng))
    return world


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    return played().snapshot()


def go_on(world: World) -> dict[str, bytes]:
    """Play to the end; the bytes of every field."""
    rng = np.random.default_rng(1)
    while not world.done.all():
        world.step(random_shares(world, rng))
    return bits(world, SPEC)


@pytest.mark.parametrize("by", ["file", "mapping"])
def test_a_restored_world_goes_on_bit_for_bit(by: str, tmp_path: Path) -> None:
    world = played()
    if by == "file":
        world.save(tmp_path / "world.npz")
        restored = World.restore(tmp_path / "world.npz")
    else:
        restored = World.restore(world.snapshot())
    assert restored.scenario == world.scenario
    assert restored.seed == world.seed
    assert not differing(bits(world, SPEC), bits(restored, SPEC))
    assert all(np.array_equal(a, b) for a, b in zip(world.orders, restored.orders, strict=True))
    assert not differing(go_on(world), go_on(restored))


def test_a_restored_world_keeps_the_land_it_was_given(tmp_path: Path) -> None:
    game = scenario(BUSY)
    world = World(game, 2, seed=1, land=draw_land(game, 77, 77))
    start = bits(world, SPEC)
    for _ in range(3):
        world.step(random_shares(world, np.random.default_rng(0)))
    world.save(tmp_path / "world.npz")
    restored = World.restore(tmp_path / "world.npz")
    restored.reset()
    assert not differing(start, bits(restored, SPEC))


def test_a_snapshot_is_a_copy(arrays: dict[str, np.ndarray]) -> None:
    world = played()
    taken = world.snapshot()
    go_on(world)
    for name, values in arrays.items():
        assert np.array_equal(values, taken[name]), name
    restored = World.restore(taken)
    go_on(restored)
    assert np.array_equal(arrays["state.stock"], taken["state.stock"])


def test_the_same_world_gives_the_same_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        played().save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_settings_that_json_does_not_know_survive(tmp_path: Path) -> None:
    world = played(army__projection=float("inf"))
    world.save(tmp_path / "world.npz")
    assert World.restore(tmp_path / "world.npz").scenario.army.projection == float("inf")


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = played()
    path = tmp_path / "world.npz"
    path.write_bytes(b"old")

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("civsim.base.archive.npy.write_array", fail)
    with pytest.raises(OSError, match="disk full"):
        world.save(path)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["world.npz"]


def altered(arrays: dict[str, np.ndarray], name: str, value: Any) -> dict[str, np.ndarray]:
    """The arrays with one replaced, or its element 0 if ``value`` is a number, or dropped if None."""
    changed = dict(arrays)
    if value is None:
        del changed[name]
    elif np.isscalar(value):
        changed[name] = arrays[name].copy()
        changed[name].flat[0] = value
    else:
        changed[name] = value(arrays[name]) if callable(value) else value
    return changed


def rewritten(**changes: Any) -> Any:
    """A change to the scenario's JSON by path."""

    def change(text: np.ndarray) -> np.ndarray:
        tables = json.loads(text.tobytes())
        for path, value in changes.items():
            table, leaf = path.split("__")
            tables[table][leaf] = value
        return np.frombuffer(json.dumps(tables).encode(), np.uint8)

    return change


DEFECTS: dict[str, tuple[str, Any, str]] = {
    "missing": ("state.owner", None, "'state.owner'"),
    "missing orders": ("orders.kind", None, "'orders.kind'"),
    "missing about": ("about.seed", None, "'about.seed'"),
    "extra": ("state.gold", np.zeros(3), "'state.gold'"),
    "version": ("about.rules", np.array([99]), "rules version 99"),
    "version of many": ("about.rules", np.array([1, 1]), "about.rules"),
    "shape": ("state.owner", lambda v: v[:, :-1], "state.owner"),
    "transposed": ("state.works", lambda v: np.ascontiguousarray(v.T), "state.works"),
    "flattened": ("state.works", lambda v: v.reshape(-1), "state.works"),
    "dtype": ("state.works", lambda v: v.astype(np.float64), "state.works"),
    "integer dtype": ("state.owner", lambda v: v.astype(np.int32), "state.owner"),
    "endian": ("state.works", lambda v: v.astype(">f4"), "state.works"),
    "object": ("state.owner", lambda v: v.astype(object), "state.owner"),
    "text": ("state.owner", lambda v: v.astype("U3"), "state.owner"),
    "a world fewer": ("state.world_id", lambda v: v[:-1], "shape|elements"),
    "a world more": ("state.world_id", lambda v: np.append(v, 9), "shape|elements"),
    "no world": ("state.world_id", lambda v: v[:0], "0 worlds"),
    "owner": ("state.owner", 3, "state.owner=3"),
    "owner below": ("state.owner", -2, "state.owner=-2"),
    "capital": ("state.capital", 64, "state.capital=64"),
    "no capital": ("state.capital", -1, "state.capital=-1"),
    "party": ("state.party_cell", 64, "state.party_cell=64"),
    "band": ("state.band_cell", 1000, "state.band_cell=1000"),
    "target": ("state.band_target", -7, "state.band_target=-7"),
    "turn": ("state.turn", 21, "state.turn=21"),
    "before time": ("state.turn", -1, "state.turn=-1"),
    "seen later": ("state.seen", 999, "state.seen=999"),
    "id": ("state.world_id", -1, "state.world_id=-1"),
    "great id": ("state.world_id", 2**32, "state.world_id=4294967296"),
    "alive": ("state.alive", 2, "state.alive=2"),
    "count": ("state.cells", 60, "disagrees"),
    "menu": ("state.work_kind", 5, "state.work_kind=5"),
    "province": ("state.province", 3, "state.province=3"),
    "seats of thought": ("state.office_count", 4, "state.office_count=4"),
    "cells by province": ("state.office_cells", 60, "disagrees"),
    "seat of thought": ("state.office_cell", 64, "state.office_cell=64"),
    "sent by": ("state.party_by", 3, "state.party_by=3"),
    "nan": ("state.stock", np.nan, "state.stock"),
    "infinite": ("state.works", np.inf, "state.works"),
    "negative": ("state.stock", -1.0, "state.stock"),
    "steep": ("state.ruggedness", 1.5, "ruggedness"),
    "certain": ("state.hazard", 1.0, "hazard"),
    "play order": ("state.play_order", lambda v: v * 0, "play_order"),
    "salience": ("state.salience", lambda v: v * 0, "salience"),
    "order kind": ("orders.kind", 4, "orders.kind=4"),
    "order cell": ("orders.cell", 64, "orders.cell=64"),
    "order status": ("orders.status", 9, "orders.status=9"),
    "not json": ("about.scenario", np.frombuffer(b"{", np.uint8), "not JSON"),
    "not text": ("about.scenario", np.array([255, 254], np.uint8), "not JSON"),
    "deep json": ("about.scenario", np.frombuffer(b"[" * 100_000, np.uint8), "not JSON"),
    "not a scenario": ("about.scenario", np.frombuffer(b"[1]", np.uint8), "not valid"),
    "unknown setting": ("about.scenario", rewritten(game__magic=1), "game.magic"),
    "other scenario": ("about.scenario", rewritten(map__width=9), "shape|elements"),
    "huge scenario": ("about.scenario", rewritten(map__width=128, map__height=128), "shape|elements"),
    "endless scenario": ("about.scenario", np.full(2**20 + 1, 32, np.uint8), "1048576|elements"),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_refused_in_one_line(defect: str, arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    name, value, words = DEFECTS[defect]
    changed = altered(arrays, name, value)
    path = tmp_path / "world.npz"
    np.savez(path, **changed)
    for source in (changed, path):
        with pytest.raises(SnapshotError, match=words) as caught:
            World.restore(source)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 400


def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "world.npz"
    played().save(path)
    whole = path.read_bytes()
    for cut in (0, 1, 10, 100, len(whole) // 2, len(whole) - 30, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(SnapshotError, match="cannot be read"):
            World.restore(path)


def test_flipped_bits_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "world.npz"
    world, harmless = played(), 0
    world.save(path)
    whole = bytearray(path.read_bytes())
    rng = np.random.default_rng(0)
    for at in rng.integers(0, len(whole), 40):
        changed = bytearray(whole)
        changed[at] ^= 0xFF
        path.write_bytes(changed)
        with contextlib.suppress(SnapshotError):
            # Read all the same: a byte that says nothing, such as a time stamp.
            assert not differing(bits(world, SPEC), bits(World.restore(path), SPEC))
            harmless += 1
    assert harmless < 10


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.npz"
    np.savez(foreign, a=np.zeros(3))
    with pytest.raises(SnapshotError, match="lacks"):
        World.restore(foreign)
    with zipfile.ZipFile(foreign, "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(SnapshotError, match="lacks"):
        World.restore(foreign)
    foreign.write_text("text")
    with pytest.raises(SnapshotError, match="cannot be read"):
        World.restore(foreign)
    with pytest.raises(SnapshotError, match="does not exist"):
        World.restore(tmp_path / "none.npz")
    with pytest.raises(SnapshotError, match="cannot be read"):
        World.restore(tmp_path)


def test_an_array_that_unpacks_to_the_memory_is_refused_unread(arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    path = tmp_path / "world.npz"
    np.savez_compressed(path, **altered(arrays, "state.works", np.zeros((3, 20_000_000), np.float32)))
    assert path.stat().st_size < 2_000_000
    with pytest.raises(SnapshotError, match="at most 192 elements"):
        World.restore(path)


def test_pickles_are_never_loaded(arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    path = tmp_path / "world.npz"
    np.savez(path, **altered(arrays, "state.owner", np.array([Trap()], object)))
    with pytest.raises(SnapshotError):
        World.restore(path)
    assert not (tmp_path / "sprung").exists()


def test_snapshot_errors_are_user_errors() -> None:
    assert issubclass(SnapshotError, CivsimError)
    assert set(module._ranges(scenario(BUSY))) <= set(SPEC)


def outside(name: str) -> list[float]:
    """Values of a field's dtype that lie just outside its range."""
    kind = np.dtype(SPEC[name].dtype)
    low, high = field_ranges(scenario(SEVERAL))[name]
    if kind.kind == "f":
        with np.errstate(over="ignore"):
            beyond = [np.nextafter(kind.type(edge), kind.type(way)) for edge, way in ((low, -np.inf), (high, np.inf))]
        return [np.nan, np.inf, *(float(value) for value in beyond if not low <= value <= high)]
    info = np.iinfo(kind)
    return [value for value in (int(low) - 1, int(high) + 1) if info.min <= value <= info.max]


@pytest.mark.parametrize("name", SPEC)
def test_every_field_is_checked_against_its_specification(name: str, arrays: dict[str, np.ndarray]) -> None:
    for value in outside(name):
        with pytest.raises(SnapshotError, match=rf"state\.{name}=") as caught:
            World.restore(altered(arrays, f"state.{name}", value))
        assert "\n" not in str(caught.value)


def test_few_fields_may_hold_anything_finite() -> None:
    assert [name for name in SPEC if SPEC[name].span == (None, None)] == ["utility", "reward", "plan_value"]
