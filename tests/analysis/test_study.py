"""What is stated on figures comes from the manifest alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from civsim.analysis.study import read_facts
from civsim.base.errors import ResultsError
from civsim.scenarios import load_scenario, loads_study
from civsim.scenarios.design import Resolver, design_points
from civsim.scenarios.manifest import build, write

STUDY = """
name = "sketch"
replicates = 50
first_world = 100
seed = 7
[set]
"game.turns" = 60
"focal.policy.params.consumption" = 0.25
"focal.policy.params.channels" = { strategists = 3.0, scouts = 1.0 }
"seat_default.policy.params.cognition" = 0.0
[factors.context]
scenarios = ["baseline", "raiders"]
[factors.cognition_share]
path = "focal.policy.params.cognition"
levels = [0.0, 0.1, 0.2]
"""


def _folder(tmp_path: Path, text: str = STUDY) -> Path:
    tmp_path.mkdir(exist_ok=True)
    study = loads_study(text)
    points = design_points(study)
    write(tmp_path, build(study, Resolver(study), points, [("0",)] * len(points), "0" * 64, {"parts": 1}, {}))
    return tmp_path


def test_facts_state_games_board_seats_mixes_and_rivals(tmp_path: Path) -> None:
    facts = read_facts(_folder(tmp_path), plot="civsim plot tradeoff somewhere")
    scenario = load_scenario("baseline")
    assert facts.study == "sketch"
    assert facts.lengths == dict.fromkeys(("baseline", "raiders"), (scenario.game.discount, 60))
    games, focal, rivals, contexts = facts.lines
    assert "300 games: 6 points × 50 worlds (study seed 7, worlds 100–149 at every point)" in games
    assert f"{scenario.map.width} × {scenario.map.height} cells, 4 civilizations, 60 turns" in games
    assert "world id modulo the number of seats" in focal
    assert "25% of output consumed; the share shown on cognition (strategists 75%, scouts 25%)" in focal
    assert "muscle (settlement" in focal
    assert "0% on cognition; the rest" in rivals
    assert contexts == "Contexts – " + " ".join(
        f"{name}: {load_scenario(name).description}" for name in ("baseline", "raiders")
    )
    assert facts.command.splitlines() == [
        f"civsim batch sketch --out {tmp_path}",
        "civsim plot tradeoff somewhere",
    ]


def test_what_is_held_where_another_factor_varies_is_said(tmp_path: Path) -> None:
    held = STUDY.replace("[set]", '[set]\n"focal.policy.params.cognition" = 0.02')
    points = "[[points]]\ncognition_share = [0.0, 0.1]\ncontext = ['baseline']\n[[points]]\ncontext = ['baseline']\n"
    line = "Held where they do not vary: cognition share 0.02 (as in the study's file)."
    assert line in read_facts(_folder(tmp_path / "apart", held + points)).lines
    assert not any("Held" in line for line in read_facts(_folder(tmp_path / "always", held)).lines)


def test_a_policy_given_as_a_table_is_read_too(tmp_path: Path) -> None:
    whole = '"focal.policy" = { name = "fixed", params = { consumption = 0.4, physical = { army = 1.0 } } }'
    text = STUDY.replace('"focal.policy.params.consumption" = 0.25', whole)
    focal = read_facts(_folder(tmp_path, text)).lines[1]
    assert "40% of output consumed" in focal
    assert "muscle (army 100%)" in focal


def test_the_focal_seat_has_what_every_seat_has(tmp_path: Path) -> None:
    text = STUDY.replace("[set]", '[set]\n"seat_default.policy.params.physical" = { army = 1.0 }')
    facts = read_facts(_folder(tmp_path, text))
    assert "muscle (army 100%)" in facts.lines[1]
    assert "25% of output consumed" in facts.lines[1]
    assert "muscle (army 100%)" in facts.lines[2]


def test_levels_that_rivals_are_given_are_said(tmp_path: Path) -> None:
    text = STUDY.replace("[set]", '[set]\n"seat_default.levels" = { horizon = 3, sight = 2 }')
    _, focal, rivals, _ = read_facts(_folder(tmp_path, text)).lines
    assert rivals.endswith("given levels: horizon 3, sight 2.")
    assert focal.endswith("given levels: horizon 3, sight 2.")  # it inherits them
    own = text.replace("[set]", '[set]\n"focal.levels.horizon" = 5')
    _, focal, rivals, _ = read_facts(_folder(tmp_path / "own", own)).lines
    assert focal.endswith("given levels: horizon 5, sight 2.")
    assert rivals.endswith("given levels: horizon 3, sight 2.")
    varied = own.replace(
        "[factors.context]", '[factors.sight]\npath = "focal.levels.sight"\nlevels = [1, 4]\n[factors.context]'
    )
    assert read_facts(_folder(tmp_path / "varied", varied)).lines[1].endswith("horizon 5, sight as shown.")


SEATS = """
name = "walled"
base = "peace"
[game]
closed = ["army"]
[[seats]]
policy = { name = "uniform" }
[[seats]]
policy = { name = "fixed", params = { cognition = 0.1 } }
levels = { sight = 4 }
"""


def test_seats_with_tables_of_their_own_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "walled.toml").write_text(SEATS)
    where = STUDY.replace('["baseline", "raiders"]', f'["{tmp_path / "walled.toml"}", "solo"]')
    _, focal, rivals, contexts, closed = read_facts(_folder(tmp_path / "all", where)).lines
    assert "policy uniform in seat 0; " in rivals
    assert "; given levels: sight 4 in seat 1; " in rivals
    assert "(settlement 40%, works 35%, army 15%, walls 10%) in seats 2, 3 in " in rivals
    assert rivals.endswith("; none in solo.")
    # Its policy is the seat's, but for what the study sets of it; so are its levels.
    assert "given levels: sight 4 in seat 1; " in focal
    assert " solo: One realm alone" in contexts
    assert closed.startswith("Closed to everybody, so that its weight goes to the others: army in ")
    fixed = where.replace("seed = 7", "seed = 7\nfocal = 0").replace(', "solo"]', "]")
    _, focal, rivals, closed = read_facts(_folder(tmp_path / "one", fixed)).lines
    assert "uniform" not in rivals
    assert "uniform" in focal
    assert closed.startswith("Closed")


def test_a_fixed_focal_seat_and_worlds_of_its_own_are_said(tmp_path: Path) -> None:
    text = STUDY.replace("seed = 7", "seed = 7\nfocal = 2\npaired = false")
    games, focal, *_ = read_facts(_folder(tmp_path, text)).lines
    assert "each point its own worlds" in games
    assert "Focal civilization (seat 2)" in focal


def test_a_folder_without_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="manifest"):
        read_facts(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"format": "other"}))
    with pytest.raises(ResultsError, match="no manifest of civsim"):
        read_facts(tmp_path)
