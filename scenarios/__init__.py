"""Frozen, typed descriptions of games and studies, their library, and the batch runner.

    load_scenario("ridges")                    a scenario of the library, or of a TOML file
    override(scenario, {"map.hazard": 0.05})   one with other settings
    load_study("tradeoff")                     a study of the library, or of a TOML file
    run_batch(study, "out/tradeoff")           its games, as Parquet parts with a manifest
    merge_results(["a", "b"], "out/all")       those of several machines, made one folder
    read_runs("out/tradeoff")                  the table they make
    query("out/tradeoff", "select …")          what SQL asks of the tables
    GameRecorder(world)                        records a game while it is played, by whatever face
    Replay(load_recording("game.rec"))         plays it again, bit for bit

Names are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from civsim.base.exports import lazily

if __name__ == "scenarios":
    raise ImportError("import civsim.scenarios, not scenarios: the folder is one of civsim's parts and ships inside it")

if TYPE_CHECKING:
    from civsim.scenarios.batch import run_batch as run_batch
    from civsim.scenarios.loader import content_hash as content_hash
    from civsim.scenarios.loader import dump_scenario as dump_scenario
    from civsim.scenarios.loader import list_scenarios as list_scenarios
    from civsim.scenarios.loader import load_scenario as load_scenario
    from civsim.scenarios.loader import loads_scenario as loads_scenario
    from civsim.scenarios.loader import override as override
    from civsim.scenarios.merge import merge_results as merge_results
    from civsim.scenarios.queries import query as query
    from civsim.scenarios.recordings.file import load_recording as load_recording
    from civsim.scenarios.recordings.file import save_recording as save_recording
    from civsim.scenarios.recordings.recorder import GameRecorder as GameRecorder
    from civsim.scenarios.recordings.replay import Replay as Replay
    from civsim.scenarios.results import read_civs as read_civs
    from civsim.scenarios.results import read_manifest as read_manifest
    from civsim.scenarios.results import read_maps as read_maps
    from civsim.scenarios.results import read_runs as read_runs
    from civsim.scenarios.results import read_series as read_series
    from civsim.scenarios.study import Study as Study
    from civsim.scenarios.study import list_studies as list_studies
    from civsim.scenarios.study import load_study as load_study
    from civsim.scenarios.study import loads_study as loads_study

_HOME = {
    "GameRecorder": "civsim.scenarios.recordings.recorder",
    "Replay": "civsim.scenarios.recordings.replay",
    "Study": "civsim.scenarios.study",
    "content_hash": "civsim.scenarios.loader",
    "dump_scenario": "civsim.scenarios.loader",
    "list_scenarios": "civsim.scenarios.loader",
    "list_studies": "civsim.scenarios.study",
    "load_recording": "civsim.scenarios.recordings.file",
    "load_scenario": "civsim.scenarios.loader",
    "load_study": "civsim.scenarios.study",
    "loads_scenario": "civsim.scenarios.loader",
    "loads_study": "civsim.scenarios.study",
    "merge_results": "civsim.scenarios.merge",
    "override": "civsim.scenarios.loader",
    "query": "civsim.scenarios.queries",
    "read_civs": "civsim.scenarios.results",
    "read_manifest": "civsim.scenarios.results",
    "read_maps": "civsim.scenarios.results",
    "read_runs": "civsim.scenarios.results",
    "read_series": "civsim.scenarios.results",
    "run_batch": "civsim.scenarios.batch",
    "save_recording": "civsim.scenarios.recordings.file",
}

__all__ = sorted(_HOME)

__getattr__, __dir__ = lazily("civsim.scenarios", _HOME, globals())
