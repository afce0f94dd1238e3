"""K6: the centre against provinces: what each side decides and loses, and when the centre's reports are too old."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.validation import k6_centre
from civsim.validation.case import How
from civsim.validation.k6_centre import (
    TEAM,
    Belief,
    Settings,
    Sites,
    answer,
    apart,
    boundary,
    central_loss,
    command,
    crossing,
    drawn,
    explained,
    flipped,
    local_loss,
    minded,
    normal,
    reliability,
    rules,
    together,
)

DELTAS = [0.01, 0.5, 1.0, 4.0, 16.0]


def whole(a: object, b: object, s: object, t: object, delta: float) -> np.ndarray:
    """The loss as the known answer states it."""
    first, second, here, there = (np.asarray(x, float) for x in (a, b, s, t))
    return (first - here) ** 2 + (second - there) ** 2 + delta * (first - second) ** 2


@pytest.mark.parametrize("delta", DELTAS)
def test_the_forms_are_those_of_the_known_answer(delta: float) -> None:
    assert local_loss(delta, 3.0) == pytest.approx(2 * 9 * delta / (1 + delta))
    assert central_loss(delta, 0.4, 3.0) == pytest.approx(2 * 9 * (0.6 + 0.4 * delta / (1 + 2 * delta)))
    assert boundary(delta) == pytest.approx((1 + 2 * delta) / (1 + delta) ** 2)
    assert central_loss(delta, boundary(delta), 3.0) == pytest.approx(local_loss(delta, 3.0))
    assert central_loss(delta, boundary(delta, 0.8), 3.0) == pytest.approx(local_loss(delta, 3.0, 0.8))
    regret = 2 * 9 * delta**2 / ((1 + delta) * (2 + delta) ** 2)
    assert local_loss(delta, 3.0, 1.0) - local_loss(delta, 3.0) == pytest.approx(regret)


def test_half_the_difference_is_minded_where_only_the_own_loss_is() -> None:
    a, b, s, t = np.random.default_rng(0).normal(size=(4, 50))
    assert minded(a, b, s, t, 3.0) == pytest.approx(whole(a, b, s, t, 3.0))
    assert 0.5 * minded(a, b, s, t, 3.0, 1.0) == pytest.approx((a - s) ** 2 + 1.5 * (a - b) ** 2)
    both = 0.5 * (minded(a, b, s, t, 3.0, 1.0) + minded(b, a, t, s, 3.0, 1.0))
    assert both == pytest.approx(whole(a, b, s, t, 3.0)), "own losses add up to the whole one"


@pytest.mark.parametrize("delta", DELTAS)
@pytest.mark.parametrize("bias", [0.5, 0.7, 1.0])
def test_best_answers_settle_on_a_line(delta: float, bias: float) -> None:
    for law in (normal(0.0, 2.0), Belief(np.array([-2.0, 2.0]), np.array([0.5, 0.5]))):
        line = law.points / (1 + delta / (2 * bias))
        for rule in rules(law, delta, bias, 2.0):
            assert rule == pytest.approx(line, abs=1e-9)


@pytest.mark.parametrize("delta", [0.5, 4.0])
def test_no_other_rule_of_provinces_loses_less(delta: float) -> None:
    """A team of two: of any rules, the ones that answer each other are the least (the loss is convex)."""
    law = Belief(np.array([-2.0, -0.5, 0.5, 2.0]), np.array([0.1, 0.4, 0.4, 0.1]))
    spread = float(np.sqrt(law.chances @ law.points**2))
    first, second = rules(law, delta, TEAM, spread)

    def lost(a: np.ndarray, b: np.ndarray) -> float:
        losses = whole(a[:, None], b, law.points[:, None], law.points, delta)
        return float(law.chances @ losses @ law.chances)

    least = lost(first, second)
    assert least == pytest.approx(local_loss(delta, spread))
    rng = np.random.default_rng(1)
    for _ in range(100):
        off = 0.1 * rng.normal(size=(2, 4))
        assert lost(first + off[0], second + off[1]) > least


@pytest.mark.parametrize("delta", DELTAS)
def test_the_centre_solves_its_first_order_conditions(delta: float) -> None:
    told = np.random.default_rng(2).normal(size=(2, 30))
    a, b = command(normal(told[0], 0.4), normal(told[1], 0.4), delta, 1.0)
    exact = np.linalg.solve(np.array([[1 + delta, -delta], [-delta, 1 + delta]]), told)
    assert np.stack([a, b]) == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize("delta", DELTAS)
@pytest.mark.parametrize("bias", [0.5, 1.0])
def test_computed_losses_and_their_crossing_are_the_forms(delta: float, bias: float) -> None:
    assert apart(delta, bias, 2.0) == pytest.approx(local_loss(delta, 2.0, bias), rel=1e-9)
    for rho in (0.0, 0.3, 1.0):
        assert together(delta, rho, 2.0) == pytest.approx(central_loss(delta, rho, 2.0), rel=1e-9)
    assert crossing(delta, bias, 2.0) == pytest.approx(boundary(delta, bias), abs=1e-9)


def test_a_report_has_its_reliability() -> None:
    """At δ next to none the centre loses what reports leave open, and at ρ = 0 it hears nothing."""
    one = drawn(Settings(sigma=2.0), 40_000)
    for rho in (0.2, 0.8):
        losses = one.central(1e-9, rho)
        assert losses.mean() == pytest.approx(8 * (1 - rho), abs=4 * losses.std() / 200)
    assert one.central(1.0, 0.0) == pytest.approx((one.states**2).sum(axis=0))


def test_provinces_that_do_not_settle_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(k6_centre, "MOST_ROUNDS", 3)
    with pytest.raises(RuntimeError, match="do not settle in 3 rounds at delta=16"):
        rules(normal(0.0, 1.0), 16.0, TEAM, 1.0)


@pytest.mark.parametrize("volatility", [0.0, 0.05, 0.3, 0.5])
@pytest.mark.parametrize("age", [1, 3])
def test_a_stale_report_explains_what_the_chain_says(volatility: float, age: int) -> None:
    """Var E[now | then] / Var now, from the powers of the chain."""
    chain = np.linalg.matrix_power(np.array([[1 - volatility, volatility], [volatility, 1 - volatility]]), age)
    expected = chain @ np.array([-1.0, 1.0])
    assert reliability(volatility, age) == pytest.approx(expected.var())
    sites = flipped(volatility, age, 50_000, 7)
    found = np.corrcoef(sites.then.ravel(), sites.now.ravel())[0, 1]
    assert found == pytest.approx((1 - 2 * volatility) ** age, abs=4 / np.sqrt(100_000))


def test_the_square_of_an_interval_round_none_begins_at_none() -> None:
    assert explained("x", "y", 0.01, (0.45, 0.52, 0.6), "z")[3:7] == pytest.approx((0.04**2, 0.0, 0.04, True))
    assert explained("x", "y", 0.05, (0.45, 0.52, 0.6), "z").passed is False
    assert explained("x", "y", 0.04, (0.55, 0.6, 0.7), "z")[3:7] == pytest.approx((0.04, 0.01, 0.16, True))
    assert explained("x", "y", 0.04, (0.3, 0.4, 0.45), "z")[3:7] == pytest.approx((0.04, 0.01, 0.16, True))


@pytest.mark.parametrize("delta", [0.5, 3.0])
@pytest.mark.parametrize("age", [1, 2, 4])
def test_on_the_next_turn_the_boundary_is_that_of_the_ratio(delta: float, age: int) -> None:
    """Both sides decide on sites one turn on; provinces see them now, the centre as they were ``age`` turns ago."""
    volatility, draws = 0.1, 60_000
    memory = 1 - 2 * volatility
    old = flipped(volatility, age, draws, 3)
    turned = np.where(np.random.default_rng(4).random((2, draws)) < volatility, -1.0, 1.0)
    soon = Sites(old.then, old.now * turned, volatility, age + 1)
    # What a province expects of its state is all of it that a quadratic loss leaves it to decide on.
    law = Belief(memory * np.array([-1.0, 1.0]), np.array([0.5, 0.5]))
    first, second = rules(law, delta, TEAM, 1.0)
    a = answer(memory * old.now[0], second, law, delta, TEAM, 1.0)
    b = answer(memory * old.now[1], first, law, delta, TEAM, 1.0)
    local, central = whole(a, b, *soon.now, delta), soon.central(delta, 1.0)
    sight = memory**2
    theory = 2 * ((1 - sight) + sight * delta / (1 + delta))
    assert local.mean() == pytest.approx(theory, abs=4 * local.std() / np.sqrt(draws))
    gain = local - central
    expected = theory - central_loss(delta, sight * memory ** (2 * age), 1.0)
    assert gain.mean() == pytest.approx(expected, abs=4 * gain.std() / np.sqrt(draws))
    assert (expected > 0) == (memory ** (2 * age) > boundary(delta))


def test_more_draws_with_full_and_no_row_of_a_run_missing() -> None:
    small = Settings(delta=(1.0,), rho=(0.5,), bias=(0.5,), p=(0.1,), n=(1,), draws=1_000, worlds=10)
    rows = k6_centre.run(small, How())
    assert len(rows) == 5 + 1 + 3
    assert all(row.passed for row in rows)
    longer = k6_centre.run(small, How(full=True))
    assert [row.label for row in longer] == [row.label for row in rows]
    assert longer[1].high - longer[1].low < 0.1 * (rows[1].high - rows[1].low)
