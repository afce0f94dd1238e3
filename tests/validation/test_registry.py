"""Parameters from the command line, intervals and verdicts."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, t

from civsim.base.constants import RULES_VERSION
from civsim.base.errors import StudyError
from civsim.validation import k9_recovery
from civsim.validation.case import FAMILY, How, bound, close, exact, frequency, least_caught, mean, reported
from civsim.validation.k9_recovery import Task
from civsim.validation.registry import choose, configure, known_answers
from civsim.validation.verdict import Result, as_csv, as_markdown, cells, plain_table, remarks, write


def test_cases_are_chosen_in_their_order_and_in_either_case_of_letters() -> None:
    assert [case.name for case in choose(["k7", "K1"])] == ["K1", "K7"]
    assert choose([]) == known_answers()
    with pytest.raises(StudyError, match="^case 'K21' is not known; choose from K1, K2, "):
        choose(["K1", "K21"])


def test_values_are_one_or_several() -> None:
    ((_, settings),) = configure(choose(["K2"]), {"h": "0,1,2,4", "lands": 3, "K2.family": "rich behind poor"})
    assert settings.model_dump() == {
        "h": (0, 1, 2, 4), "family": ("rich behind poor",), "lands": 3, "first": 0, "turns": 24,
    }  # fmt: skip
    three, seven = configure(choose(["K3", "K7"]), {"players": 3, "m": [1, 2.5], "K3.seed": 4, "costs": ""})
    assert three.settings.model_dump(include={"players", "seed", "costs"}) == {"players": (3,), "seed": 4, "costs": ()}
    assert seven.settings.model_dump()["m"] == (1.0, 2.5)


@pytest.mark.parametrize(
    ("names", "values", "line"),
    [
        (["K3"], {"players": 1}, "K3: players=1 is not allowed; give a whole number from 2 to 8"),
        (["K3"], {"players": "2,9"}, "K3: players=9 is not allowed; give a whole number from 2 to 8"),
        (["K3"], {"decisiveness": 2.5, "players": 2}, "K3: decisiveness=2.5 with players=2 exceeds n/(n − 1)=2, above"),
        (["K3"], {"prize": "much"}, "K3: prize='much' is not allowed; give a number from above 0 to 1e+06"),
        (["K3"], {"costs": 2}, "K3: costs=2 is one player; give a cost for each of 2 to 8"),
        (["K5"], {"p": 0.7}, "K5: p=0.7 is not allowed; give a number from 0 to 0.5"),
        (["K5"], {"worlds": 1}, "K5: worlds=1 is outside its limits; give a whole number from 10 to 20000"),
        (["K5"], {"worlds": "1,2"}, "K5: worlds takes one value; run the case once for each of 1,2"),
        (["K5"], {"volatility": 0.1}, "K5: volatility is not a setting; "),
        (["K7"], {"m": ""}, "K7: m has 0 entries; give at least 1"),
        (["K8"], {"h": 4}, "K8: h has one horizon; give two or more"),
        (["K10"], {"law": "normal", "sd": 2}, "K10: sd=2 exceeds 1, where draws of law=normal fall below 0; lower it"),
        (["K2", "K4"], {"h": 4}, "--set h is a parameter of K2, K4; write K2.h=... or run one case"),
        (["K2", "K4"], {"hh": 4}, "--set hh is a parameter of none of the cases; "),
        (["K2"], {"K3.prize": 4}, "--set K3.prize: K3 is not run; name the case"),
        (["K3"], {"K3.prize": 4, "prize": 3}, "--set gives K3.prize twice; give it once"),
    ],
)
def test_bad_parameters_are_one_line(names: list[str], values: dict[str, object], line: str) -> None:
    with pytest.raises(StudyError) as caught:
        configure(choose(names), values)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


@given(st.integers(0, 60), st.integers(1, 40))
def test_the_interval_of_a_frequency_is_clopper_and_pearsons(hits: int, rows: int) -> None:
    row = frequency("x", "y", 0.3, hits, 60, rows)
    tail = 0.5 * FAMILY / rows
    assert hits == 0 or binom.sf(hits - 1, 60, row.low) == pytest.approx(tail, rel=1e-4)
    assert hits == 60 or binom.cdf(hits, 60, row.high) == pytest.approx(tail, rel=1e-4)
    assert row.passed == (row.low <= 0.3 <= row.high)


def test_false_failures_are_as_rare_as_promised() -> None:
    """Ten fair rows at a time: hardly one of 80 runs fails where one in a thousand may; a tenth off, most do."""
    rng = np.random.default_rng(0)
    hits = rng.binomial(5000, 0.5, (80, 10))
    failed = [any(not frequency("", "", 0.5, int(n), 5000, 10).passed for n in run) for run in hits]
    assert sum(failed) <= 1
    assert all(not frequency("", "", 0.55, int(n), 5000, 10).passed for n in hits[0])


def test_the_least_rate_that_is_caught_fails_as_often_as_it_says() -> None:
    rate = least_caught(0.05, 400, 10)
    hits = np.random.default_rng(3).binomial(400, rate, 4000)
    count, times = np.unique(hits, return_counts=True)
    failed = sum(t for n, t in zip(count, times, strict=True) if frequency("", "", 0.05, int(n), 400, 10).low > 0.05)
    assert failed / 4000 == pytest.approx(0.8, abs=0.025)
    assert least_caught(0.05, 1000, 10) < rate < least_caught(0.05, 150, 10)
    assert least_caught(0.999, 3, 10) == 1.0


def test_the_interval_of_a_mean_is_students() -> None:
    values = np.array([1.0, 2.0, 4.0])
    row = mean("x", "y", 2.0, values, 4)
    reach = t.ppf(1.0 - 0.5 * FAMILY / 4, 2) * values.std(ddof=1) / np.sqrt(3)
    assert (row.low, row.high) == pytest.approx((7 / 3 - reach, 7 / 3 + reach))
    assert row.passed
    assert not mean("x", "y", 2.0, np.full(3, 2.1), 4).passed
    assert mean("x", "y", 2.1, np.full(3, 2.1), 4).passed


def test_other_verdicts() -> None:
    assert exact("", "", 0.0, 0.0).passed
    assert not exact("", "", 0.0, 1e-300).passed
    assert not exact("", "", 0.0, math.nan).passed
    assert close("", "", 1.0, 1.01, 0.011, "").passed
    assert not close("", "", 1.0, 1.02, 0.011, "").passed
    assert not close("", "", 1.0, math.nan, 0.011, "").passed
    assert [bound("", "", 1.0, sign, 1.0, "").passed for sign in ("=", "≥", "≤", ">", "<")] == [True] * 3 + [False] * 2
    assert not bound("", "", 1.0, "≤", math.nan, "").passed
    assert reported("", "", 1.0).verdict == "reported"


def results() -> list[Result]:
    three, nine = choose(["K3", "K9"])
    rows = (
        exact("a", "n=1", 1.0, 1.0),
        bound("b|c", "n=1", 0.5, "≥", 0.25, "too low"),
        reported("d", "n=1", 2.0, 1.0, 3.0, "said"),
    )
    return [Result(three, rows), Result(nine, (exact("e", "x", 1.0, 1.0),))]


def test_tables_say_it_all() -> None:
    found = results()
    text = plain_table([cells(case, row) for case, rows in found for row in rows])
    header, *lines = text.splitlines()
    assert header.split() == ["case", "quantity", "parameters", "theory", "simulated", "interval", "verdict"]
    assert [line.split()[-1] for line in lines] == ["pass", "FAIL", "reported", "pass"]
    assert "≥ 0.5" in lines[1]
    assert remarks(found) == [
        f"K3 Tullock contest: 1 of 2 pass, 1 reported; world of its own: {found[0].case.own_world}.",
        "  FAIL b|c (n=1): too low",
        "K9 recovery: 1 of 1 pass; world of its own: synthetic tables; no game is played.",
    ]
    rows = list(csv.DictReader(io.StringIO(as_csv(found))))
    assert [row["verdict"] for row in rows] == ["pass", "FAIL", "reported", "pass"]
    assert (rows[1]["theory"], rows[1]["low"], rows[2]["theory"], rows[2]["high"]) == ("0.5", "", "", "3.0")
    page = as_markdown(found, "civsim validate")
    assert f"Played under rules version {RULES_VERSION}." in page
    assert "| b\\|c | n=1 | ≥ 0.5 | 0.25 | – | FAIL | too low |" in page


def test_files_are_written_whole(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "er"
    assert write(results(), out, "x") == [out / "validation.csv", out / "validation.md"]
    assert {path.name for path in out.iterdir()} == {"validation.csv", "validation.md"}


def test_processes_change_no_result() -> None:
    tasks = [Task("ratings", number, 5, first) for number in range(2) for first in (0, 5, 10)]
    apart = k9_recovery.count_covered(tasks, How(threads=2))
    assert apart == k9_recovery.count_covered(tasks, How(threads=1))
    assert set(apart) == {("ratings", 0), ("ratings", 1)}
    assert all(10 <= hits <= 15 and not wrong for hits, wrong in apart.values())


def test_every_area_of_recovery_is_found() -> None:
    import civsim.analysis.recovery as home

    (folder,) = home.__path__
    assert set(k9_recovery.areas()) == {path.stem for path in Path(folder).glob("[a-z]*.py")} - {"case"} - helpers(
        folder
    )


def helpers(folder: str) -> set[str]:
    """Modules without cases of their own."""
    return {path.stem for path in Path(folder).glob("[a-z]*.py") if "CASES" not in path.read_text(encoding="utf-8")}
