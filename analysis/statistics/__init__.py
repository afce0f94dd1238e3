"""Estimators: arrays or tidy tables in, numbers with intervals out. Each statistic is one pure function."""
