"""Shares that several machines played, brought together: the tables of one batch, or a clear refusal."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from studies import everything, small_study
from tree import ROOT

from civsim.base.errors import CivsimError, ResultsError, StudyError
from civsim.base.owner import owned
from civsim.scenarios import manifest
from civsim.scenarios.batch import run_batch
from civsim.scenarios.merge import merge_results
from civsim.scenarios.results import read_manifest, read_runs
from civsim.scenarios.study import Study

SHARES = 3


def study_in(folder: Path, replicates: int = 130) -> Study:
    return small_study(folder, replicates=replicates, turns=1, series="focal")[0]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the study in one piece (``whole``) and in three shares (``1`` to ``3``)."""
    folder = tmp_path_factory.mktemp("merge")
    study = study_in(folder)
    run_batch(study, folder / "whole")
    for number in range(1, SHARES + 1):
        share = run_batch(study, folder / str(number), share=(number, SHARES), threads=number)
        assert (share.games, share.missing) == (260, 0)
    return folder


@pytest.fixture
def copies(played: Path, tmp_path: Path) -> Path:
    """Return copies of the shares, to damage."""
    for number in range(1, SHARES + 1):
        shutil.copytree(played / str(number), tmp_path / str(number))
    return tmp_path


def shares(folder: Path) -> list[Path]:
    return [folder / str(number) for number in range(1, SHARES + 1)]


def refusal(folders: list[Path], out: Path) -> str:
    before = sorted(out.parent.iterdir())
    with pytest.raises(CivsimError) as caught:
        merge_results(folders, out)
    assert len(str(caught.value).splitlines()) == 1
    assert sorted(out.parent.iterdir()) == before
    return str(caught.value)


def test_the_shares_are_the_whole_byte_for_byte_in_whatever_order(played: Path, tmp_path: Path) -> None:
    merged = merge_results(shares(played)[::-1], tmp_path / "new" / "out")
    assert (merged.games, merged.failed, merged.parts, merged.missing) == (780, 0, 6, 0)
    assert everything(merged.folder) == everything(played / "whole")
    assert read_runs(merged.folder).equals(read_runs(played / "whole"))
    found, whole = read_manifest(merged.folder), read_manifest(played / "whole")
    assert (found["hash"], found["share"]) == (whole["hash"], None)
    assert [one["share"] for one in found["merged"]] == [[3, 3], [2, 3], [1, 3]]
    assert run_batch(study_in(played), merged.folder, resume=True).games == 0


def test_a_share_is_no_whole_study_and_is_gone_on_with_as_it_was_begun(played: Path, copies: Path) -> None:
    with pytest.raises(
        ResultsError, match="has 2 of 6 parts; it is for part 2/3; bring all together with `civsim merge`"
    ):
        read_runs(copies / "2")
    study = study_in(played)
    assert run_batch(study, copies / "2", resume=True, share=(2, 3)).games == 0
    for share, was in ((None, "all parts"), ((1, 3), "part 1/3")):
        with pytest.raises(ResultsError, match=f"was begun for part 2/3, not {was}"):
            run_batch(study, copies / "2", resume=True, share=share)
    with pytest.raises(StudyError, match="part 4/3 is none; give 1/3 to 3/3"):
        run_batch(study, copies / "new", share=(4, 3))


def test_more_shares_than_parts_leave_some_empty(played: Path, tmp_path: Path) -> None:
    study = study_in(played)
    for number in (1, 8):
        assert run_batch(study, tmp_path / str(number), share=(number, 8)).games == (130 if number == 1 else 0)
    merged = merge_results([tmp_path / "1", tmp_path / "8"], tmp_path / "out")
    assert (merged.parts, merged.missing) == (1, 5)
    assert "hold no finished games" in refusal([tmp_path / "8"], tmp_path / "other")
    assert run_batch(study, tmp_path / "out", resume=True).games == 650
    assert everything(tmp_path / "out") == everything(played / "whole")


