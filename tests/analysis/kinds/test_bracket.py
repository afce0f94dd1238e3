"""The bracket of the trade-off: planted gains are found, and the findings say whether paid lies between."""

from __future__ import annotations

import pandas as pd
import pytest
from planted_grid import grid_results

from civsim.analysis.kinds.bracket import ARMS, KIND
from civsim.analysis.results import Resampling, Results
from civsim.analysis.style import house_style
from civsim.analysis.units import discount_sum

QUICK = Resampling(draws=200)
GAIN = {"none": 0.0, "free 5 %": 3.0, "free 20 %": 4.0, "paid 5 %": 2.0, "paid 20 %": 1.0, "unused 5 %": -1.0,
        "unused 20 %": -3.0}  # fmt: skip


def planted(gains: dict[str, float]) -> Results:
    return grid_results({"arm": {"arms": {name: {} for name in gains}}}, lambda levels: gains[levels["arm"]], noise=0.2)


def test_planted_gains_are_found_and_paid_lies_between() -> None:
    table = KIND.tables(planted(GAIN), QUICK)[""].set_index(["arm", "share"])
    scale = 100.0 / discount_sum(0.98, 100)
    assert table.loc[("free", 0.05), "gain"] == pytest.approx(3.0 * scale, abs=0.15 * scale)
    assert table.loc[("unused", 0.2), "over_paid"] == pytest.approx(-4.0 * scale, abs=0.15 * scale)
    said = KIND.read(KIND.tables(planted(GAIN), QUICK))
    assert len(said) == 2
    assert all(sentence.endswith("paid lies between the two.") for sentence in said)


def test_a_paid_arm_outside_the_bracket_is_said_to_be() -> None:
    said = KIND.read(KIND.tables(planted(GAIN | {"paid 20 %": 6.0}), QUICK))
    assert said[1].endswith("paid does not lie between the two.")


def test_arms_alike_are_not_told_apart() -> None:
    said = KIND.read(KIND.tables(planted(dict.fromkeys(GAIN, 0.0)), QUICK))
    assert not any(sentence.endswith("paid lies between the two.") for sentence in said)


def test_other_designs_are_refused() -> None:
    assert "no factor has arms none, free X %" in str(KIND.refuses(planted({"none": 0.0, "paid 5 %": 1.0})))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_arm_is_drawn(theme: str) -> None:
    tables: dict[str, pd.DataFrame] = KIND.tables(planted(GAIN), QUICK)
    with house_style(theme):  # type: ignore[arg-type]
        figure = KIND.draw(tables, ["Small print."])
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert set(ARMS.values()) <= set(texts)
