"""Every kind of analysis keeps the contract: it refuses in one line, or computes, draws and says its numbers."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from tiny_kinds import TINY

from civsim.analysis import kinds as registry
from civsim.analysis.kinds import ORDER, find_kind, in_order, kinds
from civsim.analysis.kinds.kind import SKIPPED, Kind
from civsim.analysis.report.analyze import Outcome, examine, figure_notes
from civsim.analysis.results import Resampling, Results, open_results
from civsim.analysis.style import THEMES, figure_images, house_style
from civsim.base.errors import ResultsError
from civsim.scenarios import loads_study, run_batch

SMALL = """
replicates = 6
series = "focal"
[set]
"map.width" = 8
"map.height" = 8
"game.turns" = 10
"game.civilizations" = 2
"""
BARE = f'name = "bare"\n{SMALL}'
SHARES = f"""name = "shares"
{SMALL}
[factors.context]
scenarios = ["baseline", "peace"]
[factors.cognition_share]
path = "focal.policy.params.cognition"
levels = [0.0, 0.1, 0.2, 0.4, 0.6]
"""
LEVELS = f"""name = "levels"
{SMALL}
[factors.horizon]
path = "focal.levels.horizon"
levels = [0, 3]
[factors.sight]
path = "focal.levels.sight"
levels = [1, 4]
[factors.attention]
path = "focal.levels.attention"
levels = [1, 4]
"""
CASTLES = f"""name = "castles"
{SMALL}
"focal.policy.params.physical" = {{ settlement = 0.5, works = 0.4, walls = 0.1 }}
[factors.walls]
path = "focal.policy.params.physical.walls"
levels = [0.0, 0.1, 0.3, 0.8]
[factors.cognition_share]
path = "focal.policy.params.cognition"
levels = [0.0, 0.05, 0.1, 0.3]
[[points]]
walls = [0.0, 0.1, 0.3, 0.8]
[[points]]
cognition_share = [0.0, 0.05, 0.1, 0.3]
"""
MIXES = f"""name = "mixes"
{SMALL}
[factors.consumption]
path = "focal.policy.params.consumption"
levels = [0.2, 0.4, 0.6]
[factors.cognition]
path = "focal.policy.params.cognition"
levels = [0.02, 0.05, 0.1, 0.2, 0.3]
"""
RANGES = f"""name = "ranges"
design = "saltelli"
samples = 8
{SMALL}
[factors.cognition]
path = "focal.policy.params.cognition"
low = 0.0
high = 0.4
[factors.hazard]
path = "map.hazard"
low = 0.0
high = 0.2
"""
STUDIES = {"bare": BARE, "castles": CASTLES, "shares": SHARES, "levels": LEVELS, "mixes": MIXES, "ranges": RANGES}
FEW = Resampling(draws=60)
NAME = re.compile(r"[a-z]+(-[a-z]+)*")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Results]:
    root = tmp_path_factory.mktemp("kinds")
    for name, text in STUDIES.items():
        run_batch(loads_study(text), root / name)
    return {name: open_results(root / name) for name in STUDIES}


def _one_line(text: str | None) -> bool:
    return bool(text and text.strip()) and "\n" not in str(text)


def test_names_are_unique_and_every_word_is_there() -> None:
    found = kinds()
    assert len({kind.name for kind in found}) == len(found)
    for kind in found:
        assert NAME.fullmatch(kind.name), kind.name
        assert all(_one_line(text) for text in (kind.title, kind.question, kind.method)), kind.name
        assert kind.question.endswith("?"), kind.name
        assert kind.method.endswith("."), kind.name
        assert find_kind(kind.name) is kind


def test_the_order_is_that_of_a_report() -> None:
    shuffled = [TINY._replace(name=name) for name in ("zeta", ORDER[3], "alpha", ORDER[0])]
    assert [kind.name for kind in in_order(shuffled)] == [ORDER[0], ORDER[3], "alpha", "zeta"]
    assert kinds() == in_order(kinds())
    assert len(set(ORDER)) == len(ORDER)


def test_an_unknown_kind_is_refused_with_the_most_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "kinds", lambda: (TINY,))
    with pytest.raises(ResultsError, match="no analysis is called 'tinny'; did you mean 'tiny'?"):
        find_kind("tinny")


@pytest.mark.parametrize("study", STUDIES)
def test_a_kind_refuses_in_one_line_or_keeps_the_contract(
    folders: dict[str, Results], study: str, subtests: pytest.Subtests
) -> None:
    for kind in (TINY, *kinds()):
        with subtests.test(kind=kind.name):
            reason = kind.refuses(folders[study])
            assert reason is None or _one_line(reason)
            if reason is None:
                _check(kind, folders[study])


def test_a_study_that_varies_nothing_is_refused_by_what_compares(folders: dict[str, Results]) -> None:
    for kind in kinds():
        if kind.name in ("tradeoff", "castle", "dose-response", "breakeven", "shapley", "sensitivity", "phase"):
            assert kind.refuses(folders["bare"]) is not None, kind.name


def _check(kind: Kind, results: Results) -> None:
    """Tables are computed purely; both themes draw them and change nothing; the findings hold numbers."""
    outcome = examine(kind, results, FEW)
    assert outcome.status in ("done", "failed"), kind.name
    if outcome.status == "failed":  # six short games may be too few
        assert _one_line(outcome.reason), kind.name
        return
    again = kind.tables(results, FEW)
    assert list(again) == list(outcome.tables), kind.name
    assert "" in again, kind.name
    copies = {key: table.copy() for key, table in again.items()}
    for theme in THEMES:
        svg = figure_images(outcome.draw, theme, ("svg",))["svg"].decode()
        used = {colour.upper() for colour in re.findall(r"#[0-9a-fA-F]{6}\b", svg)}
        other = next(name for name in THEMES if name != theme)
        assert THEMES[theme].face in used, kind.name
        assert THEMES[other].ink not in used, f"{kind.name} names a colour of its own"
    assert _cut_off(outcome) == [], kind.name
    for key, table in copies.items():
        pd.testing.assert_frame_equal(table, again[key])
        pd.testing.assert_frame_equal(table, outcome.tables[key])
    findings = kind.read(again)
    said = list(outcome.findings)  # and a sentence for each part of the study that has no estimate
    assert findings == said[: len(findings)], kind.name
    assert len(said) - len(findings) == len(again.get(SKIPPED, ())), kind.name
    assert findings, kind.name
    for line in findings:
        assert _one_line(line), kind.name
        assert line.rstrip().endswith("."), (kind.name, line)
    assert any(re.search(r"\d", line) for line in findings), kind.name
    assert kind.method in figure_notes(kind, results, FEW)


def _cut_off(outcome: Outcome) -> list[str]:
    """Return the texts of a figure that run over its edge (by more than a pixel)."""
    with house_style():
        figure = outcome.draw()
        figure.canvas.draw()
        width, height = figure.bbox.width, figure.bbox.height
        texts = [*figure.texts]
        for axes in figure.axes:
            texts += [*axes.texts, axes.title, axes.xaxis.label, axes.yaxis.label]
        boxes = [(text.get_text(), text.get_window_extent()) for text in texts if text.get_text()]
    return [
        text
        for text, box in boxes
        if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1
    ]  # fmt: skip


def test_files_of_the_package_are_kinds_or_have_none(tmp_path: Path) -> None:
    files = {path.stem for path in Path(registry.__file__).parent.glob("*.py")} - {"__init__", "kind"}
    assert len(kinds()) <= len(files)
