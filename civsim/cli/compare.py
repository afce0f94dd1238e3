"""``civsim compare``: two games of one world side by side: where they part, and who gains by it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from civsim.base.errors import CivsimError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from civsim.base.scenario import Scenario
    from civsim.viewer.comparison import Arm, Comparison

_PAGE, _RECORDED = ".html", ".rec"
_MOST_FIRSTS = 6


def compare(
    one: Annotated[str, typer.Argument(help="A recording (.rec), or a scenario's name or TOML file.")],
    other: Annotated[
        str | None, typer.Argument(help="Another of its kind; a scenario may be left out: it is ONE, set otherwise.")
    ] = None,
    set_a: Annotated[
        list[str] | None, typer.Option("--set-a", metavar="KEY=VALUE", help="Change a setting of the first game.")
    ] = None,
    set_b: Annotated[
        list[str] | None, typer.Option("--set-b", metavar="KEY=VALUE", help="Change a setting of the second game.")
    ] = None,
    both: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting of both games.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, max=2**64 - 1, help="Study seed (0).")] = None,
    world: Annotated[int | None, typer.Option("--world", min=0, max=2**32 - 1, help="Id of the world (0).")] = None,
    turns: Annotated[int | None, typer.Option("--turns", min=1, help="Stop after so many turns.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write both games side by side to this .html.")] = None,
    progress: Annotated[
        bool | None, typer.Option("--progress/--no-progress", help="Progress bar; by default on a terminal.")
    ] = None,
) -> None:
    """Play two games of one world side by side, and show where they part and who gains by it.

    Land, weather and luck are the same in both, so that whatever differs follows from what is set or decided otherwise.
    """
    from civsim.cli.play import check_target
    from civsim.cli.progress import progress_bar

    check_target("--out", out, _PAGE)
    recorded = [text.endswith(_RECORDED) for text in (one, other) if text is not None]
    if all(recorded):
        options = {"--set": both, "--set-a": set_a, "--set-b": set_b, "--seed": seed, "--world": world}
        arms, length, plans = _recorded_arms(one, other, options)
    elif any(recorded):
        raise CivsimError(f"{one!r} and {other!r} are a recording and a scenario; compare two of one kind")
    else:
        arms, length = _played_arms((one, other), both or [], (set_a or [], set_b or []), (seed or 0, world or 0))
        plans = True
    length = length if turns is None else min(turns, length)
    from civsim.viewer.comparison import compare as compared
    from civsim.viewer.comparison import comparison_page

    with progress_bar("", "turns", length, progress) as bar:
        made = compared(*arms, length, plans=plans, progress=bar.advance)
    _show(made)
    if out is not None:
        from civsim.base.files import write_text

        write_text(out, comparison_page(made))
        typer.echo(f"wrote {out}, {out.stat().st_size / 1000:.0f} kB")


Arms = tuple["Arm", "Arm"]


def _recorded_arms(one: str, other: str | None, options: Mapping[str, object]) -> tuple[Arms, int, bool]:
    """Return the arms of two recordings, the turns that both have, and whether both are replayed with their plans."""
    for flag, value in options.items():
        if value is not None:
            raise CivsimError(f"{flag} has no effect on recordings, which are played as they were; drop it")
    if other is None:
        raise CivsimError(f"{one!r} is compared with nothing; name another recording")
    from civsim.scenarios.recordings.file import load_recording
    from civsim.scenarios.recordings.replay import Replay
    from civsim.viewer.comparison import Arm, check_same_shape

    recordings = [load_recording(Path(text)) for text in (one, other)]
    check_same_shape(recordings[0].scenario, recordings[1].scenario)
    replays = [Replay(recording) for recording in recordings]
    for text, replay in zip((one, other), replays, strict=True):
        if replay.note():
            typer.echo(f"{text}: replayed by {replay.by}: {replay.note()}")
    made = [Arm(Path(text).stem, replay.world, replay.step) for text, replay in zip((one, other), replays, strict=True)]
    plans = all(replay.by == "shares" for replay in replays)
    return (made[0], made[1]), min(recording.turns for recording in recordings), plans


def _played_arms(
    names: tuple[str, str | None], both: list[str], own: tuple[list[str], list[str]], place: tuple[int, int]
) -> tuple[Arms, int]:
    """Return the arms of two scenarios, or of one that is set in two ways, and the turns that both have.

    ``both`` are settings of either, ``own`` those of each, ``place`` seed and world.
    """
    from civsim.cli.settings import with_settings
    from civsim.scenarios import load_scenario
    from civsim.viewer.comparison import check_same_shape

    one, other = names
    if other is None and own[0] == own[1]:
        raise CivsimError(f"{one!r} is compared with itself; change it by --set-a or --set-b, or name another scenario")
    scenarios = [load_scenario(name) for name in (one, one if other is None else other)]
    games = [with_settings(game, [*both, *pairs]) for game, pairs in zip(scenarios, own, strict=True)]
    check_same_shape(games[0], games[1])
    labels = [", ".join([game.name, *pairs]) for game, pairs in zip(games, own, strict=True)]
    made = [_arm(label, game, *place) for label, game in zip(labels, games, strict=True)]
    return (made[0], made[1]), min(game.game.turns for game in games)


def _arm(label: str, game: Scenario, seed: int, world_id: int) -> Arm:
    # The engine is imported only for scenarios that can be compared.
    from civsim.agents import seat_policies
    from civsim.engine.world import World
    from civsim.viewer.comparison import Arm

    policies = seat_policies(game)
    world = World(game, world_ids=[world_id], seed=seed)
    return Arm(label, world, lambda: world.step(policies.shares(world)))


def _show(made: Comparison) -> None:
    from civsim.cli.players import number, print_table
    from civsim.viewer.comparison import MEASURES

    one, other = made.labels
    for change in made.settings:
        typer.echo(f"  {change}")
    if not made.firsts:
        typer.echo(f"Nothing differs in {made.turns} turns: it is the same game twice.")
    for first in made.firsts[:_MOST_FIRSTS]:
        when = f"in turn {first.turn}" if first.turn else "at the beginning"
        typer.echo(f"{first.group} first differ {when}: {first.words}")
    if len(made.firsts) > _MOST_FIRSTS:
        typer.echo("then " + ", ".join(f"{first.group} ({first.turn})" for first in made.firsts[_MOST_FIRSTS:]))
    last = {name: values[:, :, -1] for name, values in made.measures.items()}
    rows = [
        [str(seat), *(text for values in last.values() for text in (number(values[0, seat]), _signed(values[:, seat])))]
        for seat in range(last["cells"].shape[1])
    ]
    heads = ["seat", *(text for name in MEASURES for text in (name, "±"))]
    print_table(f"{one} after {made.turns} turns, and how much more {other} has (±)", heads, rows)


def _signed(values: NDArray[np.float64]) -> str:
    """Return how much more the second of two values is."""
    from civsim.cli.players import number

    more = float(values[1] - values[0])
    return f"+{number(more)}" if more > 0.0 else number(more)
