"""Maps that people have: npz of whole numbers, CSV tables and grids, ESRI ASCII grids; a misfit is refused."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civsim.base.errors import CivsimError, ScenarioError
from civsim.base.scenario import Scenario
from civsim.engine.land.geometry import distance
from civsim.engine.land.grids import read_grids
from civsim.engine.land.landscape import Land, draw_land, load_land, save_land
from civsim.engine.world import World

HEIGHT, WIDTH, SEATS = 3, 4, 2
GRID = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]])
ASC = """ncols 4
nrows 3
xllcorner 0
yllcorner 0.5
cellsize 90
NODATA_value -9999
1 2 3 4
5 6 7 8
9 10 11 12
"""
CSV = "1,2,3,4\n5,6,7,8\n9,10,11,12\n"


def game(height: int = HEIGHT, width: int = WIDTH, seats: int = SEATS, **land: object) -> Scenario:
    return Scenario.model_validate(
        {"map": {"height": height, "width": width, **land}, "game": {"civilizations": seats, "turns": 5}}
    )


def table(land: Land, shape: tuple[int, int], delimiter: str = ",") -> str:
    """A land as a CSV table, its lines in no order."""
    names = ("row", "column", "fertility", "ore", "ruggedness", "hazard", "site", "seat")
    seats = {int(cell): str(seat) for seat, cell in enumerate(land.capitals)}
    lines = []
    for cell in np.random.default_rng(0).permutation(shape[0] * shape[1]):
        row, column = divmod(int(cell), shape[1])
        values = [repr(float(getattr(land, name)[cell])) for name in names[2:6]]
        fields = [str(row), str(column), *values, str(int(land.site[cell])), seats.get(int(cell), "")]
        lines.append(delimiter.join(fields))
    return "\n".join([delimiter.join(names), *lines])


def same(one: Land, other: Land) -> bool:
    return all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("map.asc", ASC),
        ("map.ASC", ASC.upper().replace("\n", "\r\n")),
        ("bare.asc", ASC.replace("NODATA_value -9999\n", "").replace("\n5 6", " 5 6")),
        ("map.csv", CSV),
        ("map.csv", "\ufeff" + CSV.replace("\n", "\r\n")),
        ("map.csv", CSV.replace(",", ";")),
        ("map.csv", CSV.replace(",", "\t")),
    ],
)
def test_a_grid_of_one_quantity_is_fertility(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(text.encode())
    found = read_grids(tmp_path / name, WIDTH, HEIGHT)
    assert list(found) == ["fertility"]
    assert np.array_equal(found["fertility"], GRID)
    land = load_land(tmp_path / name, game())
    assert land.fertility.dtype == np.float32
    assert land.fertility.tolist() == GRID.ravel().tolist()
    assert not any(values.any() for values in (land.ore, land.ruggedness, land.hazard, land.site))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_land_travels_through_a_table(delimiter: str, tmp_path: Path) -> None:
    scenario = Scenario.model_validate({"map": {"ridge_height": 0.7, "height": 12}})
    land = draw_land(scenario, 3, 4)
    (tmp_path / "land.csv").write_text(table(land, (12, 16), delimiter), encoding="utf-8")
    assert same(load_land(tmp_path / "land.csv", scenario), land)


def test_a_game_is_the_same_from_a_table_as_from_an_archive(tmp_path: Path) -> None:
    land = draw_land(game(), 3, 4)
    (tmp_path / "land.csv").write_text(table(land, (HEIGHT, WIDTH)), encoding="utf-8")
    save_land(land, tmp_path / "land.npz")
    worlds = [World(game(file=str(tmp_path / name)), 2) for name in ("land.csv", "land.npz")]
    for _ in range(3):
        for world in worlds:
            world.step(np.full((2, SEATS, 8), 1 / 8, np.float32))
    assert all(map(np.array_equal, worlds[0].state, worlds[1].state))


@pytest.mark.parametrize("kind", [np.int64, np.int8, np.uint16, np.float16, np.float64])
def test_whole_numbers_are_taken(kind: type, tmp_path: Path) -> None:
    np.savez(
        tmp_path / "land.npz",
        fertility=GRID.astype(kind),
        ore=np.ones(12, kind),
        hazard=np.zeros((HEIGHT, WIDTH), kind),
        capitals=[0, 11],
    )
    land = load_land(tmp_path / "land.npz", game())
    assert land.fertility.tolist() == GRID.ravel().tolist()
    assert land.ore.tolist() == [1.0] * 12
    assert not land.site.any()
    assert land.capitals.tolist() == [0, 11]


def test_a_file_without_capitals_has_them_far_apart_on_fertile_cells(tmp_path: Path) -> None:
    grid = np.zeros((8, 8))
    grid[1:7, 1:7] = 1.0
    grid[1, 1] = grid[6, 6] = 0.0
    np.savetxt(tmp_path / "map.csv", grid, delimiter=",")
    scenario = game(8, 8, 4, file=str(tmp_path / "map.csv"))
    land = draw_land(scenario, 1, 1)
    assert (land.fertility[land.capitals] > 0).all()
    pairs = [(a, b) for a in land.capitals for b in land.capitals if a < b]
    assert min(distance(a, b, 8, 8, False) for a, b in pairs) >= 4
    assert same(draw_land(scenario, 2, 9), land), "the same for every seed and world"


@pytest.mark.parametrize("torus", [False, True])
@settings(max_examples=30)
@given(data=st.data())
def test_capitals_are_put_on_fertile_cells_whatever_they_are(
    tmp_path_factory: pytest.TempPathFactory, torus: bool, data: st.DataObject
) -> None:
    height, width = data.draw(st.integers(2, 9)), data.draw(st.integers(2, 9))
    seats = data.draw(st.integers(1, min(8, height * width // 2)))
    fertile = data.draw(st.sets(st.integers(0, height * width - 1), min_size=seats))
    grid = np.isin(np.arange(height * width), list(fertile)).reshape(height, width)
    path = tmp_path_factory.getbasetemp() / "fertile.csv"
    np.savetxt(path, grid, fmt="%d", delimiter=",")
    capitals = load_land(path, game(height, width, seats, torus=torus)).capitals
    assert len(set(capitals.tolist())) == seats
    assert set(capitals.tolist()) <= fertile


def lines(*changed: str) -> str:
    """A table of the grid with some of its lines changed: 'number: line'."""
    rows = ["row,column,fertility,seat", *(f"{c // 4},{c % 4},{c + 1},{({0: 0, 11: 1}).get(c, '')}" for c in range(12))]
    for change in changed:
        number, _, text = change.partition(":")
        rows[int(number)] = text
    return "\n".join(row for row in rows if row)


BAD: dict[str, tuple[str, str, str]] = {
    "asc of another size": (
        "a.asc",
        ASC.replace("ncols 4\nnrows 3", "ncols 3\nnrows 4"),
        "map.height=4 and map.width=3",
    ),
    "csv of another size": ("a.csv", "1,2\n3,4", "2 rows and 2 columns .* set map.height=2 and map.width=2"),
    "a row alone": ("a.csv", "1,2,3,4", "a side has 2 to 128 cells"),
    "too large a grid": ("a.csv", ("1," * 199 + "1\n") * 90, "at most 128 cells"),
    "no data": ("a.asc", ASC.replace(" 7 ", " -9999 "), "no data in row 1, column 2"),
    "no header": ("a.asc", CSV.replace(",", " "), "does not say nrows"),
    "a long header": ("a.asc", ASC.replace("ncols 4", "ncols " + "4" * 5000), "does not say ncols"),
    "numbers missing": ("a.asc", ASC.replace(" 12", ""), "11 numbers, not nrows · ncols = 12"),
    "ragged": ("a.csv", CSV.replace(",8", ""), "row 1 has 3 numbers and row 0 4"),
    "words": ("a.csv", CSV.replace("7", "sea"), "row 1, column 2 is 'sea', not a number"),
    "nothing": ("a.csv", CSV.replace("7", ""), "is '', not a number"),
    "nan": ("a.csv", CSV.replace("7", "nan"), "is 'nan', not a number"),
    "python": ("a.csv", CSV.replace("7", "7_0"), "is '7_0', not a number"),
    "overflow": ("a.csv", CSV.replace("7", "1e300"), "fertility=inf in cell 6"),
    "negative": ("a.csv", CSV.replace("7", "-7"), "fertility=-7.0 in cell 6"),
    "empty": ("a.csv", " \n\n", "is empty"),
    "quotes": ("a.csv", '1,"2\n3,4', "cannot be read as CSV|not a number"),
    "no text": ("a.csv", "\udcff", "is no text"),
    "a column unknown": ("a.csv", lines("0:row,column,fertility,oil"), "has a column 'oil'"),
    "a column twice": ("a.csv", lines("0:row,column,fertility,row"), "has a column 'row'"),
    "a column missing": ("a.csv", lines("0:row,fertility,ore,seat"), "lacks the column 'column'"),
    "a cell missing": ("a.csv", lines("6:"), "row 1, column 1 0 times"),
    "a cell twice": ("a.csv", lines("6:1,0,3,"), "row 1, column 0 2 times"),
    "a cell far away": ("a.csv", lines("6:1,1e30,3,"), "column=1e\\+30 in line 7 is none of 0 … 127"),
    "half a cell": ("a.csv", lines("6:1,0.5,3,"), "column=0.5 in line 7"),
    "a field missing": ("a.csv", lines("6:1,1,3"), "line 7 has 3 fields, not 4"),
    "a seat twice": ("a.csv", lines("6:1,1,3,1"), "capitals of seats 0, 1, 1"),
    "no first seat": ("a.csv", lines("1:0,0,1,"), "capitals of seats 1; give one for each"),
    "too few seats": ("a.csv", lines("12:2,3,1,"), "must be 2 different cells"),
    "no seat there is": ("a.csv", lines("6:1,1,3,8"), "seat=8 in line 7 is none of 0 … 7"),
    "a site and a half": ("a.csv", lines().replace("seat", "site").replace(",\n", ",2\n"), "site=2 in line 3"),
    "barren": ("a.csv", "0,0,0,0\n0,1,0,0\n0,0,0,0", "1 fertile cells for 2 capitals"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_refused_in_one_line(case: str, tmp_path: Path) -> None:
    name, text, words = BAD[case]
    (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ScenarioError, match=words) as caught:
        load_land(tmp_path / name, game())
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def fifo(path: Path) -> None:
    os.mkfifo(path)


NO_FILES: dict[str, Callable[[Path], None]] = {
    "missing": lambda path: None,
    "folder": lambda path: path.mkdir(),
    "pipe": fifo,
    "endless": lambda path: path.symlink_to("/dev/zero"),
    "link to itself": lambda path: path.symlink_to(path.name),
}


@pytest.mark.parametrize("suffix", ["csv", "asc", "npz"])
@pytest.mark.parametrize("make", NO_FILES)
def test_what_is_no_file_is_refused_in_one_line(make: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"land.{suffix}"
    NO_FILES[make](path)
    with pytest.raises(CivsimError, match=r"map\.file=.*(cannot be read|does not exist)") as caught:
        load_land(path, game())
    assert "\n" not in str(caught.value)


def test_a_text_that_is_too_long_is_refused(tmp_path: Path) -> None:
    (tmp_path / "land.csv").write_text("1," * 3_000_000)
    with pytest.raises(ScenarioError, match="over 4194304 bytes"):
        load_land(tmp_path / "land.csv", game())


ALPHABET = "0123456789.,;\n\t -+enafrowclumtisy_\"'"


@settings(max_examples=60)
@given(text=st.text(alphabet=ALPHABET, max_size=60), kind=st.sampled_from(["csv", "asc"]))
def test_no_text_is_more_than_refused(tmp_path_factory: pytest.TempPathFactory, text: str, kind: str) -> None:
    path = tmp_path_factory.getbasetemp() / f"anything.{kind}"
    path.write_text(text, encoding="utf-8")
    with contextlib.suppress(ScenarioError):
        load_land(path, game())
