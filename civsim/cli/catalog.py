"""``civsim scenarios``, ``civsim studies`` and ``civsim show``: what is in the library."""

from __future__ import annotations

from typing import Annotated

import typer

_MOST_LEVELS = 20


def scenarios() -> None:
    """List the scenarios of the library."""
    from civsim.scenarios import list_scenarios, load_scenario

    _print_pairs([(name, load_scenario(name).description) for name in list_scenarios()])


def studies() -> None:
    """List the studies of the library."""
    from civsim.scenarios import list_studies, load_study

    _print_pairs([(name, load_study(name).question) for name in list_studies()])


def show(
    name: Annotated[str, typer.Argument(help="A scenario's name, or the path of a TOML file.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, by dotted path.")
    ] = None,
    study: Annotated[bool, typer.Option("--study", help="NAME is a study: show its design.")] = False,
) -> None:
    """Show a scenario as TOML, every setting stated."""
    if study:
        _show_study(name, settings or [])
        return
    from importlib.metadata import version

    from civsim.base.constants import RULES_VERSION
    from civsim.cli.settings import with_settings
    from civsim.scenarios import content_hash, dump_scenario, load_scenario

    scenario = with_settings(load_scenario(name), settings or [])
    # Everything that may fail comes before the first line is printed.
    content, text = content_hash(scenario), dump_scenario(scenario)
    typer.echo(f"# {scenario.name}: {' '.join(scenario.description.split())}")
    typer.echo(f"# civsim {version('civsim')}, rules {RULES_VERSION}")
    typer.echo(f"# content {content}")
    typer.echo(text, nl=False)


def _show_study(name: str, settings: list[str]) -> None:
    from civsim.base.errors import StudyError
    from civsim.scenarios import load_study
    from civsim.scenarios.design import design_points

    if settings:
        raise StudyError(f"--set {settings[0]} has no effect with --study; edit the study's file")
    asked = load_study(name)
    points = design_points(asked)
    typer.echo(f"{asked.name}: {' '.join(asked.question.split())}")
    typer.echo(f"{len(points)} points, {asked.replicates} worlds a point, {asked.replicates * len(points)} games")
    typer.echo(f"seed {asked.seed}, focal seat {asked.focal}, series {asked.series}, design {asked.design}")
    for factor in asked.factors:
        levels = list(dict.fromkeys(str(point.levels[factor]) for point in points))
        text = ", ".join(levels) if len(levels) <= _MOST_LEVELS else f"{len(levels)} levels"
        typer.echo(f"  {factor}: {text}")


def _print_pairs(pairs: list[tuple[str, str]]) -> None:
    width = max((len(name) for name, _ in pairs), default=0)
    for name, text in pairs:
        typer.echo(f"{name:<{width}}  {' '.join(text.split())}")
