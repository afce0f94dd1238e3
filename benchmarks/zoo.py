"""Fill the zoo from training runs.

python benchmarks/zoo.py out/learning/baseline-uniform-1 baseline out/learning/war-uniform-1 war

Each pair is a finished run on a scenario of the library and the name of its entry. The run's best checkpoint (its last
one where it was never evaluated) is judged against every scripted policy by ``civsim evaluate``, on 200 held-out worlds
of study seed 0; with ``--evaluation FOLDER`` what ``civsim evaluate --out FOLDER`` has written of that run is read
instead. An entry that is there already is left alone: remove its folder in agents/zoo first. ``--again NAME`` judges an
entry where it stands, once rules or settings have changed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import shlex
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from civsim.agents import policy_names
from civsim.agents.checkpoint import BEST, LAST, brief, checkpoint_folder, load_config, scenario_of
from civsim.agents.training.config import load_run_config, run_settings
from civsim.agents.training.resume import find_state, load_counters
from civsim.agents.zoo import (
    ABOUT,
    Comparison,
    Estimate,
    Evaluation,
    Seeds,
    Training,
    add_to_zoo,
    check_free,
    load_about,
    zoo_folder,
)
from civsim.analysis.learning.learning_curves import read_evaluations
from civsim.base.constants import Category
from civsim.base.errors import CheckpointError, CivsimError
from civsim.base.files import write_text
from civsim.calls.evaluate import SUMMARY
from civsim.cli import main as civsim
from civsim.scenarios import content_hash, list_scenarios, load_scenario

WORLDS, SEED = 200, 0
USAGE = 2


def fill(run: Path, name: str, evaluation: Path | None = None, *, worlds: int = WORLDS, threads: int = 1) -> Path:
    """Add the policy of a run to the zoo under ``name`` and return the entry's folder.

    Args:
        run: the run's folder.
        name: of the new entry.
        evaluation: folder that ``civsim evaluate`` wrote about this run alone; None to play the games now.
        worlds: held-out worlds to play.
        threads: threads of the games; they change no result.

    Raises:
        CivsimError: the name is taken, the run is not finished, not the command line's or not on a scenario of the
            library, or the evaluation is not of this run, of its scenario, or against every scripted policy.
    """
    check_free(name)
    training = read_training(run)
    content = library_content(run)
    if evaluation is not None:
        return add_to_zoo(run, name, training, read_evaluation(evaluation, run, name, content))
    return add_to_zoo(run, name, training, judge(run, name, content, worlds, threads))


def judge(run: Path, name: str, content: str, worlds: int, threads: int) -> Evaluation:
    """Play a run, or an entry, against every scripted policy and return how it did, as the entry ``name`` states it.

    Raises:
        CheckpointError: it cannot be played.
    """
    with tempfile.TemporaryDirectory() as folder:
        options = ["--worlds", str(worlds), "--seed", str(SEED), "--threads", str(threads), "--out", folder]
        with contextlib.redirect_stdout(io.StringIO()):  # its tables, and the names of files soon to be removed
            failed = civsim(["evaluate", str(run), *options, "--no-progress"])
        if failed:
            raise CheckpointError(f"{str(run)!r} cannot be judged; the line above says why")
        return read_evaluation(Path(folder), run, name, content)


def judge_again(name: str, *, worlds: int = WORLDS, threads: int = 1) -> Path:
    """Judge an entry by the rules and the scenario of now, and return its folder; the policy stays as it is.

    Raises:
        CivsimError: there is no such entry, its scenario is no longer the library's, or it cannot be played.
    """
    about, folder = load_about(name), zoo_folder(name)
    evaluation = judge(folder, name, library_content(folder), worlds, threads)
    write_text(folder / ABOUT, about.model_copy(update={"evaluation": evaluation}).model_dump_json(indent=1) + "\n")
    return folder


def read_training(run: Path) -> Training:
    """Return where the checkpoint of a run came from.

    Raises:
        CheckpointError: the run is damaged, not finished, or was not begun by ``civsim train``.
    """
    said, state = load_run_config(run), find_state(run)
    if state is None:
        raise CheckpointError(f"{str(run)!r} was never saved; train it to the end")
    counters, wanted = load_counters(state), run_settings(said).steps
    if counters.steps < wanted:
        raise CheckpointError(f"{str(run)!r} has {counters.steps} of {wanted} turns; go on with civsim train --resume")
    if len(said.command) < 2:
        raise CheckpointError(f"{str(run)!r} does not say what command made it; train it by civsim train")
    chosen, steps = checkpoint_folder(run).name, counters.steps
    if chosen == BEST:
        evaluated = read_evaluations(run)
        steps = int(evaluated.timesteps[evaluated.results.mean(axis=1).argmax()])
    try:
        return Training(
            command=shlex.join(["civsim", *said.command[1:]]),
            seeds=Seeds.model_validate(load_config(run).seeds),
            checkpoint=BEST if chosen == BEST else LAST,
            steps=steps,
            trained=counters.steps,
            cpu_seconds=round(counters.cpu_seconds, 1),
        )
    except ValidationError as error:
        raise CheckpointError(f"{str(run)!r}: {_first(error)}; train it by civsim train") from None


def library_content(run: Path) -> str:
    """Return the content hash of the scenario a run was trained on.

    Raises:
        CheckpointError: it is not, setting for setting, the library's scenario of that name.
    """
    scenario = scenario_of(load_config(run))
    content = content_hash(scenario)
    if scenario.name not in list_scenarios() or content_hash(load_scenario(scenario.name)) != content:
        raise CheckpointError(
            f"{str(run)!r} was trained on {scenario.name!r}, which is not the library's of that name; train on one"
        )
    return content


def read_evaluation(folder: Path, run: Path, name: str, content: str) -> Evaluation:
    """Return what ``civsim evaluate --out folder`` found of a run, as the entry ``name`` states it.

    Args:
        folder: where the evaluation is.
        run: the run.
        name: of the entry.
        content: hash of the scenario the run was trained on.

    Raises:
        CheckpointError: there is none, or it is not of this run alone, of its scenario, or against every scripted
            policy.
    """
    path = folder / SUMMARY
    try:
        said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if said["content"] != content:
            raise CheckpointError(f"{str(path)!r} is of another scenario than {str(run)!r}; evaluate without --set")
        labels = {members[0]: label for label, members in said["runs"].items() if len(members) == 1}
        label = _label(labels, run, path)
        rows = {row["policy"]: row for row in said["summary"]}
        own = rows[label]
        against = {row["other"]: row for row in said["comparisons"] if row["policy"] == label}
        missing = [other for other in policy_names() if labels.get(other) not in against]
        if missing:
            raise CheckpointError(f"{str(path)!r} has no comparison with {missing[0]}; evaluate --against all")
        seat = () if said["seat"] == "rotate" else ("--seat", str(said["seat"]))
        command = ["civsim", "evaluate", f"zoo:{name}", "--worlds", str(said["worlds"]), "--seed", str(said["seed"])]
        return Evaluation(
            command=shlex.join([*command, *seat]),
            objective=said["objective"],
            content=said["content"],
            seed=said["seed"],
            seat=said["seat"],
            worlds=said["worlds"],
            first_world_id=said["first_world_id"],
            level=said["interval"]["level"],
            versions={library: str(number) for library, number in said["versions"].items()},
            mean=_estimate(own, "mean"),
            iqm=_estimate(own, "iqm"),
            cognition=_estimate(own, "share_cognition"),
            shares={category.name.lower(): own[f"share_{category.name.lower()}"] for category in Category},
            against=tuple(_comparison(other, against[labels[other]], rows[labels[other]]) for other in policy_names()),
        )
    except (KeyError, TypeError, OSError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{str(path)!r} is missing or damaged ({brief(repr(error))}); evaluate again") from None
    except ValidationError as error:
        raise CheckpointError(f"{str(path)!r}: {_first(error)}; evaluate again") from None


def _label(labels: Mapping[str, str], run: Path, path: Path) -> str:
    """Return the name under which an evaluation has a run by itself."""
    for member, label in labels.items():
        if member not in policy_names() and Path(member.removeprefix("file:")).resolve() == run.resolve():
            return label
    raise CheckpointError(f"{str(path)!r} does not judge {str(run)!r} alone; evaluate it without its sister runs")


def _estimate(row: Mapping[str, float], column: str, prefix: str | None = None) -> Estimate:
    start = f"{column}_" if prefix is None else prefix
    return Estimate(value=row[column], low=row[f"{start}low"], high=row[f"{start}high"])


def _comparison(name: str, row: Mapping[str, Any], other: Mapping[str, Any]) -> Comparison:
    return Comparison(
        policy=name,
        mean=other["mean"],
        difference=_estimate(row, "difference", prefix=""),
        improvement=_estimate(row, "improvement"),
    )


def _first(error: ValidationError) -> str:
    found = error.errors(include_url=False)[0]
    return brief(f"{'.'.join(str(part) for part in found['loc'])}: {found['msg']}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill the zoo as the command line says; return the exit code."""
    parser = argparse.ArgumentParser(description="Fill the zoo from training runs.")
    parser.add_argument("pairs", nargs="*", metavar="RUN NAME", help="a run's folder and the name of its entry, ...")
    parser.add_argument(
        "--again", nargs="+", default=[], metavar="NAME", help="entries to be judged by the rules of now"
    )
    parser.add_argument("--evaluation", type=Path, help="what civsim evaluate wrote about the run (for one pair)")
    parser.add_argument("--worlds", type=int, default=WORLDS, help=f"held-out worlds to play ({WORLDS})")
    parser.add_argument("--threads", type=int, default=1, help="threads of the games (1)")
    given = parser.parse_args(arguments)
    if not given.pairs and not given.again:
        parser.error("give RUN NAME pairs, or --again NAME")
    if len(given.pairs) % 2 or (given.evaluation is not None and len(given.pairs) != 2):
        parser.error("give RUN NAME pairs, and one pair only with --evaluation")
    try:
        for run, name in zip(given.pairs[::2], given.pairs[1::2], strict=True):
            folder = fill(Path(run), name, given.evaluation, worlds=given.worlds, threads=given.threads)
            sys.stdout.write(f"{folder}\n")
        for name in given.again:
            sys.stdout.write(f"{judge_again(name, worlds=given.worlds, threads=given.threads)}\n")
    except CivsimError as error:
        sys.stderr.write(f"zoo: error: {error}\n")
        return USAGE
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
