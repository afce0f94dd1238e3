"""A recording's file is small, the same for the same game, and refuses in one line whatever it should not be."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recorded import GAMES, on_file, recorded, wild
from worlds import BUSY, scenario

from civsim.base.archive import write_archive
from civsim.base.constants import RULES_VERSION
from civsim.base.errors import CivsimError, RecordingError
from civsim.engine.world import World
from civsim.scenarios import load_scenario, override
from civsim.scenarios.recordings.file import load_recording, save_recording
from civsim.scenarios.recordings.recorder import Recording

Arrays = dict[str, np.ndarray]


def same(one: Recording, other: Recording) -> bool:
    """Whether two recordings hold the same, arrays bit for bit."""
    pairs = zip(one, other, strict=True)
    return all(
        a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        if isinstance(a, np.ndarray)
        else all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
        if isinstance(a, tuple)
        else a == b
        for a, b in pairs
    )


@pytest.fixture(scope="module")
def game() -> Recording:
    return recorded(GAMES["raiders"]())[0]


@pytest.fixture
def path(tmp_path: Path, game: Recording) -> Path:
    save_recording(game, tmp_path / "game.rec")
    return tmp_path / "game.rec"


@pytest.mark.parametrize("name", [*GAMES, "wild", "given orders", "on file", "empty"])
def test_what_was_saved_is_loaded(name: str, tmp_path: Path) -> None:
    if name in GAMES:
        recording = recorded(GAMES[name]())[0]
    elif name == "on file":
        recording = recorded(on_file(tmp_path))[0]
    elif name == "empty":
        recording = recorded(GAMES["baseline"](), turns=0)[0]
    else:
        recording = wild(scenario(BUSY), by_orders=name == "given orders")[0]
    save_recording(recording, tmp_path / "game.rec")
    assert same(load_recording(tmp_path / "game.rec"), recording)


def test_the_same_game_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    save_recording(recorded(GAMES["raiders"]())[0], tmp_path / "again.rec")
    assert path.read_bytes() == (tmp_path / "again.rec").read_bytes()


@pytest.mark.parametrize(
    ("name", "policy", "most"), [("baseline", "fixed", 8_000), ("war", "adaptive", 20_000), ("large", "fixed", 16_000)]
)
def test_a_whole_game_takes_4_to_20_kilobytes(name: str, policy: str, most: int, tmp_path: Path) -> None:
    game = override(load_scenario(name), {"seat_default.policy": {"name": policy}})
    recording, _ = recorded(game)
    save_recording(recording, tmp_path / "game.rec")
    assert recording.turns == 150
    assert 4_000 < (tmp_path / "game.rec").stat().st_size < most


def test_a_save_to_nowhere_leaves_nothing(game: Recording, tmp_path: Path) -> None:
    with pytest.raises(CivsimError, match="is not a folder; create it"):
        save_recording(game, tmp_path / "none" / "game.rec")
    with pytest.raises(CivsimError, match="is a folder"):
        save_recording(game, tmp_path)
    assert list(tmp_path.iterdir()) == []


def refusal(path: Path) -> str:
    """The one line with which a file is refused."""
    with pytest.raises(RecordingError) as caught:
        load_recording(path)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(("recording=", "recording='"))
    assert len(line) < 500
    return line


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.9, 0.999])
def test_a_truncated_file(path: Path, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert "cannot be read" in refusal(path)


def test_a_damaged_file(path: Path) -> None:
    """A flipped bit anywhere is either refused or in a byte that means nothing (a name's time, say)."""
    content, whole, refused = path.read_bytes(), load_recording(path), 0
    for at in range(0, len(content), 37):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :])
        try:
            assert same(load_recording(path), whole)
        except RecordingError as fault:
            assert "\n" not in str(fault)  # noqa: PT017
            refused += 1
    assert refused > 0.8 * len(range(0, len(content), 37))


