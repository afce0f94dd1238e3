"""The tables of docs/learning.md: from games and runs to Markdown. ``benchmarks/learning.py report`` writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from civsim.agents.simple import Fixed, FixedParams, fixed_weights
from civsim.agents.training.config import load_run_config
from civsim.agents.training.settings import TrainSettings
from civsim.analysis.learning.evaluation import evaluation_tables, run_world_table
from civsim.analysis.learning.learned import LearnedTables, draw_learned, learned_tables, read_optima
from civsim.analysis.learning.learning_curves import evaluation_curve, read_evaluations
from civsim.analysis.pages import fill_blocks, gain, markdown_table, rules_line
from civsim.analysis.panel import select
from civsim.analysis.statistics.resample import DRAWS, LEVEL, SEED
from civsim.analysis.statistics.scores import mean_score, paired_difference
from civsim.analysis.style import save_figures
from civsim.base.constants import COGNITIVE, N_CATEGORIES
from civsim.base.errors import ResultsError
from civsim.base.files import write_text
from civsim.base.scenario import Scenario
from civsim.cli.players import number, percent, within
from civsim.engine.compiled import open_categories
from civsim.faces.actions import project_shares

STARTS, DIRICHLET = ("uniform", "fixed"), "dirichlet"
BEST_FIXED, UNIFORM, CONTROLS = "best-fixed", "uniform", ("uniform", "random")
"""Registered policies that are no strategies: they are not counted among the scripted ones."""
PAGE, FIGURES, STEM, TABLE = "learning.md", "figures", "learned", "learning.csv"
_ARMS = (*STARTS, DIRICHLET)
_LABEL = "learnt-"
_NONE = "—"


class RunFacts(NamedTuple):
    """A finished training."""

    scenario: Scenario
    arm: str
    settings: TrainSettings
    folder: Path
    turns: int  # of experience


class Facts(NamedTuple):
    """What the page rests on, beside the games."""

    runs: Sequence[RunFacts]
    library: Sequence[str]  # every context, in order
    unfinished: Sequence[str]  # names of runs that are not finished
    unplayed: int  # policies whose games are not there
    worlds: int
    study_seed: int


class Judged(NamedTuple):
    """One context's games as tables."""

    context: str
    summary: pd.DataFrame
    comparisons: pd.DataFrame


def label(arm: str) -> str:
    """Return the name in games tables of the policies trained in an arm."""
    return _LABEL + arm


def arm_order(arm: str) -> int:
    """Return where an arm stands among the others."""
    return _ARMS.index(arm) if arm in _ARMS else len(_ARMS)


def start_share(scenario: Scenario, arm: str) -> float:
    """Return the share of spending on cognition, in [0, 1], that the first policy of an arm gives on average."""
    if arm == "fixed":
        row = Fixed(fixed_weights(FixedParams(), scenario), scenario).row
    else:
        row = project_shares(np.ones(N_CATEGORIES), open_categories(scenario).astype(np.bool_))
    return float(np.asarray(row, np.float64)[list(COGNITIVE)].sum())


def judge(games: pd.DataFrame, objectives: Mapping[str, str]) -> list[Judged]:
    """Return every context's tables; a context without a trained policy's games is left out."""
    found = []
    for context in dict.fromkeys(games["context"]):
        mine = select(games, {"context": context})
        learnt = [name for name in dict.fromkeys(mine["policy"]) if name.startswith(_LABEL)]
        if learnt and mine["policy"].nunique() > 1:
            tables = evaluation_tables(mine, objectives[context], learnt)
            found.append(Judged(context, tables.summary, tables.comparisons))
    return found


def _arms(judged: Judged) -> list[str]:
    names = [name for name in judged.summary["policy"] if name.startswith(_LABEL)]
    return [name.removeprefix(_LABEL) for name in names]


def _by_policy(judged: Judged) -> pd.DataFrame:
    return judged.summary.set_index("policy")


def _against(judged: Judged, arm: str, other: str) -> pd.Series | None:
    rows = select(judged.comparisons, {"policy": label(arm), "other": other})
    return None if rows.empty else rows.iloc[0]


