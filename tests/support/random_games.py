"""Random small scenarios for property tests: every rule may be on, every setting may be odd."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from civsim.base.scenario import Scenario

SOMETIMES = st.sampled_from([0.0, 0.3])
LOOKING = {
    "reach": st.integers(0, 5),
    "rollout": st.integers(0, 5),
    "rule": st.sampled_from(["myopic", "rate", "npv"]),
    "attacks": st.sampled_from(["never", "rule", "plan"]),
    "guard": st.sampled_from(["dates", "thumb"]),
}
"""What a plan is made of, besides levels."""


def _thought_of(count: int) -> st.SearchStrategy[dict[str, Any]]:
    given_weights = st.lists(st.sampled_from([0.2, 1.0, 3.0]), min_size=count, max_size=count)
    return st.fixed_dictionaries(
        {"count": st.just(count), "cells": st.sampled_from([1, 1, 3])},
        optional={
            "weights": st.one_of(st.sampled_from(["equal", "output"]), given_weights),
            "messenger": st.sampled_from([0.5, 1.0, 3.0, float("inf")]),
            "pool": st.sampled_from([0.0, 0.4, 1.0]),
        },
    )


def thoughts(fewest: int = 1, most: int = 8) -> st.SearchStrategy[dict[str, Any]]:
    """Random seats of thought, of which none that falls takes staff with it."""
    return st.integers(fewest, most).flatmap(_thought_of)


def _levels() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {}, optional={"horizon": st.integers(0, 6), "sight": st.integers(0, 6), "attention": st.integers(2, 6)}
    )


def _map() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "width": st.integers(3, 7),
            "height": st.integers(3, 7),
            "torus": st.booleans(),
            "hazard": st.sampled_from([0.0, 0.05, 0.4]),
            "ridge_height": st.sampled_from([0.0, 0.8]),
            "site_density": st.sampled_from([0.0, 0.3]),
            "ore_density": st.sampled_from([0.0, 0.3]),
            "volatility": st.sampled_from([0.0, 0.2, 0.5]),
            "capital_fertility": st.sampled_from([0.0, 2.0, 20.0]),
        }
    )


def _economy() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "claims": st.fixed_dictionaries(
                {
                    "cost": st.sampled_from([0.5, 2.0]),
                    "lag": st.integers(0, 3),
                    "growth": SOMETIMES,
                    "per_turn": st.integers(0, 4),
                }
            ),
            "works": st.fixed_dictionaries(
                {
                    "menu": st.lists(
                        st.fixed_dictionaries(
                            {
                                "gain": st.sampled_from([0.25, 1.0]),
                                "cost": st.sampled_from([0.5, 3.0]),
                                "maturity": st.integers(1, 4),
                            }
                        ),
                        min_size=1,
                        max_size=3,
                    ),
                    "per_turn": st.integers(0, 2),
                }
            ),
            "walls": st.fixed_dictionaries({"rate": st.sampled_from([0.3, 1.0]), "per_turn": st.integers(0, 2)}),
            "army": st.fixed_dictionaries(
                {
                    "war": st.booleans(),
                    "lag": st.integers(0, 3),
                    "per_turn": st.integers(0, 2),
                    "minimum": st.sampled_from([0.0, 0.5]),
                    "decisiveness": st.sampled_from([0.5, 1.0, 2.0, 7.0]),
                    "projection": st.sampled_from([1.0, 8.0, float("inf")]),
                    "disruption": st.integers(0, 3),
                }
            ),
            "disasters": st.fixed_dictionaries({"duration": st.integers(0, 4)}),
            "raiders": st.fixed_dictionaries(
                {"rate": st.sampled_from([0.0, 0.5]), "bands": st.integers(1, 4), "disruption": st.integers(0, 4)}
            ),
            "tribute": st.fixed_dictionaries({"prize": st.sampled_from([0.0, 3.0])}),
        }
    )


def _thinking() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "noise": SOMETIMES,
            "belief": st.sampled_from(["mean", "optimistic"]),
            "span": st.sampled_from([0.0, 0.5, 1.0]),
            "endowment": st.fixed_dictionaries(
                {"horizon": st.integers(0, 4), "sight": st.integers(0, 3), "attention": st.integers(2, 6)}
            ),
        },
        optional={**LOOKING, "seats": thoughts()},
    )


def _game() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "civilizations": st.integers(1, 4),
            "turns": st.integers(1, 10),
            "discount": st.sampled_from([0.9, 1.0]),
            "objective": st.sampled_from(["welfare", "consumption", "output", "share"]),
            "closed": st.sampled_from([(), ("army",), ("works", "walls"), ("strategists", "scouts", "analysts")]),
        }
    )


def scenarios() -> st.SearchStrategy[Scenario]:
    """Random valid scenarios of at most 7×7 cells, 4 civilizations and 10 turns."""
    seat = st.fixed_dictionaries(
        {"levels": _levels(), "sham": st.sampled_from(["none", "none", "inert", "shuffled"])},
        optional={"thought": thoughts()},
    )
    tables = st.builds(
        lambda land, economy, thinking, game, seat: {
            "map": land,
            **economy,
            "thinking": thinking,
            "game": game,
            "seat_default": seat,
        },
        _map(),
        _economy(),
        _thinking(),
        _game(),
        seat,
    )
    return tables.map(Scenario.model_validate)


def minds() -> st.SearchStrategy[dict[str, Any]]:
    """Random seats: other levels, another sham, another reach, rollout, rule and attacks, other seats of thought."""
    level = st.fixed_dictionaries(
        {"horizon": st.integers(0, 8), "sight": st.integers(0, 8), "attention": st.integers(2, 6)}
    )
    return st.fixed_dictionaries(
        {"levels": level, "sham": st.sampled_from(["none", "inert", "shuffled"])},
        optional={**LOOKING, "thought": thoughts()},
    )
