"""What a civilization believes of cells it sees, remembers, has never seen, or does not attend to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from planning import pause, think
from worlds import BUSY, random_shares, scenario, split, still_world, with_levels

from civsim.base.constants import N_NOISE, NOBODY, Variable
from civsim.engine.knowledge.beliefs import believe
from civsim.engine.knowledge.land import known_rival, read_holders, seems_free
from civsim.engine.work import Base
from civsim.engine.world import World

NAMES = [v.name.lower() for v in Variable]


def believed(world: World, cell: int) -> dict[str, float]:
    """What civilization 0 of a paused world believes of a cell."""
    state, _, config = world.pointers
    believe(state, config, world._plan_work[0], 0, 0, cell)
    work = world._work[0]
    return {name: float(getattr(work, name)[cell]) for name in ("fertility", "ore_output", "claim_cost", "value")}


def mind(sight: int = 1, attention: int = 2, salience: list[str] | None = None, **changes: Any) -> World:
    """A world with something to know: cells 14 (capital), 15 and 20 in sight, 35 far away; stopped to deliberate."""
    world = still_world(
        rich={15: 3.0, 20: 0.5, 35: 8.0},
        ore={15: 4.0, 35: 2.0},
        ruggedness={15: 0.5},
        hazard={15: 0.1, 35: 0.2},
        economy__ore_weight=0.5,
        claims={"cost": 2.0, "ruggedness_cost": 3.0},
        disasters__duration=2,
        thinking={
            "salience": salience or NAMES,
            "prior": {"disaster": 0.03, "weight": 1e6},
            **changes.pop("thinking", {}),
        },
        seat_default={"levels": {"sight": sight, "attention": attention}, **changes.pop("seat", {})},
        **changes,
    )
    pause(world, split(world, consumption=1))
    think(world)
    return world


def test_the_map_of_holders_says_of_each_cell_what_is_known_of_it() -> None:
    world = World(with_levels(scenario({**BUSY, "claims.cost": 0.5}), 0, 3, 6), 4, seed=1)
    rng, rivals = np.random.default_rng(2), 0
    for _ in range(15):
        world.step(random_shares(world, rng))
    state, _, config = world.pointers
    work, cells = world._work[0], np.arange(world.n_cells)
    for b, i in np.argwhere(world.state.alive).tolist():
        read_holders(state, config, world._plan_work[0], b, i)
        free = [bool(seems_free(state, b, i, cell)) for cell in cells]
        known = [int(known_rival(state, b, i, cell)) for cell in cells]
        assert (work.holder == NOBODY).tolist() == free
        assert np.where(work.holder == i, NOBODY, work.holder).tolist() == known
        assert work.rivals[: work.sizes[Base.KNOWN]].tolist() == np.flatnonzero(np.array(known) >= 0).tolist()
        rivals += work.sizes[Base.KNOWN]
    assert rivals > 0


def test_what_is_seen_and_attended_is_believed_as_it_is() -> None:
    belief = believed(mind(attention=6), 15)
    uptime = 0.9**2
    assert belief["fertility"] == pytest.approx(3.0 * uptime)
    assert belief["ore_output"] == pytest.approx(0.5 * 4.0 * uptime)
    assert belief["claim_cost"] == pytest.approx(2.0 * (1 + 3 * 0.5))
    assert belief["value"] == pytest.approx(belief["fertility"] + belief["ore_output"])


def test_unattended_variables_are_held_at_their_believed_means() -> None:
    # Five cells are in sight, one with four units of ore; disasters are expected at the prior's frequency.
    belief = believed(mind(attention=2), 15)
    uptime = 0.97**2
    assert belief["fertility"] == pytest.approx(3.0 * uptime, rel=1e-4)
    assert belief["ore_output"] == pytest.approx(0.5 * 4.0 / 5 * uptime, rel=1e-4)
    assert belief["claim_cost"] == pytest.approx(2.0 * (1 + 3 * 0.5))


@pytest.mark.parametrize("attention", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("salience", [NAMES, ["raiders", "hazard", "rivals", "ore"]])
def test_attention_takes_variables_up_in_the_order_of_salience(attention: int, salience: list[str]) -> None:
    world = mind(attention=attention, salience=salience)
    attended = [NAMES[v] for v in Variable if world._work[0].attended[v]]
    assert sorted(attended) == sorted(salience[: attention - 2])


def test_never_seen_cells_are_believed_to_be_the_mean_of_what_was_seen() -> None:
    belief = believed(mind(attention=6), 35)
    uptime = (1 - 0.1 / 5) ** 2
    assert belief["fertility"] == pytest.approx((1 + 3.0 + 0.5 + 1 + 1) / 5 * uptime)
    assert belief["ore_output"] == pytest.approx(0.5 * 4.0 / 5 * uptime)
    assert belief["claim_cost"] == pytest.approx(2.0 * (1 + 3 * 0.5 / 5))
    assert believed(mind(sight=20, attention=6), 35)["fertility"] == pytest.approx(8.0 * 0.8**2)


@pytest.mark.parametrize(("quantile", "expected"), [(0.0, 0.5), (0.5, 1.0), (1.0, 3.0)])
def test_an_optimist_expects_a_quantile(quantile: float, expected: float) -> None:
    thinking = {"belief": "optimistic", "optimism": quantile}
    belief = believed(mind(attention=6, thinking=thinking), 35)
    assert belief["fertility"] == pytest.approx(expected * (1 - 0.1 / 5) ** 2)


def test_witnessed_disasters_move_the_frequency() -> None:
    world = still_world(
        worlds=1,
        hazard={14: 0.5},
        game__turns=60,
        disasters__duration=1,
        thinking__prior={"disaster": 0.0, "weight": 1.0},
        seat_default={"levels": {"attention": 2}},
    )
    for _ in range(50):
        world.step(split(world, consumption=1))
    pause(world, split(world, consumption=1))
    think(world)
    assert believed(world, 14)["fertility"] == pytest.approx(1 - world.state.losses[0, 0, 0] / 52, abs=0.03)


def test_a_wrong_model_is_wrong_by_fixed_factors() -> None:
    world = World(scenario(BUSY, thinking__noise=0.4), 20, seed=0)
    noise = world.state.noise.copy()
    logs = np.log(noise)
    assert noise.shape == (20, 3, N_NOISE, 64)
    assert np.abs(logs.mean(axis=(0, 3))).max() < 0.06
    assert logs.std(axis=(0, 3)) == pytest.approx(np.full((3, N_NOISE), 0.4), abs=0.03)
    assert abs(np.corrcoef(logs[:, 0, 0].ravel(), logs[:, 1, 0].ravel())[0, 1]) < 0.12
    for _ in range(3):
        world.step(split(world, consumption=1))
    assert np.array_equal(world.state.noise, noise)
    one = mind(attention=6, thinking={"noise": 0.5})
    factor = one.state.noise[0, 0, :, 15].astype(float)
    belief = believed(one, 15)
    uptime = (1 - min(0.1 * factor[3], 1)) ** 2
    assert belief["fertility"] == pytest.approx(3.0 * factor[0] * uptime)
    assert belief["claim_cost"] == pytest.approx(5.0 * factor[1])
    assert belief["ore_output"] == pytest.approx(2.0 * factor[2] * uptime)


def test_salience_is_drawn_fairly_and_kept_or_fixed() -> None:
    world = World(scenario(BUSY), 400, seed=0)
    first = np.bincount(world.state.salience[:, :, 0].ravel(), minlength=4) / 1200
    assert first == pytest.approx(np.full(4, 0.25), abs=0.05)
    before = world.state.salience.copy()
    world.step(split(world, consumption=1))
    assert np.array_equal(world.state.salience, before)
    fixed = World(scenario(BUSY, thinking__salience=NAMES[::-1]), 3, seed=0)
    assert (fixed.state.salience == np.arange(4)[::-1]).all()


def test_a_shuffled_sham_believes_one_cell_of_another() -> None:
    world = mind(sight=20, attention=6, seat={"sham": "shuffled"})
    values = sorted(round(believed(world, c)["fertility"], 4) for c in range(36))
    honest = mind(sight=20, attention=6)
    assert values == sorted(round(believed(honest, c)["fertility"], 4) for c in range(36))
    assert any(believed(world, c)["fertility"] != believed(honest, c)["fertility"] for c in range(36))
