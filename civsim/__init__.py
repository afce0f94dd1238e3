"""civsim: civilizations on a map, in fog, that split their output between muscle and thinking.

    import civsim

    scenario = civsim.load_scenario("baseline")
    world = civsim.World(scenario, n_worlds=64, seed=0)
    policies = civsim.seat_policies(scenario)
    while not world.done.all():
        record = world.step(policies.shares(world))

Every use case is one call, which the command line makes too: ``play``, ``run_study``, ``judge``, ``report``, ``train``,
``evaluate``, ``tournament``, ``query``.

Names are loaded when they are first used, so ``import civsim`` costs next to nothing. The Gymnasium environment
``civsim/Civilization-v1`` is registered as soon as both ``civsim`` and ``gymnasium`` are imported, in either order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from civsim import _gymnasium_hook
from civsim.base.exports import lazily

if TYPE_CHECKING:
    from civsim.agents import seat_policies as seat_policies
    from civsim.base.errors import ActionError as ActionError
    from civsim.base.errors import CheckpointError as CheckpointError
    from civsim.base.errors import CivsimError as CivsimError
    from civsim.base.errors import RecordingError as RecordingError
    from civsim.base.errors import ResultsError as ResultsError
    from civsim.base.errors import ScenarioError as ScenarioError
    from civsim.base.errors import SnapshotError as SnapshotError
    from civsim.base.errors import StudyError as StudyError
    from civsim.base.scenario import Scenario as Scenario
    from civsim.calls.evaluate import evaluate as evaluate
    from civsim.calls.learn import train as train
    from civsim.calls.play import play as play
    from civsim.calls.study import judge as judge
    from civsim.calls.study import report as report
    from civsim.calls.study import run_study as run_study
    from civsim.calls.tournament import tournament as tournament
    from civsim.engine.state import Orders as Orders
    from civsim.engine.state import State as State
    from civsim.engine.world import StepRecord as StepRecord
    from civsim.engine.world import World as World
    from civsim.scenarios import load_scenario as load_scenario
    from civsim.scenarios import query as query

_HOME = {
    "ActionError": "civsim.base.errors",
    "CheckpointError": "civsim.base.errors",
    "CivsimError": "civsim.base.errors",
    "Orders": "civsim.engine.state",
    "RecordingError": "civsim.base.errors",
    "ResultsError": "civsim.base.errors",
    "Scenario": "civsim.base.scenario",
    "ScenarioError": "civsim.base.errors",
    "SnapshotError": "civsim.base.errors",
    "State": "civsim.engine.state",
    "StepRecord": "civsim.engine.world",
    "StudyError": "civsim.base.errors",
    "World": "civsim.engine.world",
    "evaluate": "civsim.calls.evaluate",
    "judge": "civsim.calls.study",
    "load_scenario": "civsim.scenarios",
    "play": "civsim.calls.play",
    "query": "civsim.scenarios",
    "report": "civsim.calls.study",
    "run_study": "civsim.calls.study",
    "seat_policies": "civsim.agents",
    "tournament": "civsim.calls.tournament",
    "train": "civsim.calls.learn",
}

__all__ = sorted([*_HOME, "__version__"])


_load, __dir__ = lazily(__name__, _HOME, globals())


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("civsim")
    return _load(name)


_gymnasium_hook.install()
