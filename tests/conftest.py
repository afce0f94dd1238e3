"""What every test shares: reproducible property tests, no window system, and a kernel cache for each worker."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import settings

os.environ.setdefault("MPLBACKEND", "Agg")

# Numba's cache is not safe while several processes compile at once, so each pytest-xdist worker has its own.
_worker = os.environ.get("PYTEST_XDIST_WORKER")
if _worker:
    _cache = os.environ.get("NUMBA_CACHE_DIR") or Path(__file__).resolve().parents[1] / ".numba_cache" / "pytest"
    os.environ["NUMBA_CACHE_DIR"] = str(Path(_cache) / _worker)

settings.register_profile("civsim", deadline=None, derandomize=True, database=None, max_examples=50)
settings.load_profile("civsim")
