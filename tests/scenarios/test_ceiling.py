"""A ceiling in a folder: the same bytes however it was made, and nothing that belongs to something else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faults import leftover_of
from worlds import BUSY, scenario, with_levels

from civsim.base.constants import RULES_VERSION
from civsim.base.errors import ResultsError, ScenarioError
from civsim.base.scenario import Scenario
from civsim.scenarios import ceiling
from civsim.scenarios.ceiling import ceiling_hash, ceiling_tables, read_ceiling, run_ceiling
from civsim.scenarios.effort import Effort

GAME = with_levels(scenario(BUSY, game__turns=10), 1, 2, 4)
EFFORT = Effort(0, 2, 4, 6, 32, 0.5)
IDS = range(3, 7)


def run(out: Path | None, **changes: Any) -> ceiling.Ceiling:
    asked: dict[str, Any] = {"scenario": GAME, "world_ids": IDS, "seed": 5, "effort": EFFORT, **changes}
    return run_ceiling(
        asked.pop("scenario"), asked.pop("world_ids"), asked.pop("seed"), asked.pop("effort"), out=out, **asked
    )


def contents(folder: Path) -> dict[str, bytes]:
    """The files of worlds, by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("world-*"))}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ceiling") / "deep" / "out"
    run(folder, command="civsim ceiling game.toml")
    return folder


def test_a_folder_holds_a_file_a_world_and_says_what_was_asked(finished: Path) -> None:
    assert list(contents(finished)) == [f"world-000000000{item}.json" for item in IDS]
    found, worlds = read_ceiling(finished)
    assert tuple(one.world_id for one in worlds) == tuple(IDS)
    assert worlds == run(None).worlds
    assert found["effort"] == EFFORT._asdict()
    assert (found["seed"], found["rules"], found["command"]) == (5, RULES_VERSION, "civsim ceiling game.toml")
    assert Scenario.model_validate(found["scenario"]) == GAME
    assert {"created", "code", "versions", "machine", "git"} <= set(found)
    assert any(one.given for world in worlds for one in world.decisions)


def test_how_worlds_are_put_together_changes_no_byte(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ceiling, "TOGETHER", 3)
    run(tmp_path / "out", threads=2)
    assert contents(tmp_path / "out") == contents(finished)


def test_what_was_stopped_is_gone_on_with_to_the_same_bytes(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, calls = tmp_path / "out", []
    monkeypatch.setattr(ceiling, "TOGETHER", 1)

    def stop(worlds: int) -> None:
        calls.append(worlds)
        if len(calls) == 2 * EFFORT.turns + 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(folder, report=stop)
    begun = contents(folder)
    assert begun == {name: text for name, text in contents(finished).items() if name in begun}
    assert len(begun) == 2
    leftover_of(folder / "world-0000000005.json").write_text("half")
    told: list[tuple[int, int]] = []
    found = run(folder, resume=True, started=lambda total, done: told.append((total, done)))
    assert contents(folder) == contents(finished)
    assert (found.kept, told) == (2, [(4 * EFFORT.turns, 2 * EFFORT.turns)])
    assert found.worlds == read_ceiling(finished)[1]
    assert not list(folder.glob(".*"))


def test_what_is_there_is_kept_and_more_worlds_may_be_added(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    shutil.copytree(finished, folder)
    before = (folder / ceiling.FILE).read_bytes()
    found = run(folder, resume=True, world_ids=range(5, 9), report=lambda worlds: None)
    assert ([one.world_id for one in found.worlds], found.kept) == ([5, 6, 7, 8], 2)
    assert len(contents(folder)) == 6
    assert (folder / ceiling.FILE).read_bytes() == before


@pytest.mark.parametrize("text", ["", "{", '{"world_id": 4}', "[]", '{"hash": 1}'])
def test_a_damaged_world_is_played_again(text: str, finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    shutil.copytree(finished, folder)
    (folder / "world-0000000004.json").write_text(text)
    with pytest.raises(ResultsError, match=r"world-0000000004\.json in .* is damaged; delete it"):
        read_ceiling(folder)
    assert run(folder, resume=True).kept == 3
    assert contents(folder) == contents(finished)


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 6},
        {"effort": EFFORT._replace(seat=1)},
        {"effort": EFFORT._replace(candidates=3)},
        {"effort": EFFORT._replace(samples=3)},
        {"effort": EFFORT._replace(turns=5)},
        {"effort": EFFORT._replace(most_samples=16)},
        {"effort": EFFORT._replace(risk=0.25)},
        {"effort": EFFORT._replace(checks=8)},
        {"scenario": with_levels(scenario(BUSY, game__turns=10), 1, 2, 5)},
    ],
    ids=["seed", "seat", "candidates", "samples", "turns", "most-samples", "risk", "checks", "scenario"],
)
def test_other_settings_are_another_ceiling(changes: dict[str, Any], finished: Path) -> None:
    asked = {"scenario": GAME, "seed": 5, "effort": EFFORT, **changes}
    assert ceiling_hash(**asked) != ceiling_hash(GAME, 5, EFFORT)
    before = contents(finished)
    with pytest.raises(ResultsError, match="holds another ceiling") as caught:
        run(finished, resume=True, **changes)
    assert "\n" not in str(caught.value)
    assert contents(finished) == before


