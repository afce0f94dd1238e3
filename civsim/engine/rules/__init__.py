"""The rules of a turn, in order. A rule is one file and its line here: f(state, orders, cfg, key, work)."""
