"""What a run folder says of itself: the scenario, the settings, the versions and the command that made it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from civsim.agents.checkpoint import MAX_CONFIG_BYTES, brief, scenario_from
from civsim.agents.training.settings import TrainSettings, checked_settings
from civsim.base.constants import RULES_VERSION
from civsim.base.errors import CheckpointError
from civsim.base.files import write_text
from civsim.base.scenario import Frozen

CONFIG = "config.json"

FREE = ("steps", "eval_freq", "save_freq", "threads", "device")
"""Settings that may change when a run is resumed: what is learnt does not depend on them, but for the last bits of
another device, and for the number of turns where something falls with it."""

_FALLING = ("final_rate", "final_log_std")


class RunConfig(Frozen):
    """The content of a run's ``config.json``."""

    format: Literal[1] = Field(1, description="version of this layout")
    rules: int = Field(RULES_VERSION, description="version of the world's rules")
    scenario: dict[str, Any] = Field(description="every setting of the game")
    settings: dict[str, Any] = Field(description="every setting of the training")
    command: tuple[str, ...] = Field((), description="the command that began or last resumed it")
    versions: dict[str, str] = Field(description="versions of Python and the libraries")


def save_run_config(run: Path, config: RunConfig) -> None:
    """Write a run's configuration, whole."""
    text = json.dumps(config.model_dump(mode="json"), indent=2, sort_keys=True)
    write_text(run / CONFIG, text + "\n")


def load_run_config(run: Path) -> RunConfig:
    """Return a run's configuration.

    Raises:
        CheckpointError: it is missing, damaged, or of another release.
    """
    path = run / CONFIG
    if not path.is_file() or path.stat().st_size > MAX_CONFIG_BYTES:
        raise CheckpointError(f"{str(run)!r} is no training run: it holds no {CONFIG}; give another folder")
    try:
        return RunConfig.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError, ValidationError) as error:
        raise CheckpointError(f"{str(path)!r} is damaged ({brief(error)}); train again") from None


def run_settings(config: RunConfig) -> TrainSettings:
    """Return the settings a run was begun with. Raises CheckpointError where they are not this release's."""
    return checked_settings(config.settings)


def check_same(saved: RunConfig, wanted: RunConfig, run: Path) -> None:
    """Refuse to go on with a run under another scenario or other settings.

    Raises:
        CheckpointError: something differs that the weights depend on; the message names the first such setting.
    """
    if saved.rules != wanted.rules:
        raise CheckpointError(f"{str(run)!r}: rules={saved.rules} but this release plays {wanted.rules}; train again")
    if scenario_from(saved.scenario) != scenario_from(wanted.scenario):
        raise CheckpointError(
            f"{str(run)!r} trains on {saved.scenario.get('name')!r} with other settings of the game; "
            "resume with the scenario it was begun with"
        )
    falls = [name for name in _FALLING if (wanted.settings["learner"] or {}).get(name) is not None]
    if falls and saved.settings.get("steps") != wanted.settings["steps"]:
        raise CheckpointError(
            f"{str(run)!r} was begun with steps={saved.settings.get('steps')}, by which {falls[0]} falls; "
            "leave it as it was, or train in a new folder"
        )
    # Read as settings first: what an older release did not have, it did as the default does.
    begun = run_settings(saved).model_dump(mode="json")
    for name, value in wanted.settings.items():
        if name not in FREE and begun[name] != value:
            raise CheckpointError(
                f"{str(run)!r} was begun with {name}={brief(begun[name])}, not {brief(value)}; "
                "leave it as it was, or train in a new folder"
            )
