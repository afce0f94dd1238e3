"""Whatever is malformed is one clear line on stderr, exit code 2, and nothing half-written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from civsim.cli import main

SCENARIOS = {
    "empty-value": ("x =", "not valid TOML"),
    "two-keys": ("[map]\nwidth = 3\nwidth = 4", "not valid TOML"),
    "unknown-table": ("[mpa]\nwidth = 8", "did you mean 'map'"),
    "unknown-key": ("[map]\nwidht = 8", "did you mean 'map.width'"),
    "key-at-top": ("width = 8", "did you mean 'map.width'"),
    "too-small": ("[map]\nwidth = 1", "map.width=1 .* from 2 to 128"),
    "too-large": ("[map]\nwidth = 129", "map.width=129 .* from 2 to 128"),
    "text-for-number": ("[map]\nwidth = '8'", "not a whole number"),
    "real-for-whole": ("[game]\nturns = 1.5", "not a whole number"),
    "bool-for-number": ("[game]\nturns = true", "not a whole number"),
    "number-for-bool": ("[map]\ntorus = 1", "not true or false"),
    "nan": ("[map]\nhazard = nan", "nan is not a number"),
    "infinite": ("[map]\nground = inf", "map.ground=inf"),
    "negative": ("[claims]\ncost = -1", "claims.cost=-1"),
    "probability": ("[raiders]\nrate = 1.01", "raiders.rate=1.01 .* from 0 to 1"),
    "volatility": ("[map]\nvolatility = 0.6", "from 0 to 0.5"),
    "huge-number": (f"[map]\nground = {10**30}", "64 bits"),
    "date": ("name = 1979-05-27", "is a date"),
    "array-for-table": ("map = [1]", "map"),
    "table-for-array": ("seats = {}", "seats"),
    "too-many-seats": ("seats = [{}, {}, {}, {}, {}]", "seats has 5 entries but civilizations=4"),
    "nine-civilizations": ("[game]\ncivilizations = 9", "civilizations=9 .* from 1 to 8"),
    "no-room": ("[game]\ncivilizations = 8\n[map]\nwidth = 2\nheight = 2", "lower it or enlarge the map"),
    "three-symmetric": ("[map]\nsymmetric = true\n[game]\ncivilizations = 3", "use 1, 2 or 4"),
    "closed-twice": ("[game]\nclosed = ['army', 'army']", "name each once"),
    "closed-unknown": ("[game]\nclosed = ['navy']", "'navy' is not known"),
    "no-effect": ("[thinking]\noptimism = 0.9", "no effect unless belief"),
    "salience": ("[thinking]\nsalience = ['ore']", "must order all"),
    "empty-menu": ("[works]\nmenu = []", "at least 1"),
    "bad-menu-entry": ("[[works.menu]]\nmaturity = 0", "works.menu.0.maturity=0"),
    "rules-version": ("rules = 99", "rules=99"),
    "bad-name": ("name = 'a b'", "letters, digits"),
    "long-description": (f"description = '{'x' * 2001}'", "at most 2000 characters"),
    "unknown-base": ("base = 'basline'", "did you mean 'baseline'"),
    "base-is-itself": ("base = 'bad.toml'", "leads back to itself"),
    "base-missing": ("base = 'none.toml'", "does not exist"),
    "base-number": ("base = 3", "base=3 is not a text"),
    "unknown-policy": ("[seat_default.policy]\nname = 'fixd'", "fixed"),
    "policy-parameter": ("[seat_default.policy.params]\ncognitoin = 0.1", "cognit"),
    "policy-value": ("[seat_default.policy.params]\ncognition = 1.5", "cognition"),
    "no-such-land": ("[map]\nfile = 'none.npz'", "none.npz"),
    "deep": ("x = " + "[" * 3000, "deeper than"),
    "deep-keys": (".".join("a" * 100) + " = 1", "deeper than"),
    "control-characters": ('"a\\nb\\u0007" = 1', "is not a setting"),
}

STUDIES = {
    "empty-value": ("x =", "not valid TOML"),
    "unknown-key": ("desing = 'latin'", "did you mean 'design'"),
    "no-replicates": ("replicates = 0", "replicates=0"),
    "unknown-scenario": ("scenario = 'basline'", "did you mean 'baseline'"),
    "unknown-context": ("[factors.c]\nscenarios = ['ridge']", "did you mean 'ridges'"),
    "factor-without-levels": ("[factors.h]\npath = 'map.hazard'", "0 kinds of level"),
    "unknown-path": ("[factors.h]\npath = 'map.hazrd'\nlevels = [0.1]", "did you mean 'map.hazard'"),
    "unknown-focal-path": ("[factors.h]\npath = 'focal.levels.horizn'\nlevels = [1]", "horizon"),
    "level-out-of-range": ("[factors.h]\npath = 'map.hazard'\nlevels = [0.1, 1.5]", "point 1: .*map.hazard=1.5"),
    "focal-seat": ("focal = 7", "focal=7 with 4 civilizations"),
    "focal-policy": ("[set]\n'focal.policy.name' = 'randm'", "random"),
    "sobol-samples": (
        "design = 'sobol'\nsamples = 12\n[factors.h]\npath = 'map.hazard'\nlow = 0.0\nhigh = 0.1",
        "no power of two",
    ),
    "swapped-range": (
        "design = 'latin'\nsamples = 4\n[factors.h]\npath = 'map.hazard'\nlow = 0.2\nhigh = 0.1",
        "not below high",
    ),
    "one-setting-twice": (
        "[factors.h]\npath = 'map.hazard'\nlevels = [0.1]\n[factors.g]\npaths = ['map.hazard']\nlevels = [0.2]",
        "factors.h and factors.g both set 'map.hazard'",
    ),
    "no-level-in-points": ("[factors.h]\npath = 'map.hazard'\nlevels = [0.1]\n[[points]]\nh = []", "h is empty"),
    "unknown-factor-in-points": ("[[points]]\nh = 1", "is no factor"),
    "worlds-run-out": ("first_world = 4294967295", "world ids"),
    "set-no-table": ("set = 3", "set=3 is not a table"),
}

FLAGS = {
    "no-such-command": ("rn", "No such command"),
    "no-such-flag": ("run baseline --wrlds 3", "No such option"),
    "missing-argument": ("run", "Missing argument"),
    "missing-out": ("batch tradeoff", "Missing option '--out'"),
    "flag-without-value": ("run baseline --worlds", "requires an argument"),
    "not-a-number": ("run baseline --worlds many", "--worlds"),
    "zero-worlds": ("run baseline --worlds 0", "--worlds"),
    "negative-seed": ("run baseline --seed -1", "--seed"),
    "zero-threads": ("run baseline --threads 0", "--threads"),
    "many-threads": ("run baseline --threads 100000 --worlds 1", "threads=100000"),
    "worlds-beyond-memory": ("run baseline --worlds 100000000", "GiB"),
    "worlds-run-out": ("run baseline --first 4294967295 --worlds 2", "passes 2"),
    "set-without-value": ("run baseline --set map.width", "is not KEY=VALUE"),
    "set-twice": ("run baseline --set map.width=8 --set map.width=9", "twice"),
    "set-unknown": ("run baseline --set map.widht=8", "did you mean 'map.width'"),
    "set-out-of-range": ("run baseline --set map.hazard=2", "map.hazard=2"),
    "set-seat": ("run baseline --set seats.4.sham=inert", "seat 4 of 4"),
    "no-scenario": ("run basline", "did you mean 'baseline'"),
    "no-file": ("run none.toml", "does not exist"),
    "a-folder": ("run ./", "is a folder"),
    "no-study": ("batch tradeof --out new", "did you mean 'tradeoff'"),
    "zero-limit": ("batch tradeoff --out new --limit 0", "--limit"),
    "no-worlds": ("batch tradeoff --out new --worlds 0", "--worlds"),
    "out-is-a-file": ("batch tradeoff --out bad.toml", "is a file"),
    "save-suffix": ("run baseline --save world.zip", "does not end in .npz"),
    "save-nowhere": ("run baseline --save none/world.npz", "is not a folder"),
    "csv-suffix": ("run baseline --out table.txt", "does not end in .csv"),
    "no-such-figure": ("plot histogram new", "no analysis is called 'histogram'"),
    "no-results": ("plot tradeoff none", "is not a folder"),
    "results-without-manifest": ("plot tradeoff .", "has no manifest.json"),
    "no-snapshot": ("run none.npz", "none.npz"),
    "foreign-snapshot": ("run text.npz", "text.npz"),
    "set-on-snapshot": ("run text.npz --set map.width=3", "no effect on a saved world"),
    "algorithm": ("train baseline --out new --algo dqn", "dqn"),
    "training-steps": ("train baseline --out new -n 0", "--steps"),
    "training-device": ("train baseline --out new --device tpu", "tpu"),
    "training-seat": ("train baseline --out new --seat first", "neither a number nor rotate"),
    "training-seat-number": ("train baseline --out new --seat 9", "9"),
    "training-over-a-folder": ("train baseline --out .", "exists"),
    "bench-repeats": ("bench --repeats 1", "--repeats"),
    "bench-over-a-folder": ("bench --out .", "is a folder"),
    "show-no-such-land": ("show baseline --set map.file=none.npz", "none.npz"),
    "show-no-such-policy": ("show baseline --set seat_default.policy.name=file:none", "give the folder that train"),
    "bench-nowhere": ("bench --out none/bench.json", "is not a folder"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an otherwise empty working folder with two files that are not what they seem."""
    (tmp_path / "text.npz").write_text("not an archive")
    (tmp_path / "bad.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(arguments: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Run the command line; check exit code, single line, and an untouched folder; return the line."""
    before = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    names = sorted(folder.rglob("*"))
    code = main(arguments)
    out, err = capsys.readouterr()
    assert code == 2, err
    assert err.count("\n") == 1
    assert err.endswith("\n")
    assert err.startswith("civsim: error: ")
    assert out == ""
    assert len(err) < 850
    assert sorted(folder.rglob("*")) == names
    assert all(path.read_bytes() == content for path, content in before.items())
    return err


@pytest.mark.parametrize("case", SCENARIOS)
def test_scenarios(case: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, complaint = SCENARIOS[case]
    (folder / "bad.toml").write_text(text)
    line = refused(["run", "bad.toml", "--worlds", "1", "--out", "table.csv"], folder, capsys)
    assert re.search(complaint, line), line


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"\xff\xfe[map]", "not UTF-8"), (b"# " + b"x" * 1_000_001, "larger than 1000000 bytes"), (b"\x00", "not valid")],
    ids=["not-utf-8", "huge", "null"],
)
def test_files(content: bytes, complaint: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.toml").write_bytes(content)
    assert complaint in refused(["show", "bad.toml"], folder, capsys)
    assert complaint in refused(["batch", "bad.toml", "--out", "new"], folder, capsys)


@pytest.mark.parametrize("case", STUDIES)
def test_studies(case: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, complaint = STUDIES[case]
    (folder / "bad.toml").write_text(text)
    line = refused(["batch", "bad.toml", "--out", "new"], folder, capsys)
    assert re.search(complaint, line), line


@pytest.mark.parametrize("case", FLAGS)
def test_flags(case: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, complaint = FLAGS[case]
    assert complaint in refused(text.split(), folder, capsys)
