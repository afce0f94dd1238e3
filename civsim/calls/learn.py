"""Training a policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from civsim.calls.players import the_scenario

if TYPE_CHECKING:
    from civsim.agents.training.callbacks import Progress
    from civsim.agents.training.run import TrainReport
    from civsim.agents.training.settings import TrainSettings
    from civsim.base.scenario import Scenario

RUNS = Path("out/train")
"""Folder of runs that are given none."""


def train(
    scenario: str | Path | Scenario,
    out: str | Path | None = None,
    *,
    algorithm: str = "ppo",
    settings: Mapping[str, Any] | None = None,
    resume: bool = False,
    tensorboard: str | Path | None = None,
    progress: Progress | None = None,
    command: Sequence[str] = (),
    **chosen: Any,
) -> TrainReport:
    """Train an allocation policy; play it afterwards by the name ``file:OUT``.

        done = civsim.train("baseline", "out/mine", steps=200_000, seed=1)
        civsim.evaluate([str(done.folder)])

    Args:
        scenario: the game, by name, file or itself.
        out: the run folder; out/train/SCENARIO-ALGORITHM-SEED where left out.
        algorithm: ppo, a2c, sac or td3.
        settings: changes of the scenario, by dotted path.
        resume: go on with the run in ``out``, if there is one.
        tensorboard: folder for TensorBoard; in the run folder where left out.
        progress: called after each rollout.
        command: how it was started, for the record.
        **chosen: settings of the training and of the algorithm, as
            :func:`civsim.agents.training.settings.train_settings` takes them.

    Raises:
        CheckpointError: a setting of the training cannot be used, or the folder holds something else.
        ScenarioError: the scenario, a setting of it, a seat or a policy cannot be used.
    """
    game = the_scenario(scenario, settings)
    from civsim.agents.training.run import train as train_policy
    from civsim.agents.training.settings import train_settings

    asked = train_settings(algorithm, **chosen)
    folder = run_folder(game, asked, algorithm) if out is None else out
    return train_policy(game, folder, asked, progress, resume=resume, tensorboard=tensorboard, command=command)


def run_folder(scenario: Scenario, settings: TrainSettings, algorithm: str) -> Path:
    """Return the folder of a run that is given none."""
    return RUNS / f"{scenario.name}-{algorithm}-{settings.seed}"
