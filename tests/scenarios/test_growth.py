"""A folder that grows keeps every game, and ends as the one that was played at once."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from faults import poison
from studies import HYPOTHESES, everything, small_study

from civsim.analysis.hypotheses.judge import judge_study
from civsim.analysis.results import open_results
from civsim.base.errors import CivsimError, ResultsError
from civsim.scenarios import growth, manifest
from civsim.scenarios.batch import run_batch
from civsim.scenarios.plan import PART_RUNS
from civsim.scenarios.results import read_manifest, read_runs
from civsim.scenarios.study import Study, load_study

Words = dict[str, str]
LEVELS, WORLDS = "[0, 2, 3]", "replicates = 60"
STRENGTH = {"focal.levels.horizon": "raiders.strength", LEVELS: "[1, 2, 3]"}

WIDER: dict[str, tuple[Words, Words]] = {
    "more worlds": ({}, {WORLDS: "replicates = 90"}),
    "so many that points are split": ({}, {WORLDS: f"replicates = {PART_RUNS + 3}"}),
    "a level in the middle": ({}, {LEVELS: "[0, 1, 2, 3]"}),
    "a level in front": ({}, {LEVELS: "[4, 0, 2, 3]"}),
    "a level that is no whole number": (STRENGTH, {**STRENGTH, "[1, 2, 3]": "[1, 2, 3, 1.5]"}),
    "both": ({}, {LEVELS: "[0, 1, 2, 3]", WORLDS: "replicates = 70"}),
    "a context": ({}, {'"wild.toml"]': '"wild.toml", "wet.toml"]'}),
    "worlds before the first": (
        {WORLDS: f"first_world = 100\n{WORLDS}"},
        {WORLDS: "first_world = 90\nreplicates = 70"},
    ),
    "a context where each point has its own worlds": (
        {WORLDS: f"paired = false\n{WORLDS}"},
        {WORLDS: f"paired = false\n{WORLDS}", '"wild.toml"]': '"wild.toml", "wet.toml"]'},
    ),
}
"""What is replaced in the text of a study that is played, and in that of one it grows into."""


def write(folder: Path, words: Words | None = None, extra: str = "") -> Study:
    """Write a study of six points and 60 worlds, four points a part, with some words replaced."""
    _, path = small_study(folder, replicates=60, turns=2, series="focal", extra=extra)
    (folder / "wet.toml").write_text('base = "calm.toml"\n[raiders]\nrate = 0.4\n')
    text = path.read_text()
    for before, after in (words or {}).items():
        assert before in text
        text = text.replace(before, after)
    path.write_text(text)
    return load_study(path)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the results of the study as it is."""
    folder = tmp_path_factory.mktemp("growth")
    run_batch(write(folder), folder / "out")
    return folder / "out"


@pytest.mark.parametrize("name", WIDER)
def test_a_grown_folder_is_byte_for_byte_the_one_played_at_once(tmp_path: Path, name: str) -> None:
    before, after = WIDER[name]
    run_batch(write(tmp_path, before), tmp_path / "out")
    larger = write(tmp_path, after)
    with pytest.raises(ResultsError, match="holds another study"):
        run_batch(larger, tmp_path / "out", resume=True)
    grown = run_batch(larger, tmp_path / "out", grow=True)
    whole = run_batch(larger, tmp_path / "whole")
    assert (grown.games, grown.kept, grown.missing) == (whole.games - 360, 360, 0)
    assert everything(tmp_path / "out") == everything(tmp_path / "whole")
    assert run_batch(larger, tmp_path / "out", resume=True).games == 0


