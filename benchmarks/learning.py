"""Train, judge and report the policies of docs/learning.md: ``python benchmarks/learning.py train|evaluate|report``.

train      every training of :func:`plan`, one process each; what is finished is left alone, what is begun goes on
evaluate   every finished run, every registered policy and the best fixed shares on the same held-out worlds
report     the tables of docs/learning.md between their markers, docs/learning.csv and docs/figures/learned.*

Each step goes on where it was left, and reports what is there: a context without runs is called not trained. Runs are
in ``out/learning/CONTEXT-ARM-SEED``, games in ``out/learning/games/CONTEXT``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import shlex
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, NamedTuple

import learning_page as page
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from civsim.agents import make_policy, policy_names
from civsim.agents.checkpoint import NORMALISATION, WEIGHTS, checkpoint_folder, scenario_from
from civsim.agents.evaluate import focal_seats, held_out, outcomes
from civsim.agents.grid import best_fixed, candidates
from civsim.agents.registry import FILE_PREFIX
from civsim.agents.training.config import CONFIG, load_run_config, run_settings
from civsim.agents.training.settings import TrainSettings, train_settings
from civsim.analysis.learning.evaluation import games_rows
from civsim.analysis.learning.learning_curves import has_evaluations, read_evaluations
from civsim.base.constants import RULES_VERSION
from civsim.base.errors import CivsimError, ResultsError
from civsim.base.files import atomic_path, write_text
from civsim.base.scenario import Scenario
from civsim.scenarios import content_hash, list_scenarios, load_scenario, override

OUT, DOCS = Path("out/learning"), Path(__file__).resolve().parents[1] / "docs"
GAMES = "games"
STEPS, EVAL_FREQ, EVAL_EPISODES = 120_000, 40_000, 32
FIVE = ("baseline", "raiders", "peace", "ridges", "dear-thought")
"""Contexts trained from both starts, with :data:`SEEDS` seeds."""
SEEDS = 5
FEWER = {"war": 1, "cheap-thought": 1}
"""Further contexts of the zoo and their seeds; the rest of the library has one, and intervals over worlds alone."""
WORLDS, STUDY_SEED = 64, 0
"""Held-out worlds on which everything is judged, and their study seed; no training has this seed."""
SEARCHED, SEARCH_SEED = (*FIVE, *FEWER), 1
"""Contexts in which the best fixed shares are searched for, and the study seed of the one search in each."""
MAY_DIFFER = frozenset({"seed", "threads", "device", "eval_freq", "save_freq"})
"""Settings in which runs that are pooled may differ."""
_KEY = b"civsim.key"
_INPUT, _STOPPED = 2, 130


class Job(NamedTuple):
    """A training to run."""

    context: str
    arm: str  # uniform, fixed (both softmax), or dirichlet
    seed: int

    @property
    def name(self) -> str:
        """Its folder's name."""
        return f"{self.context}-{self.arm}-{self.seed}"

    def options(self) -> dict[str, Any]:
        """Its settings, by the names of :func:`train_settings`."""
        own = {"policy": "dirichlet"} if self.arm == page.DIRICHLET else {"start": self.arm}
        common = {"steps": STEPS, "seed": self.seed, "eval_freq": EVAL_FREQ, "eval_episodes": EVAL_EPISODES}
        return {**common, **own}

    def command(self, out: Path) -> list[str]:
        """The command line that does the same."""
        head = ["--policy", "dirichlet"] if self.arm == page.DIRICHLET else ["--start", self.arm]
        return [
            "civsim", "train", self.context, "--out", str(out / self.name), "--seed", str(self.seed), *head,
            "-n", str(STEPS), "--eval-freq", str(EVAL_FREQ), "--eval-episodes", str(EVAL_EPISODES),
        ]  # fmt: skip


