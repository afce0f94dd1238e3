"""What a factor sets is read from its paths."""

from __future__ import annotations

import pytest

from civsim.analysis.kinds.writes import own_path, sets_spending, sets_thinking


@pytest.mark.parametrize(
    ("path", "thinks", "apart", "spends"),
    [
        ("focal.levels.horizon", True, True, False),
        ("seats.2.levels", True, True, False),
        ("seat_default.levels.sight", True, True, False),
        ("focal.policy", True, True, True),
        ("focal.policy.name", True, True, True),
        ("focal.policy.params.cognition", True, True, True),
        ("focal.policy.params.consumption", False, False, True),
        ("seats.0.policy.params.physical.army", False, False, True),
        ("focal.price.horizon", True, True, True),
        ("focal.sham", True, True, False),
        ("thinking.price.horizon", True, False, True),
        ("thinking.span", True, False, False),
        ("focal.grant.output", False, False, False),
        ("raiders.rate", False, False, False),
        ("raiders.strength", False, False, False),
        ("map.hazard", False, False, False),
        ("army.price", False, False, False),
    ],
)
def test_what_a_path_sets(path: str, thinks: bool, apart: bool, spends: bool) -> None:
    for factor in ({"path": path}, {"paths": ["map.width", path]}, {"arms": {"a": {}, "b": {path: 1}}}):
        assert sets_thinking(factor) is thinks
        assert sets_thinking(factor, apart=True) is apart
        assert sets_spending(factor) is spends


def test_a_civilizations_own_settings_are_told_from_others() -> None:
    assert own_path("seats.12.levels.horizon") == "levels.horizon"
    assert own_path("focal.levels") == "levels"
    assert own_path("thinking.levels") is None
