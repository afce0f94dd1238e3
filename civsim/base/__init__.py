"""The base floor: constants, errors, configuration and keyed randomness. It imports nothing of civsim above it."""

from time import time

IMPORTED = time()
"""When this process began to import civsim, in seconds since the epoch; a source file that is newer is not what runs.

It stands here because a package is imported before anything in it.
"""
