"""What a results folder says about itself: game lengths, mixes, seats, rivals, seeds; read from its manifest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from civsim.analysis.units import game_length

FOCAL_POLICY = "focal.policy"
RIVAL_POLICY = "seat_default.policy"
PLAIN_POLICY = "fixed"
"""Policy whose mixes can be written out in words."""


class StudyFacts(NamedTuple):
    """Facts of one study that its figures and tables state."""

    study: str  # its name
    lengths: Mapping[str, tuple[float, int]]  # context to (discount, turns)
    lines: tuple[str, ...]  # small print: games, board, seats, mixes, rivals
    command: str  # what makes the results and the figure


def _policy(settings: Mapping[str, Any], prefix: str, scenario: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return (name, parameters) of the policy that dotted ``settings`` under ``prefix`` make of the scenario's."""
    default = settings.get(prefix, scenario.get("seat_default", {}).get("policy", {}))
    name = settings.get(f"{prefix}.name", default.get("name", PLAIN_POLICY))
    params = dict(settings.get(f"{prefix}.params", default.get("params", {})))
    for path, value in settings.items():
        steps = path.removeprefix(f"{prefix}.params.").split(".")
        if not path.startswith(f"{prefix}.params."):
            continue
        table = params
        for step in steps[:-1]:
            table[step] = dict(table.get(step, {}))
            table = table[step]
        table[steps[-1]] = value
    return str(name), params


def _mix(weights: Mapping[str, float]) -> str:
    """Return weights as percentages in words, leaving out what gets nothing."""
    total = sum(weights.values()) or 1.0
    return ", ".join(f"{name} {weight / total:.0%}" for name, weight in weights.items() if weight > 0.0)


def factor_targets(factor: Mapping[str, Any]) -> list[str]:
    """Return the dotted settings that a factor of a manifest sets to its level; none for contexts and arms."""
    return [path for path in (factor.get("path"), *(factor.get("paths") or ())) if path]


def factor_writes(factor: Mapping[str, Any]) -> list[str]:
    """Return the dotted settings that a factor of a manifest sets at any of its levels, those of its arms included."""
    return [*factor_targets(factor), *(path for arm in (factor.get("arms") or {}).values() for path in arm)]


def varied_params(study: Mapping[str, Any], prefix: str) -> frozenset[str]:
    """Return the parameters (first steps below ``prefix``.params) of a policy that the factors of a study set."""
    head = f"{prefix}.params."
    found: set[str] = set()
    for factor in study["factors"].values():
        found |= {path.removeprefix(head).split(".")[0] for path in factor_writes(factor) if path.startswith(head)}
    return frozenset(found)


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


def _with_settings(scenario: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return a scenario's tables with the settings of the whole study that lie one step deep (``game.turns``)."""
    tables = {name: dict(value) if isinstance(value, Mapping) else value for name, value in scenario.items()}
    for path, value in settings.items():
        steps = path.split(".")
        if len(steps) == 2 and isinstance(tables.get(steps[0]), dict):
            tables[steps[0]][steps[1]] = value
    return tables


def _given_levels(scenario: Mapping[str, Any]) -> str:
    """Return the levels that every seat is given unless it has its own, in words; empty where they are bought."""
    levels = scenario.get("seat_default", {}).get("levels") or {}
    given = [f"{name} {level}" for name, level in levels.items() if level is not None]
    return f"; given levels: {', '.join(given)}" if given else ""


def _board(scenario: Mapping[str, Any]) -> str:
    land, game = scenario["map"], scenario["game"]
    realms = "1 civilization" if game["civilizations"] == 1 else f"{game['civilizations']} civilizations"
    return f"{land['width']} × {land['height']} cells, {realms}, {game['turns']} turns"


def _games_line(manifest: Mapping[str, Any], scenarios: Iterable[Mapping[str, Any]]) -> str:
    study, worlds = manifest["study"], manifest["worlds"]
    last = worlds["first"] + worlds["a_point"] - 1
    own = "each point its own worlds"
    which = f"worlds {worlds['first']}–{last} at every point" if worlds["paired"] else own
    return (
        f"{manifest['games']:,} games: {len(manifest['points'])} points × {worlds['a_point']:,} worlds "
        f"(study seed {study['seed']}, {which}). {'; '.join(dict.fromkeys(map(_board, scenarios)))}."
    )


def read_facts(folder: str | Path, *, plot: str = "") -> StudyFacts:
    """Return the facts of a results folder; ``plot`` is the command that draws from it.

    Raises:
        ResultsError: there is no readable manifest.
    """
    from civsim.scenarios import read_manifest

    manifest = read_manifest(Path(folder))
    study = manifest["study"]
    scenarios = {name: _with_settings(tables, study["set"]) for name, tables in manifest["scenarios"].items()}
    first = scenarios[manifest["points"][0]["scenario"]]
    settings: dict[str, Any] = dict(study["set"])
    rivals = _policy(settings, RIVAL_POLICY, first)
    # A seat has what every seat has, unless its own settings say otherwise.
    inherited = {"seat_default": {"policy": {"name": rivals[0], "params": rivals[1]}}}
    focal = _policy(settings, FOCAL_POLICY, inherited)
    seat = "world id modulo the number of seats" if study["focal"] == "rotate" else f"seat {study['focal']}"
    # Folders of an older release do not hold the command they were made by.
    batch = manifest.get("command") or f"civsim batch {study['name']} --out {Path(folder)}"
    return StudyFacts(
        study["name"],
        {name: game_length(tables) for name, tables in scenarios.items()},
        (
            _games_line(manifest, scenarios.values()),
            f"Focal civilization ({seat}): {policy_words(*focal, varied=varied_params(study, FOCAL_POLICY))}.",
            f"Its rivals: {policy_words(*rivals, varied=varied_params(study, RIVAL_POLICY))}{_given_levels(first)}.",
        ),
        "\n".join(line for line in (batch, plot) if line),
    )
