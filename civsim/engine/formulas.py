"""Formulas shared by the rules and the planner: one truth for each, plain functions compiled by a separate line."""

from __future__ import annotations

from civsim.base.constants import TIE, Draw, Price, Witness
from civsim.base.kernels import kernel
from civsim.base.randomness import uniform
from civsim.base.scenario import MAX_LEVEL

FORCE_WEIGHT = 1.0
"""Attacks behind the prior of their force: it is the size of one, not a frequency."""

_ROUNDING = 1e-9
_LINEAR = 1.0
_SQUARE = 2.0
_HALF = 0.5


def _win_chance(attack, defence, decisiveness):
    """Return p = a^m / (a^m + d^m), ½ if both are 0: the contest success function of Tullock (1980)."""
    if attack <= 0.0:
        return 0.5 if defence <= 0.0 else 0.0
    if defence <= 0.0:
        return 1.0
    ratio = defence / attack
    if decisiveness == _LINEAR:
        return 1.0 / (1.0 + ratio)
    if decisiveness == _SQUARE:
        return 1.0 / (1.0 + ratio * ratio)
    return 1.0 / (1.0 + ratio**decisiveness)


win_chance = kernel(_win_chance)


def _force_price(state, cfg, b, i):
    """Return what a unit of force costs civilization ``i`` in world ``b`` (output)."""
    return cfg.force_price[i] * state.price_factor[b, Price.FORCE]


force_price = kernel(_force_price)


def _channel_price(state, cfg, b, i, channel):
    """Return the price of a first level of ``channel`` to civilization ``i`` in world ``b`` (staff)."""
    return cfg.price[i, channel] * state.price_factor[b, channel]


channel_price = kernel(_channel_price)


def _power_int(base, exponent):
    """Return base^exponent for an integer exponent ≥ 0, exact for bases 0 and 1."""
    result = 1.0
    while exponent > 0:
        if exponent & 1:
            result *= base
        base *= base
        exponent >>= 1
    return result


power_int = kernel(_power_int)


def _bought_level(staff, price, cells, span, inverse_curvature):
    """Return ⌊(staff / (price · cells^s))^(1/γ)⌋, an integer ≥ 0 (design: levels follow from stocks)."""
    unit = price
    if cells > 1 and span > 0.0:
        unit = price * float(cells) ** span
    ratio = staff / unit
    if ratio <= 0.0:
        return 0
    if inverse_curvature != _LINEAR:
        ratio = ratio**inverse_curvature
    return int(min(ratio, float(MAX_LEVEL)) + _ROUNDING)


bought_level = kernel(_bought_level)


def _claim_base(cost, rugged_cost, ruggedness):
    """Return the cost of a claim before growth: cost · (1 + ruggedness_cost · R) (output)."""
    return cost * (1.0 + rugged_cost * ruggedness)


claim_base = kernel(_claim_base)


def _claim_growth(growth, holdings):
    """Return 1 + growth · (holdings − 1): claims cost more as a realm, parties under way included, grows."""
    return 1.0 + growth * max(holdings - 1, 0)


claim_growth = kernel(_claim_growth)


def _work_cost(cost, growth, works):
    """Return the cost of a work where D = works: cost · (1 + growth · D) (output)."""
    return cost * (1.0 + growth * works)


work_cost = kernel(_work_cost)


def _site_chance(high, age, memory):
    """Return the probability that a volatile site seen ``age`` turns ago is high now: ½ ± ½ (1 − 2p)^age."""
    swing = 0.5 * memory**age
    return 0.5 + swing if high else 0.5 - swing


site_chance = kernel(_site_chance)


def _rank(key, world, entity):
    """Return the tie-breaking rank of an entity: one keyed draw a game, common to all arms and turns."""
    return uniform(key, world, 0, entity, Draw.TIE)


rank = kernel(_rank)


def _preferred(value, entity, best, best_entity, key, world):
    """Return True where ``value`` beats ``best``; within a relative 1e-6 the higher keyed rank wins."""
    if best_entity < 0:
        return True
    scale = max(abs(value), abs(best))
    if abs(value - best) > TIE * scale:
        return value > best
    return rank(key, world, entity) > rank(key, world, best_entity)


preferred = kernel(_preferred)


def _frequency(events, exposure, prior, weight):
    """Return the posterior mean of a frequency with ``weight`` pseudo-observations of ``prior``."""
    return (events + prior * weight) / (exposure + weight)


frequency = kernel(_frequency)


def _attack_frequency(witness, exposed_known, prior, weight):
    """Return the attacks expected a cell and turn: those witnessed over the exposure, behind a prior.

    Exposure is the turns of own cells beside a rival where rivals are known (``exposed_known``), else those of every
    own cell. ``witness`` is a row of ``State.witness``.
    """
    exposed = witness[Witness.EXPOSED_TURNS] if exposed_known else witness[Witness.CELL_TURNS]
    return frequency(witness[Witness.ATTACKS], exposed, prior, weight)


attack_frequency = kernel(_attack_frequency)


def _defence_of(force, wall, ruggedness):
    """Return what an attacker meets: (projected force + wall) · (1 + R) (units of force)."""
    return (force + wall) * (1.0 + ruggedness)


defence_of = kernel(_defence_of)


def _expected_loss(attack, chance, loss_winner, loss_loser):
    """Return the force an attacker loses in expectation, winning with ``chance`` (units of force)."""
    return attack * (chance * loss_winner + (1.0 - chance) * loss_loser)


expected_loss = kernel(_expected_loss)


def _lure(fertility, works, steps):
    """Return what draws a band of raiders to a held cell: fertility with works, per cell of way."""
    return fertility * (1.0 + works) / (1.0 + steps)


lure = kernel(_lure)


def _borders(owner, neighbours, cell, i):
    """Return True where ``cell`` has a neighbour that ``owner`` (a row of holders, [C]) gives to civilization ``i``."""
    for side in range(neighbours.shape[1]):
        other = neighbours[cell, side]
        if other >= 0 and owner[other] == i:
            return True
    return False


borders = kernel(_borders)


def _long_run_fertility(state, cfg, b, c):
    """Return a cell's fertility in the long run: a volatile site is high half the time."""
    fertility = float(state.fertility[b, c])
    if cfg.volatility > 0.0 and state.site[b, c]:
        fertility *= _HALF * (1.0 + cfg.volatile_low)
    return fertility


long_run_fertility = kernel(_long_run_fertility)
