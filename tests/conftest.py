"""What every test shares: reproducible property tests and no window system."""

from __future__ import annotations

import os

from hypothesis import settings

os.environ.setdefault("MPLBACKEND", "Agg")

settings.register_profile("civsim", deadline=None, derandomize=True, database=None, max_examples=50)
settings.load_profile("civsim")
