"""Kinds that read prepared studies: sensitivity, discovery, equivalence, instruments, mixed. Small games, whole way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from civsim.analysis.kinds.discovery import KIND as DISCOVERY
from civsim.analysis.kinds.equivalence import KIND as EQUIVALENCE
from civsim.analysis.kinds.instruments import KIND as INSTRUMENTS
from civsim.analysis.kinds.kind import Kind
from civsim.analysis.kinds.mixed import KIND as MIXED
from civsim.analysis.kinds.sensitivity import KIND as SENSITIVITY
from civsim.analysis.kinds.sensitivity import responses, to_unit
from civsim.analysis.results import Resampling, Results, open_results
from civsim.analysis.style import house_style
from civsim.scenarios import loads_study, run_batch

GAME = """
replicates = {worlds}
[set]
"game.turns" = 6
"game.civilizations" = 2
"map.width" = 8
"map.height" = 8
"""
RANGES = """
[factors.share]
path = "focal.policy.params.consumption"
low = 0.1
high = 0.6
[factors.price]
path = "thinking.price.horizon"
low = 0.5
high = 8.0
scale = "log"
"""
ARM = "[factors.share_high]\npath = 'focal.policy.params.cognition'\nlevels = [0.0, 0.2]\n"
SHAM = "[factors.arm]\narms.thinking = {}\narms.sham_same = { 'focal.sham' = 'none' }\n"
PRICE = "'focal.policy.name' = 'adaptive'\n[factors.price]\npath = 'thinking.price.horizon'\nlevels = [0.1, 1.0, 8.0]\n"
STUDIES = {
    "morris": "design = 'morris'\nsamples = 5\n" + GAME.format(worlds=4) + RANGES,
    "saltelli": "design = 'saltelli'\nsamples = 8\n" + GAME.format(worlds=4) + RANGES,
    "latin": "design = 'latin'\nsamples = 40\n" + GAME.format(worlds=2) + RANGES + ARM,
    "sham": GAME.format(worlds=8) + SHAM,
    "prices": GAME.format(worlds=12).replace('turns" = 6', 'turns" = 30').replace("= 8\n", "= 12\n") + PRICE,
}
PAIRS = [
    (SENSITIVITY, "morris"),
    (SENSITIVITY, "saltelli"),
    (DISCOVERY, "latin"),
    (EQUIVALENCE, "sham"),
    (INSTRUMENTS, "prices"),
    (MIXED, "prices"),
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Results]:
    found = {}
    for name, text in STUDIES.items():
        folder: Path = tmp_path_factory.mktemp("kinds") / name
        run_batch(loads_study(text), folder)
        found[name] = open_results(folder)
    return found


@pytest.mark.parametrize(("kind", "study"), PAIRS, ids=lambda item: item if isinstance(item, str) else item.name)
def test_a_kind_goes_the_whole_way(kind: Kind, study: str, folders: dict[str, Results]) -> None:
    results = folders[study]
    assert kind.refuses(results) is None
    tables = kind.tables(results, Resampling(draws=100))
    again = kind.tables(results, Resampling(draws=100))
    for key, table in tables.items():
        pd.testing.assert_frame_equal(table, again[key])
    said = kind.read(tables)
    assert said
    assert all(sentence.endswith(".") and any(letter.isdigit() for letter in sentence) for sentence in said)
    for theme in ("light", "dark"):
        with house_style(theme):
            assert kind.draw(tables, ["small print"]).axes


@pytest.mark.parametrize("kind", [SENSITIVITY, DISCOVERY, EQUIVALENCE, INSTRUMENTS, MIXED], ids=lambda kind: kind.name)
def test_a_kind_refuses_other_designs_in_one_line(kind: Kind, folders: dict[str, Results]) -> None:
    mine = {study for other, study in PAIRS if other is kind}
    refused = [kind.refuses(results) for name, results in folders.items() if name not in mine]
    assert any(refused)
    assert all("\n" not in line for line in refused if line)


def test_a_sham_that_changes_nothing_is_identical_in_every_world(folders: dict[str, Results]) -> None:
    (sentence,) = EQUIVALENCE.read(EQUIVALENCE.tables(folders["sham"], Resampling()))
    assert sentence == "baseline: sham_same against thinking is identical in every world (8 worlds)."


def test_levels_go_back_to_the_unit_range_on_their_own_scale() -> None:
    assert to_unit(np.array([1.0, 2.0, 3.0]), {"low": 1, "high": 3}) == pytest.approx([0.0, 0.5, 1.0])
    assert to_unit(np.array([1.0, 3.0, 9.0]), {"low": 1, "high": 9, "scale": "log"}) == pytest.approx([0.0, 0.5, 1.0])


def test_a_game_that_failed_is_missing_and_nothing_else() -> None:
    runs = pd.DataFrame(
        {"point": [0, 0, 1, 1], "seed": 0, "world_id": [5, 6, 5, 6], "status": ["ok", "ok", "failed", "ok"]}
    )
    wide = responses(runs, pd.Series([1.0, 2.0, 3.0, 4.0]), paired=True)
    assert wide.fillna(-1.0).to_numpy().tolist() == [[1.0, 2.0], [-1.0, 4.0]]
