"""The bits kind counts what can be counted by hand, ranks arms rightly under chance, and says no more than it knows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from civsim.analysis.kinds.bits import FEWEST, KIND, as_good_arms, bits_arms
from civsim.analysis.kinds.kind import SKIPPED
from civsim.analysis.recovery.planted import F64, Levels, planted_results
from civsim.analysis.results import Resampling, Results
from civsim.analysis.statistics.divergence import no_skill_bits, optimisation_bits
from civsim.analysis.style import figure_images, house_style
from civsim.base.constants import Category
from civsim.base.errors import ResultsError
from civsim.scenarios import load_study, loads_study

FEW = Resampling(draws=300)
EIGHT = range(1, 9)
STEPS = {**{f"reference {number}": float(number) for number in EIGHT}, "best": 9.0, "amid": 5.5, "worst": 0.5}
"""Planted welfare by arm: the reference arms are at 1 … 8."""


def study_text(steps: dict[str, float], more: str = "") -> str:
    arms = "".join(f'"{name}" = {{ "map.hazard" = {0.001 * k:.3f} }}\n' for k, name in enumerate(steps))
    return f"replicates = 24\n{more}\n[factors.mix.arms]\n{arms}"


def planted(steps: dict[str, float] = STEPS, more: str = "", noise: float = 0.0) -> Results:
    """Return results in which each arm has its step over what the world's runs have in common."""

    def columns(levels: Levels, shared: F64, rng: np.random.Generator) -> dict[str, F64]:
        return {"welfare": shared + steps[str(levels["mix"])] + noise * rng.normal(size=len(shared))}

    return planted_results(loads_study(study_text(steps, more)), columns, 0, common=20.0)


def test_bits_by_hand() -> None:
    results = planted()
    assert KIND.refuses(results) is None
    factor = results.manifest["study"]["factors"]["mix"]
    factor["arms"] = dict(sorted(factor["arms"].items()))  # as a manifest that was read has them
    table = KIND.tables(results, FEW)[""].set_index("arm")
    assert list(table.index) == ["best", "amid", "worst"]
    assert table["value"].to_numpy() == pytest.approx([np.log2(9.0), -np.log2(4.0 / 9.0), 0.0])
    assert table["low"].to_numpy() == pytest.approx(table["high"].to_numpy())  # no world differs
    assert table["most"].to_numpy() == pytest.approx(np.log2(9.0))
    assert table["chance"].to_numpy() == pytest.approx(no_skill_bits(8))
    assert table["saturated"].tolist() == [1.0, 0.0, 0.0]
    assert table["as_good"].tolist() == [0, 3, 8]
    assert table["p"].to_numpy() == pytest.approx([1.0 / 9.0, 4.0 / 9.0, 1.0])
    # All of 24 worlds at the bound do not say that all worlds are: Clopper and Pearson.
    assert table.loc["best", "saturated_low"] == pytest.approx(0.025 ** (1.0 / 24.0))
    assert table.loc["amid", "saturated_high"] == pytest.approx(1.0 - 0.025 ** (1.0 / 24.0))


def test_each_world_is_set_against_its_own_reference_games() -> None:
    results = planted(noise=3.0)
    table = KIND.tables(results, FEW)[""].set_index("arm")
    wide = results.runs.pivot(index="world_id", columns="factor.mix", values="welfare")
    base = wide[[name for name in wide if name.startswith("reference")]].to_numpy()
    for arm in ("best", "amid", "worst"):
        found = optimisation_bits(wide[arm], base, draws=300)
        assert table.loc[arm, ["value", "low", "high", "saturated"]].to_numpy(float) == pytest.approx(
            [*map(float, found.mean), found.saturated]
        )
        assert table.loc[arm, "as_good"] == by_hand(wide[arm].to_numpy(), base)