def test_doubles_are_refused(copies: Path) -> None:
    said = refusal([*shares(copies), copies / "2"], copies / "out")
    assert f"{str(copies / '2')!r} and {str(copies / '2')!r} both hold part-000001.parquet; give one of them" in said


def test_a_stranger_is_refused(copies: Path) -> None:
    (copies / "study").mkdir()
    run_batch(study_in(copies / "study", 131), copies / "4")
    assert "holds another study" in refusal([*shares(copies), copies / "4"], copies / "out")
    (copies / "5").mkdir()
    assert "has no manifest.json" in refusal([copies / "1", copies / "5"], copies / "out")
    assert "is not a folder" in refusal([copies / "1", copies / "6"], copies / "out")
    assert "0 folders to merge" in refusal([], copies / "out")


@pytest.mark.parametrize("back", [False, True])
def test_what_was_registered_and_when_games_were_added_is_not_lost(copies: Path, back: bool) -> None:
    """Whichever folder comes first: other hypotheses are refused, and the mark of a folder that grew stays."""
    second = copies / "2"
    grown = {"place": "before/001", "hash": "0" * 16, "games": 20}
    manifest.write(second, {**manifest.read(second), "history": [grown]})
    folders = shares(copies)[::-1] if back else shares(copies)
    merge_results(folders, copies / "marked")
    assert read_manifest(copies / "marked")["history"] == [grown]
    found = manifest.read(second)
    manifest.write(second, {**found, "study": {**found["study"], "hypotheses": [{"name": "after a look"}]}})
    assert "was begun with other hypotheses than" in refusal(folders, copies / "out")


DAMAGE: dict[str, Callable[[Path], object]] = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-5]),
    "flipped": lambda path: path.write_bytes(path.read_bytes()[:-5] + b"?" + path.read_bytes()[-4:]),
    "gone": lambda path: path.unlink(),
    "another part's": lambda path: shutil.copy(path.with_name("part-000004.parquet"), path),
}


@pytest.mark.parametrize("done", DAMAGE)
def test_a_damaged_share_is_refused_and_nothing_is_left(copies: Path, done: str) -> None:
    DAMAGE[done](copies / "2" / "civs" / "part-000001.parquet")
    said = refusal(shares(copies), copies / "out")
    assert "part-000001.parquet" in said
    assert any(words in said for words in ("is damaged", "lacks", "holds part-000004.parquet"))


def test_a_folder_that_is_being_played_into_is_refused(copies: Path) -> None:
    with owned(copies / "2", ResultsError):
        assert f"is in use by process {os.getpid()} on" in refusal(shares(copies), copies / "out")


def test_nothing_is_written_over(copies: Path) -> None:
    assert "exists already" in refusal(shares(copies)[:2], copies / "3")


def test_the_slurm_array_of_the_examples_plays_a_study(played: Path, tmp_path: Path) -> None:
    _, path = small_study(played, replicates=130, turns=1, series="focal")
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "civsim"
    program.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -c "from civsim.cli import main; raise SystemExit(main())" "$@"\n'
    )
    program.chmod(0o755)
    script = ROOT / "examples" / "slurm-array.sh"
    slurm = {"SLURM_ARRAY_TASK_COUNT": "2", "SLURM_CPUS_PER_TASK": "1", "STUDY": str(path)}
    for task in ("1", "2"):
        own = os.environ | slurm | {"SLURM_ARRAY_TASK_ID": task, "PATH": f"{program.parent}:{os.environ['PATH']}"}
        subprocess.run([str(script)], cwd=tmp_path, env=own, check=True, capture_output=True)
    command = [str(program), "merge", "out/share-1", "out/share-2", "--out", "out/small"]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout == "780 games in 6 parts, 0 failed; tables in out/small\n"
    assert everything(tmp_path / "out" / "small") == everything(played / "whole")
    begun = json.loads((tmp_path / "out" / "share-2" / "manifest.json").read_text())
    assert begun["command"].endswith("--part 2/2 --out out/share-2")