def _gain(row: pd.Series | None) -> str:
    return _NONE if row is None else gain(row["difference"], row["low"], row["high"])


def _scripted(judged: Judged) -> list[str]:
    skip = (*CONTROLS, BEST_FIXED)
    return [name for name in judged.summary["policy"] if name not in skip and not name.startswith(_LABEL)]


def against_block(tables: Sequence[Judged], facts: Facts) -> str:
    """Return the table of trained policies against the others, a row a context and start."""
    by_context = {judged.context: judged for judged in tables}
    rows = []
    for context in [*facts.library, *(name for name in by_context if name not in facts.library)]:
        judged = by_context.get(context)
        starts = [] if judged is None else [arm for arm in _arms(judged) if arm in STARTS]
        if judged is None or not starts:
            trained = any(run.scenario.name == context for run in facts.runs)
            rows.append([context, "not evaluated" if trained else "not trained", *[_NONE] * 7])
        else:
            rows += [[context, *_against_cells(judged, arm)] for arm in starts]
    header = [
        "context", "start", "seeds", "learnt", "strongest scripted", "difference", "beaten", "against `uniform`",
        "against best fixed",
    ]  # fmt: skip
    return markdown_table(header, rows)


def _against_cells(judged: Judged, arm: str) -> list[str]:
    summary, scripted = _by_policy(judged), _scripted(judged)
    own = summary.loc[label(arm)]
    cells = [arm, str(own["runs"]), within(own["mean"], own["mean_low"], own["mean_high"])]
    if scripted:
        best = str(summary.loc[scripted, "mean"].idxmax())
        rows = [_against(judged, arm, name) for name in scripted]
        beaten = sum(row is not None and row["low"] > 0.0 for row in rows)
        strongest = f"`{best}` {number(summary.loc[best, 'mean'])}"
        cells += [strongest, _gain(_against(judged, arm, best)), f"{beaten} of {len(scripted)}"]
    else:
        cells += [_NONE] * 3
    return [*cells, _gain(_against(judged, arm, UNIFORM)), _gain(_against(judged, arm, BEST_FIXED))]


def shortfall_block(tables: Sequence[Judged]) -> str:
    """Return the comparisons that a trained policy does not win with its interval clear of 0."""
    rows = []
    for judged in tables:
        for arm in [arm for arm in _arms(judged) if arm in STARTS]:
            for other in [*_scripted(judged), *CONTROLS, BEST_FIXED]:
                row = _against(judged, arm, other)
                if row is not None and row["low"] <= 0.0:
                    verdict = "worse" if row["high"] < 0.0 else "not told apart"
                    rows.append([judged.context, arm, str(row["runs"]), f"`{other}`", _gain(row), verdict])
    if not rows:
        return "Every comparison above is won with the interval clear of 0."
    return markdown_table(["context", "start", "seeds", "not beaten", "difference", "verdict"], rows)


def thinking_block(learned: LearnedTables, tables: Sequence[Judged]) -> str:
    """Return the learnt share of cognition by context and start beside the optimum of the trade-off curve."""
    fixed = {
        judged.context: float(_by_policy(judged).loc[BEST_FIXED, "share_cognition"])
        for judged in tables
        if BEST_FIXED in set(judged.summary["policy"])
    }
    rows = []
    for row in learned.shares.to_dict("records"):
        context = str(row["context"])
        rows.append(
            [
                context, str(row["start"]), percent(row["begun"]),
                percent(row["learned"], row["learned_low"], row["learned_high"]), str(row["runs"]), *_best_share(row),
                percent(fixed[context]) if context in fixed else _NONE,
            ]
        )  # fmt: skip
    header = [
        "context", "start", "began at", "learnt", "seeds", "best fixed share of the curve", "nearly as good",
        "best fixed of the grid",
    ]  # fmt: skip
    return markdown_table(header, rows)


