"""The report: one page that holds everything it shows, fetches nothing, and hides nothing that failed."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from studies import small_study
from tiny_kinds import FAILING, REFUSING, SPITEFUL, TINY

from civsim.analysis.report import page as page_module
from civsim.analysis.report.content import MOST_ROWS, grid
from civsim.analysis.report.page import make_page, render, write_report
from civsim.analysis.report.rulings import Rulings, bar, read_rulings, ruling
from civsim.analysis.report.words import GLOSSARY, column, counted, number, setting
from civsim.analysis.results import Resampling, Results, open_results
from civsim.base.errors import CivsimError, ResultsError
from civsim.scenarios import loads_study, run_batch

FEW = Resampling(draws=50)
SECTIONS = ["answer", "design", "evidence", "losses", "undone", "provenance", "reproduce", "glossary"]
VOID = {"meta", "source", "img", "br", "rect", "line", "link"}
EVIL_QUESTION = '"Is <b>thinking</b> & muscle one?"'
BARE = """
name = "bare"
replicates = 3
[set]
"map.width" = 8
"map.height" = 8
"game.turns" = 3
"game.civilizations" = 2
"""


class Reader(HTMLParser):
    """Reads a page as a browser would, and complains of tags that are not closed in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("page")
    study, _ = small_study(root, replicates=4, turns=4)
    run_batch(study.model_copy(update={"question": EVIL_QUESTION}), root / "out", command="civsim batch small.toml")
    return root / "out"


