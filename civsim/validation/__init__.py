"""Known answers: cases in which theory or brute force says what the simulator must do, and whether it does."""
