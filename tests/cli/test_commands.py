"""The commands do what they say, in-process and as a program."""

from __future__ import annotations

import csv
import os
import shlex
import signal
import subprocess
import sys
import time
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer.main
from commands import said
from studies import small_study

from civsim.base import kernels
from civsim.base.constants import RULES_VERSION
from civsim.cli import app, main
from civsim.scenarios import list_scenarios, load_scenario, loads_scenario, read_manifest, read_runs

PROGRAM = [sys.executable, "-c", "import sys; from civsim.cli import main; sys.exit(main())"]
SMALL = ["--set", "map.width=8", "--set", "map.height=8", "--set", "game.turns=6"]


def commands_of(group: Any, before: str = "") -> list[str]:
    """Return the names of a group's commands and of those inside its groups, as they are typed."""
    names = []
    for name, command in group.commands.items():
        names.append(before + name)
        if hasattr(command, "commands"):
            names += commands_of(command, f"{before}{name} ")
    return names


COMMANDS = commands_of(typer.main.get_command(app.app))


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    script = (
        "import sys; from civsim.cli import main; code = main(['--help']);"
        "heavy = {'numpy', 'numba', 'pandas', 'torch', 'pydantic', 'scipy', 'rich', 'pyarrow', 'matplotlib'};"
        "sys.exit(code or ','.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    listed = [line.split()[0] for line in done.stdout.partition("Commands:")[2].splitlines() if line.strip()]
    assert sorted(listed) == sorted(command for command in COMMANDS if " " not in command)


def test_the_commands_are_found() -> None:
    """The walk finds what the help checks below are to cover."""
    assert {"plot", "analyze", "report", "evaluate", "tournament", "export", "import", "tune"} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Usage: civsim " + command in said(capsys, *command.split(), "--help")


def test_a_command_says_how_to_keep_kernels_that_would_be_lost(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    notice = kernels._Notice()
    monkeypatch.setattr(kernels, "advice", lambda: "set NUMBA_CACHE_DIR")
    monkeypatch.setattr(kernels, "advise", notice.advise)
    assert main(["--version"]) == 0
    assert capsys.readouterr().err == "", "nothing was compiled"
    notice.missed()
    for expected in ("civsim: set NUMBA_CACHE_DIR\n", ""):
        assert main(["--version"]) == 0
        assert capsys.readouterr().err == expected


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "--version").startswith("civsim ")


def test_the_bare_command_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "Usage: civsim" in capsys.readouterr().out


def test_scenarios_and_studies_are_listed_with_what_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "scenarios").splitlines()
    assert [line.split()[0] for line in lines] == list(list_scenarios())
    assert all(len(line.split()) > 3 for line in lines)
    assert "tradeoff" in said(capsys, "studies")


def test_show_prints_toml_that_reads_back_as_the_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "show", "ridges", "--set", "map.width=20")
    assert tomllib.loads(text)["map"]["width"] == 20
    shown = loads_scenario(text)
    assert shown.map.ridge_height == load_scenario("ridges").map.ridge_height
    assert f"# civsim {version('civsim')}, rules {RULES_VERSION}" in text.splitlines()
    assert "point" in said(capsys, "show", "tradeoff", "--study")


