"""Land is a pure function of its key and settings, recovers its parameters, and is exactly symmetric when asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civsim.base.constants import Draw
from civsim.base.errors import ScenarioError
from civsim.base.randomness import as_key, fill_uniform
from civsim.base.scenario import GameSettings, MapSettings, Scenario
from civsim.engine.land.geometry import _distance
from civsim.engine.land.landscape import (
    CAPITAL_SWEEPS,
    Land,
    check_land,
    draw_land,
    load_land,
    place_capitals,
    prepared,
    save_land,
)


def scenario(civilizations: int = 4, **map_settings: object) -> Scenario:
    """A scenario with these map settings."""
    return Scenario(map=MapSettings(**map_settings), game=GameSettings(civilizations=civilizations))


def same(a: Land, b: Land) -> bool:
    """Whether two lands are equal bit for bit."""
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def stacked(game: Scenario, worlds: int, seed: int = 0) -> Land:
    """The land of many worlds, each field with a leading axis."""
    lands = [draw_land(game, seed, world) for world in range(worlds)]
    return Land(*(np.stack(values) for values in zip(*lands, strict=True)))


def test_shapes_and_dtypes() -> None:
    land = draw_land(scenario(3, width=5, height=7), 0, 0)
    dtypes = {name: (values.dtype, values.shape) for name, values in land._asdict().items()}
    cells = (35,)
    assert dtypes == {
        "fertility": (np.float32, cells),
        "ore": (np.float32, cells),
        "ruggedness": (np.float32, cells),
        "hazard": (np.float32, cells),
        "site": (np.uint8, cells),
        "capitals": (np.int32, (3,)),
    }


def test_land_depends_on_seed_world_and_map_alone() -> None:
    game = scenario(ridge_height=0.8)
    land = draw_land(game, 5, 17)
    draw_land(game, 5, 18)
    assert same(land, draw_land(game, 5, 17))
    assert not same(land, draw_land(game, 5, 18))
    assert not same(land, draw_land(game, 6, 17))
    other_rules = game.model_copy(update={"thinking": game.thinking.model_copy(update={"span": 1.0})})
    other_rules = other_rules.model_copy(update={"game": game.game.model_copy(update={"turns": 7})})
    assert same(land, draw_land(other_rules, 5, 17))


def test_one_setting_moves_only_its_own_draws() -> None:
    before = draw_land(scenario(), 0, 3)
    after = draw_land(scenario(ore_value=9.0, hazard=0.2), 0, 3)
    assert np.array_equal(before.fertility, after.fertility)
    assert np.array_equal(before.site, after.site)
    assert np.array_equal(before.ore > 0, after.ore > 0)
    assert np.allclose(after.ore, 9 * before.ore)
    assert np.array_equal(before.capitals, after.capitals)


@pytest.mark.parametrize(("density", "tail"), [(0.04, 2.0), (0.2, 1.2), (0.5, 4.0)])
def test_sites_recover_density_and_tail(density: float, tail: float) -> None:
    game = scenario(1, ground=0.0, site_density=density, site_value=3.0, site_tail=tail, site_cap=4.0)
    land = stacked(game, 300)
    away = np.ones_like(land.site, bool)
    np.put_along_axis(away, land.capitals, False, axis=1)
    cells = away.sum()
    share = land.site[away].mean()
    assert share == pytest.approx(density, abs=4 * np.sqrt(density * (1 - density) / cells))
    value = land.fertility[(land.site == 1) & away] / 3.0
    assert value.min() >= 1.0
    assert value.max() <= 4.0 + 1e-5
    assert (value > 2).mean() == pytest.approx(2.0**-tail, abs=4 * np.sqrt(0.25 / value.size))
    assert (value > 3.99).mean() == pytest.approx(4.0**-tail, abs=4 * np.sqrt(0.25 / value.size))
    assert (land.fertility[(land.site == 0) & away] == 0).all()


def test_ore_recovers_density_and_mean() -> None:
    land = stacked(scenario(ore_density=0.3, ore_value=2.0), 200)
    has = land.ore > 0
    assert has.mean() == pytest.approx(0.3, abs=0.01)
    assert land.ore[has].mean() == pytest.approx(2.0, abs=0.06)
    assert (land.ore[has] > 2.0).mean() == pytest.approx(np.exp(-1), abs=0.015)


def test_ground_recovers_median_and_spread() -> None:
    game = scenario(1, ground=0.7, ground_spread=0.4, site_density=0.0, correlation=1.0)
    land = stacked(game, 400)
    away = np.arange(256) != land.capitals
    logs = np.log(land.fertility[away])
    assert np.median(logs) == pytest.approx(np.log(0.7), abs=0.02)
    assert logs.std() == pytest.approx(0.4, abs=0.01)


def test_hazard_has_its_median_and_never_passes_one_half() -> None:
    land = stacked(scenario(1, hazard=0.05, hazard_spread=2.0), 200)
    away = np.arange(256) != land.capitals
    assert np.median(land.hazard[away]) == pytest.approx(0.05, abs=0.01)
    assert land.hazard.max() == np.float32(0.5)
    assert (draw_land(scenario(hazard=0.0), 0, 0).hazard == 0).all()
    level = draw_land(scenario(1, hazard=0.7, hazard_spread=0.0), 0, 0)
    assert set(np.delete(level.hazard, level.capitals)) == {np.float32(0.7)}


def test_capitals_are_plain_land() -> None:
    game = scenario(8, site_density=0.9, hazard=0.3, ridge_height=1.0, ridge_width=50.0, pass_density=0.0)
    for world in range(20):
        land = draw_land(game, 0, world)
        assert (land.fertility[land.capitals] == 2.0).all()
        for name in ("site", "hazard", "ruggedness"):
            assert (getattr(land, name)[land.capitals] == 0).all()
            assert (np.delete(getattr(land, name), land.capitals) > 0).mean() > 0.5


def test_ridges_follow_the_zero_line_and_passes_open_them() -> None:
    closed = scenario(ridge_height=0.8, ridge_width=0.3, pass_density=0.0, correlation=3.0)
    opened = scenario(ridge_height=0.8, ridge_width=0.3, pass_density=0.15, correlation=3.0)
    share, lowered = [], []
    for world in range(60):
        wall, gap = draw_land(closed, 1, world).ruggedness, draw_land(opened, 1, world).ruggedness
        ridge = wall >= 0.4
        share.append((wall >= 0.8 * np.exp(-0.5)).mean())
        lowered.append((gap[ridge] == 0).mean())
        assert ((gap == wall) | (gap == 0)).all()
        assert (gap[ridge] == 0).any()
    # |z| <= width for a standard normal z
    assert np.mean(share) == pytest.approx(0.236, abs=0.04)
    assert np.mean(lowered) == pytest.approx(0.15, abs=0.02)
    assert (draw_land(scenario(), 0, 0).ruggedness == 0).all()


@pytest.mark.parametrize("torus", [False, True])
@pytest.mark.parametrize(("seats", "width", "height"), [(2, 8, 8), (2, 7, 4), (4, 8, 8), (4, 9, 9), (4, 3, 3)])
def test_symmetric_land_is_the_same_for_every_seat(seats: int, width: int, height: int, torus: bool) -> None:
    game = scenario(
        seats, width=width, height=height, torus=torus, symmetric=True, ridge_height=0.9, site_density=0.2, hazard=0.1
    )
    for world in range(10):
        land = draw_land(game, 2, world)
        for values in (land.fertility, land.ore, land.ruggedness, land.hazard, land.site):
            grid = values.reshape(height, width)
            assert np.array_equal(grid, np.rot90(grid, 2 if seats == 2 else 1))
        mark = np.zeros((height, width))
        mark.reshape(-1)[land.capitals] = 1
        assert mark.sum() == seats
        assert np.array_equal(mark, np.rot90(mark, 2 if seats == 2 else 1))


@pytest.mark.parametrize(("seats", "least"), [(2, 7), (4, 6), (8, 3)])
def test_capitals_stand_apart(seats: int, least: int) -> None:
    for torus in (False, True):
        game = scenario(seats, torus=torus)
        for world in range(30):
            capitals = draw_land(game, 0, world).capitals.tolist()
            gaps = [_distance(a, b, 16, 16, torus) for i, a in enumerate(capitals) for b in capitals[:i]]
            assert min(gaps) >= least


def test_no_seat_is_favoured_with_a_place() -> None:
    for symmetric in (False, True):
        capitals = stacked(scenario(4, symmetric=symmetric), 600).capitals
        rows, columns = np.divmod(capitals, 16)
        # Mean place of each seat: the middle of the map; s.d. of a place is about 3, so s.e. about .13.
        assert np.abs(rows.mean(axis=0) - 7.5).max() < 0.6
        assert np.abs(columns.mean(axis=0) - 7.5).max() < 0.6
        south = (rows > 7.5).mean(axis=0)
        assert np.abs(south - 0.5).max() < 0.1


@given(
    st.builds(
        dict,
        width=st.integers(2, 12),
        height=st.integers(2, 12),
        torus=st.booleans(),
        ground=st.floats(0, 1e6),
        ground_spread=st.floats(0, 1e6),
        correlation=st.floats(0, 1e6),
        site_density=st.floats(0, 1),
        site_value=st.floats(0, 1e6),
        site_tail=st.floats(1e-9, 1e6),
        site_cap=st.floats(1e-9, 1e6),
        ore_density=st.floats(0, 1),
        ore_value=st.floats(0, 1e6),
        ridge_height=st.floats(0, 1),
        ridge_width=st.floats(1e-9, 1e6),
        pass_density=st.floats(0, 1),
        hazard=st.floats(0, 0.999),
        hazard_spread=st.floats(0, 1e6),
        capital_fertility=st.floats(0, 1e6),
    ),
    st.integers(1, 8),
    st.booleans(),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=150, deadline=None)
def test_any_setting_gives_land_that_passes_its_own_check(
    table: dict[str, object], seats: int, symmetric: bool, seed: int, world: int
) -> None:
    try:
        game = scenario(seats, symmetric=symmetric, **table)
    except ValueError:
        return
    land = draw_land(game, seed, world)
    assert same(check_land(land, game), land)


def test_land_travels_through_a_file(tmp_path: Path) -> None:
    drawn = draw_land(scenario(), 0, 0)
    path = tmp_path / "land.npz"
    save_land(drawn, path)
    assert same(load_land(path, scenario()), drawn)
    from_file = scenario(file=str(path))
    assert same(draw_land(from_file, 9, 9), drawn)
    assert [p.name for p in tmp_path.iterdir()] == ["land.npz"]


def test_numpy_users_may_write_the_file_as_a_grid(tmp_path: Path) -> None:
    drawn = draw_land(scenario(), 0, 0)
    plain = ("fertility", "ore", "hazard")
    grids = {name: getattr(drawn, name).reshape(16, 16).astype(np.float64) for name in plain}
    path = tmp_path / "land.npz"
    np.savez_compressed(path, ruggedness=drawn.ruggedness, site=drawn.site == 1, capitals=list(drawn.capitals), **grids)
    assert same(load_land(path, scenario()), drawn)


def malformed() -> dict[str, tuple[dict[str, object], str]]:
    """Changes to a good file and a word of the error each must give."""
    cells = np.zeros(256, np.float32)
    return {
        "missing": ({"fertility": None}, "lacks the array 'fertility'"),
        "unknown": ({"oil": cells}, "'oil' too many"),
        "shape": ({"ore": cells[:100]}, "shape"),
        "transposed": ({"ore": cells.reshape(2, 128)}, "set map.height=2 and map.width=128"),
        "large": ({"ore": np.zeros(257, np.float32)}, "not map.height=16 and map.width=16"),
        "huge": ({"ore": np.zeros(128 * 128 + 1, np.float32)}, "at most 16384"),
        "dtype": ({"ore": np.zeros(256, complex)}, "dtype complex128"),
        "text": ({"ore": np.array(["x"] * 256)}, "dtype"),
        "object": ({"ore": np.array([None] * 256)}, "dtype object"),
        "nan": ({"fertility": cells + np.nan}, "fertility=nan in cell 0"),
        "overflow": ({"fertility": np.full(256, 1e300)}, "fertility=inf in cell 0"),
        "negative": ({"ore": cells - 1}, "ore=-1"),
        "steep": ({"ruggedness": cells + 1.5}, "ruggedness=1.5"),
        "certain": ({"hazard": cells + 1}, "hazard=1.0"),
        "marks": ({"site": np.full(256, 2, np.uint8)}, "other than 0 and 1"),
        "fraction": ({"site": cells + 0.5}, "dtype"),
        "wide": ({"site": np.full(256, 256)}, "do not fit uint8"),
        "few": ({"capitals": np.arange(3)}, "4 different cells"),
        "twice": ({"capitals": np.array([1, 1, 2, 3])}, "4 different cells"),
        "outside": ({"capitals": np.array([1, 2, 3, 256])}, "4 different cells"),
        "nowhere": ({"capitals": np.array([1, 2, 3, -1])}, "4 different cells"),
    }


@pytest.mark.parametrize("case", malformed())
def test_malformed_land_is_refused_in_one_line(case: str, tmp_path: Path) -> None:
    change, words = malformed()[case]
    arrays = {**draw_land(scenario(), 0, 0)._asdict(), **change}
    path = tmp_path / "land.npz"
    np.savez(path, **{name: values for name, values in arrays.items() if values is not None})
    with pytest.raises(ScenarioError, match=words) as caught:
        load_land(path, scenario())
    assert "\n" not in str(caught.value)


def test_no_land_where_there_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="does not exist"):
        load_land(tmp_path / "none.npz", scenario())
    (tmp_path / "text.npz").write_text("not an archive")
    with pytest.raises(ScenarioError, match="cannot be read"):
        load_land(tmp_path / "text.npz", scenario())
    with pytest.raises(ScenarioError, match="cannot be read"):
        load_land(tmp_path, scenario())


def standing(game: Scenario, cell: int, others: list[int]) -> int:
    """Steps from a cell to the nearest other capital, on a bounded map at most twice the way to the border."""
    width, height, torus = game.map.width, game.map.height, game.map.torus
    row, column = divmod(cell, width)
    border = min(row, height - 1 - row, column, width - 1 - column)
    room = width + height if torus else min(width + height, 2 * border + 1)
    return min([room, *(_distance(cell, other, width, height, torus) for other in others)])


@pytest.mark.parametrize("torus", [False, True])
@pytest.mark.parametrize(("width", "height", "seats"), [(2, 2, 1), (5, 4, 3), (9, 6, 8), (16, 16, 4)])
def test_capitals_are_moved_one_by_one_to_where_they_stand_best(
    width: int, height: int, seats: int, torus: bool
) -> None:
    game = scenario(seats, width=width, height=height, torus=torus)
    config, _, places = (pointer.record for pointer in prepared(game.map, seats))
    for world in range(4):
        ties = np.empty(game.n_cells)
        fill_uniform(as_key(5), world, 0, int(Draw.CAPITAL), ties)
        expected = [int(np.argmax(ties))]
        for sweep in range(CAPITAL_SWEEPS + 1):
            for seat in range(1 if sweep == 0 else 0, seats):
                others = [cell for other, cell in enumerate(expected) if other != seat]
                best = max(range(game.n_cells), key=lambda cell: (standing(game, cell, others), ties[cell]))
                expected[seat : seat + 1] = [best]
        for kernel in (place_capitals, place_capitals.py_func):
            capitals = np.empty(seats, np.int32)
            kernel(config, places, as_key(5), world, capitals)
            assert capitals.tolist() == expected
