"""Seats of thought: provinces, what each seat knows and hears, what it may spend, and who commands when."""
