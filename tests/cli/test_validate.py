"""``civsim validate``: the verdict table, its files, its exit codes, and one line for what it cannot use."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from commands import refused, said

from civsim.cli import main
from civsim.validation import k7_battle
from civsim.validation.registry import known_answers

ONE = ("K7", "--set", "attacker=3", "--set", "defender=2", "--set", "m=2")


def test_the_list_names_every_parameter_with_its_range_and_default(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "validate", "--list")
    for case in known_answers():
        assert f"{case.name} {case.title}: " in text
        for name in case.settings.model_fields:
            assert f"\n  {name}=" in text
    assert "  players=2,3,4  n: civilizations, all alike (one or more: a whole number 2 to 8)" in text
    assert "world of its own: small, still lands" in text
    assert "K3" not in said(capsys, "validate", "--list", "k7")


def test_a_case_at_parameters_of_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "validate", *ONE)
    header, *rows, last = text.splitlines()
    assert header.split()[0] == "case"
    assert len(rows) == 3
    assert all("attacker=3, defender=2, m=2" in row and row.endswith("pass") for row in rows)
    assert "0.69231" in rows[0]
    assert last.startswith("K7 battle: 3 of 3 pass; world of its own: ")


def test_values_with_commas_are_tried_in_turn(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "validate", "k3", "--set", "players=2,3", "--set", "decisiveness=0.5", "--set", "costs=")
    assert "players=2, m=0.5, prize=10" in text
    assert "players=3, m=0.5, prize=10" in text
    assert "K3 Tullock contest: 4 of 4 pass" in text


def test_tables_and_the_command_that_made_them(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "validate", *ONE, "--out", "out/new")
    rows = list(csv.DictReader((folder / "out" / "new" / "validation.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["verdict"] for row in rows] == ["pass"] * 3
    assert float(rows[0]["theory"]) == pytest.approx(9 / 13)
    page = (folder / "out" / "new" / "validation.md").read_text(encoding="utf-8")
    assert "`civsim validate K7 --set attacker=3 --set defender=2 --set m=2 --out out/new`" in page
    assert "World: even land made by hand; forces and the holder of the field are set." in page


def test_a_failure_is_one_line_and_exit_code_1(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = k7_battle.chance
    monkeypatch.setattr(k7_battle, "chance", lambda *forces: 0.9 * chance(*forces))
    assert main(["validate", *ONE, "--out", "out"]) == 1
    text, err = capsys.readouterr()
    assert err == "civsim: error: theory and simulation differ in 3 rows: 3 of K7\n"
    assert text.count("FAIL") == 6  # in the table, and in a line each
    assert (folder / "out" / "validation.csv").read_text().count("FAIL") == 3


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ("K21",),
            "case 'K21' is not known; choose from K1, K2, K3, K4, K5, K6, K7, K8, K9, K10, K11, K12, K13, K14, K15, "
            "K16, K17, K18, K19, K20",
        ),
        (("K3", "--set", "players=1"), "K3: players=1 is not allowed; give a whole number from 2 to 8"),
        (
            ("--set", "h=4"),
            "--set h is a parameter of K1, K2, K4, K8, K10, K11, K12, K15, K16, K17, K18, K19; "
            "write K1.h=... or run one case",
        ),
        (("K3", "--set", "prize"), "--set 'prize' is not KEY=VALUE"),
        (("K8", "--set", "scenario=moon"), "no scenario is called 'moon'"),
        (("K7", "--out", "file"), "'file' is a file; give the name of a folder"),
    ],
)
def test_what_cannot_be_used_is_one_line(
    arguments: tuple[str, ...], line: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "file").write_text("")
    assert line in refused(capsys, "validate", *arguments)
