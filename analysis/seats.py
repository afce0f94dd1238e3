"""What the seats of a study's games play, and which levels they are given, in words; read from a manifest's tables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

FOCAL, DEFAULT = "focal", "seat_default"
"""How the paths of the settings begin that reach the focal seat alone, and every seat without tables of its own."""

PLAIN_POLICY = "fixed"
"""Policy whose mixes can be written out in words."""

_SHOWN = "as shown"
"""Said of a level that the study varies."""


class Seat(NamedTuple):
    """What one seat plays with."""

    policy: str  # name
    params: Mapping[str, Any]
    levels: Mapping[str, Any]  # given ones alone


class Varied(NamedTuple):
    """What the factors of a study set of a seat."""

    params: frozenset[str] = frozenset()  # first steps below ``policy.params``
    levels: tuple[str, ...] = ()  # channels


def _set_below(table: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a dotted path below ``table``, copying each table on the way."""
    *above, last = path.split(".")
    for step in above:
        table[step] = dict(table.get(step) or {})
        table = table[step]
    table[last] = value


def _under(settings: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return the settings whose dotted path lies below ``prefix``, by the rest of their path."""
    return {path.removeprefix(f"{prefix}."): value for path, value in settings.items() if path.startswith(f"{prefix}.")}


def seat_tables(table: Mapping[str, Any], settings: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return a seat's tables with the settings below ``prefix``: whole policies first, then what lies in them."""
    made = dict(table)
    for path, value in sorted(_under(settings, prefix).items(), key=lambda item: item[0].count(".")):
        _set_below(made, path, value)
    return made


def focal_value(settings: Mapping[str, Any], path: str) -> Any:
    """Return what the settings of a whole study give at a dotted path of the focal seat; None if they say nothing."""
    value: Any = seat_tables({}, settings, FOCAL)
    for step in path.split(".")[1:]:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def read_seat(tables: Mapping[str, Any]) -> Seat:
    """Return what a seat's tables say of its policy and of the levels it is given."""
    policy, levels = tables.get("policy") or {}, tables.get("levels") or {}
    given = {channel: level for channel, level in levels.items() if level is not None}
    return Seat(str(policy.get("name", PLAIN_POLICY)), dict(policy.get("params") or {}), given)


def scenario_seats(scenario: Mapping[str, Any], settings: Mapping[str, Any], least: int = 0) -> list[dict[str, Any]]:
    """Return the tables of every seat of a scenario, ``least`` seats or more, under the settings of a whole study.

    A seat has its own tables where ``seats`` lists it, else what every seat has by default.
    """
    default = seat_tables(scenario.get(DEFAULT) or {}, settings, DEFAULT)
    listed = scenario.get("seats") or []
    number = max(int(scenario["game"]["civilizations"]), least)
    own = [*listed, *[default] * (number - len(listed))]
    return [seat_tables(table, settings, f"seats.{index}") for index, table in enumerate(own)]


def policy_words(name: str, params: Mapping[str, Any], *, varied: Collection[str] = ()) -> str:
    """Return what a policy does, in words; ``varied`` are the parameters that the study varies."""
    if name != PLAIN_POLICY:
        return f"policy {name}" + (f" {dict(params)}" if params else "")
    from civsim.agents.simple import FixedParams

    full = FixedParams(**{key: value for key, value in params.items() if key not in varied})
    if full.shares is not None:
        return f"fixed shares: {_mix(full.shares.model_dump())}"
    consumption = "a share that varies" if "consumption" in varied else f"{full.consumption:.0%}"
    cognition = "the share shown" if "cognition" in varied else f"{full.cognition:.0%}"
    words = f"{consumption} of output consumed; {cognition} on cognition"
    if "cognition" in varied or full.cognition > 0.0:
        words += f" ({'split as shown' if 'channels' in varied else _mix(full.channels.model_dump())})"
    muscle = "split as shown" if "physical" in varied else _mix(full.physical.model_dump())
    return f"{words}; the rest on muscle ({muscle})"


def _mix(weights: Mapping[str, float]) -> str:
    """Return weights as percentages in words, leaving out what gets nothing."""
    total = sum(weights.values()) or 1.0
    return ", ".join(f"{name} {weight / total:.0%}" for name, weight in weights.items() if weight > 0.0)


def seat_words(seat: Seat, varied: Varied) -> str:
    """Return what a seat plays and the levels it is given, in words."""
    levels = {**seat.levels, **dict.fromkeys(varied.levels, _SHOWN)}
    given = f"; given levels: {', '.join(f'{name} {level}' for name, level in levels.items())}" if levels else ""
    return policy_words(seat.policy, seat.params, varied=varied.params) + given


def focal_words(seats: Sequence[Mapping[str, Any]], focal: int | None, settings: Mapping[str, Any], to: Varied) -> str:
    """Return what the focal seat plays: what its seat has, inherited, but for its own settings.

    ``focal`` is its seat, None where it is another in every world.
    """
    mine = {index: seat_tables(table, settings, FOCAL) for index, table in enumerate(seats) if focal in (None, index)}
    return _by_seat({index: seat_words(read_seat(table), to) for index, table in mine.items()})


def rival_words(seats: Sequence[Mapping[str, Any]], focal: int | None, to: Varied) -> str:
    """Return what the other seats play; ``focal`` as in :func:`focal_words`."""
    if len(seats) == 1:
        return "none"
    return _by_seat({index: seat_words(read_seat(table), to) for index, table in enumerate(seats) if index != focal})


def _by_seat(said: Mapping[int, str]) -> str:
    return in_groups(said, lambda group: f"seat{'s' if len(group) > 1 else ''} {', '.join(map(str, group))}")


def in_groups(said: Mapping[Any, str], name: Callable[[Sequence[Any]], str]) -> str:
    """Return what is said of each key: once where it is the same of all, else for each group of keys, named."""
    groups: dict[str, list[Any]] = {}
    for key, text in said.items():
        groups.setdefault(text, []).append(key)
    if len(groups) == 1:
        return next(iter(groups))
    return "; ".join(f"{text} in {name(group)}" for text, group in groups.items())
