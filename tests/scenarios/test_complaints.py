"""Remedies in words."""

from __future__ import annotations

import pytest

from civsim.base.scenario import Scenario
from civsim.scenarios.complaints import did_you_mean, dotted, leaf_paths, limits, one_line, show_value, table_at


def test_did_you_mean_names_the_likely_word_or_lists_the_words() -> None:
    assert did_you_mean("hazrd", ["hazard", "height"]) == "did you mean 'hazard'?"
    assert did_you_mean("zzz", ["b", "a"]) == "use one of: a, b"
    assert did_you_mean("zzz", []) == "remove it"


def test_values_and_keys_stay_on_one_short_line() -> None:
    assert show_value("a\nb") == r"'a\nb'"
    assert show_value(True) == "true"
    assert len(show_value("x" * 500)) <= 60
    assert show_value(list(range(50))) == "(50 entries)"
    assert dotted(("map", 0, "a b\n")) == r"map.0.'a b\n'"
    assert one_line("a\r\n\t b\u2028c") == "a b c"


@pytest.mark.parametrize(
    ("table", "name", "words"),
    [
        ("map", "width", ("a whole number", "2 to 128")),
        ("map", "hazard", ("a number", "0 to below 1")),
        ("map", "site_tail", ("a number", "above 0 to 1e+06")),
        ("army", "projection", ("a number", "above 0")),
        ("army", "decisiveness", ("a number", "above 0 to 16")),
        ("thinking", "reach", ("a whole number", "0 to 4096")),
        ("thinking", "belief", ("one of", "mean, optimistic")),
        ("map", "torus", ("", "")),
    ],
)
def test_limits_are_read_off_the_schema(table: str, name: str, words: tuple[str, str]) -> None:
    model = table_at(Scenario, (table,))
    assert model is not None
    assert limits(model.model_fields[name]) == words


def test_tables_are_found_through_optional_ones_and_arrays() -> None:
    assert table_at(Scenario, ("seats", 0, "price")).__name__ == "PriceSettings"
    assert table_at(Scenario, ("works", "menu", 2)).__name__ == "WorkKind"
    assert table_at(Scenario, ("map", "width")) is None
    assert table_at(Scenario, ("nothing",)) is None


def test_leaf_paths_reach_the_deepest_settings() -> None:
    paths = set(leaf_paths(Scenario))
    assert {"map.width", "thinking.price.horizon", "economy.depreciation.army", "seats", "works.menu"} <= paths
    assert "thinking.price" not in paths
