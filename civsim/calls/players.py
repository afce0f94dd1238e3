"""Who plays: policies by name, checkpoints and training runs by folder; and the scenario they share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from civsim.base.errors import CheckpointError, ScenarioError

if TYPE_CHECKING:
    from civsim.agents import Policy
    from civsim.base.scenario import Scenario

_NOT_A_KIND = frozenset({"seed", "threads", "device"})
"""Training settings in which runs of one kind may differ."""

_PARTS = ("best", "last", "checkpoints")
_JOINTS = "-_. /"


class Player(NamedTuple):
    """One policy to play: a registered one (no folder), or a trained one: of a run, a checkpoint or the zoo."""

    text: str  # as it was given
    folder: Path | None  # of a checkpoint or a run
    name: str  # what make_policy takes
    label: str  # short name for tables


class PlayerKind(NamedTuple):
    """Runs that differ in their training seed alone, or one policy."""

    label: str
    members: tuple[Player, ...]


def find_players(texts: Sequence[str]) -> list[Player]:
    """Return who is meant by each text: a policy's name, a folder of a checkpoint or a run, or ``file:FOLDER``.

    ``zoo:NAME``, ``module:name`` and ``file.py:name`` are policies' names too. One text alone is one player.

    Raises:
        CheckpointError: a text is neither, or is given twice.
    """
    found = [_player(text) for text in ([texts] if isinstance(texts, str) else texts)]
    for place, player in enumerate(found):
        if player.name in [other.name for other in found[:place]]:
            raise CheckpointError(f"{player.text!r} is given twice; give it once")
    return found


def _player(text: str) -> Player:
    from civsim.agents import policy_names
    from civsim.agents.registry import FILE_PREFIX, ZOO_PREFIX, own_reference
    from civsim.scenarios.complaints import did_you_mean, show_value

    if text in policy_names() or (own_reference(text) is not None and not Path(text).is_dir()):
        return Player(text, None, text, text)
    if text.startswith(ZOO_PREFIX):
        from civsim.agents.zoo import zoo_folder

        return Player(text, zoo_folder(text.removeprefix(ZOO_PREFIX)), text, text)
    path = Path(text.removeprefix(FILE_PREFIX))
    if not text or not path.is_dir():
        remedy = did_you_mean(text, policy_names())
        raise CheckpointError(f"{show_value(text)} is neither a policy nor a folder; {remedy}")
    folder = path.resolve()
    parts = [folder.name]
    for above in folder.parents:
        if parts[0] not in _PARTS and not parts[0].startswith("step_"):
            break
        parts.insert(0, above.name)
    return Player(text, folder, f"{FILE_PREFIX}{folder}", "/".join(parts))


def group_kinds(players: Sequence[Player], taken: Sequence[PlayerKind] = ()) -> list[PlayerKind]:
    """Return the players by kind, in the order given: runs of one setting and scenario, of different seeds, are one.

    Runs that share their training seed are no independent trainings but checkpoints or copies of one: each is a kind of
    its own, and so is one that does not say its seed. A policy of the zoo stays by itself: it may be one of the runs. A
    label is made unique among the kinds and those already ``taken``.

    Raises:
        CheckpointError: a folder holds no checkpoint this release can play.
    """
    trainings = [_training(player) for player in players]
    groups: dict[str, list[Player]] = {}
    for player, training in zip(players, trainings, strict=True):
        independent = training is not None and trainings.count(training) == 1
        groups.setdefault(training.kind if training is not None and independent else player.name, []).append(player)
    kinds: list[PlayerKind] = []
    for members in groups.values():
        used = [kind.label for kind in (*taken, *kinds)]
        label = _common(members)
        names = (label, *(f"{label} #{number}" for number in range(2, len(used) + 2)))
        kinds.append(PlayerKind(next(name for name in names if name not in used), tuple(members)))
    return kinds


class _Training(NamedTuple):
    """What a player was trained by."""

    kind: str  # all that runs of one kind share, as text
    seed: str  # as text, because a file may say anything


def _training(player: Player) -> _Training | None:
    """Return what trained a player, or None for one that is never pooled."""
    from civsim.agents.checkpoint import load_config
    from civsim.agents.registry import ZOO_PREFIX

    if player.folder is None or player.name.startswith(ZOO_PREFIX):
        return None
    config = load_config(player.folder)
    if "seed" not in config.settings:
        return None
    settings = {name: value for name, value in config.settings.items() if name not in _NOT_A_KIND}
    said = config.model_dump(mode="json", include={"algorithm", "head", "hidden", "scenario"})
    return _Training(json.dumps([said, settings], sort_keys=True, default=str), json.dumps(config.settings["seed"]))


def _common(members: Sequence[Player]) -> str:
    """Return a name for runs together: what their names begin with, and how many they are."""
    if len(members) == 1:
        return members[0].label
    letters = takewhile(lambda pair: len(set(pair)) == 1, zip(*(member.label for member in members), strict=False))
    start = "".join(pair[0] for pair in letters).rstrip(_JOINTS).removesuffix("seed").rstrip(_JOINTS)
    return f"{start or members[0].label} ×{len(members)}"


def shared_scenario(
    scenario: str | Path | Scenario | None, settings: Mapping[str, Any], players: Sequence[Player]
) -> Scenario:
    """Return a scenario, or the one the trained players were trained on, with ``settings`` changed.

    Raises:
        ScenarioError: no scenario is given and the players do not share one, or it cannot be used.
        CheckpointError: a folder holds no checkpoint this release can play.
    """
    from civsim.agents.checkpoint import load_config, scenario_of
    from civsim.scenarios import content_hash

    if scenario is not None:
        return the_scenario(scenario, settings)
    trained = [player for player in players if player.folder is not None]
    if not trained:
        raise ScenarioError("no player was trained on a scenario; name a scenario")
    folders = [player.folder for player in trained if player.folder is not None]
    scenarios = [scenario_of(load_config(folder, allow_rules=True)) for folder in folders]
    for player, other in zip(trained, scenarios, strict=True):
        if content_hash(other) != content_hash(scenarios[0]):
            both = f"{trained[0].text!r} and {player.text!r}"
            raise ScenarioError(f"{both} were trained on different scenarios; name a scenario")
    return the_scenario(scenarios[0], settings)


def the_scenario(scenario: str | Path | Scenario, settings: Mapping[str, Any] | None = None) -> Scenario:
    """Return a scenario, given itself or by a library name or a file, with ``settings`` changed, by dotted path.

    Raises:
        ScenarioError: it cannot be read, or a setting cannot be used.
    """
    from civsim.base.scenario import Scenario
    from civsim.scenarios import load_scenario, override

    game = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    return override(game, settings) if settings else game


def make_player(player: Player, scenario: Scenario) -> Policy:
    """Return the policy of a player. Raises as :func:`civsim.agents.make_policy` does."""
    from civsim.agents import make_policy

    return make_policy(player.name, {}, scenario)


def check_out(out: str | Path | None) -> None:
    """Check a folder for results before anything is played. Raises :class:`CheckpointError`."""
    if out is None:
        return
    folder = Path(out)
    nearest = next((above for above in (folder, *folder.parents) if above.exists()), Path())
    if not nearest.is_dir():
        raise CheckpointError(f"out {str(out)!r}: {str(nearest)!r} is a file; give the name of a folder")
