"""Register the environments with Gymnasium. Light: only names, the environment itself is imported when it is made."""

from __future__ import annotations

from civsim.base.constants import RULES_VERSION

FIRST_RULES_VERSION = 1

ENVIRONMENT_ID = f"civsim/Civilization-v{RULES_VERSION - FIRST_RULES_VERSION}"
"""The rules' version travels in the id: v0 plays version 1 of the rules, and each later version counts one up."""

ENTRY_POINT = "civsim.scenarios.environment:make_civilization"
VECTOR_ENTRY_POINT = "civsim.scenarios.environment:make_civilizations"


def register_envs() -> None:
    """Make ``gymnasium.make("civsim/Civilization-v1", scenario=...)`` and ``make_vec`` work; again changes nothing."""
    import gymnasium

    if ENVIRONMENT_ID not in gymnasium.registry:
        gymnasium.register(id=ENVIRONMENT_ID, entry_point=ENTRY_POINT, vector_entry_point=VECTOR_ENTRY_POINT)
