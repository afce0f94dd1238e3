"""The red-queen kind recovers planted gains, draws them, and says no more than its intervals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from civsim.analysis.kinds.kind import SKIPPED
from civsim.analysis.kinds.red_queen import ARMS, GAINS, KIND, UNITS, dose_column
from civsim.analysis.recovery.planted import F64, Levels, planted_results
from civsim.analysis.results import Resampling, Results
from civsim.analysis.style import figure_images, house_style
from civsim.base.errors import ResultsError
from civsim.scenarios import load_study, loads_study

GAINED = {"nobody": 0.0, "one": 3.0, "rivals": -3.5, "everybody": -2.0}
"""Planted welfare, in log points × 100 a turn; of output the opposite."""

BEST = {"private": 3.0, "universal": -2.0, "competed_away": 5.0, "beside_rivals": 1.5, "difference": -1.5}
FEW = Resampling(draws=300)
CONTEXTS = ("baseline", "war", "crowded")


def planted(seed: int = 0, *, worlds: int = 60, noise: float = 1.0, contexts: tuple[str, ...] = CONTEXTS) -> Results:
    """Return results of the shipped study whose gains are those above in every scenario."""

    def columns(levels: Levels, shared: F64, rng: np.random.Generator) -> dict[str, F64]:
        gain = GAINED[levels["dose"]]
        welfare = 40.0 + shared + gain + noise * rng.normal(size=len(shared))
        output = np.exp(0.01 * (700.0 + 5.0 * shared - gain + noise * rng.normal(size=len(shared))))
        return {"welfare": welfare, "output": output}

    study = load_study("red-queen").model_copy(update={"replicates": worlds})
    results = planted_results(study, columns, seed, common=8.0)
    return replace(results, runs=results.runs[results.runs["scenario"].isin(contexts)])


def test_without_noise_the_gains_are_exactly_those_planted() -> None:
    table = KIND.tables(planted(noise=0.0), FEW)[""].set_index(["stratum", "outcome", "quantity"])
    assert len(table) == 3 * 2 * 5
    for stratum in CONTEXTS:
        for quantity, gain in BEST.items():
            for outcome, sign in (("welfare", 1.0), ("output", -1.0)):
                row = table.loc[(stratum, outcome, quantity)]
                assert row[["value", "low", "high"]].to_numpy(float) == pytest.approx(sign * gain)
                assert (row["worlds"], row["dropped"], row["unit"]) == (60, 0, UNITS[outcome])


def test_intervals_cover_the_planted_gains() -> None:
    held, total = 0, 0
    for seed in range(70):
        table = KIND.tables(planted(seed, worlds=40, contexts=("baseline",)), FEW)[""]
        truth = table["quantity"].map(BEST) * np.where(table["outcome"] == "welfare", 1.0, -1.0)
        held += int(((table["low"] <= truth) & (truth <= table["high"])).sum())
        total += len(table)
    assert 0.91 <= held / total <= 0.99


def test_the_parts_add_up_and_what_worlds_share_cancels() -> None:
    table = KIND.tables(planted(), FEW)[""].pivot(index=["stratum", "outcome"], columns="quantity", values="value")
    assert np.allclose(table["private"], table["universal"] + table["competed_away"])
    moved = planted()
    by_world = np.random.default_rng(1).normal(size=moved.runs["world_id"].max() + 1) * 50.0
    runs = moved.runs.assign(welfare=moved.runs["welfare"] + by_world[moved.runs["world_id"]])
    again = KIND.tables(replace(moved, runs=runs.sample(frac=1.0, random_state=2)), FEW)[""]
    first = KIND.tables(planted(), FEW)[""].set_index(["stratum", "outcome", "quantity"])
    second = again.set_index(["stratum", "outcome", "quantity"]).loc[first.index]
    pd.testing.assert_frame_equal(first, second)


def test_words_follow_the_sign_and_the_interval() -> None:
    tables = KIND.tables(planted(contexts=("baseline",)), FEW)
    row = tables[""].set_index(["outcome", "quantity"]).loc[("welfare", "private")]
    said = KIND.read(tables)
    assert len(said) == 6
    assert f"thinking more alone pays ({row['value']:.2f} [{row['low']:.2f}, {row['high']:.2f}]" in said[0]
    assert "everybody's thinking leaves each civilization worse off (-" in said[1]
    assert "the rivals' thinking takes from one who thinks more (" in said[1]
    assert said[1].endswith("; more than the private gain is competed away.")
    assert "thinking more when the rivals do too pays (1." in said[2]
    assert ", and the gain is lower than alone (-1." in said[2]
    assert "thinking more alone costs (-" in said[3]
    assert "everybody's thinking leaves each civilization with more output (" in said[4]
    assert "adds to one who thinks more (-" in said[4]
    assert "competed away" not in said[4]
    assert "and the gain is higher than alone (1." in said[5]
    for value, words in ((0.0, "cannot be told from nothing"), (1.0, "part is left")):
        changed = tables[""].copy()
        universal = changed["quantity"] == "universal"
        changed.loc[universal, ["value", "low", "high"]] = [value, value - 0.5, value + 0.5]
        assert words in KIND.read({"": changed})[1]
    unsure = tables[""].assign(low=-9.0, high=9.0)
    for sentence in KIND.read({"": unsure}):
        assert "cannot be told" in sentence
        assert not any(word in sentence for word in ("pays", "costs", "leaves", "takes from", "is left"))


def test_arms_that_play_alike_are_said_to_change_nothing() -> None:
    same = planted(contexts=("baseline",))
    first = same.runs[same.runs["factor.dose"] == "one"].set_index("world_id")
    runs = same.runs.assign(**{name: same.runs["world_id"].map(first[name]) for name in ("welfare", "output")})
    said = KIND.read(KIND.tables(replace(same, runs=runs), FEW))
    assert sum(sentence.count("changes nothing in any world (0.00 [0.00, 0.00]") for sentence in said) == 10
    assert not any("cannot be told" in sentence for sentence in said)


def test_a_seat_that_stays_is_named_in_place_of_each() -> None:
    results = planted(contexts=("baseline",))
    results.manifest["study"]["focal"] = 2
    assert "leaves the civilization of seat 2 worse off" in KIND.read(KIND.tables(results, FEW))[1]


def test_failed_games_and_outputs_of_0_are_left_out_and_counted() -> None:
    results = planted(contexts=("baseline",))
    runs = results.runs.reset_index(drop=True)
    runs.loc[0, "status"] = "failed"
    runs.loc[0, ["welfare", "output"]] = np.nan
    runs.loc[5, "output"] = 0.0
    tables = KIND.tables(replace(results, runs=runs), FEW)
    assert tables[""].groupby("outcome")["dropped"].first().to_dict() == {"output": 2, "welfare": 1}
    said = " ".join(KIND.read(tables))
    assert "baseline, welfare (59 worlds): worlds left out, because a game failed or welfare is not finite: 1." in said
    assert "because a game failed or output is 0: 2." in said
    with pytest.raises(ResultsError, match="no world has a finite"):
        KIND.tables(replace(results, runs=runs.assign(output=0.0)), FEW)


def test_a_scenario_whose_games_all_failed_is_listed_and_harms_no_other() -> None:
    results = planted()
    war = results.runs["scenario"] == "war"
    failed = {"status": "failed", "welfare": np.nan, "output": np.nan}
    tables = KIND.tables(
        replace(results, runs=results.runs.assign(**{k: results.runs[k].mask(war, v) for k, v in failed.items()})), FEW
    )
    assert set(tables[""]["stratum"]) == {"baseline", "crowded"}
    assert tables[SKIPPED]["stratum"].tolist() == ["war"]
    with pytest.raises(ResultsError, match="no world has a finite"):
        KIND.tables(replace(results, runs=results.runs.assign(**failed)), FEW)


def test_without_the_arm_of_rivals_there_are_three_quantities() -> None:
    results = planted(contexts=("baseline",))
    del results.manifest["study"]["factors"]["dose"]["arms"]["rivals"]
    three = replace(results, runs=results.runs[results.runs["factor.dose"] != "rivals"])
    assert KIND.refuses(three) is None
    tables = KIND.tables(three, FEW)
    assert list(dict.fromkeys(tables[""]["quantity"])) == list(GAINS)
    assert len(KIND.read(tables)) == 4
    full = KIND.tables(results, FEW)[""]
    kept = full[full["quantity"].isin(list(GAINS))].reset_index(drop=True)
    pd.testing.assert_frame_equal(tables[""], kept)  # the fourth arm moves nothing else


def test_the_figure_is_drawn_in_both_themes_and_nothing_is_cut_off() -> None:
    tables = KIND.tables(planted(), FEW)
    for theme in ("light", "dark"):
        assert figure_images(lambda: KIND.draw(tables, ["Small print."]), theme, ["svg"])
    with house_style():
        figure = KIND.draw(tables, ["Small print."])
        figure.canvas.draw()
        axes = figure.axes[0]
        boxes = [text.get_window_extent() for text in (*axes.texts, *axes.get_yticklabels(), *figure.texts)]
        assert min(box.x0 for box in boxes) >= 0.0
        assert max(box.x1 for box in boxes) <= figure.bbox.width
        labels = [text.get_text().replace("\n", " ") for text in axes.get_yticklabels()]
    assert labels[:3] == [f"baseline: welfare, {name}" for name in GAINS.values()]


def test_other_designs_are_refused() -> None:
    assert dose_column(planted()) == "factor.dose"
    head = "replicates = 3\n[factors.dose.arms]\n"
    arms = "".join(f"{name} = {{ 'map.hazard' = 0.{index} }}\n" for index, name in enumerate(ARMS))

    def planted_from(text: str) -> Results:
        return planted_results(loads_study(text), lambda levels, shared, rng: {"welfare": shared, "output": shared}, 0)

    assert KIND.refuses(planted_from(head + arms)) is None
    for text in (arms + "some = { 'map.hazard' = 0.5 }\n", arms.replace("one", "two")):
        assert "exactly the arms nobody, one, everybody" in str(KIND.refuses(planted_from(head + text)))
        with pytest.raises(ResultsError, match="exactly the arms"):
            KIND.tables(planted_from(head + text), FEW)
    assert "paired = true" in str(KIND.refuses(planted_from("paired = false\n" + head + arms)))
