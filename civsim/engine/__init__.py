"""The engine: one batch of worlds, one step, one truth per rule."""