class Run(NamedTuple):
    """A finished training."""

    folder: Path
    scenario: Scenario
    settings: TrainSettings
    turns: int  # of experience, whole rollouts

    @property
    def arm(self) -> str:
        """Which arm of the experiment it belongs to."""
        if self.settings.policy == "softmax":
            return self.settings.start
        return page.DIRICHLET if self.settings.start == "uniform" else f"{page.DIRICHLET}-{self.settings.start}"


class Task(NamedTuple):
    """Games to play: one policy in the focal seat of every held-out world."""

    scenario: Scenario
    policy: str  # label in the games table
    run: str  # which of its runs
    player: str  # a policy's name, or page.BEST_FIXED
    turns: int  # budget of a search for fixed shares, else 0
    seed: int  # study seed of that search, else 0

    def path(self, out: Path) -> Path:
        """Where its games are kept."""
        name = self.policy if self.policy == self.run else f"{self.policy}-{self.run}"
        return out / GAMES / self.scenario.name / f"{name}.parquet"


def plan() -> list[Job]:
    """Return the trainings of the page, the five contexts first."""
    jobs = [Job(context, arm, seed) for seed in range(1, SEEDS + 1) for arm in page.STARTS for context in FIVE]
    jobs += [Job("baseline", page.DIRICHLET, seed) for seed in range(1, SEEDS + 1)]
    rest = [name for name in list_scenarios() if name not in FIVE]
    return jobs + [Job(name, "uniform", seed) for name in rest for seed in range(1, FEWER.get(name, 1) + 1)]


def is_finished(folder: Path) -> bool:
    """Return whether a run's last evaluation is that of its last turn."""
    if not (folder / CONFIG).is_file() or not has_evaluations(folder):
        return False
    return int(read_evaluations(folder).timesteps[-1]) >= run_settings(load_run_config(folder)).steps


def find_runs(out: Path) -> tuple[list[Run], list[str]]:
    """Return the finished runs in ``out`` and the names of those that are not, by context, arm and seed.

    Raises:
        ResultsError: runs of one context and arm differ in more than their seed.
    """
    runs, unfinished = [], []
    for folder in sorted(path.parent for path in out.glob(f"*/{CONFIG}")):
        if not is_finished(folder):
            unfinished.append(folder.name)
            continue
        config = load_run_config(folder)
        turns = int(read_evaluations(folder).timesteps[-1])
        runs.append(Run(folder, scenario_from(config.scenario), run_settings(config), turns))
    order = [*FIVE, *(name for name in list_scenarios() if name not in FIVE)]
    place = {name: number for number, name in enumerate([*order, *sorted({r.scenario.name for r in runs} - {*order})])}
    runs.sort(key=lambda run: (place[run.scenario.name], page.arm_order(run.arm), run.settings.seed))
    firsts: dict[tuple[str, ...], Run] = {}
    for run in runs:
        own = run.settings.model_dump(exclude=set(MAY_DIFFER))
        first = firsts.setdefault((run.scenario.name, run.arm), run)
        same_game = content_hash(run.scenario) == content_hash(firsts.setdefault((run.scenario.name,), run).scenario)
        if own != first.settings.model_dump(exclude=set(MAY_DIFFER)) or not same_game:
            raise ResultsError(
                f"{str(run.folder)!r} and {str(first.folder)!r} differ in more than their seed; move one"
            )
    return runs, unfinished


def tasks_of(runs: Sequence[Run]) -> list[Task]:
    """Return the games to play: trained policies, registered ones, and the best fixed shares."""
    tasks = []
    for context in dict.fromkeys(run.scenario.name for run in runs):
        mine = [run for run in runs if run.scenario.name == context]
        game = mine[0].scenario
        for run in mine:
            player = f"{FILE_PREFIX}{run.folder}"
            tasks.append(Task(game, page.label(run.arm), str(run.settings.seed), player, 0, 0))
        budgets = [run.turns for run in mine if run.arm == page.STARTS[0] and run.settings.seed == SEARCH_SEED]
        if context in SEARCHED:
            seed = str(SEARCH_SEED)
            tasks += [Task(game, page.BEST_FIXED, seed, page.BEST_FIXED, turns, SEARCH_SEED) for turns in budgets]
        tasks += [Task(game, name, name, name, 0, 0) for name in policy_names()]
    return tasks