def test_the_manifest_keeps_the_history(finished: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(finished, tmp_path / "out"))
    begun = read_manifest(out)
    assert (begun["history"], begun["share"]) == ([], None)
    larger = write(tmp_path, {WORLDS: "replicates = 70"})
    run_batch(larger, out, grow=True, command="civsim batch small.toml --grow")
    found = read_manifest(out)
    (entry,) = found["history"]
    assert (entry["hash"], entry["created"]) == (begun["hash"], begun["created"])
    assert (entry["games"], entry["played"], entry["points"], entry["judged"]) == (360, 360, 6, False)
    assert (found["games"], found["command"]) == (420, "civsim batch small.toml --grow")
    assert run_batch(larger, out, grow=True).games == 0
    assert len(read_manifest(out)["history"]) == 1


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({LEVELS: "[0, 2]"}, "holds games of point 2 .*which the study lacks"),
        ({'"wild.toml"]': '"wet.toml"]'}, "holds games of point 3"),
        ({WORLDS: "replicates = 59"}, "holds worlds of point 0 that the study lacks"),
        ({WORLDS: "replicates = 90\nfirst_world = 1"}, "holds worlds of point 0"),
        ({WORLDS: "replicates = 60\npaired = false"}, "was played with paired="),
        ({"seed = 11": "seed = 12"}, "was played with seed=11, not 12; a study grows by worlds and levels"),
        ({'"focal"': '"none"', WORLDS: "replicates = 61"}, "was played with series='focal', not 'none'"),
        ({WORLDS: "replicates = 61\nfocal = 0"}, "was played with focal='rotate', not 0"),
    ],
)  # fmt: skip
def test_what_does_not_hold_every_game_is_refused_and_nothing_is_changed(
    finished: Path, tmp_path: Path, words: Words, complaint: str
) -> None:
    out = Path(shutil.copytree(finished, tmp_path / "out"))
    with pytest.raises(ResultsError, match=complaint) as caught:
        run_batch(write(tmp_path, words), out, grow=True)
    assert len(str(caught.value).splitlines()) == 1
    assert everything(out) == everything(finished)
    assert (out / "manifest.json").read_bytes() == (finished / "manifest.json").read_bytes()


def test_a_scenario_that_was_changed_is_refused(finished: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(finished, tmp_path / "out"))
    study = write(tmp_path, {WORLDS: "replicates = 61"})
    (tmp_path / "wild.toml").write_text('base = "calm.toml"\n[map]\nhazard = 0.21\n')
    with pytest.raises(ResultsError, match="a file or scenario of point 3 was changed"):
        run_batch(study, out, grow=True)


