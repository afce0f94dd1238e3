"""``civsim tournament``: ratings, payoffs and cycles printed and written; one line for what it cannot use."""

from __future__ import annotations

import csv
import json
import re
import shlex

import pytest
from trained import make_run

from civsim.base.scenario import Scenario
from civsim.cli import main

SMALL = Scenario.model_validate(
    {"name": "small", "map": {"width": 6, "height": 6}, "game": {"civilizations": 2, "turns": 6}}
)
FAST = ("--worlds", "5", "--threads", "1")
BASE = ("--scenario", "baseline", "--set", "game.turns=4", "--set", "map.width=8", "--set", "map.height=8")


def test_a_tournament_is_rated_and_written(folder, capsys):
    assert main(["tournament", "uniform", "builder", "turtle", *BASE, *FAST, "--out", "out", "--seed", "3"]) == 0
    text, err = capsys.readouterr()
    assert err == ""
    assert "baseline: 5 held-out worlds × 4 seatings, study seed 3" in text
    assert re.search(r"fixed .* 0 \[0, 0\]", text)  # the anchor plays though it was not named
    assert "Meetings won by the row's policy" in text
    assert re.search("No three policies|Cycle: ", text)
    with (folder / "out" / "tournament-games.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 5 * 4 * 4
    assert {row["policy"] for row in rows} == {"uniform", "builder", "turtle", "fixed"}
    for start in range(0, len(rows), 4):
        game = rows[start : start + 4]
        assert len({(row["world_id"], row["turned"]) for row in game}) == 1
        best = max(game, key=lambda row: float(row["welfare"]))
        assert float(best["rank"]) < 2.0
    summary = json.loads((folder / "out" / "tournament.json").read_text(), parse_constant=pytest.fail)
    assert summary["anchor"] == "fixed"
    assert {row["policy"]: row["elo"] for row in summary["ratings"]}["fixed"] == 0.0
    assert len(summary["payoffs"]) == 4 * 3
    names = {path.name for path in (folder / "out").iterdir()}
    assert {"tournament.png", "tournament.svg", "tournament-ratings.csv", "tournament-payoffs.csv"} <= names
    again = summary["command"].replace("--out out", "--out again")
    assert main(shlex.split(again)[1:]) == 0
    both = [(folder / place / "tournament-games.csv").read_bytes() for place in ("out", "again")]
    assert both[0] == both[1]


def test_runs_play_on_their_own_scenario(folder, capsys):
    make_run(folder / "agent", SMALL)
    assert main(["tournament", "agent", "uniform", "--anchor", "uniform", *FAST]) == 0
    text, err = capsys.readouterr()
    assert err == ""
    assert "small: 5 held-out worlds × 2 seatings" in text
    assert "fixed" not in text


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["nobody", *BASE], "neither a policy nor a folder"),
        (["uniform", "builder"], "name a scenario"),
        (["uniform", "uniform", *BASE], "given twice"),
        (["fixed", *BASE], "policies=1 make no tournament"),
        (["uniform", *BASE, "--anchor", "nobody"], "neither a policy nor a folder"),
        (["uniform", *BASE, "--set", "game.civilizations=1"], "civilizations=1 make no tournament"),
        (
            ["uniform", "builder", "turtle", *BASE, "--set", "game.civilizations=2", "--worlds", "2"],
            r"field not connected: policies '\w+' and '\w+' never met, directly or through others; play more worlds$",
        ),
        (["uniform", *BASE, "--worlds", "1"], "greater than or equal to 2"),
        (["uniform", *BASE, "--out", "file"], "is a file"),
    ],
)
def test_what_cannot_be_used_is_one_line(folder, capsys, arguments, word):
    (folder / "file").write_text("")
    assert main(["tournament", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert re.search(word, err)