def test_a_setting_is_toml_or_bare_text(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(
        capsys, "show", "baseline", "--set", "thinking.belief=optimistic", "--set", 'game.closed=["walls", "army"]',
        "--set", "army.projection=inf", "--set", "map.torus=true",
    )  # fmt: skip
    tables = tomllib.loads(text)
    assert tables["thinking"]["belief"] == "optimistic"
    assert tables["game"]["closed"] == ["walls", "army"]
    assert tables["army"]["projection"] == float("inf")
    assert tables["map"]["torus"] is True


def test_run_shows_seats_and_writes_their_results(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "run", "baseline", *SMALL, "--worlds", "3", "--out", "table.csv")
    assert "3 worlds, turn 6 of 6" in text
    rows = rows_of(folder / "table.csv")
    assert len(rows) == 3 * 4
    assert all(float(row["output"]) > 0 for row in rows)


def test_a_saved_game_goes_on_as_if_it_had_not_stopped(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "run", "baseline", *SMALL, "--worlds", "2", "--out", "whole.csv")
    said(capsys, "run", "baseline", *SMALL, "--worlds", "2", "--turns", "3", "--save", "half.npz")
    text = said(capsys, "run", "half.npz", "--out", "rest.csv")
    assert "turn 6 of 6" in text
    for one, other in zip(rows_of(folder / "whole.csv"), rows_of(folder / "rest.csv"), strict=True):
        assert {key: one[key] for key in ("welfare", "output", "cells", "plans")} == {
            key: other[key] for key in ("welfare", "output", "cells", "plans")
        }


@pytest.mark.parametrize("kept", [0, 10, 0.3, 0.7, 0.99])
def test_a_truncated_saved_game_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str], kept: float) -> None:
    said(capsys, "run", "baseline", *SMALL, "--worlds", "1", "--turns", "1", "--save", "game.npz")
    content = (folder / "game.npz").read_bytes()
    (folder / "game.npz").write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    assert main(["run", "game.npz", "--out", "table.csv"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "game.npz" in err
    assert not (folder / "table.csv").exists()


def test_batch_plays_limits_and_resumes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_study(folder, replicates=2, turns=2)
    assert "12 games played" in said(capsys, "batch", "small.toml", "--out", "out")
    assert "0 games played" in said(capsys, "batch", "small.toml", "--out", "out", "--resume")
    assert len(read_runs(folder / "out")) == 12
    said(capsys, "batch", "small.toml", "--out", "other", "--worlds", "3", "--seed", "5", "--no-progress")
    assert set(read_runs(folder / "other")["seed"]) == {5}
    commands = [read_manifest(folder / name)["command"] for name in ("out", "other")]
    assert commands == [
        "civsim batch small.toml --out out", "civsim batch small.toml --worlds 3 --seed 5 --out other",
    ]  # fmt: skip
    assert read_manifest(folder / "other")["study"]["replicates"] == 3
    assert main(["batch", "small.toml", "--out", "out", "--resume", "--seed", "5"]) == 2
    assert "holds another study" in capsys.readouterr().err


def test_the_command_in_the_manifest_can_be_given_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "my study").mkdir()
    small_study(folder / "my study", replicates=2, turns=2)
    said(capsys, "batch", "my study/small.toml", "--out", "o'ut", "--worlds", "1", "--limit", "1", "--threads", "1")
    command = shlex.split(read_manifest(folder / "o'ut")["command"])
    assert command == ["civsim", "batch", "my study/small.toml", "--worlds", "1", "--out", "o'ut"]
    assert "0 missing" in said(capsys, *command[1:], "--resume")


def test_infinity_in_a_study_is_played(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_study(folder, replicates=2, turns=2, extra="[set]\n'army.projection' = inf\n")
    assert "12 games played" in said(capsys, "batch", "small.toml", "--out", "out")
    assert "6 games played" in said(capsys, "batch", "small.toml", "--out", "one", "--worlds", "1")
    assert read_manifest(folder / "one")["study"]["set"]["army.projection"] == float("inf")


def test_progress_is_on_stderr_and_only_when_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_study(folder, replicates=2, turns=2)
    assert main(["batch", "small.toml", "--out", "out", "--progress"]) == 0
    out, err = capsys.readouterr()
    assert "12/12" in err
    assert "0 failed" in err
    assert len(out.splitlines()) == 1


def test_a_truncated_table_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_study(folder, replicates=2, turns=2)
    said(capsys, "batch", "small.toml", "--out", "out")
    part = folder / "out" / "runs" / "part-000000.parquet"
    part.write_bytes(part.read_bytes()[:-9])
    assert main(["plot", "tradeoff", "out", "--out", "figures"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "part-000000.parquet" in err
    assert not (folder / "figures").exists()
    assert "12 games played" in said(capsys, "batch", "small.toml", "--out", "out", "--resume")
    assert len(read_runs(folder / "out")) == 12


def test_an_unexpected_error_is_one_line_and_debug_shows_where(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("two\nlines")

    monkeypatch.setattr(app, "app", lambda *_, **__: broken())
    assert main(["scenarios"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("civsim: error: unexpected ZeroDivisionError: two lines (")
    assert err.count("\n") == 1
    assert main(["--debug", "scenarios"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_as_a_program_errors_go_to_stderr_with_code_2(tmp_path: Path) -> None:
    done = subprocess.run([*PROGRAM, "show", "basline"], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("civsim: error: no scenario is called 'basline'; did you mean 'baseline'?")
    assert done.stderr.count("\n") == 1


def test_ctrl_c_is_one_line_and_code_130(tmp_path: Path) -> None:
    small_study(tmp_path, replicates=5000, turns=50)
    # A shell starts what runs in the background with interrupts ignored, and a child inherits that.
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); " + PROGRAM[2]
    command = [*PROGRAM[:2], heed, "batch", "small.toml", "--out", "out", "--batch", "1"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        # The first tables are written when the kernels are compiled and games are under way.
        while not list((tmp_path / "out").glob("runs/part-*.parquet")):
            assert process.poll() is None
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=240)
    assert process.returncode == 130
    assert err == "civsim: interrupted\n"


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*PROGRAM, "show", "baseline"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait() in (0, 1)
    process.stderr.close()