@pytest.fixture(scope="module")
def html(results: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("html") / "page.html"
    assert write_report(results, path, [TINY, REFUSING, FAILING], resampling=FEW) == path
    return path.read_text(encoding="utf-8")


def test_the_page_is_well_formed_and_has_every_section_in_order(html: str) -> None:
    reader = read(html)
    assert html.startswith("<!DOCTYPE html>")
    assert [attributes["id"] for tag, attributes in reader.tags if tag == "section"] == SECTIONS
    assert next(attributes for tag, attributes in reader.tags if tag == "html")["lang"] == "en"
    levels = [int(tag[1]) for tag, _ in reader.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(set(ids)) == len(ids)


def test_the_page_fetches_nothing_and_runs_nothing(html: str) -> None:
    reader = read(html)
    ids = {attributes["id"] for _, attributes in reader.tags if "id" in attributes}
    for tag, attributes in reader.tags:
        assert tag not in ("script", "iframe", "link", "object", "form", "base"), tag
        assert not any(name.startswith("on") for name in attributes), attributes
        for name in ("src", "srcset", "href", "action", "poster"):
            place = attributes.get(name, "data:")
            assert place.startswith("data:") or place.removeprefix("#") in ids, (tag, name, place[:60])
    style = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style


def test_what_people_wrote_is_escaped(html: str) -> None:
    assert "<script" not in html
    assert "<b>thinking</b>" not in html
    text = read(html).text
    assert EVIL_QUESTION in text
    assert SPITEFUL in text


def test_the_numbers_of_the_tables_and_findings_are_there(html: str, results: Path) -> None:
    reader = read(html)
    tables = TINY.tables(open_results(results), FEW)
    for line in TINY.read(tables):
        assert reader.text.count(line) >= 2, "in the answer and beside the figure"
    row = tables[""].iloc[0]
    shown = column([float(row["value"])]) + column([float(row["low"])]) + column([float(row["high"])])
    assert all(word in reader.words for word in shown)
    saved = [attributes for tag, attributes in reader.tags if tag == "a" and "download" in attributes]
    assert [attributes["download"] for attributes in saved] == ["tiny.csv", "tiny-worlds.csv"]
    assert f"{row['value']:.6g}" in saved[0]["href"]
    assert all(term in reader.text for term, _ in GLOSSARY)


def test_the_figure_is_there_in_both_themes_with_words_for_those_who_cannot_see_it(html: str) -> None:
    reader = read(html)
    (image,) = [attributes for tag, attributes in reader.tags if tag == "img"]
    (dark,) = [attributes for tag, attributes in reader.tags if tag == "source"]
    assert image["alt"].startswith("How well it went. Mean welfare is ")
    assert int(image["width"]) > int(image["height"]) > 100
    assert dark["media"] == "screen and (prefers-color-scheme: dark)"
    svgs = [base64.b64decode(place.partition("base64,")[2]) for place in (image["src"], dark["srcset"])]
    assert all(b"<svg" in svg for svg in svgs)
    assert b"#ffffff" in svgs[0]
    assert b"#14171c" in svgs[1]


def test_what_was_not_done_stands_with_its_reason(html: str) -> None:
    undone = read(html[html.index('<section id="undone">') : html.index('<section id="provenance">')]).text
    assert "Never made (refusing) needs a moon; add one" in undone
    assert "Always fails (failing) failed: worlds=1 is too few" in undone


def test_design_provenance_and_commands_are_stated(html: str, results: Path) -> None:
    text = read(html).text
    manifest = open_results(results).manifest
    for word in (manifest["hash"], manifest["code"][:16], "numpy", "calm.toml, wild.toml", "0, 2, 3", "6 points"):
        assert word in text
    assert "Pairing every point plays the same worlds, 0 to 3 (common random numbers)" in text
    assert "the code that wrote this page" in text
    assert "civsim batch small.toml" in text
    assert f"civsim report {results}" in text
    assert "Nothing: all 24 games ended, and all 4 worlds are counted." in text
    assert "No hypothesis was registered" in text


def test_the_same_folder_gives_the_same_bytes(html: str, results: Path, tmp_path: Path) -> None:
    again = write_report(results, tmp_path / "again.html", [TINY, REFUSING, FAILING], resampling=FEW)
    assert again.read_text(encoding="utf-8") == html


def test_failed_games_are_counted_and_named(results: Path) -> None:
    whole = open_results(results)
    runs = whole.runs.copy()
    bad = runs.index[(runs["world_id"] == 2) & (runs["point"].isin([1, 4]))]
    runs.loc[bad, "status"] = "failed"
    runs.loc[bad, "error"] = f"not finite: {SPITEFUL}"
    runs.loc[bad, "welfare"] = np.nan
    hurt = Results(whole.folder, whole.manifest, runs, whole.facts)
    text = read(render(make_page(hurt, [TINY], FEW))).text
    assert "2 games of 24 failed , in 1 world of 4" in text
    assert f"not finite: {SPITEFUL}" in text
    assert "2 games of 24 failed, in 1 world" in text, "it is said beside the answer too"


def test_a_study_without_factors_and_without_any_analysis_has_a_page(tmp_path: Path) -> None:
    run_batch(loads_study(BARE), tmp_path / "out")
    path = write_report(tmp_path / "out", chosen=[TINY], resampling=FEW)
    assert path == tmp_path / "out" / "report.html"
    text = read(path.read_text(encoding="utf-8")).text
    assert "The study varies nothing: it has one point." in text
    assert "No analysis could be made" in text
    assert "the study varies nothing; add a factor" in text


HYPOTHESIS = {
    "name": "reach", "claim": f"Reach pays {SPITEFUL}.", "expected": "positive", "source": "Doe 1999, doi 10.1/x",
    "verdict": "supported", "value": 3.25, "low": 1.5, "high": 5.0, "unit": "%", "margin": 1.0, "p": 0.0002,
    "p_adjusted": 0.04, "worlds": 200, "worlds_asked": 150, "games": 800,
}  # fmt: skip


def test_verdicts_lead_the_answer(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rulings = Rulings((ruling(HYPOTHESIS, {"supported": "as expected"}),), (grid(pd.DataFrame([HYPOTHESIS]), "v"),), "")
    monkeypatch.setattr(page_module, "read_rulings", lambda *_: rulings)
    made = render(make_page(open_results(results), [TINY], FEW))
    text = read(made).text
    answer = text[text.index("The short answer") : text.index("How it was asked")]
    assert f"supported Reach pays {SPITEFUL}. 3.25 [1.50, 5.00] %" in answer
    assert answer.index("supported") < answer.index("Mean welfare")
    assert "Expected: an effect above 0 (Doe 1999, doi 10.1/x). Adjusted p = 0.040; p < 0.001" in answer
    assert "200 worlds, 150 asked for by power" in answer
    assert "adjusted for their number (1)" in answer
    assert 'aria-label="Interval: 3.25 [1.50, 5.00] %' in made


def test_a_study_without_hypotheses_has_no_verdicts_and_one_that_cannot_be_judged_says_why(results: Path) -> None:
    whole = open_results(results)
    assert read_rulings(whole, FEW) == Rulings((), (), "")
    study = {**whole.study, "hypotheses": {"h": {"test": "no-such-test", "params": {}}}}
    odd = Results(whole.folder, {**whole.manifest, "study": study}, whole.runs, whole.facts)
    missing = read_rulings(odd, FEW).missing
    assert "no-such-test" in missing
    assert "\n" not in missing


def test_a_bar_holds_its_interval_nothing_and_the_margin() -> None:
    made = bar(3.0, 1.0, 5.0, 1.0)
    assert made is not None
    assert made == (made.low, 96.0, made.value, made.zero, 4.0, made.near_high)
    assert made.zero == pytest.approx((made.near_low + made.near_high) / 2, abs=0.011)
    assert made.low == pytest.approx(made.near_high)
    assert bar(3.0, -np.inf, 5.0, 1.0) is None


def test_numbers_line_up_and_missing_ones_are_dashes() -> None:
    assert column([0.1013, 0.112, float("nan"), -0.0777]) == ["0.1013", "0.1120", "–", "−0.0777"]
    assert column([22.86, -0.7077, 0.0002, 0.0]) == ["22.86", "−0.71", "0.0002", "0.00"]
    assert column([1234.6, 2.0]) == ["1,235", "2"]
    assert column([0.02, 0.05, 0.1]) == ["0.02", "0.05", "0.10"]
    assert column([1, 2_000, -3]) == ["1", "2,000", "−3"]
    assert column([np.float64(1.0), None, pd.NA, True, np.bool_(False), "x"]) == ["1", "–", "–", "yes", "no", "x"]
    assert column([float("inf"), -float("inf")]) == ["∞", "−∞"]
    assert column([]) == []
    assert number(-1234567.0) == "−1,234,567"
    assert number(0.123456) == "0.1235"
    assert setting({"a": [1.5]}) == '{"a": [1.5]}'
    assert setting(0.0) == "0"
    assert (counted(1, "game"), counted(2_000, "game")) == ("1 game", "2,000 games")


def test_a_long_table_is_folded_cut_and_saved_whole() -> None:
    table = pd.DataFrame({"x": np.arange(MOST_ROWS + 50), "y": 0.5})
    made = grid(table, "long", "long.csv")
    assert made.folded
    assert len(made.rows) == MOST_ROWS
    assert made.total == MOST_ROWS + 50
    assert f"%0A{MOST_ROWS + 49},0.5" in made.csv
    assert grid(table.head(3), "short").csv == ""
    assert not grid(table.head(3), "short").folded


def test_a_page_that_cannot_be_written_or_read_is_refused_in_one_line(results: Path, tmp_path: Path) -> None:
    for out, word in ((tmp_path / "page.pdf", ".html"), (tmp_path / "none" / "page.html", "not a folder")):
        with pytest.raises(CivsimError, match=word):
            write_report(results, out, [TINY], resampling=FEW)
    with pytest.raises(ResultsError, match="no manifest"):
        write_report(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_table_is_refused_and_no_page_is_left(tmp_path: Path) -> None:
    run_batch(loads_study(BARE), tmp_path / "out")
    part = next((tmp_path / "out" / "runs").glob("*.parquet"))
    assert pq.read_table(part).num_rows == 3
    part.write_bytes(part.read_bytes()[:-9])
    with pytest.raises(ResultsError, match="damaged"):
        write_report(tmp_path / "out")
    assert not (tmp_path / "out" / "report.html").exists()


def _luminance(colour: str) -> float:
    values = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_words_can_be_read_on_their_ground_in_both_themes(html: str) -> None:
    for block in re.findall(r":root \{(.*?)\}", html, re.DOTALL)[:2]:
        colours = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6});", block))
        for word in ("ink", "muted", "link", "good", "bad", "open"):
            for ground in ("face", "panel"):
                low, high = sorted((_luminance(colours[word]), _luminance(colours[ground])))
                assert (high + 0.05) / (low + 0.05) >= 4.5, (word, ground)
