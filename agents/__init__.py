"""Allocation policies: scripted and learned. A policy turns what its civilization knows into shares of output.

``make_policy(name, params, scenario)`` makes one by name, ``seat_policies(scenario)`` all that a scenario names.
Training is in :mod:`civsim.agents.training`, imported only when it is used.
"""

from __future__ import annotations

if __name__ == "agents":
    raise ImportError("import civsim.agents, not agents: the folder is one of civsim's parts and ships inside it")

from civsim.agents import scripted as _scripted
from civsim.agents import simple as _simple
from civsim.agents.checkpoint import load_policy
from civsim.agents.network import LearnedPolicy
from civsim.agents.policy import Policy, PolicyContext, SeatPolicies, play
from civsim.agents.registry import make_policy, policy_names, policy_params, register, seat_policies

__all__ = [
    "LearnedPolicy",
    "Policy",
    "PolicyContext",
    "SeatPolicies",
    "load_policy",
    "make_policy",
    "play",
    "policy_names",
    "policy_params",
    "register",
    "seat_policies",
]

del _scripted, _simple