def test_no_file_a_folder_and_foreign_files(tmp_path: Path) -> None:
    assert "does not exist; give a file that `civsim run --record` wrote" in refusal(tmp_path / "none.rec")
    assert "is a folder" in refusal(tmp_path)
    (tmp_path / "text.rec").write_text("hello\n" * 50)
    assert "cannot be read as a recording" in refusal(tmp_path / "text.rec")
    World(GAMES["baseline"](), 1, 0).save(tmp_path / "world.npz")
    assert "is no recording of civsim" in refusal(tmp_path / "world.npz")
    write_archive(tmp_path / "other.npz", {"about": np.frombuffer(b'{"format": "other"}', np.uint8)})
    assert "lacks the array" in refusal(tmp_path / "other.npz")


def arrays_of(path: Path) -> Arrays:
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def about(arrays: Arrays, **changes: Any) -> Arrays:
    """The arrays with a header that says something else; a dotted key changes the scenario's tables."""
    told = json.loads(arrays["about"].tobytes())
    for key, value in changes.items():
        table, *steps = [told, *key.split("__")]
        for step in steps[:-1]:
            table = table[step]
        table[steps[-1]] = value
    return {**arrays, "about": np.frombuffer(json.dumps(told).encode(), np.uint8)}


def changed(name: str, value: Any, at: Any = ...) -> Callable[[Arrays], Arrays]:
    def change(arrays: Arrays) -> Arrays:
        values = arrays[name].copy()
        values[at] = value
        return {**arrays, name: values}

    return change


