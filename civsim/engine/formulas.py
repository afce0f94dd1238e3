"""Formulas shared by the rules and the planner: one truth for each, plain functions compiled by a separate line."""

from __future__ import annotations

import math

import numpy as np

from civsim.base.constants import TIE, Category, Draw, Price, Witness
from civsim.base.kernels import kernel
from civsim.base.randomness import uniform
from civsim.base.scenario import MAX_LEVEL
from civsim.engine.land.geometry import steps_between

FORCE_WEIGHT = 1.0
"""Attacks behind the prior of their force: it is the size of one, not a frequency."""

LEAST_PULL = 1e-300
"""What pulls a band no more than this pulls it as little as anything: where the logarithm of a pull ends."""

_ROUNDING = 1e-9
LINEAR = 1.0
SQUARE = 2.0
_HALF = 0.5


def _win_chance(attack, defence, decisiveness):
    """Return p = a^m / (a^m + d^m), ½ if both are 0: the contest success function of Tullock (1980)."""
    if attack <= 0.0:
        return 0.5 if defence <= 0.0 else 0.0
    if defence <= 0.0:
        return 1.0
    ratio = defence / attack
    if decisiveness == LINEAR:
        return 1.0 / (1.0 + ratio)
    if decisiveness == SQUARE:
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
    if inverse_curvature != LINEAR:
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


def _claim_cost(flat, growth, holdings):
    """Return the cost of a claim whose :func:`claim_base` is ``flat`` to a realm of ``holdings`` cells (output)."""
    return flat * claim_growth(growth, holdings)


claim_cost = kernel(_claim_cost)


def _work_growth(growth, works):
    """Return 1 + growth · D: works cost more where there are works."""
    return 1.0 + growth * works


work_growth = kernel(_work_growth)


def _work_cost(cost, growth, works):
    """Return the cost of a work where D = works: cost · (1 + growth · D) (output)."""
    return cost * work_growth(growth, works)


work_cost = kernel(_work_cost)


def _first_work_cost(cfg):
    """Return the least that a work can cost, the first on its cell (output)."""
    least = cfg.work_cost[0]
    for kind in range(1, cfg.work_cost.shape[0]):
        least = min(least, cfg.work_cost[kind])
    return least


first_work_cost = kernel(_first_work_cost)


def _course_cost(cfg):
    """Return the cost of a full course of a wall: what one order raises (output)."""
    return cfg.wall_rate * cfg.wall_cost


course_cost = kernel(_course_cost)


def _cell_output(fertility, works, ore_output):
    """Return what an undisrupted cell gives a turn: F · (1 + D) + ω · O (output)."""
    return fertility * (1.0 + works) + ore_output


cell_output = kernel(_cell_output)


def _paid_in(stock, depreciation, amount):
    """Return a stock after a turn: what depreciation leaves of it, and ``amount`` paid in."""
    return stock * (1.0 - depreciation) + amount


paid_in = kernel(_paid_in)


def _fund_of(cfg, category):
    """Return the stock that pays for what ``category`` is spent on: its own fund, or the treasury, settlement's."""
    return np.int64(Category.SETTLEMENT) if cfg.pooled else np.int64(category)


fund_of = kernel(_fund_of)


def _pool(row):
    """Add the shares of what a treasury pays, in a row [8] of shares, and give the sum to settlement.

    Added from the least to the greatest, so that the sum is the same, bit for bit, whichever has which.
    """
    land, works, walls = row[Category.SETTLEMENT], row[Category.WORKS], row[Category.WALLS]
    least, most = min(land, works, walls), max(land, works, walls)
    middle = max(min(land, works), min(max(land, works), walls))
    row[Category.SETTLEMENT] = least + middle + most
    row[Category.WORKS] = row[Category.WALLS] = 0.0


pool = kernel(_pool)


