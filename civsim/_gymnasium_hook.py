"""Register the Gymnasium environment once Gymnasium is imported, without importing Gymnasium.

Gymnasium 1.x no longer loads plug-ins from entry points, and ``gymnasium.make`` looks only at what is registered. Were
``import civsim`` to import Gymnasium for that, every command would pay for it; so a finder waits for it instead.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_WATCHED = "gymnasium"
_REGISTRATION = "civsim.faces.registration"


def _register() -> None:
    import_module(_REGISTRATION).register_envs()


class _ThenRegister(Loader):
    """A loader that loads as ``inner`` does, then registers civsim's environment and ends the wait."""

    def __init__(self, inner: Loader, watcher: MetaPathFinder) -> None:
        self._inner = inner
        self._watcher = watcher

    def __getattr__(self, name: str) -> Any:
        # Whoever only asks about Gymnasium may ask its loader for a file name or a resource.
        return getattr(self._inner, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Create the module as the inner loader does."""
        return self._inner.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Execute the module under its own loader (which it keeps), then register."""
        if module.__spec__ is not None:
            module.__spec__.loader = self._inner
        module.__loader__ = self._inner
        self._inner.exec_module(module)
        if self._watcher in sys.meta_path:
            sys.meta_path.remove(self._watcher)
        _register()


class _Watcher(MetaPathFinder):
    """A finder that answers for Gymnasium until Gymnasium is imported: to be asked about it is not to be imported."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return Gymnasium's own specification with a loader that also registers; None for anything else."""
        if fullname != _WATCHED:
            return None
        others = [finder for finder in sys.meta_path if finder is not self]
        found = (finder.find_spec(fullname, path, target) for finder in others)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _ThenRegister(spec.loader, self)
        return spec


def install() -> None:
    """Register now if Gymnasium is imported, else when it is. Calling it again changes nothing."""
    if _WATCHED in sys.modules:
        _register()
    elif not any(isinstance(finder, _Watcher) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Watcher())
