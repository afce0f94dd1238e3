"""``civsim watch``: one game, played and kept as a page in which it can be watched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from civsim.base.errors import ScenarioError
from civsim.cli.play import check_target
from civsim.cli.progress import progress_bar

if TYPE_CHECKING:
    from civsim.base.scenario import Scenario

_SUFFIX = ".html"
_MOST_DIGITS = 4


def watch(
    name: Annotated[str, typer.Argument(help="A scenario's name, or the path of a TOML file.")],
    out: Annotated[Path, typer.Option("--out", help="Write the page to this .html.")],
    policies: Annotated[
        list[str] | None,
        typer.Option(
            "--policy",
            metavar="SEAT=NAME",
            help="Who plays a seat: a policy, zoo:NAME, or a trained one's folder.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**64 - 1, help="Study seed.")] = 0,
    world: Annotated[int, typer.Option("--world", min=0, max=2**32 - 1, help="Id of the world.")] = 0,
    turns: Annotated[int | None, typer.Option("--turns", min=1, help="Stop after so many turns.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, by dotted path.")
    ] = None,
    progress: Annotated[
        bool | None, typer.Option("--progress/--no-progress", help="Show progress; by default on a terminal.")
    ] = None,
) -> None:
    """Play one game and keep it as a page to watch: the truth, and what each civilization knows, plans and expects."""
    check_target("--out", out, _SUFFIX)
    from civsim.cli.settings import with_settings
    from civsim.scenarios import load_scenario

    scenario = with_policies(with_settings(load_scenario(name), settings or []), policies or [])
    # The engine is imported only for a scenario that can be played.
    from civsim.agents import seat_policies
    from civsim.engine.world import World
    from civsim.viewer.games import film
    from civsim.viewer.page import write_page

    chosen = seat_policies(scenario)
    game = World(scenario, world_ids=[world], seed=seed)
    length = scenario.game.turns if turns is None else min(turns, scenario.game.turns)
    with progress_bar(scenario.name, "turns", length, progress) as bar:
        document = film(game, chosen, turns=length, progress=bar.advance)
    write_page(out, document)
    typer.echo(f"wrote {out}: {length} turns, {out.stat().st_size / 1000:.0f} kB; open it in a browser")


def with_policies(scenario: Scenario, texts: Sequence[str]) -> Scenario:
    """Return the scenario with other policies for some seats, each given as ``SEAT=NAME``.

    Raises:
        ScenarioError: a text is not SEAT=NAME, or names a seat that the scenario has not, or one twice.
        CheckpointError: a name is neither a policy nor a trained one's folder.
    """
    from civsim.calls.players import find_players
    from civsim.scenarios import override

    changes: dict[str, object] = {}
    for text in texts:
        seat, name = _parsed(text, scenario.game.civilizations)
        if f"seats.{seat}.policy" in changes:
            raise ScenarioError(f"--policy gives seat {seat} twice; give it once")
        (player,) = find_players([name])
        changes[f"seats.{seat}.policy"] = {"name": player.name}
    return override(scenario, changes) if changes else scenario


def _parsed(text: str, seats: int) -> tuple[int, str]:
    from civsim.scenarios.complaints import show_value

    seat, sign, name = text.partition("=")
    if not (sign and name and seat.isascii() and seat.isdecimal() and len(seat) <= _MOST_DIGITS):
        raise ScenarioError(f"--policy {show_value(text)} is not SEAT=NAME; write for instance --policy 0=adaptive")
    if int(seat) >= seats:
        raise ScenarioError(
            f"--policy {show_value(text)}: seat {seat} is outside 0 … {seats - 1}; give a seat of the scenario"
        )
    return int(seat), name
