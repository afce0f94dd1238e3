"""What a civilization may observe: the table of features and the kernels that fill it."""
