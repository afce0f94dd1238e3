"""Races solved over both sides: arrivals by plain sums, mirrored lands, and orders against a plain reading of them."""

from __future__ import annotations

from math import ceil, comb
from typing import Any

import numpy as np
import pytest

from civsim.base.constants import OrderKind
from civsim.validation import duels
from civsim.validation.duels import Duel, met, orders_to_site, solved
from civsim.validation.hand_made import no_orders
from civsim.validation.races import HOME, INCOME, OURS, SHARE, THEIRS, Race, begin, ended, exhausted, orders_of_claims

RACE = Race(2, 3, INCOME, 4.0, 1, 4.0, 40)


@pytest.mark.parametrize("lag", [0, 1, 3])
@pytest.mark.parametrize(("income", "cost"), [(1.0, 4.0), (4.0, 4.0), (1.5, 5.0)])
def test_a_neighbour_is_there_when_its_fund_has_paid_for_it(income: float, cost: float, lag: int) -> None:
    found = solved(Race(4, 1, income, cost, lag, 4.0, 40), 1)
    assert found.theirs_alone == ceil(cost / (SHARE * income)) + lag
    assert found.verdict == found.alone == "theirs"


@pytest.mark.parametrize(("ours", "theirs"), [(1, 1), (1, 3), (3, 2), (4, 4)])
def test_every_order_up_to_the_site_is_there_once(ours: int, theirs: int) -> None:
    race = RACE._replace(ours=ours, theirs=theirs)
    for seat, side in ((OURS, ours), (THEIRS, theirs)):
        orders = orders_to_site(race, seat).tolist()
        assert len(orders) == sum(comb(side - 1 + home, home) for home in range(HOME + 1))
        assert len({tuple(order[: order.index(race.site)]) for order in orders}) == len(orders)
        assert all(sorted(order) == sorted(orders[0]) for order in orders)
        assert len(orders[0]) == HOME + ours + theirs - 1
    # They are among all the orders there are, as far as the site.
    every = {order[: order.index(race.site)] for order in orders_of_claims(race)}
    assert {tuple(order[: order.index(race.site)]) for order in orders_to_site(race, OURS).tolist()} == every


@pytest.mark.parametrize("lag", [1, 2])
@pytest.mark.parametrize(("ours", "theirs", "income"), [(1, 3, 1.5), (2, 3, 2.0), (2, 1, 4.0)])
def test_mirrored_lands_have_mirrored_answers(ours: int, theirs: int, income: float, lag: int) -> None:
    """With equal incomes the seats may be exchanged; what one has in a draw the other has not."""
    race = Race(ours, theirs, INCOME, 4.0, lag, 4.0, 40)
    here, there = solved(race, 4), solved(race._replace(ours=theirs, theirs=ours), 4)
    mirrored = {"ours": "theirs", "theirs": "ours", "draw": "draw"}
    assert there.verdict == mirrored[here.verdict]
    assert (here.ours_alone, here.theirs_alone) == (there.theirs_alone, there.ours_alone)
    assert (here.ours + here.theirs == 1.0).all()
    # More income brings the rival no later.
    assert solved(race._replace(income=income), 4).theirs_alone <= solved(race._replace(income=1.0), 4).theirs_alone


