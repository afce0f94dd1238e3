"""Planted truths: for each estimator a synthetic case whose answer is known, and how often its interval covers it."""
