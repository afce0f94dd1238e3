"""Settings on the command line: ``--set key=value`` of a scenario, ``-params key:value`` of a training."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import TYPE_CHECKING, Any, Literal

from civsim.base.errors import CheckpointError, ScenarioError
from civsim.calls.machine import usable_cores

if TYPE_CHECKING:
    from civsim.base.scenario import Scenario

__all__ = ["parse_params", "parse_seat", "parse_settings", "usable_cores", "with_settings"]


def parse_settings(pairs: Sequence[str]) -> dict[str, Any]:
    """Return dotted path → value from ``key=value`` texts; a value is read as TOML, or taken as bare text.

    Raises:
        ScenarioError: a text without ``=``, without a key, or a key given twice.
    """
    from civsim.scenarios.reading import parse_value

    found: dict[str, Any] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        key = key.strip()
        if not sign or not key:
            raise ScenarioError(f"--set {pair!r} is not KEY=VALUE; write for instance --set map.hazard=0.05")
        if key in found:
            raise ScenarioError(f"--set gives {key} twice; give it once")
        found[key] = parse_value(value.strip())
    return found


def parse_params(texts: Sequence[str], taken: Container[str] = ()) -> dict[str, Any]:
    """Return training settings from ``key:value`` texts; a value is read as TOML, or taken as bare text.

    Raises:
        CheckpointError: a text is not KEY:VALUE, or a setting is given twice (``taken`` by a flag of its own, say).
    """
    from civsim.scenarios.reading import parse_value

    found: dict[str, Any] = {}
    for text in texts:
        key, sign, value = text.partition(":")
        if not (key and sign and value):
            raise CheckpointError(f"-params {text!r} is not KEY:VALUE; write for instance -params learning_rate:0.0003")
        if key in found or key in taken:
            raise CheckpointError(f"-params gives {key}, which is given already; give it once")
        found[key] = parse_value(value)
    return found


def parse_seat(text: str) -> int | Literal["rotate"]:
    """Return a seat of the command line: a number, or ``rotate``. Raises :class:`CheckpointError` for another text."""
    if text == "rotate":
        return "rotate"
    if not (text.isascii() and text.isdecimal()):
        raise CheckpointError(f"--seat {text!r} is neither a number nor rotate; give one of them")
    return int(text)


def with_settings(scenario: Scenario, pairs: Sequence[str]) -> Scenario:
    """Return the scenario with the settings of the command line. Raises :class:`ScenarioError` for a bad one."""
    from civsim.scenarios import override

    return override(scenario, parse_settings(pairs)) if pairs else scenario
