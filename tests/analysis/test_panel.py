"""From runs to worlds × arms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from civsim.analysis.panel import make_panel, require_columns, select
from civsim.base.errors import ResultsError


def _runs() -> pd.DataFrame:
    rows = [
        {"seed": 0, "world_id": world, "status": "ok", "factor.dose": dose, "welfare": 10.0 * world + dose}
        for world in range(4)
        for dose in (0.2, 0.0, 0.1)
    ]
    return pd.DataFrame(rows)


def test_panel_has_a_row_a_world_and_a_column_a_dose_in_order() -> None:
    panel = make_panel(_runs().sample(frac=1.0, random_state=3), "welfare", "factor.dose")
    assert panel.arms == (0.0, 0.1, 0.2)
    assert panel.worlds.tolist() == [[0, 0], [0, 1], [0, 2], [0, 3]]
    assert np.allclose(panel.values, 10.0 * np.arange(4)[:, None] + np.array([0.0, 0.1, 0.2]))
    assert panel.dropped == 0
    assert panel.n_worlds == 4
    assert np.allclose(panel.column(0.1), 10.0 * np.arange(4) + 0.1)


def test_a_world_with_a_failed_missing_or_infinite_arm_is_dropped_whole() -> None:
    runs = _runs()
    runs.loc[(runs["world_id"] == 1) & (runs["factor.dose"] == 0.1), "status"] = "failed"
    runs.loc[(runs["world_id"] == 2) & (runs["factor.dose"] == 0.0), "welfare"] = np.inf
    runs = runs[~((runs["world_id"] == 3) & (runs["factor.dose"] == 0.2))]
    panel = make_panel(runs, "welfare", "factor.dose")
    assert panel.worlds[:, 1].tolist() == [0]
    assert panel.dropped == 3


def test_same_world_id_under_another_seed_is_another_world() -> None:
    runs = pd.concat([_runs(), _runs().assign(seed=1, welfare=0.0)])
    assert make_panel(runs, "welfare", "factor.dose").n_worlds == 8


def test_several_seats_of_a_world_are_averaged_into_one_cluster() -> None:
    runs = pd.concat([_runs(), _runs().assign(welfare=lambda t: t["welfare"] + 4.0)])
    panel = make_panel(runs, "welfare", "factor.dose")
    assert panel.n_worlds == 4
    assert np.allclose(panel.column(0.0), 10.0 * np.arange(4) + 2.0)


def test_select_keeps_matching_rows() -> None:
    assert len(select(_runs(), {"world_id": 2})) == 3
    assert len(select(_runs(), {"world_id": 2, "factor.dose": 0.1})) == 1


@pytest.mark.parametrize("column", ["seed", "world_id", "status", "welfare", "factor.dose"])
def test_a_missing_column_is_named(column: str) -> None:
    with pytest.raises(ResultsError, match=column):
        make_panel(_runs().drop(columns=column), "welfare", "factor.dose")


def test_no_complete_world_and_unknown_arm_are_refused() -> None:
    with pytest.raises(ResultsError, match="no world"):
        make_panel(_runs().assign(status="failed"), "welfare", "factor.dose")
    with pytest.raises(ResultsError, match=r"0\.7"):
        make_panel(_runs(), "welfare", "factor.dose").column(0.7)
    with pytest.raises(ResultsError, match="nowhere"):
        require_columns(_runs(), ["nowhere"])


def test_an_arm_that_nobody_could_play_takes_no_world_with_it() -> None:
    runs = _runs()
    lost = runs["factor.dose"] == runs["factor.dose"].max()
    failed = runs.assign(status=runs["status"].where(~lost, "failed"))
    panel = make_panel(failed, "welfare", "factor.dose", may_lose_arms=True)
    whole = make_panel(runs, "welfare", "factor.dose", may_lose_arms=True)
    assert (panel.lost, whole.lost) == ((whole.arms[-1],), ())
    with pytest.raises(ResultsError, match="no world has"):  # where arms are told by their place
        make_panel(failed, "welfare", "factor.dose")
    first = runs["status"].where(runs["factor.dose"] != runs["factor.dose"].min(), "failed")
    with pytest.raises(ResultsError, match="no world has"):  # nor is another arm put in the place of the reference
        make_panel(runs.assign(status=first), "welfare", "factor.dose", may_lose_arms=True)
    assert panel.arms == whole.arms[:-1]
    assert np.array_equal(panel.values, whole.values[:, :-1])
    assert panel.dropped == whole.dropped
    with pytest.raises(ResultsError, match="the table; it has"):
        panel.column(whole.arms[-1])
