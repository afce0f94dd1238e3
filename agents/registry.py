"""The registry of allocation policies: every policy has a name, and a scenario names one for each seat.

Trained policies need no line here: ``file:FOLDER`` is what a training saved, ``zoo:NAME`` what ships with civsim. Nor
do own ones (see :mod:`civsim.agents.own`): ``module:name`` and ``path/to/file.py:name`` are found where they are, and
an installed package may offer policies under names, as entry points of the group ``civsim.policies``.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from civsim.agents.checkpoint import load_config, load_policy
from civsim.agents.own import GROUP, OwnPolicy, own_policy
from civsim.agents.policy import Policy, SeatPolicies
from civsim.agents.zoo import zoo_folder
from civsim.base.constants import RULES_VERSION
from civsim.base.errors import CivsimError, ScenarioError
from civsim.base.own import Reference, parse_reference, plugins, source_digest_of, source_digest_of_object
from civsim.base.scenario import Frozen, Scenario
from civsim.faces.answers import likely

FILE_PREFIX = "file:"
"""A policy called ``file:FOLDER`` is the trained policy saved in that folder."""

ZOO_PREFIX = "zoo:"
"""A policy called ``zoo:NAME`` is the trained policy of that name that ships with civsim."""


class NoParams(Frozen):
    """Parameters of a policy that has none."""


P = TypeVar("P", bound=Frozen)
_REGISTRY: dict[str, tuple[type[Frozen], Callable[[Any, Scenario], Policy]]] = {}


def register(name: str, params: type[P], factory: Callable[[P, Scenario], Policy]) -> None:
    """Add a policy to the registry: its name, the table of its parameters, and what makes it from them.

    Raises:
        ValueError: the name is taken, or begins like a trained policy's.
    """
    if name in _REGISTRY or name.startswith((FILE_PREFIX, ZOO_PREFIX)):
        raise ValueError(f"policy name {name!r} is taken; choose another")
    _REGISTRY[name] = (params, factory)


def policy_names() -> tuple[str, ...]:
    """Return the names of the registered policies and of those that installed packages offer, sorted."""
    return tuple(sorted({*_REGISTRY, *_offered()}))


def own_reference(name: str) -> Reference | None:
    """Return where the own policy called ``name`` is; None for a registered or trained one, and for an unknown one.

    Raises:
        ScenarioError: installed packages offer what they may not.
    """
    if name in _REGISTRY or name.startswith((FILE_PREFIX, ZOO_PREFIX)):
        return None
    return parse_reference(_offered().get(name, name))


def policy_source(name: str) -> str | None:
    """Return the SHA-256 (64 hexadecimal digits) of an own policy's code; None for any other, and for an unknown one.

    Own are those found by ``module:name``, in a file or in an installed package, and those registered from outside
    civsim. See :func:`civsim.base.own.source_digest_of`.

    Raises:
        ScenarioError: its code cannot be read, is in no file, or has changed since it was loaded.
    """
    reference = own_reference(name)
    try:
        if reference is not None:
            return source_digest_of(reference, "policy")
        if name in _REGISTRY:
            return source_digest_of_object(_REGISTRY[name][1], f"policy {name!r}")
    except CivsimError as error:
        raise ScenarioError(str(error)) from None
    return None


def policy_params(name: str) -> type[Frozen]:
    """Return the table of a policy's parameters, a pydantic model.

    Raises:
        ScenarioError: no policy has that name, or a trained one has.
    """
    if name in _REGISTRY:
        return _REGISTRY[name][0]
    reference = own_reference(name)
    if reference is None:
        raise ScenarioError(f"policy {name!r} is unknown; {likely(name, policy_names())}")
    return own_policy(reference).params


def make_policy(name: str, params: Mapping[str, Any] | None, scenario: Scenario) -> Policy:
    """Return the policy called ``name``.

    ``file:FOLDER`` is the trained policy of a checkpoint or a training run, ``zoo:NAME`` one that ships with civsim. An
    entry of the zoo that was trained under other rules plays on, with a warning; a folder's policy is refused.
    ``module:name`` and ``path/to/file.py:name`` are policies of one's own (see :mod:`civsim.agents.own`); a relative
    path is looked for in the working folder.

    Raises:
        ScenarioError: no such policy, or a parameter that is unknown, out of range or of no effect; or the code of an
            own policy fails.
        CheckpointError: the folder holds no policy this release can play, or the zoo has no such entry.
    """
    given = dict(params or {})
    reference = own_reference(name)
    if name.startswith((FILE_PREFIX, ZOO_PREFIX)):
        if given:
            raise ScenarioError(f"policy {name} takes no parameters; drop {', '.join(map(str, given))}")
        return _trained(name)
    if reference is None and name not in _REGISTRY:
        raise ScenarioError(f"policy {name!r} is unknown; {likely(name, policy_names())}")
    own: OwnPolicy | None = None if reference is None else own_policy(reference)
    schema = _REGISTRY[name][0] if own is None else own.params
    try:
        checked = schema(**given)
    except ValidationError as error:
        raise ScenarioError(_one_line(name, schema, error)) from None
    return _REGISTRY[name][1](checked, scenario) if own is None else own.make(checked, scenario)


def seat_policies(scenario: Scenario, replace: Mapping[int, Policy] | None = None) -> SeatPolicies:
    """Return the policies that a scenario names for its seats.

    Args:
        scenario: the game.
        replace: policies for some seats instead of the scenario's.

    Raises:
        ScenarioError: a policy or a parameter of it is unknown or out of range.
        CheckpointError: a ``file:`` or ``zoo:`` policy cannot be loaded.
    """
    made: dict[str, Policy] = {}
    chosen: list[Policy] = []
    for seat in range(scenario.game.civilizations):
        if replace is not None and seat in replace:
            chosen.append(replace[seat])
            continue
        wanted = scenario.seat(seat).policy
        key = json.dumps([wanted.name, wanted.params], sort_keys=True, default=str)
        if key not in made:
            made[key] = make_policy(wanted.name, wanted.params, scenario)
        chosen.append(made[key])
    return SeatPolicies(chosen)


def _offered() -> Mapping[str, str]:
    """Return what installed packages offer. Raises :class:`ScenarioError` where a name is taken."""
    try:
        found = plugins(GROUP)
    except CivsimError as error:
        raise ScenarioError(str(error)) from None
    for name in _REGISTRY.keys() & found.keys():
        raise ScenarioError(f"policy {name!r} is registered, and {found[name]} is offered as it; uninstall its package")
    return found


def _trained(name: str) -> Policy:
    if name.startswith(FILE_PREFIX):
        return load_policy(name.removeprefix(FILE_PREFIX))
    folder = zoo_folder(name.removeprefix(ZOO_PREFIX))
    rules = load_config(folder, allow_rules=True).rules
    if rules != RULES_VERSION:
        warnings.warn(f"{name} was trained under rules version {rules} and plays under {RULES_VERSION}", stacklevel=3)
    return load_policy(folder, allow_rules=True)


def _hint(name: str, known: Mapping[str, object]) -> str:
    return f"; {likely(name, sorted(known))}"


def _one_line(name: str, schema: type[Frozen], error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        hint = _hint(where, schema.model_fields) if schema.model_fields else "; it takes none"
        return f"policy {name!r} has no parameter {where!r}{hint}"
    message = " ".join(str(first["msg"]).removeprefix("Value error, ").split())
    if not where:
        return f"policy {name!r}: {message}"
    value = " ".join(repr(first["input"]).split())
    return f"policy {name!r}: {where}={value[:60]}: {message}"
