"""Staff housed in seats of thought: what is lost where one is captured."""

from __future__ import annotations

from civsim.base.constants import COGNITIVE
from civsim.base.kernels import kernel
from civsim.engine.offices.provinces import has_several

_STAFF = tuple(int(category) for category in COGNITIVE)


def _housed_at(state, cfg, b, i, cell):
    """Return the share of the staff of civilization ``i`` that the seats of thought on its ``cell`` hold, in [0, 1]."""
    if not has_several(state, cfg, b, i):
        return 1.0 if state.capital[b, i] == cell else 0.0
    housed = 0.0
    for office in range(state.office_count[b, i]):
        if state.office_cell[b, i, office] == cell:
            housed += state.office_weight[b, i, office]
    return min(housed, 1.0)


housed_at = kernel(_housed_at)


def _lose_staff(state, cfg, b, i, cell):
    """Take the staff lost with the seats of thought on ``cell``, if any stand there: ``lost`` of what they hold.

    Two do where a lost capital has moved to where another seat stands. What is left of them serves the realm. Shares of
    the staff follow, so that of seats that fall before provinces are drawn anew each takes what it would have taken
    first: of a staff of 1 there is left 1 - lost * (the sum of their shares).
    """
    taken = cfg.lost[i] * housed_at(state, cfg, b, i, cell)
    if taken == 0.0:
        return
    for category in _STAFF:
        state.stock[b, i, category] *= 1.0 - taken
    if has_several(state, cfg, b, i) and taken < 1.0:
        weight = state.office_weight[b, i]
        for office in range(state.office_count[b, i]):
            kept = 1.0 - cfg.lost[i] if state.office_cell[b, i, office] == cell else 1.0
            weight[office] *= kept / (1.0 - taken)


lose_staff = kernel(_lose_staff)