def _best_share(row: dict[str, object]) -> list[str]:
    best, low, high, near_low, near_high = (
        float(str(row[name])) for name in ("optimum", "optimum_low", "optimum_high", "near_low", "near_high")
    )
    if np.isnan(near_low):
        return [_NONE, _NONE]
    near = f"{percent(near_low)} to {percent(near_high)}"
    return ["flat" if row["flat"] else percent(best, low, high), near]


def heads_block(games: pd.DataFrame, objectives: Mapping[str, str], facts: Facts) -> str:
    """Return softmax against Dirichlet wherever both were trained, over the seeds they share."""
    parts, pair = [], (STARTS[0], DIRICHLET)
    for context in dict.fromkeys(games["context"]):
        mine = select(games, {"context": context})
        runs = [list(dict.fromkeys(select(mine, {"policy": label(arm)})["run"])) for arm in pair]
        common = [run for run in runs[0] if run in runs[1]]
        if not common:
            continue
        kept = mine[mine["run"].isin(common)]
        scores = [run_world_table(kept, label(arm), [objectives[context]])[:, :, 0] for arm in pair]
        rows = []
        for arm, table in zip(pair, scores, strict=True):
            seconds = [
                float(read_evaluations(run.folder).cpu_seconds[-1])
                for run in facts.runs
                if (run.scenario.name, run.arm) == (context, arm) and str(run.settings.seed) in common
            ]
            head = "softmax" if arm == STARTS[0] else arm
            spent = f"{np.mean(seconds):.0f} [{min(seconds):.0f} to {max(seconds):.0f}]"
            mean, low, high = map(float, mean_score(table))
            rows.append([context, head, str(len(common)), within(mean, low, high), spent])
        change, low, high = map(float, paired_difference(scores[1], scores[0]))
        rows.append([context, "dirichlet − softmax", "", gain(change, low, high), ""])
        parts += rows
    if not parts:
        return "Not both trained and evaluated yet."
    return markdown_table(["context", "head", "seeds", "mean", "CPU-seconds a training [range]"], parts)


def curves_block(facts: Facts) -> str:
    """Return the learning curves as a table: mean objective on validation worlds by turns of experience."""
    groups: dict[tuple[str, str], list[RunFacts]] = {}
    for run in facts.runs:
        groups.setdefault((run.scenario.name, run.arm), []).append(run)
    curves = {
        key: evaluation_curve([read_evaluations(run.folder) for run in runs], draws=1).set_index("steps")
        for key, runs in groups.items()
    }
    if not curves:
        return "Nothing is trained yet."
    steps = sorted({int(step) for curve in curves.values() for step in curve.index})
    rows = []
    for (context, arm), curve in curves.items():
        cells = [number(float(curve.loc[step, "mean"])) if step in curve.index else _NONE for step in steps]
        rows.append([context, arm, str(curve["runs"].iloc[0]), *cells, f"{curve['cpu_seconds'].iloc[-1]:.0f}"])
    return markdown_table(["context", "arm", "seeds", *(f"{step:,}" for step in steps), "CPU-seconds"], rows)


def design_block(facts: Facts) -> str:
    """Return what the numbers rest on, from the runs' own records."""
    seeds = sorted({run.settings.seed for run in facts.runs})
    turns = sorted({run.turns for run in facts.runs})
    versions = sorted({json.dumps(load_run_config(run.folder).versions, sort_keys=True) for run in facts.runs})
    commands = [load_run_config(run.folder).command for run in facts.runs]
    spent = [float(read_evaluations(run.folder).cpu_seconds[-1]) for run in facts.runs]
    lines = [
        f"{len(facts.runs)} finished trainings, training seeds {', '.join(map(str, seeds))}, "
        f"{' or '.join(f'{t:,}' for t in turns)} turns of experience each; {sum(spent):,.0f} CPU-seconds in all.",
        f"Everything is judged on the same {facts.worlds} held-out worlds of study seed {facts.study_seed}, the judged "
        "seat rotating.",
        f"Intervals: {LEVEL:.0%}, {DRAWS:,} resamples of worlds and training seeds as crossed units (resampling seed "
        f"{SEED}); bold where 0 is outside. They are not corrected for how many there are.",
    ]
    lines += ["Trained with " + ", ".join(f"{k} {v}" for k, v in json.loads(one).items()) + "." for one in versions]
    if facts.unfinished:
        lines.append(f"Left out, not finished: {', '.join(facts.unfinished)}.")
    if facts.unplayed:
        lines.append(f"Left out, not played yet: {facts.unplayed} policies.")
    first = next((list(command) for command in commands if command), [])
    shown = " ".join(["civsim", *first[1:]]) if first else "no command recorded"
    return "\n".join(f"- {line}" for line in lines) + f"\n\nThe first of the trainings:\n\n```sh\n{shown}\n```"