def _mustered(army, depreciation, under_way, turn, lag, raised):
    """Return the army after a turn in which force ``raised`` joins that ``under_way`` and what is due arrives.

    ``under_way`` [lag + 1] is written: slot (turn % (lag + 1)) arrives in that turn.
    """
    slots = lag + 1
    now = turn % slots
    under_way[(turn + lag) % slots] += raised
    army = paid_in(army, depreciation, under_way[now])
    under_way[now] = 0.0
    return army


mustered = kernel(_mustered)


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


def _projection_to(cfg, seat, cell):
    """Return e^(−d/λ), the share of an army based at cell ``seat`` that counts at ``cell``."""
    return cfg.projection[steps_between(cfg, seat, cell)]


projection_to = kernel(_projection_to)


def _projected(army, projection):
    """Return the force that an army brings to bear where its projection is ``projection`` (units of force)."""
    return army * projection


projected = kernel(_projected)


def _projected_force(state, cfg, b, i, cell):
    """Return the force civilization ``i`` brings to bear at ``cell`` (units of force)."""
    return projected(float(state.stock[b, i, Category.ARMY]), projection_to(cfg, state.capital[b, i], cell))


projected_force = kernel(_projected_force)


def _defence_of(force, wall, ruggedness):
    """Return what an attacker meets: (projected force + wall) · (1 + R) (units of force)."""
    return (force + wall) * (1.0 + ruggedness)


defence_of = kernel(_defence_of)


def _expected_loss(attack, chance, loss_winner, loss_loser):
    """Return the force an attacker loses in expectation, winning with ``chance`` (units of force)."""
    return attack * (chance * loss_winner + (1.0 - chance) * loss_loser)


expected_loss = kernel(_expected_loss)


def _works_captured(cfg, works):
    """Return the works that are left of ``works`` where a cell is taken by force; of its wall nothing is."""
    return works * cfg.keep_works


works_captured = kernel(_works_captured)


def _is_sacked(defence, strength):
    """Return True where raiders of ``strength`` sack a cell of that :func:`defence_of`."""
    return defence < strength


is_sacked = kernel(_is_sacked)


def _left_by_raiders(cfg, amount):
    """Return what a sack leaves of the works, or of the wall, of a cell."""
    return amount * (1.0 - cfg.raid_damage)


left_by_raiders = kernel(_left_by_raiders)


def _loot(fertility, works):
    """Return what a band of raiders finds on a held cell: fertility with works."""
    return fertility * (1.0 + works)


loot_of = kernel(_loot)


def _sack_chance(cfg, defence):
    """Return P(strength > ``defence``) = e^(−defence / mean) of a band whose exponential strength is not known yet."""
    return math.exp(-defence / cfg.raid_strength)


sack_chance = kernel(_sack_chance)


def _prize(cfg, loot, defence):
    """Return what a band may expect of a held cell: its :func:`loot_of` times :func:`sack_chance` (output).

    A band learns its own strength by fighting, so it reckons with the law that strengths are drawn from: the attacker's
    side of Powell (2007), "Allocating defensive resources with private information about vulnerability", *APSR* 101(3).
    """
    return loot * sack_chance(cfg, defence)


prize_of = kernel(_prize)


def _lure(cfg, prize, steps):
    """Return what draws a band of raiders to a held cell: prize / (1 + steps)^way (output)."""
    return prize * cfg.raid_nearness[steps]


lure = kernel(_lure)


def _taste(cfg, pull, key, world, came, cell):
    """Return log ``pull`` and a band's own taste for ``cell``, noise times a keyed Gumbel draw.

    The greatest of these is a cell with P ∝ pull^(1 / noise): the multinomial logit of McFadden (1974). ``came``, the
    turn in which the band appeared, is a band's name: one appears in a turn at most, whichever slot it takes.
    """
    draw = uniform(key, world, came, cell, Draw.RAID_TARGET)
    return math.log(max(pull, LEAST_PULL)) - cfg.raid_noise * math.log(-math.log(draw))


taste = kernel(_taste)


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
