"""What a results folder says about itself: game lengths, mixes, seats, rivals, seeds; read from its manifest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from civsim.analysis.seats import (
    DEFAULT,
    FOCAL,
    Varied,
    focal_value,
    focal_words,
    in_groups,
    rival_words,
    scenario_seats,
)
from civsim.analysis.units import game_length

CIVILIZATIONS = "game.civilizations"


class StudyFacts(NamedTuple):
    """Facts of one study that its figures and tables state."""

    study: str  # its name
    lengths: Mapping[str, tuple[float, int]]  # context to (discount, turns)
    lines: tuple[str, ...]  # small print: games, board, seats, mixes, rivals, contexts
    command: str  # what makes the results and the figure


def factor_targets(factor: Mapping[str, Any]) -> list[str]:
    """Return the dotted settings that a factor of a manifest sets to its level; none for contexts and arms."""
    return [path for path in (factor.get("path"), *(factor.get("paths") or ())) if path]


def factor_writes(factor: Mapping[str, Any]) -> list[str]:
    """Return the dotted settings that a factor of a manifest sets at any of its levels, those of its arms included."""
    return [*factor_targets(factor), *(path for arm in (factor.get("arms") or {}).values() for path in arm)]


def _first_steps(written: Iterable[str], head: str) -> list[str]:
    return [path.removeprefix(head).split(".")[0] for path in written if path.startswith(head)]


def varied_of(study: Mapping[str, Any], prefix: str) -> Varied:
    """Return what the factors of a study set of the seat whose settings lie below ``prefix``."""
    written = [path for factor in study["factors"].values() for path in factor_writes(factor)]
    params = _first_steps(written, f"{prefix}.policy.params.")
    return Varied(frozenset(params), tuple(dict.fromkeys(_first_steps(written, f"{prefix}.levels."))))


def _with_settings(scenario: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return a scenario's tables with the settings of the whole study that lie one step deep (``game.turns``)."""
    tables = {name: dict(value) if isinstance(value, Mapping) else value for name, value in scenario.items()}
    for path, value in settings.items():
        steps = path.split(".")
        if len(steps) == 2 and isinstance(tables.get(steps[0]), dict):
            tables[steps[0]][steps[1]] = value
    return tables


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


def _seat_lines(study: Mapping[str, Any], scenarios: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what the focal civilization and its rivals play, once where every context agrees."""
    settings, focal = study["set"], None if study["focal"] == "rotate" else int(study["focal"])
    written = [path for factor in study["factors"].values() for path in factor_writes(factor)]
    least = 2 if CIVILIZATIONS in written else 0
    seats = {name: scenario_seats(tables, settings, least) for name, tables in scenarios.items()}
    mine, theirs = varied_of(study, FOCAL), varied_of(study, DEFAULT)
    own = {name: focal_words(tables, focal, settings, mine) for name, tables in seats.items()}
    others = {name: rival_words(tables, focal, theirs) for name, tables in seats.items()}
    seat = "world id modulo the number of seats" if focal is None else f"seat {focal}"
    return [
        f"Focal civilization ({seat}): {in_groups(own, ', '.join)}.",
        f"Its rivals: {in_groups(others, ', '.join)}.",
    ]


def _held_lines(study: Mapping[str, Any]) -> list[str]:
    """Return where the focal seat's factors stay in the points that leave them alone, as far as the study says."""
    held = []
    for name, factor in study["factors"].items():
        alone = any(name not in block for block in study.get("points") or ())
        for path in factor_targets(factor):
            value = focal_value(study["set"], path) if alone and path.startswith(f"{FOCAL}.") else None
            if value is not None:
                held.append(f"{name.replace('_', ' ')} {value}")
    return [f"Held where they do not vary: {', '.join(held)} (as in the study's file)."] if held else []


def _context_lines(scenarios: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what each of several contexts is about, and what nobody can spend on where."""
    about = [
        f"{name}: {str(tables['description']).rstrip('.')}."
        for name, tables in scenarios.items()
        if len(scenarios) > 1 and tables.get("description")
    ]
    closed: dict[str, list[str]] = {}
    for name, tables in scenarios.items():
        shut = tables["game"].get("closed") or ()
        if shut:
            closed.setdefault(", ".join(shut), []).append(name)
    where = "; ".join(f"{shut} in {', '.join(names)}" for shut, names in closed.items())
    lines = [f"Contexts – {' '.join(about)}"] if about else []
    return [*lines, f"Closed to everybody, so that its weight goes to the others: {where}."] if closed else lines


def read_facts(folder: str | Path, *, plot: str = "") -> StudyFacts:
    """Return the facts of a results folder; ``plot`` is the command that draws from it.

    Raises:
        ResultsError: there is no readable manifest.
    """
    from civsim.scenarios import read_manifest

    manifest = read_manifest(Path(folder))
    study = manifest["study"]
    # A manifest keeps its tables by name; the points are in the design's order.
    order = dict.fromkeys(point["scenario"] for point in manifest["points"])
    scenarios = {name: _with_settings(manifest["scenarios"][name], study["set"]) for name in order}
    # Folders of an older release do not hold the command they were made by.
    batch = manifest.get("command") or f"civsim batch {study['name']} --out {Path(folder)}"
    return StudyFacts(
        study["name"],
        {name: game_length(tables) for name, tables in scenarios.items()},
        (
            _games_line(manifest, scenarios.values()),
            *_seat_lines(study, scenarios),
            *_held_lines(study),
            *_context_lines(scenarios),
        ),
        "\n".join(line for line in (batch, plot) if line),
    )
