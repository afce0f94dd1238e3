"""Record: every objective is credited, the flow of the scenario's own is the reward, and the turn ends."""

from __future__ import annotations

import math

from civsim.base.constants import Objective
from civsim.base.kernels import kernel


def _share_of_output(state, cfg, b, i):
    """Return civilization ``i``'s share of the world's output this turn, 0 where nothing was produced."""
    total = 0.0
    for j in range(cfg.n_civs):
        if state.alive[b, j]:
            total += state.output[b, j]
    return state.output[b, i] / total if total > 0.0 else 0.0


share_of_output = kernel(_share_of_output)


def _credit(state, cfg, b, i):
    """Add the turn to every objective of a living civilization; the reward is the flow of the scenario's own.

    The flow is not discounted: a learner that discounts by γ maximises the discounted sum, which is the objective.
    """
    utility = state.utility[b, i]
    weight = cfg.weight[state.turn[b]]
    consumption = float(state.consumption[b, i])
    output = float(state.output[b, i])
    welfare = math.log1p(consumption / cfg.consumption_scale)
    share = share_of_output(state, cfg, b, i) if state.turn[b] == cfg.turns - 1 else 0.0
    utility[Objective.WELFARE] += weight * welfare
    utility[Objective.CONSUMPTION] += weight * consumption
    utility[Objective.OUTPUT] += output
    utility[Objective.SHARE] += share
    if cfg.objective == Objective.WELFARE:
        state.reward[b, i] = welfare
    elif cfg.objective == Objective.CONSUMPTION:
        state.reward[b, i] = consumption
    elif cfg.objective == Objective.OUTPUT:
        state.reward[b, i] = output
    else:
        state.reward[b, i] = share


credit = kernel(_credit)


def _record(state, orders, cfg, key, work):
    """Last rule of a turn: credit the living (one eliminated this turn gets nothing), then advance the clock."""
    for b in range(work.lo, work.hi):
        if state.turn[b] >= cfg.turns:
            state.reward[b, :] = 0.0
            continue
        for i in range(cfg.n_civs):
            if state.alive[b, i]:
                credit(state, cfg, b, i)
            else:
                state.reward[b, i] = 0.0
        state.turn[b] += 1


record = kernel(_record)
