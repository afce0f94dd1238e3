"""A batch of worlds kept: as named arrays and as a file."""
