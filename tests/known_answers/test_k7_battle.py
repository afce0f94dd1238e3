"""K7: attacks succeed with frequency a^m / (a^m + d^m) over the whole range, and losses have the stated mean."""

from __future__ import annotations

import numpy as np
import pytest
from worlds import given_orders, hold, split, still_world

from civsim.base.constants import Category, OrderKind
from civsim.engine.formulas import _win_chance, win_chance
from civsim.validation import k7_battle
from civsim.validation.k7_battle import chance

FIGHTS = 2500
RATIOS = (0.1, 0.4, 0.8, 1.0, 1.25, 2.5, 10.0)


def fight(
    attack: float, defence: float, decisiveness: float, wall: float = 0.0, rough: float = 0.0
) -> tuple[float, float, float]:
    """FIGHTS independent attacks: (share won, attackers' force lost, defenders' force lost)."""
    done = k7_battle.fight(attack, defence, decisiveness, fights=FIGHTS, wall=wall, rough=rough)
    return done.won / done.fights, done.lost_attack, done.lost_defence


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("decisiveness", [0.5, 1.0, 2.0, 5.0])
def test_frequency_and_losses_over_the_whole_range(ratio: float, decisiveness: float) -> None:
    attack, defence = 4.0 * ratio, 4.0
    won, lost_attack, lost_defence = fight(attack, defence, decisiveness)
    p = chance(attack, defence, decisiveness)
    assert p == pytest.approx(attack**decisiveness / (attack**decisiveness + defence**decisiveness))
    error = np.sqrt(p * (1 - p) / FIGHTS)
    assert abs(won - p) <= 4.5 * error + 1e-12
    # Winners lose .15 and losers .4 of the force they projected.
    assert lost_attack / attack == pytest.approx(0.4 - 0.25 * p, abs=4.5 * 0.25 * error + 1e-6)
    assert lost_defence / defence == pytest.approx(0.15 + 0.25 * p, abs=4.5 * 0.25 * error + 1e-6)


@pytest.mark.parametrize(("wall", "rough"), [(2.0, 0.0), (0.0, 1.0), (2.0, 0.5)])
def test_walls_and_ruggedness_count_as_stated(wall: float, rough: float) -> None:
    p = chance(4.0, (2.0 + wall) * (1 + rough), 2.0)
    assert fight(4.0, 2.0, 2.0, wall, rough)[0] == pytest.approx(p, abs=4.5 * np.sqrt(p * (1 - p) / FIGHTS))


def test_a_second_attack_in_a_turn_is_another_battle() -> None:
    world = still_world(
        worlds=FIGHTS,
        capitals=(14, 16),
        army={"decisiveness": 1.0, "projection": float("inf"), "per_turn": 2, "loss_winner": 0.0, "loss_loser": 0.0},
        economy__depreciation={"army": 0.0},
    )
    hold(world, 1, 15)
    world.state.stock[:, :, Category.ARMY] = 4.0
    attack = (0, OrderKind.ATTACK, 15)
    world.step(split(world, consumption=1), given_orders(world, attack, attack))
    # Half fall to the first; of the rest, half to the second.
    assert (world.state.owner[:, 15] == 0).mean() == pytest.approx(0.75, abs=0.04)


def test_the_ends_of_the_range() -> None:
    assert fight(3.0, 0.0, 2.0)[0] == 1.0
    assert fight(0.0, 3.0, 2.0)[0] == 0.0
    assert fight(0.0, 0.0, 2.0)[0] == pytest.approx(0.5, abs=0.045)


@pytest.mark.parametrize("decisiveness", [0.5, 1.0, 2.0, 3.7, 16.0])
def test_the_formula_itself(decisiveness: float) -> None:
    for attack in (1e-3, 0.5, 1.0, 7.0, 1e3):
        for defence in (1e-3, 0.5, 1.0, 7.0, 1e3):
            with np.errstate(over="ignore"):
                expected = 1 / (1 + (defence / attack) ** decisiveness)
            assert win_chance(attack, defence, decisiveness) == pytest.approx(expected, rel=1e-12)
            assert _win_chance(attack, defence, decisiveness) == pytest.approx(expected, rel=1e-12)
    assert win_chance(0.0, 0.0, decisiveness) == 0.5
    assert win_chance(0.0, 1.0, decisiveness) == 0.0
    assert win_chance(1.0, 0.0, decisiveness) == 1.0
