"""civsim.analysis."""

from __future__ import annotations

if __name__ == "analysis":
    raise ImportError("import civsim.analysis, not analysis: the folder is one of civsim's parts and ships inside it")
