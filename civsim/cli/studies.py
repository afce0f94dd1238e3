"""``civsim study`` and ``civsim power``: pre-registered studies, played and judged; and how many games they need."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from civsim.cli.batch import AllowFailed, Grow, end_with

if TYPE_CHECKING:
    import pandas as pd

    from civsim.analysis.results import Results
    from civsim.scenarios.study import Study

DEFAULT_FOLDER = Path("out/studies")
_ROW = "{name:<20} {verdict:<12} {estimate:<34} {p:<9} {unit}"

Threads = Annotated[
    int | None, typer.Option("--threads", min=1, help="Threads, by default one a core; they change no result.")
]
Shown = Annotated[bool | None, typer.Option("--progress/--no-progress", help="Progress bar; by default on a terminal.")]


def study(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="STUDY...", help="Names, or paths of TOML files.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every study of the library that has hypotheses.")] = False,
    out: Annotated[
        Path, typer.Option("--out", help="Folder for the results, one folder a study in it.")
    ] = DEFAULT_FOLDER,
    worlds: Annotated[
        int | None, typer.Option("--worlds", min=2, help="Worlds a point, instead of the study's.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Study seed, instead of the study's.")] = None,
    grow: Grow = False,
    allow_failed: AllowFailed = False,
    threads: Threads = None,
    progress: Shown = None,
) -> None:
    """Play pre-registered studies, or what is missing of them, and say what became of their hypotheses."""
    from civsim.base.errors import StudyError
    from civsim.scenarios import load_study

    if bool(names) == every:
        raise StudyError("give the names of studies, or --all, and not both; `civsim studies` lists them")
    chosen = _registered() if every else [load_study(name) for name in names or ()]
    failed = 0
    for given in chosen:
        folder = out / given.name
        failed += _play(given, folder, {"--worlds": worlds, "--seed": seed}, threads, progress, grow=grow)
        if given.hypotheses:
            _judge(given, folder)
        else:
            typer.echo(f"{given.name}: no hypotheses to judge; `civsim analyze {folder}` says what it finds")
    end_with(failed, allow_failed)


def power(
    name: Annotated[str, typer.Argument(metavar="STUDY", help="A study's name, or the path of a TOML file.")],
    worlds: Annotated[int, typer.Option("--worlds", min=4, help="Worlds a point of the pilot.")] = 32,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the pilot's results; out/pilots/STUDY if left out.")
    ] = None,
    threads: Threads = None,
    progress: Shown = None,
) -> None:
    """Say how many games a study needs to find the smallest effects it speaks of, from a pilot on worlds of its own."""
    from civsim.analysis.hypotheses.planning import PILOT_FIRST, plan_worlds
    from civsim.analysis.results import open_results
    from civsim.base.files import write_text

    given = _with_hypotheses(name)
    folder = Path("out/pilots") / given.name if out is None else out
    _play(given, folder, {"--worlds": worlds}, threads, progress, first_world=PILOT_FIRST)
    results = open_results(folder)
    table = plan_worlds(results)
    write_text(folder / "power.csv", table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
    points = len(results.manifest["points"])
    typer.echo(f"{given.name}: {points} points; pilot of {worlds} worlds a point, from world {PILOT_FIRST}")
    for row in table.to_dict("records"):
        typer.echo(f"  {row['name']}: {_plan(row)}; the study asks for {row['asked']}")
    typer.echo(str(folder / "power.csv"))


def _plan(row: dict[Any, Any]) -> str:
    """Return how many worlds a hypothesis needs, in words."""
    import pandas as pd

    if pd.isna(row["worlds"]):
        return f"its effect does not vary over the {row['pilot_worlds']} worlds of the pilot; play a larger one"
    return (
        f"s.e. {row['error']:.3g} at {row['pilot_worlds']} worlds; for {row['effect']:g} {row['unit']} with power "
        f"{row['power']:g} at level {row['alpha']:.3g}: {row['worlds']} worlds a point ({row['games']:,} games; "
        f"{row['upper']} worlds at the error's upper limit)"
    )


def _registered() -> list[Study]:
    from civsim.scenarios import list_studies, load_study

    return [found for found in map(load_study, list_studies()) if found.hypotheses]


def _with_hypotheses(name: str) -> Study:
    from civsim.base.errors import StudyError
    from civsim.scenarios import load_study

    found = load_study(name)
    if not found.hypotheses:
        raise StudyError(f"study {found.name!r} has no hypotheses to judge; play it with `civsim batch`, or add some")
    return found


def _play(
    given: Study, folder: Path, options: dict[str, int | None], threads: int | None, progress: bool | None,
    first_world: int | None = None, grow: bool = False,
) -> int:  # fmt: skip
    """Play what is missing of a study, after reading every test it names; return how many games failed in all."""
    from civsim.analysis.hypotheses.registry import read_test
    from civsim.calls.study import adjusted
    from civsim.cli.batch import play
    from civsim.cli.settings import usable_cores

    for name, hypothesis in given.hypotheses.items():
        read_test(name, hypothesis.model_dump())
    asked = adjusted(given, options.get("--worlds"), options.get("--seed"), first_world)
    words = [f"{flag} {value}" for flag, value in options.items() if value is not None]
    verb = "power" if first_world is not None else "study"
    command = " ".join(["civsim", verb, given.name, *words, "--out", str(folder if verb == "power" else folder.parent)])
    count = usable_cores() if threads is None else threads
    how = {"resume": True, "grow": grow, "threads": count, "command": command}
    summary = play(asked, folder, progress, how)
    if summary.games:
        typer.echo(
            f"{given.name}: {summary.games} games played in {summary.seconds:.0f} s, {summary.kept} kept, "
            f"{summary.failed} failed; tables in {folder}"
        )
    return summary.failed


def _judge(given: Study, folder: Path) -> None:
    from civsim.analysis.hypotheses.judge import changed_since
    from civsim.calls.study import judge
    from civsim.scenarios.manifest import VERDICTS

    results, table, _, _ = judge(folder)
    _print(given, results, table)
    changed = changed_since(results, {name: item.model_dump() for name, item in given.hypotheses.items()})
    if changed:
        typer.echo(f"changed since the games were begun, and judged as they stood then: {', '.join(changed)}")
    typer.echo(str(folder / VERDICTS))


def _print(given: Study, results: Results, table: pd.DataFrame) -> None:
    typer.echo(f"{given.name}: {results.manifest['games']:,} games, {results.failed} failed")
    for row in table.to_dict("records"):
        shown: dict[str, Any] = {
            **row,
            "estimate": f"{row['value']:+.3g} [{row['low']:.3g}, {row['high']:.3g}]",
            "p": f"p {row['p_adjusted']:.2g}",
        }
        typer.echo("  " + _ROW.format(**shown) + (f" ({row['remark']})" if row["remark"] else ""))