def key_of(task: Task, worlds: int) -> str:
    """Return a digest of everything that a task's games follow from, but for the engine's code."""
    who: Any = task.player
    if task.player.startswith(FILE_PREFIX):
        folder = checkpoint_folder(task.player.removeprefix(FILE_PREFIX))
        who = [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (WEIGHTS, NORMALISATION)]
    elif task.player == page.BEST_FIXED:
        who = [task.turns, task.seed, candidates(task.scenario)]
    facts = [RULES_VERSION, content_hash(task.scenario), worlds, STUDY_SEED, task.policy, task.run, who]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def read_games(task: Task, out: Path, worlds: int) -> pd.DataFrame | None:
    """Return a task's games, or None where they are not there or are those of another policy, game or rule."""
    path = task.path(out)
    if not path.is_file():
        return None
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise ResultsError(f"{str(path)!r} is damaged ({' '.join(str(error).split())[:60]}); delete it") from None
    held = (table.schema.metadata or {}).get(_KEY, b"").decode()
    return table.to_pandas() if held == key_of(task, worlds) else None


def play_task(task: Task, out: Path, worlds: int) -> str:
    """Play a task's games and keep them; return what was done."""
    path, found = task.path(out), ""
    path.parent.mkdir(parents=True, exist_ok=True)
    if task.player == page.BEST_FIXED:
        search = best_fixed(task.scenario, task.turns, task.seed)
        record = search._asdict() | {"trials": [trial._asdict() for trial in search.trials]}
        write_text(path.with_suffix(".json"), json.dumps(record, indent=1) + "\n")
        policy = make_policy("fixed", search.params, task.scenario)
        found = f" after {search.games} games of search: {json.dumps(search.params)}"
    else:
        policy = make_policy(task.player, {}, task.scenario)
    ids = held_out(worlds)
    played = outcomes(task.scenario, policy, ids, STUDY_SEED)
    rows = games_rows(task.policy, task.run, ids, focal_seats(task.scenario, ids), played.utility, played.spent)
    table = pa.Table.from_pandas(rows, preserve_index=False)
    with atomic_path(path) as temporary:
        pq.write_table(table.replace_schema_metadata({_KEY: key_of(task, worlds).encode()}), temporary)
    return f"{task.scenario.name}: {task.policy} {task.run}, {worlds} worlds{found}"


def train_job(job: Job, out: Path) -> str:
    """Run or resume a training; return what was done."""
    from civsim.agents.training.run import train

    settings = train_settings("ppo", **job.options())
    command = job.command(out)
    report = train(load_scenario(job.context), out / job.name, settings, resume=True, command=command)
    state = "" if report.finished else "stopped: "
    return f"{state}{report.steps} turns in {report.cpu_seconds:.0f} CPU-seconds: {shlex.join(command)}"


def warm(scenario: Scenario) -> str:
    """Compile every kernel once: the on-disk cache is not safe while several processes fill it."""
    from civsim.agents.training.run import train

    tiny = override(scenario, {"game.turns": 2})
    own = {"steps": 16, "worlds": 2, "rollout": 8, "batch": 16, "eval_freq": 16, "eval_episodes": 2}
    with tempfile.TemporaryDirectory() as folder:
        train(tiny, Path(folder) / "run", train_settings("ppo", **own))
    for name in policy_names():
        outcomes(tiny, make_policy(name, {}, tiny), held_out(2), STUDY_SEED)
    return f"kernels compiled for {scenario.name}"