def write_page(docs: Path, games: pd.DataFrame, facts: Facts) -> list[Path]:
    """Fill the tables of ``docs``/learning.md, write its CSV and its figure; return the paths.

    Args:
        docs: folder that holds learning.md and figures/tradeoff-optimum.csv.
        games: games tables of all policies with the column ``context`` besides.
        facts: what else the page rests on.

    Raises:
        ResultsError: the page, the optima or the games cannot be used.
    """
    path = docs / PAGE
    if not path.is_file():
        raise ResultsError(f"{str(path)!r} is not there; give the folder that holds {PAGE}")
    scenarios = {run.scenario.name: run.scenario for run in facts.runs}
    objectives = {name: scenario.game.objective for name, scenario in scenarios.items()}
    tables = judge(games, objectives)
    mine = games[games["policy"].isin([label(start) for start in STARTS])]
    mine = mine.assign(start=mine["policy"].str.removeprefix(_LABEL))
    begun = {(name, arm): start_share(scenario, arm) for name, scenario in scenarios.items() for arm in STARTS}
    learned = learned_tables(mine, read_optima(docs / FIGURES), begun)
    blocks = {
        "rules": rules_line(load_run_config(run.folder).rules for run in facts.runs),
        "design": design_block(facts),
        "against": against_block(tables, facts),
        "shortfall": shortfall_block(tables),
        "thinking": thinking_block(learned, tables),
        "heads": heads_block(games, objectives, facts),
        "curves": curves_block(facts),
    }
    text = fill_blocks(path.read_text(encoding="utf-8"), blocks)
    csvs = {"": learned.shares, "runs": learned.runs}
    paths = save_figures(partial(draw_learned, learned, _notes(facts)), docs / FIGURES, STEM, csvs, "make learning")
    write_text(docs / TABLE, _long(tables).to_csv(index=False, float_format="%.6g", lineterminator="\n"))
    write_text(path, text)
    return [path, docs / TABLE, *paths]


def _notes(facts: Facts) -> list[str]:
    return [
        f"Learnt: PPO, judged without exploration on {facts.worlds} held-out worlds. Dots: single training seeds. "
        f"Intervals: {LEVEL:.0%}, {DRAWS:,} resamples of worlds and seeds as crossed units; with one seed, of worlds "
        "alone.",
        "Best fixed share: the peak of the trade-off curve, with its interval; pale: shares within 1 % of it. The "
        "curve moves one share and holds the mix of the rest; a trained policy chooses all of it, turn by turn.",
    ]


def _long(tables: Sequence[Judged]) -> pd.DataFrame:
    """Return every comparison of every context, with the mean of both sides."""
    parts = []
    for judged in tables:
        means = _by_policy(judged)["mean"]
        rows = judged.comparisons.assign(context=judged.context)
        rows["mean"], rows["other_mean"] = rows["policy"].map(means), rows["other"].map(means)
        parts.append(rows)
    if not parts:
        raise ResultsError("no trained policy has games beside another's; evaluate first")
    table = pd.concat(parts, ignore_index=True)
    numbers = ["difference", "low", "high", "improvement", "improvement_low", "improvement_high", "mean", "other_mean"]
    table[numbers] = table[numbers].astype(np.float64)  # estimates come as arrays of no axes, which no format rounds
    return table[["context", *[column for column in table.columns if column != "context"]]]
