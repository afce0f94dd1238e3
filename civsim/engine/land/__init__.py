"""The land of a world: its grid, random fields, and drawn or given maps."""
