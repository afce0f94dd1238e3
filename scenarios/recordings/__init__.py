"""Games recorded while they are played, kept as small files, and played again."""