def test_other_code_does_not_grow_a_folder(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = Path(shutil.copytree(finished, tmp_path / "out"))
    monkeypatch.setattr(manifest, "source_digest", lambda: "0" * 64)
    with pytest.raises(ResultsError, match="was played by other code"):
        run_batch(write(tmp_path, {WORLDS: "replicates = 61"}), out, grow=True)


def test_a_share_is_merged_before_it_grows(tmp_path: Path) -> None:
    run_batch(write(tmp_path), tmp_path / "out", share=(1, 2))
    with pytest.raises(ResultsError, match="bring the shares together with `civsim merge` first"):
        run_batch(write(tmp_path, {WORLDS: "replicates = 61"}), tmp_path / "out", grow=True)


def test_an_unfinished_folder_grows_twice_and_is_stopped_on_the_way(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run_batch(write(tmp_path), out, limit=100).games == 240
    middle = write(tmp_path, {WORLDS: "replicates = 90"})
    first = run_batch(middle, out, grow=True, limit=1)
    assert (first.games, first.missing) == (60, 540 - 180)
    largest = write(tmp_path, {WORLDS: "replicates = 130", LEVELS: "[0, 2, 3, 4]"})
    second = run_batch(largest, out, grow=True, limit=200)
    last = run_batch(largest, out, resume=True)
    # 240 and then 60 games were played before; those that no finished part of the middle study took were kept, too.
    assert second.games + last.games == 8 * 130 - 300
    assert run_batch(largest, tmp_path / "whole").games == 8 * 130
    assert everything(out) == everything(tmp_path / "whole")
    assert [entry["played"] for entry in read_manifest(out)["history"]] == [240, 180]


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("at", range(0, 12, 2))
def test_a_kill_while_it_grows_loses_nothing(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, links: bool
) -> None:
    out = Path(shutil.copytree(finished, tmp_path / "out"))
    larger = write(tmp_path, {WORLDS: "replicates = 61"})
    real, calls = os.link, []

    def link(source: Path, target: Path, **options: Any) -> None:
        calls.append(source)
        if len(calls) == at:
            raise KeyboardInterrupt
        if not links:
            raise PermissionError(1, "Operation not permitted")
        real(source, target, **options)

    def write_manifest(folder: Path, content: dict[str, Any]) -> None:
        if at == 10 and folder == out:
            raise KeyboardInterrupt
        write_whole(folder, content)

    write_whole = manifest.write
    monkeypatch.setattr(growth.os, "link", link)
    monkeypatch.setattr(manifest, "write", write_manifest)
    try:
        run_batch(larger, out, grow=True)
    except KeyboardInterrupt:
        assert len(read_runs(out)) == 360
        assert run_batch(write(tmp_path), out, resume=True).games == 0
        assert everything(out) == everything(finished)
        larger = write(tmp_path, {WORLDS: "replicates = 61"})
    else:
        assert at in (0, 8)  # there is no such link
    monkeypatch.undo()
    run_batch(larger, out, grow=True)
    run_batch(larger, tmp_path / "whole")
    assert everything(out) == everything(tmp_path / "whole")


def test_a_kill_right_after_it_has_grown_leaves_labels_that_no_longer_count(finished: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(finished, tmp_path / "out"))
    larger = write(tmp_path, {WORLDS: "replicates = 61"})
    run_batch(larger, out, grow=True, limit=1)
    (out / "parts" / "part-000000.json").unlink()
    for label in (out / "before" / "001" / "parts").iterdir():
        shutil.copy(label, out / "parts")
    with pytest.raises(ResultsError, match="no finished games"):
        read_runs(out, partial=True)
    assert run_batch(larger, out, resume=True).games == 6
    run_batch(larger, tmp_path / "whole")
    assert everything(out) == everything(tmp_path / "whole")


def test_strangers_in_the_copies_stay(finished: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(finished, tmp_path / "out"))
    larger = write(tmp_path, {WORLDS: "replicates = 61"})
    run_batch(larger, out, grow=True, limit=1)
    (out / "before" / "001" / "notes.txt").write_text("mine")
    run_batch(larger, out, resume=True)
    assert [path.name for path in (out / "before").rglob("*") if path.is_file()] == ["notes.txt"]


def test_a_kept_part_that_is_damaged_is_played_again(finished: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(finished, tmp_path / "out"))
    part = out / "civs" / "part-000000.parquet"
    part.write_bytes(part.read_bytes()[:-1] + b"?")
    larger = write(tmp_path, {WORLDS: "replicates = 61"})
    assert run_batch(larger, out, grow=True).games == 240 + 6
    run_batch(larger, tmp_path / "whole")
    assert everything(out) == everything(tmp_path / "whole")


def test_failed_games_are_kept_as_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    poison(monkeypatch, 3, loud=True)
    out = tmp_path / "out"
    assert run_batch(write(tmp_path), out).failed == 6
    larger = write(tmp_path, {WORLDS: "replicates = 61"})
    grown = run_batch(larger, out, grow=True)
    assert (grown.games, grown.failed) == (6, 6)
    run_batch(larger, tmp_path / "whole")
    assert everything(out) == everything(tmp_path / "whole")
    assert len(read_runs(out, failed=True)) - len(read_runs(out)) == 6


def test_hypotheses_stay_as_registered_and_are_marked_where_games_were_added_after_a_look(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_batch(write(tmp_path, extra=HYPOTHESES), out)
    results = open_results(out)
    assert not judge_study(results)["remark"].str.contains("added").any()
    (out / manifest.VERDICTS).write_text("what `civsim study` writes")
    changed = HYPOTHESES.replace("smallest = 1.0", "smallest = 2.0")
    run_batch(write(tmp_path, {WORLDS: "replicates = 70"}, changed), out, grow=True)
    results = open_results(out)
    verdicts = judge_study(results)
    assert set(verdicts["smallest"]) == {1.0}
    said = "games were added after 360 (and judged) had been played"
    assert verdicts["remark"].str.endswith(said).all()
    assert (verdicts["games"] == 420).all()
    run_batch(write(tmp_path, {WORLDS: "replicates = 80"}, changed), out, grow=True)
    said = "games were added after 360 (and judged) and 420 (and judged) had been played"
    assert judge_study(open_results(out))["remark"].str.endswith(said).all()


def test_nothing_was_looked_at_where_nothing_was_played(tmp_path: Path) -> None:
    out = tmp_path / "out"
    study = write(tmp_path, extra=HYPOTHESES)
    with pytest.raises(CivsimError, match="batch=0"):
        run_batch(study, out, batch=0)
    run_batch(study, out, limit=1)
    for part in out.glob("parts/*"):
        part.unlink()
    run_batch(write(tmp_path, {WORLDS: "replicates = 61"}, HYPOTHESES), out, grow=True)
    assert [entry["played"] for entry in read_manifest(out)["history"]] == [0]
    assert not judge_study(open_results(out))["remark"].str.contains("added").any()
