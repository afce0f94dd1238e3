"""Pre-registered hypotheses: the tests a study file may name, the evidence they return, and the verdict."""
