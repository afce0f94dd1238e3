"""How an environment was made, kept so that it can be written as JSON and made again from it."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from gymnasium.envs.registration import EnvSpec

from civsim.base.scenario import Scenario

_HELD = "_spec"


class WrittenSpec:
    """The attribute ``spec`` of an environment: Gymnasium's own, its arguments in plain words.

    ``gymnasium.make`` notes the arguments as they were given. A scenario among them is kept as the table of what it
    states, which the same argument takes, a path and a mode as texts: ``env.spec.to_json()`` then works, and so does
    ``gymnasium.make(EnvSpec.from_json(...))``.
    """

    def __get__(self, env: Any, owner: type | None = None) -> EnvSpec | None:
        """Return how the environment was made; None for one that Gymnasium did not make."""
        return None if env is None else env.__dict__.get(_HELD)

    def __set__(self, env: Any, spec: EnvSpec | None) -> None:
        """Keep it, in plain words."""
        if spec is not None:
            spec = copy.copy(spec)
            spec.kwargs = {name: _plain(value) for name, value in spec.kwargs.items()}
        env.__dict__[_HELD] = spec


def _plain(value: Any) -> Any:
    if isinstance(value, Scenario):
        return json.loads(json.dumps(value.model_dump(exclude_unset=True)))
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    return {key: _plain(item) for key, item in value.items()} if isinstance(value, Mapping) else value
