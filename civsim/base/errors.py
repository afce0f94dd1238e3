"""Every error civsim raises on purpose. Each message is one line: the value, the limit, the remedy.

CivsimError (ValueError)
├── ScenarioError      a scenario file or a setting in it
├── StudyError         a study file or its design
├── ActionError        shares or orders given to a step
├── SnapshotError      a saved world
├── RecordingError     a recorded game
├── ResultsError       a results folder or table
└── CheckpointError    a trained policy on disk
"""

from __future__ import annotations


class CivsimError(ValueError):
    """Base of all errors a user can cause; the command line prints it as one line and exits with code 2."""


class ScenarioError(CivsimError):
    """A scenario, or a setting in it, cannot be used."""


class StudyError(CivsimError):
    """A study file, or the design in it, cannot be used."""


class ActionError(CivsimError):
    """Shares or orders given to a step are malformed."""


class SnapshotError(CivsimError):
    """A saved world cannot be restored."""


class RecordingError(CivsimError):
    """A game cannot be recorded, or a recorded one cannot be replayed."""


class ResultsError(CivsimError):
    """A results folder or one of its tables cannot be used."""


class CheckpointError(CivsimError):
    """A saved policy cannot be loaded."""