BAD: dict[str, tuple[Callable[[Arrays], Arrays], str]] = {
    "no JSON": (lambda a: {**a, "about": np.frombuffer(b"{", np.uint8)}, "a header that is no JSON"),
    "not UTF-8": (lambda a: {**a, "about": np.full(9, 255, np.uint8)}, "a header that is no JSON"),
    "deep JSON": (lambda a: {**a, "about": np.frombuffer(b"[" * 100_000, np.uint8)}, "a header that is no JSON"),
    "a list": (lambda a: {**a, "about": np.frombuffer(b"[]", np.uint8)}, "is no recording of civsim"),
    "another format": (lambda a: about(a, format="other"), "is no recording of civsim"),
    "a later format": (lambda a: about(a, format_version=2), "format_version=2; this release reads 1, use its own"),
    "no seed": (lambda a: about(a, seed=None), "damaged (seed in its header is missing or wrong)"),
    "a boolean": (lambda a: about(a, world_id=True), "world_id in its header"),
    "a version that is none": (lambda a: about(a, civsim="1\x1b[2J\n"), "damaged (civsim in its header is missing or"),
    "a long digest": (lambda a: about(a, engine="a" * 10_000), "damaged (engine in its header is missing or wrong)"),
    "a seed too large": (lambda a: about(a, seed=2**64), "seed=18446744073709551616, outside 0 …"),
    "a negative world": (lambda a: about(a, world_id=-1), "world_id=-1, outside 0 …"),
    "more turns than the game": (lambda a: about(a, turns=16), "turns=16, outside 0 … 15"),
    "another number of turns": (lambda a: about(a, turns=14), "elements fit"),
    "slots": (lambda a: about(a, slots=10**9), "slots=1000000000, outside 0 … 256"),
    "types of shares": (lambda a: about(a, shares="float16"), "shares='float16'"),
    "given orders": (lambda a: about(a, given=[3, 99]), "not turns of its 15"),
    "given orders in text": (lambda a: about(a, given=["x"]), "not turns of its 15"),
    "another scenario": (lambda a: about(a, scenario__map__width=9999), "map.width=9999 is outside its limits"),
    "a smaller map": (lambda a: about(a, scenario__map__width=4), "has an order with cell="),
    "fewer seats": (lambda a: about(a, scenario__game__civilizations=2), "elements fit"),
    "an unknown setting": (lambda a: about(a, scenario__map__depth=3), "map.depth is not a setting"),
    "a map file without land": (lambda a: about(a, scenario__map__file="x.npz"), "lacks the land of its map file"),
    "other rules that do not fit": (
        lambda a: about(about(a, rules=99, civsim="9.9"), scenario__map__depth=3),
        f"was played by rules version 99, and version {RULES_VERSION} cannot play its scenario",
    ),
    "an array too few": (lambda a: {k: v for k, v in a.items() if k != "marks"}, "lacks the array 'marks'"),
    "an array too many": (lambda a: {**a, "more": np.zeros(3)}, "'more' too many"),
    "another dtype": (lambda a: {**a, "kind": a["kind"].astype(np.int16)}, "of dtype int16"),
    "objects": (lambda a: {**a, "marks": a["marks"].astype(np.float32)}, "of dtype float32"),
    "another shape": (lambda a: {**a, "kind": a["kind"][:, :, ::-1].reshape(-1)}, "kind of shape"),
    "shares of another shape": (lambda a: {**a, "shares": a["shares"].reshape(-1)}, "shares of shape"),
    "an order too few": (lambda a: {**a, "choice": a["choice"][1:]}, "choice of shape"),
    "a cell off the map": (changed("cell", 99, (0, 0)), "has an order with cell="),
    "a work off the menu": (changed("choice", 99, 0), "has an order with choice=99, outside 0 … 0"),
    "an unknown kind": (lambda a: {**a, "kind": np.where(a["kind"] >= 0, 7, a["kind"]).astype(np.int8)}, "kind=7"),
    "marks": (lambda a: {**a, "marks": a["marks"][:-1]}, "marks of shape"),
    "land of another size": (lambda a: {**a, "land": np.ones((1, 7), np.float32)}, "land of shape (1, 7)"),
    "capitals alone": (lambda a: {**a, "capitals": np.zeros(4, np.int32)}, "land of shape (0, 64)"),
    "impossible land": (
        lambda a: {**a, "land": np.full((5, 64), -1, np.float32), "capitals": np.arange(4, dtype=np.int32)},
        "is damaged (land.fertility=-1.0 in cell 0 is out of range",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_lies(path: Path, case: str) -> None:
    change, expected = BAD[case]
    write_archive(path, change(arrays_of(path)))
    assert expected in refusal(path)


def test_a_bomb_is_refused_before_it_is_unpacked(path: Path) -> None:
    arrays = arrays_of(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in arrays.items():
            buffer = io.BytesIO()
            np.save(buffer, np.zeros((1 << 28,), np.uint8) if name == "shares" else values)
            archive.writestr(f"{name}.npy", buffer.getvalue())
    assert path.stat().st_size < 1_000_000
    assert "has array 'shares' of shape (268435456,); at most" in refusal(path)


def test_a_header_that_is_a_bomb(path: Path) -> None:
    write_archive(path, {**arrays_of(path), "about": np.full((1 << 20) + 1, 32, np.uint8)})
    assert "has array 'about' of shape (1048577,); at most 1048576 elements fit" in refusal(path)


def test_pickles_are_never_opened(path: Path) -> None:
    arrays = arrays_of(path)
    with zipfile.ZipFile(path, "w") as archive:
        for name, values in arrays.items():
            buffer = io.BytesIO()
            np.save(buffer, np.array([{"a": print}], object) if name == "kind" else values, allow_pickle=True)
            archive.writestr(f"{name}.npy", buffer.getvalue())
    assert "of dtype object" in refusal(path)


def test_a_recording_of_other_rules_with_other_caps_of_orders_is_read(path: Path, game: Recording) -> None:
    """Slots that nobody used may be missing or too many; one that was used may not."""
    arrays = arrays_of(path)
    kind = arrays["kind"]
    used = int((kind >= 0).any(axis=(0, 1)).nonzero()[0].max()) + 1
    for slots in (used, 40):
        cut = np.full((*kind.shape[:2], slots), -1, np.int8)
        cut[:, :, : kind.shape[2]] = kind[:, :, :slots]
        write_archive(path, about({**arrays, "kind": cut}, rules=99, slots=slots))
        found = load_recording(path)
        assert found.rules == 99
        assert same(found._replace(rules=game.rules), game)
    cut[0, 0, 39] = 0
    more = {**arrays, "kind": cut, "cell": np.insert(arrays["cell"], 0, 0, axis=1)}
    write_archive(path, about({**more, "choice": np.insert(arrays["choice"], 0, 0)}, slots=40))
    assert "has more orders a turn than the" in refusal(path)
