"""What a civilization may know of the world: the only door between the planner and :class:`~civsim.engine.state.State`.

The truth and what is known of it stand in one record, so a planner kernel that reads ``state.ore[b, c]`` reads the
truth. Each kernel here answers for civilization ``i`` of world ``b`` and looks at the truth only where that
civilization may: at own land and own means, at what lasts of a cell once seen, at a band in sight. Where it may not,
it says so, or returns what the caller gave to be believed ``otherwise``.
"""