def test_who_is_nearer_has_the_site_and_equals_draw() -> None:
    near, even = solved(Race(1, 3, INCOME, 4.0, 1, 4.0, 40), 8), solved(Race(2, 2, INCOME, 4.0, 1, 4.0, 40), 8)
    assert (near.verdict, even.verdict) == ("ours", "draw")
    assert near.ours_alone < near.theirs_alone
    rush = (
        orders_to_site(Race(2, 2, INCOME, 4.0, 1, 4.0, 40), OURS).tolist().index([HOME + 1, HOME + 2, 1, 0, HOME + 3])
    )
    assert 0.0 < even.ours[rush].min() < 1.0


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict"),
    [
        ([[1.0, 1.0], [0.0, 1.0]], [[0.0, 0.0], [1.0, 0.0]], "ours"),
        ([[0.0, 1.0], [0.0, 0.5]], [[1.0, 0.0], [1.0, 0.5]], "theirs"),
        ([[0.5, 1.0], [0.0, 0.5]], [[0.5, 0.0], [1.0, 0.5]], "draw"),
        # Matching pennies: whoever knows the other's order has the site.
        ([[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]], "open"),
        # Nobody goes: nobody's is neither won nor lost.
        ([[0.0]], [[0.0]], "draw"),
    ],
)
def test_a_verdict_holds_whatever_the_other_does(ours: Any, theirs: Any, verdict: str) -> None:
    assert Duel(np.array(ours), np.array(theirs), 1, 2).verdict == verdict


def test_the_soonest_arrivals_alone_give_a_verdict_too() -> None:
    one = np.ones((1, 1))
    pairs = {(3, 4): "ours", (4, 3): "theirs", (4, 4): "draw", (0, 4): "theirs", (4, 0): "ours", (0, 0): "draw"}
    assert all(Duel(one, one, *pair).alone == name for pair, name in pairs.items())


def test_how_games_are_put_together_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = solved(RACE, 3)
    solved.cache_clear()
    monkeypatch.setattr(duels, "TOGETHER", 7)
    parts = solved(RACE, 3)
    solved.cache_clear()
    assert (whole.ours == parts.ours).all()
    assert (whole.theirs == parts.theirs).all()


def _plain_next(world: Any, row: int, race: Race, claims: tuple[int, ...], step: int) -> int:
    """The step that is next, read plainly: the way is closed from the first cell that the rival holds or enters."""
    state, now = world.state, world.state.turn[row]
    entered = state.party_cell[row, THEIRS][state.party_due[row, THEIRS] <= now]
    closed = min(
        [cell for cell in range(HOME + 1, race.rival) if state.owner[row, cell] == THEIRS or cell in entered]
        + [race.rival]
    )
    while step < len(claims) and claims[step] >= closed:
        step += 1
    return step


@pytest.mark.parametrize("race", [RACE, Race(3, 1, 4.0, 4.0, 2, 4.0, 40), Race(2, 2, 1.0, 3.0, 0, 4.0, 30)])
def test_orders_are_given_as_they_are_read_plainly(race: Race) -> None:
    orders, games = exhausted(race, 2)
    claims = [order for order in orders for _ in range(2)]
    world, shares = begin(race, 0, 0, np.tile(np.arange(2), len(orders)))
    steps, given = np.zeros(len(claims), np.int64), np.zeros((len(claims), 2), bool)
    given[:, OURS] = True
    while not world.done.all():
        record = no_orders(world)
        for row, order in enumerate(claims):
            steps[row] = _plain_next(world, row, race, order, int(steps[row]))
            if steps[row] < len(order):
                record.kind[row, OURS, 0], record.cell[row, OURS, 0] = OrderKind.CLAIM, order[steps[row]]
        before = world.state.gains[:, OURS, OrderKind.CLAIM].copy()
        world.step(shares, record, given)
        steps += world.state.gains[:, OURS, OrderKind.CLAIM] - before
    plain = ended(world, race, games.first)
    assert all(np.array_equal(a, b) for a, b in zip(plain, games, strict=True))


def test_who_thinks_of_no_rival_sets_out_for_a_lost_site() -> None:
    lost = Race(2, 1, 2.0, 4.0, 1, 4.0, 40)
    assert solved(lost, 4).verdict == "theirs"
    assert (met(lost, 0, 40, 4).way > 0).all()
    assert not met(lost, 1, 40, 4).way.any()
    assert not met(lost, 0, 40, 4).won.any()
    won = Race(1, 3, 2.0, 4.0, 1, 4.0, 40)
    assert met(won, 1, 40, 4).won.all()
