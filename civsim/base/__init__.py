"""The base floor: constants, errors, configuration and keyed randomness. It imports nothing of civsim above it."""
