"""Policies of one's own, by name: the contract that the object behind ``module:name`` or ``file.py:name`` keeps.

It is a class or function called with the scenario, then with its parameters by keyword, that returns a policy
(:class:`civsim.agents.Policy`):

    class Thrifty:
        needs_observation = False

        def __init__(self, scenario: Scenario, consumption: float = 0.5) -> None: ...

        def __call__(self, observation, context): ...      # shares, float32 [B, S, 8]

The parameters are those of its signature: a scenario gives them as ``policy.params``, their types and unknown names are
checked as those of any other policy, and one without a default must be given.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from pydantic import PydanticUserError, create_model

from civsim.agents.policy import Policy
from civsim.base.errors import CivsimError, ScenarioError
from civsim.base.own import Reference, explain_fault, load_own
from civsim.base.scenario import Frozen, Scenario

GROUP = "civsim.policies"
"""Group of entry points by which an installed package offers policies."""

_PLACED = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class OwnPolicy(NamedTuple):
    """What makes a policy of one's own."""

    shown: str  # how messages call it
    params: type[Frozen]  # the table of its parameters
    factory: Callable[..., Any]

    def make(self, params: Frozen, scenario: Scenario) -> Policy:
        """Return the policy for a scenario.

        Raises:
            ScenarioError: its code fails, or what it returns is no policy.
        """
        given = {name: getattr(params, name) for name in type(params).model_fields}
        try:
            made = self.factory(scenario, **given)
        except CivsimError:
            raise
        except Exception as error:
            raise ScenarioError(f"{self.shown} cannot be made: {explain_fault(error)}; correct it") from None
        if not callable(made):
            raise ScenarioError(f"{self.shown} makes {type(made).__name__}, which cannot be called; return a policy")
        if not isinstance(getattr(made, "needs_observation", None), bool):
            raise ScenarioError(f"{self.shown} does not say needs_observation; set it to True or False")
        policy: Policy = made
        return policy


def own_policy(reference: Reference) -> OwnPolicy:
    """Return what a reference names, after reading which parameters it takes.

    Raises:
        ScenarioError: there is no such file, module or name, its code fails, or it cannot be called with a scenario.
    """
    shown = f"policy {str(reference)!r}"
    try:
        factory = load_own(reference, "policy")
    except CivsimError as error:
        raise ScenarioError(str(error)) from None
    if not callable(factory):
        raise ScenarioError(f"{shown} is {type(factory).__name__}; name a class or function that makes a policy")
    return OwnPolicy(shown, _params(factory, reference.name.rpartition(".")[2], shown), factory)


def _params(factory: Callable[..., Any], name: str, shown: str) -> type[Frozen]:
    """Return the table of the parameters that a factory takes beside the scenario."""
    try:
        first, *rest = inspect.signature(factory, eval_str=True).parameters.values()
    except ValueError:
        raise ScenarioError(f"{shown} takes nothing; let it take the scenario first") from None
    except Exception as error:
        raise ScenarioError(f"{shown}: its signature cannot be read: {explain_fault(error)}; correct it") from None
    if first.kind not in _PLACED:
        raise ScenarioError(f"{shown} takes {first} first; let it take the scenario")
    unnamed = [str(parameter) for parameter in rest if parameter.kind not in _NAMED]
    if unnamed:
        raise ScenarioError(f"{shown} takes {unnamed[0]}; name each parameter, so that unknown ones can be refused")
    empty = inspect.Parameter.empty
    fields: dict[str, Any] = {
        parameter.name: (
            Any if parameter.annotation is empty else parameter.annotation,
            ... if parameter.default is empty else parameter.default,
        )
        for parameter in rest
    }
    try:
        return create_model(f"{name}Params", __base__=Frozen, **fields)
    except (PydanticUserError, NameError, TypeError) as error:
        raise ScenarioError(f"{shown}: a parameter cannot be read from a file: {explain_fault(error)}") from None
