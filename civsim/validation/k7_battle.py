"""K7: attacks succeed with frequency a^m / (a^m + d^m) over the whole range, and losses have the stated mean."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
from pydantic import Field

from civsim.base.constants import Category, OrderKind
from civsim.base.scenario import Fraction, Frozen
from civsim.engine.world import World
from civsim.validation.case import Exponents, How, KnownAnswer, Positives, Row, Seed, frequency, words
from civsim.validation.hand_made import flat_land, given_orders, hold, scenario, split

SIDE = 6
CAPITALS = (14, 16)
FIELD = 15
"""Cell between the capitals that is fought for; the second civilization holds it."""

FULL_FIGHTS = 40_000
CHUNK = 5_000
"""Battles fought in one batch of worlds."""


class Settings(Frozen):
    """Parameters of K7."""

    attacker: Positives = Field((0.4, 2.0, 4.0, 8.0, 40.0), description="a: force of the attacker")
    defender: Positives = Field((4.0,), description="d: force of the defender")
    m: Exponents = Field((0.5, 2.0), description="decisiveness m")
    loss_winner: Fraction = Field(0.15, description="share of its force that a winner loses")
    loss_loser: Fraction = Field(0.4, description="share of its force that a loser loses")
    fights: int = Field(5_000, ge=100, le=1_000_000, description="battles at each setting; 40,000 with --full")
    seed: Seed = Field(0, description="seed of the worlds")


class Fights(NamedTuple):
    """What came of equal battles."""

    won: int  # battles that the attacker won
    fights: int
    lost_attack: float  # mean force lost by the attacker
    lost_defence: float  # mean force lost by the defender


def fight(
    attack: float,
    defence: float,
    decisiveness: float,
    *,
    fights: int,
    wall: float = 0.0,
    rough: float = 0.0,
    losses: tuple[float, float] = (0.15, 0.4),
    seed: int = 0,
) -> Fights:
    """Return the outcome of independent attacks on one cell, each in a world of its own.

    ``wall`` is the wall there, ``rough`` its ruggedness, ``losses`` the share of force that a winner and a loser lose.
    """
    game = scenario(
        {"map.width": SIDE, "map.height": SIDE, "map.hazard": 0.0, "game.civilizations": 2, "game.turns": 20},
        claims__growth=0.0,
        army={"decisiveness": decisiveness, "projection": float("inf"), "minimum": 0.0, "lag": 0},
        army__loss_winner=losses[0],
        army__loss_loser=losses[1],
        economy__depreciation={"army": 0.0},
    )
    world = World(game, fights, seed=seed, land=flat_land(game, CAPITALS, ruggedness={FIELD: rough}))
    hold(world, 1, FIELD)
    world.state.stock[:, :, Category.ARMY] = attack, defence
    world.state.wall[:, FIELD] = wall
    world.step(split(world, consumption=1), given_orders(world, (0, OrderKind.ATTACK, FIELD)))
    if not (world.orders.status[:, 0, 0] == 1).all():
        raise RuntimeError("an attack was not carried out: the world is not set up as the case says")
    left = world.state.stock[:, :, Category.ARMY].mean(axis=0)
    won = int((world.state.owner[:, FIELD] == 0).sum())
    return Fights(won, fights, float(attack - left[0]), float(defence - left[1]))


def chance(attack: float, defence: float, decisiveness: float) -> float:
    """Return the contest success function a^m / (a^m + d^m) (Tullock 1980); forces > 0."""
    return float(1.0 / (1.0 + np.exp(decisiveness * (np.log(defence) - np.log(attack)))))


def _rows(a: float, d: float, m: float, settings: Settings, fights: int, rows: int) -> list[Row]:
    losses = (settings.loss_winner, settings.loss_loser)
    done = fight(a, d, m, fights=fights, losses=losses, seed=settings.seed)
    p, part = chance(a, d, m), words(attacker=a, defender=d, m=m)
    won = frequency("attacks won", part, p, done.won, done.fights, rows)
    # A loss is one of two numbers, by who won: its mean is as uncertain as the frequency, times what lies between them.
    spread = losses[1] - losses[0]
    expected = (losses[1] - spread * p, losses[0] + spread * p)
    seen = (done.lost_attack / a, done.lost_defence / d)
    slack = (abs(spread) * (won.simulated - won.low), abs(spread) * (won.high - won.simulated))
    sides = ((slack[1], slack[0]), slack) if spread > 0.0 else (slack, (slack[1], slack[0]))
    found = [won]
    for side, theory, share, (down, up) in zip(("attacker", "defender"), expected, seen, sides, strict=True):
        low, high = share - down - _SINGLE, share + up + _SINGLE
        label = f"share of its force the {side} loses"
        found.append(Row(label, part, theory, share, low, high, low <= theory <= high, won.note))
    return found


_SINGLE = 1e-5
"""Forces are kept in single precision."""


def run(settings: Settings, how: How) -> list[Row]:
    """Fight; see the module."""
    asked = list(product(settings.attacker, settings.defender, settings.m))
    fights = max(settings.fights, FULL_FIGHTS) if how.full else settings.fights
    rows = []
    for index, (a, d, m) in enumerate(asked):
        how.report(index, len(asked))
        rows += _rows(a, d, m, settings, fights, 3 * len(asked))
    return rows


CASE = KnownAnswer(
    "K7",
    "battle",
    "win frequency a^m / (a^m + d^m) (Tullock 1980); a loser loses one share of its force, a winner another",
    "even land made by hand; forces and the holder of the field are set",
    Settings,
    run,
)