def spread(work: Callable[..., str], calls: Sequence[tuple[Any, ...]], jobs: int, scenario: Scenario) -> int:
    """Do ``work`` for each of ``calls``, in ``jobs`` processes; say what was done. Return the exit code.

    One that fails is reported and the others go on; an interrupt lets trainings save and ends.
    """
    if jobs == 1:
        for call in calls:
            sys.stdout.write(work(*call) + "\n")
        return 0
    code, spawn = 0, multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn) as pool:
        sys.stdout.write(pool.submit(warm, scenario).result() + "\n")
    pool = ProcessPoolExecutor(jobs, spawn, max_tasks_per_child=1)
    try:
        for done in as_completed([pool.submit(work, *call) for call in calls]):
            try:
                sys.stdout.write(done.result() + "\n")
            except CivsimError as error:
                sys.stderr.write(f"learning: error: {error}\n")
                code = _INPUT
            sys.stdout.flush()
    except KeyboardInterrupt:
        code = _STOPPED
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return code


def train_all(out: Path, jobs: int) -> int:
    """Run every training of the plan that is not finished. Return the exit code."""
    wanted = [job for job in plan() if not is_finished(out / job.name)]
    sys.stdout.write(f"{len(wanted)} of {len(plan())} trainings to run\n")
    return spread(train_job, [(job, out) for job in wanted], jobs, load_scenario("baseline")) if wanted else 0


def evaluate_all(out: Path, jobs: int, worlds: int) -> int:
    """Play the games that are not there yet. Return the exit code."""
    runs, unfinished = find_runs(out)
    sys.stdout.write("".join(f"left out, not finished: {name}\n" for name in unfinished))
    tasks = tasks_of(runs)
    wanted = [task for task in tasks if read_games(task, out, worlds) is None]
    sys.stdout.write(f"{len(wanted)} of {len(tasks)} policies to play on {worlds} worlds\n")
    return spread(play_task, [(task, out, worlds) for task in wanted], jobs, wanted[0].scenario) if wanted else 0


def report_all(out: Path, docs: Path, worlds: int) -> int:
    """Write the page's tables and its figure from the games that are there. Return the exit code."""
    runs, unfinished = find_runs(out)
    tasks = tasks_of(runs)
    held = [(task, read_games(task, out, worlds)) for task in tasks]
    missing = [f"{task.scenario.name}: {task.policy} {task.run}" for task, games in held if games is None]
    sys.stdout.write("".join(f"left out, not played: {name}\n" for name in missing))
    tables = [games.assign(context=task.scenario.name) for task, games in held if games is not None]
    if not tables:
        raise ResultsError(f"{str(out)!r} holds no games; run `python benchmarks/learning.py evaluate` first")
    facts = page.Facts(
        runs=[page.RunFacts(r.scenario, r.arm, r.settings, r.folder, r.turns) for r in runs],
        library=list_scenarios(), unfinished=unfinished, unplayed=len(missing), worlds=worlds, study_seed=STUDY_SEED,
    )  # fmt: skip
    for path in page.write_page(docs, pd.concat(tables, ignore_index=True), facts):
        sys.stdout.write(f"{path}\n")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns the exit code, 2 for input that cannot be used."""
    parser = argparse.ArgumentParser(prog="python benchmarks/learning.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("step", choices=("train", "evaluate", "report"))
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the runs")
    parser.add_argument("--docs", type=Path, default=DOCS, help="folder that holds learning.md")
    parser.add_argument("--jobs", type=int, default=2, choices=range(1, 65), metavar="N", help="processes")
    parser.add_argument("--worlds", type=int, default=WORLDS, help="held-out worlds")
    given = parser.parse_args(arguments)
    try:
        if given.step == "train":
            return train_all(given.out, given.jobs)
        if given.step == "evaluate":
            return evaluate_all(given.out, given.jobs, given.worlds)
        return report_all(given.out, given.docs, given.worlds)
    except CivsimError as error:
        sys.stderr.write(f"learning: error: {error}\n")
        return _INPUT


if __name__ == "__main__":
    sys.exit(main())
