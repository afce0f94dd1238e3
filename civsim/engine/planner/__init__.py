"""The planner: what to order, from knowledge, region, levels and funds alone."""