def by_hand(outcome: F64, reference: F64) -> int:
    """Return the rank by loops: the mean bits of each of the arms among all."""
    pool = np.column_stack([outcome, reference])
    bits = [
        np.mean(
            [-np.log2(sum(other >= own for other in world) / len(world)) for own, world in zip(arm, pool, strict=True)]
        )
        for arm in pool.T
    ]
    return sum(value >= bits[0] - 1e-9 for value in bits[1:])


@given(st.integers(0, 10_000), st.integers(1, 12), st.floats(0.1, 10.0))
def test_ranks_know_no_units_and_no_order(seed: int, games: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    outcome, reference = rng.integers(0, 5, 6).astype(float), rng.integers(0, 5, (6, games)).astype(float)
    count = as_good_arms(outcome, reference)
    assert count == by_hand(outcome, reference)
    worlds, arms = rng.permutation(6), rng.permutation(games)
    shift = rng.integers(-3, 3, 6)
    assert as_good_arms(np.exp(scale * outcome)[worlds], np.exp(scale * reference)[worlds][:, arms]) == count
    assert as_good_arms(outcome + shift, reference + shift[:, None]) == count


def test_a_lucky_draw_of_the_reference_is_called_no_skill_as_often_as_it_should_be() -> None:
    # Each arm has luck of its own in all worlds, the measured one too: it is one more draw of the reference.
    rng, tries, games, worlds = np.random.default_rng(5), 1000, 19, 20
    luck = rng.normal(size=(tries, 1, games + 1))
    pool = luck + rng.normal(size=(tries, worlds, games + 1))
    first = sum(as_good_arms(one[:, 0], one[:, 1:]) == 0 for one in pool)
    exact = binomtest(first, tries, 1.0 / (games + 1.0))
    assert exact.pvalue > 0.01
    # Worlds alone do not know of the luck: their interval leaves the benchmark out far too often.
    outside = 0
    for one in pool[:200]:
        mean = optimisation_bits(one[:, 0], one[:, 1:], draws=100).mean
        outside += not mean.low <= no_skill_bits(games) <= mean.high
    assert outside > 60


def test_words_follow_the_interval_the_rank_and_the_bound() -> None:
    said = KIND.read(KIND.tables(planted(), FEW))
    assert len(said) == 3
    assert said[0].startswith("baseline: best has 3.17 [3.17, 3.17] bits of welfare (24 worlds), above the 1.")
    assert "but 0 of 8 reference arms do as well (p 0.111), so a lucky draw of the reference may" in said[0]
    assert said[0].endswith("100 % [86, 100] of worlds are at the bound of 3.17 bits, so its bits are a lower bound.")
    assert "worst has 0.00 [0.00, 0.00] bits" in said[2]
    assert "below the 1." in said[2]
    assert "lucky" not in said[2]
    assert said[2].endswith("0 % [0, 14] of worlds are at the bound of 3.17 bits.")
    tables = KIND.tables(planted(), FEW)
    unsure = tables[""].assign(low=0.5, high=3.0)
    assert all("not told from the" in sentence for sentence in KIND.read({"": unsure}))
    ranked = tables[""].assign(low=2.0, high=3.0, p=0.03)
    assert "a lucky draw of the reference hardly explains it" in KIND.read({"": ranked})[0]


def test_worlds_with_a_failed_game_are_left_out_and_counted() -> None:
    results = planted()
    runs = results.runs.copy()
    runs.loc[3, "status"], runs.loc[3, "welfare"] = "failed", np.nan
    tables = KIND.tables(replace(results, runs=runs), FEW)
    assert set(tables[""]["worlds"]) == {23}
    assert (
        "Worlds left out of a row, at most, since a game of theirs failed or gave no number: baseline: 1."
        in KIND.read(tables)
    )


def test_each_scenario_is_a_stratum_and_one_without_references_is_left_out() -> None:
    steps = STEPS
    context = '[factors.context]\nscenarios = ["baseline", "war"]'
    text = study_text(steps, context)
    results = planted_results(
        loads_study(text), lambda levels, shared, rng: {"welfare": shared + steps[str(levels["mix"])]}, 0
    )
    assert KIND.tables(results, FEW)[""]["stratum"].tolist() == ["baseline"] * 3 + ["war"] * 3
    assert KIND.read(KIND.tables(results, FEW))[5].startswith("war: worst")
    runs, war = results.runs, results.runs["scenario"] == "war"
    one_less = replace(results, runs=runs[~(war & (runs["factor.mix"] == "reference 1"))])
    assert set(KIND.tables(one_less, FEW)[""]["stratum"]) == {"baseline"}
    assert KIND.tables(one_less, FEW)[SKIPPED]["stratum"].tolist() == ["war"]
    failed = {"status": runs["status"].mask(war, "failed"), "welfare": runs["welfare"].mask(war)}
    assert KIND.tables(replace(results, runs=runs.assign(**failed)), FEW)[SKIPPED]["stratum"].tolist() == ["war"]
    with pytest.raises(ResultsError, match="no world has a finite"):
        KIND.tables(replace(results, runs=runs.assign(status="failed", welfare=np.nan)), FEW)
    alone = replace(results, runs=runs[~war | runs["factor.mix"].astype(str).str.startswith("reference")])
    assert set(KIND.tables(alone, FEW)[""]["stratum"]) == {"baseline"}
    with pytest.raises(ResultsError, match="no factor has 8 or more arms"):
        KIND.tables(replace(results, runs=runs[runs["factor.mix"] != "reference 1"]), FEW)


@pytest.mark.parametrize("more", ["", '[factors.context]\nscenarios = ["baseline", "dear-thought"]'])
def test_the_figure_is_drawn_in_both_themes_and_nothing_is_cut_off(more: str) -> None:
    steps = STEPS | {"far-sighted planner, free": 6.5}
    results = planted(steps | {"best": 30.0}, more, noise=1.0)
    tables = KIND.tables(results, FEW)
    for theme in ("light", "dark"):
        assert figure_images(lambda: KIND.draw(tables, ["Small print."]), theme, ["svg"])
    with house_style():
        figure = KIND.draw(tables, ["Small print."])
        figure.canvas.draw()
        axes = figure.axes[0]
        boxes = [text.get_window_extent() for text in (*axes.texts, *axes.get_yticklabels(), *figure.texts)]
        assert min(box.x0 for box in boxes) >= 0.0
        assert max(box.x1 for box in boxes) <= figure.bbox.width


def test_other_designs_and_bad_tables_are_refused() -> None:
    few = {name: step for name, step in STEPS.items() if name != "reference 3"}
    alone = {name: step for name, step in STEPS.items() if name.startswith("reference")}
    for steps in (few, alone):
        assert f"no factor has {FEWEST} or more arms named reference…" in str(KIND.refuses(planted(steps)))
    assert "paired = true" in str(KIND.refuses(planted(more="paired = false")))
    with pytest.raises(ResultsError, match="do not match"):
        as_good_arms(np.zeros(3), np.zeros((4, 2)))


def test_the_shipped_study_has_the_mixes_that_it_says_and_is_read() -> None:
    study = load_study("bits")
    arms = study.factors["allocation"].arms
    drawn = np.random.default_rng(33).dirichlet(np.ones(len(Category)), 31).round(3)
    for number, mix in enumerate(drawn, start=1):
        policy = arms[f"reference {number:02d}"]["focal.policy"]
        assert policy["name"] == "fixed"
        assert [policy["params"]["shares"][one.name.lower()] for one in Category] == mix.tolist()
    results = planted_results(study, lambda levels, shared, rng: {"welfare": rng.normal(size=len(shared))}, 0)
    column, reference, others = bits_arms(results) or ("", [], [])
    assert (column, len(reference), len(others)) == ("factor.allocation", 31, 4)
    assert KIND.refuses(results) is None
