"""A small study for tests: real games, few and short."""

from __future__ import annotations

from pathlib import Path

from civsim.scenarios.study import Study, load_study

SCENARIO = """
[map]
width = 8
height = 8
site_density = 0.1
[game]
civilizations = 2
turns = {turns}
[raiders]
rate = 0.2
"""

STUDY = """
seed = 11
replicates = {replicates}
series = "{series}"
[factors.context]
scenarios = ["calm.toml", "wild.toml"]
[factors.horizon]
path = "focal.levels.horizon"
levels = [0, 2, 3]
"""

HYPOTHESES = """
[hypotheses.pays]
claim = "A horizon of 3 pays."
expected = "positive"
source = "a test"
test = "contrast"
params = { plus = [{ horizon = 3 }], minus = [{ horizon = 0 }] }
unit = "log points a turn"
smallest = 1.0
margin = 0.5
worlds = 4
[hypotheses.more]
claim = "It needs more worlds than there are."
expected = "either"
source = "a test"
test = "slope"
params = { factor = "horizon" }
unit = "log points a turn and level"
smallest = 1.0
margin = 0.5
worlds = 50
"""
"""Two hypotheses of the small study: one with as many worlds as it asks for, one without."""


def small_study(
    folder: Path, *, replicates: int = 6, turns: int = 8, series: str = "all", extra: str = ""
) -> tuple[Study, Path]:
    """Write a study of two contexts, three horizons and few worlds; return it and its file."""
    (folder / "calm.toml").write_text(SCENARIO.format(turns=turns))
    (folder / "wild.toml").write_text('base = "calm.toml"\n[map]\nhazard = 0.2\n')
    path = folder / "small.toml"
    path.write_text(STUDY.format(replicates=replicates, series=series) + extra)
    return load_study(path), path


def everything(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file of a results folder but the manifest, which says when it was written."""
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: content for name, content in found.items() if name != "manifest.json"}


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every part of a results folder by relative name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}