def test_a_name_makes_no_other_ceiling() -> None:
    named = GAME.model_copy(update={"name": "other", "description": "words"})
    assert ceiling_hash(named, 5, EFFORT) == ceiling_hash(GAME, 5, EFFORT)


def test_other_code_is_said_to_be_it(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "out")
    path = tmp_path / "out" / ceiling.FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {"hash": "0", "code": "abc"}))
    with pytest.raises(ResultsError, match="was played by other code"):
        run(tmp_path / "out", resume=True)


def _fill(folder: Path) -> None:
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")


def _write(text: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        folder.mkdir()
        (folder / ceiling.FILE).write_text(text)

    return write


@pytest.mark.parametrize(
    ("prepare", "resume", "words"),
    [
        (lambda folder: folder.write_text("x"), False, "is a file"),
        (_fill, False, "is not empty; add --resume"),
        (_fill, True, r"has no ceiling\.json; give the folder that `civsim ceiling` wrote"),
        (_write("{"), True, "is damaged"),
        (_write("[1]"), True, "is no manifest of a ceiling"),
        (_write('{"format": "civsim-results", "hash": "1"}'), True, "is no manifest of a ceiling"),
        (_write('{"format": "civsim-ceiling", "hash": 1}'), True, "is no manifest of a ceiling"),
        (_write('{"format": "civsim-ceiling", "format_version": 9, "hash": "1"}'), True, "format_version=9"),
    ],
    ids=["file", "foreign", "foreign-resumed", "cut", "list", "study", "hash", "version"],
)
def test_a_folder_of_something_else_is_left_alone(
    prepare: Callable[[Path], None], resume: bool, words: str, tmp_path: Path
) -> None:
    prepare(tmp_path / "out")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(ResultsError, match=words) as caught:
        run(tmp_path / "out", resume=resume)
    assert "\n" not in str(caught.value)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_world_of_another_folder_is_refused(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    shutil.copytree(finished, folder)
    shutil.copy(folder / "world-0000000003.json", folder / "world-0000000004.json")
    with pytest.raises(ResultsError, match=r"world-0000000004\.json is of something else"):
        run(folder, resume=True)


def test_nothing_is_written_for_what_cannot_be_asked(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="seat=9"):
        run(tmp_path / "out", effort=EFFORT._replace(seat=9))
    assert not (tmp_path / "out").exists()
    with pytest.raises(ResultsError, match="is not a folder"):
        read_ceiling(tmp_path / "none")


def test_tables_hold_every_world_and_every_choice(finished: Path) -> None:
    _, found = read_ceiling(finished)
    worlds, decisions = ceiling_tables(found, "output")
    assert worlds["world_id"].tolist() == list(IDS)
    assert worlds["planner"].tolist() == [one.planner["output"] for one in found]
    assert worlds["ceiling"].tolist() == [one.ceiling["output"] for one in found]
    assert worlds["worth"].tolist() == [sum(each.worth for each in one.decisions) for one in found]
    assert decisions["worth"].abs().sum() > 0.0
    assert worlds["games"].tolist() == [one.games for one in found]
    assert decisions["samples"].tolist() == [each.samples for one in found for each in one.decisions]
    assert len(decisions) == sum(len(one.decisions) for one in found)
    assert decisions["changed"].sum() == sum(each.given is not None for one in found for each in one.decisions)
    assert decisions["changed"].dtype == bool
    empty = ceiling_tables([one.model_copy(update={"decisions": ()}) for one in found], "output")[1]
    assert list(empty.columns) == list(decisions.columns)
