"""What trained policies achieved: evaluations, learning curves, learnt shares."""
