"""What is worth considering: what the rule would order next, and the candidate plans beside it.

The rule is the base policy in ``work.plan``: the rule of thumb, or the index rule of the seat's rung.
"""

from __future__ import annotations

import math

import numpy as np

from civsim.base.constants import NOBODY, Attacks, Category, OrderKind, Rung
from civsim.base.kernels import kernel
from civsim.engine.formulas import claim_cost, fund_of, work_cost
from civsim.engine.planner.attacks import offer_attacks
from civsim.engine.planner.battles import best_attack
from civsim.engine.planner.heuristic import heuristic_kind, heuristic_work, kind_rate, wall_worth
from civsim.engine.planner.ladder import UNKNOWN, base_claim, holdings_now, index_alone
from civsim.engine.planner.minds import RIVALS_PLAY
from civsim.engine.planner.plan import RULES, Phase, Plan
from civsim.engine.planner.ranking import forget_ranks
from civsim.engine.planner.search import offer, search
from civsim.engine.planner.treasury import best_wall, claim_return, first_of, work_return
from civsim.engine.planner.warned import next_wall
from civsim.engine.planner.ways import most_crossed
from civsim.engine.registers import NOW
from civsim.engine.work import Base, Belief, Count, Fund, Left, Levels, Realm, Rule


def _forget_values(work):
    """Say that the realm has changed: what the bases' own rollouts were worth, and what they rank, stands no more."""
    forget_ranks(work)
    work.price[:, Left.ALONE] = math.nan


forget_values = kernel(_forget_values)


def _rolled_turns(work):
    """Return how many turns a rollout simulates now."""
    return work.sizes[Base.ROLLED]


rolled_turns = kernel(_rolled_turns)


def _income(work, shares, category):
    """Return what a fund gains a turn at the present output and shares (output)."""
    return shares[category] * work.funds[Fund.OUTPUT]


income_of = kernel(_income)


def _claim_is_payable(cfg, work, cell):
    """Return True where a claim is left this turn and the fund can pay what ``cell`` is believed to cost now."""
    if work.done[OrderKind.CLAIM] >= cfg.claims_per_turn:
        return False
    return claim_cost(work.claim_cost[cell], cfg.claim_growth, holdings_now(work)) <= work.funds[Fund.SETTLEMENT]


claim_is_payable = kernel(_claim_is_payable)


def _attack_now(state, cfg, key, work, b, i):
    """Return (rival cell, index) of the attack that a base makes now; (-1, 0) where none is left, allowed or pays.

    A base that is simulated may attack wherever a plan may.
    """
    sizes, simulated = work.sizes, rolled_turns(work) > 0
    if sizes[Base.HOLDS] if simulated else work.levels[Levels.ATTACKS] != Attacks.RULE:
        return np.int64(NOBODY), 0.0
    if not sizes[Base.WAR] or work.done[OrderKind.ATTACK] >= cfg.attacks_per_turn:
        return np.int64(NOBODY), 0.0
    n, army, left = sizes[Base.RIVALS], work.funds[Fund.ARMY], work.levels[Levels.TURNS_LEFT]
    place, index = best_attack(state, cfg, key, work, b, i, work.foes, n, army, left)
    return (np.int64(work.foes[place]) if place >= 0 else np.int64(NOBODY)), index


attack_now = kernel(_attack_now)


def _set_rule(state, cfg, key, work, b, i, base):
    """Write to ``work.rule`` the claim that a base policy gives next."""
    front = work.front
    at = base_claim(state, key, work, b, front, work.sizes[Base.FRONT], base, float(cfg.claim_lag), work.rival_at)
    work.rule[Rule.ORDER], work.rule[Rule.CELL] = OrderKind.NONE, NOBODY
    if at >= 0:
        work.rule[Rule.ORDER], work.rule[Rule.CELL] = OrderKind.CLAIM, front[at]


set_rule = kernel(_set_rule)


def _n_bases(work):
    """Return how many base policies there are: the rule of thumb, and the index rule where paths are looked along."""
    return 2 if work.levels[Levels.RUNG] != Rung.MYOPIC and work.levels[Levels.REACH] > 0 else 1


n_bases = kernel(_n_bases)


def _n_policies(cfg, work):
    """Return in how many ways a base may pay for walls: with a treasury and bands in view, by return or by date."""
    return 2 if cfg.pooled and work.sizes[Base.RAIDS] > 0 else 1


n_policies = kernel(_n_policies)


def _no_rule(work):
    """Write to ``work.rule`` that the rule orders nothing."""
    work.rule[Rule.ORDER], work.rule[Rule.CELL] = OrderKind.NONE, NOBODY
    work.rule[Rule.MENU], work.rule[Rule.MAY_WAIT] = 0, 0


no_rule = kernel(_no_rule)


def _rule_of_works(state, cfg, key, work, b):
    """Write the rule's own work to ``work.rule``. Return False where it has none."""
    rule, menu = work.rule, heuristic_kind(cfg, work.levels[Levels.TURNS_LEFT])
    no_rule(work)
    column = heuristic_work(work.base, work.base_counts, work.sizes[Base.HELD], key, state.world_id[b])
    if column < 0 or menu < 0:
        return False
    rule[Rule.ORDER], rule[Rule.CELL] = OrderKind.WORK, work.base_counts[Count.CELL, column]
    rule[Rule.MENU], rule[Rule.MAY_WAIT] = menu, 1
    return True


rule_of_works = kernel(_rule_of_works)


def _rule_of_walls(state, cfg, key, work, b, i):
    """Write the rule's own wall to ``work.rule``: what bands in view make pressing, first. Return False for none."""
    no_rule(work)
    left, world = work.levels[Levels.TURNS_LEFT], state.world_id[b]
    column, _ = next_wall(cfg, key, work, world, b, i, np.int64(NOW), np.int64(0), left, True)
    if column < 0:
        return False
    work.rule[Rule.ORDER], work.rule[Rule.CELL] = OrderKind.WALL, work.base_counts[Count.CELL, column]
    work.rule[Rule.MAY_WAIT] = 1
    return True


rule_of_walls = kernel(_rule_of_walls)


def _order_of_rule(state, cfg, key, work, b, i, phase, base):
    """Write to ``work.rule`` what a base policy orders next in a phase; an attack, which needs no fund, first.

    With a treasury it is an order of another phase, and none of this one, where another kind returns most per cost.
    """
    if phase == Phase.LAND:
        foe = attack_now(state, cfg, key, work, b, i)[0]
        if foe >= 0:
            no_rule(work)
            work.rule[Rule.ORDER], work.rule[Rule.CELL] = OrderKind.ATTACK, foe
            return
    if not cfg.pooled:
        if phase == Phase.LAND:
            set_rule(state, cfg, key, work, b, i, base % RULES)
        elif phase == Phase.WORK:
            rule_of_works(state, cfg, key, work, b)
        else:
            rule_of_walls(state, cfg, key, work, b, i)
        return
    rule, held, left, world = work.rule, work.sizes[Base.HELD], work.levels[Levels.TURNS_LEFT], state.world_id[b]
    land, works, walls, menu, column, wall = 0.0, 0.0, 0.0, -1, -1, np.int64(NOBODY)
    rule_of_land, dates, row, when = base % RULES, base // RULES, np.int64(NOW), np.int64(0)
    set_rule(state, cfg, key, work, b, i, rule_of_land)
    if rule[Rule.CELL] >= 0 and work.done[OrderKind.CLAIM] < cfg.claims_per_turn:
        land = claim_return(cfg, work, rule_of_land, rule[Rule.CELL], held + work.sizes[Base.PENDING], left)
    if work.done[OrderKind.WORK] < cfg.works_per_turn:
        menu = heuristic_kind(cfg, left)
        column = heuristic_work(work.base, work.base_counts, held, key, world)
        works = work_return(cfg, work.base, column, menu, left) if column >= 0 and menu >= 0 else 0.0
    if work.done[OrderKind.WALL] < cfg.walls_per_turn and work.sizes[Base.WALLS_MATTER]:
        wall, walls = best_wall(cfg, key, work, world, b, i, row, when, left, max(land, works), dates)
    rule[Rule.MENU], rule[Rule.MAY_WAIT] = 0, 1
    if first_of(land, works, walls) != phase:
        rule[Rule.ORDER], rule[Rule.CELL] = OrderKind.NONE, NOBODY
    elif phase == Phase.WORK:
        rule[Rule.ORDER], rule[Rule.CELL] = OrderKind.WORK, work.base_counts[Count.CELL, column]
        rule[Rule.MENU] = menu
    elif phase == Phase.WALL:
        rule[Rule.ORDER], rule[Rule.CELL] = OrderKind.WALL, work.base_counts[Count.CELL, wall]


order_of_rule = kernel(_order_of_rule)


def _look_around(state, cfg, key, work, b, i):
    """Give every frontier cell its potential, unless that is done: of paths within reach, or of itself alone."""
    sizes = work.sizes
    if sizes[Base.SEARCHED] == 1:
        return
    sizes[Base.SEARCHED], sizes[Base.FINISHED], sizes[Base.CONTESTED] = 1, 0, 0
    work.potential[:] = UNKNOWN
    if n_bases(work) > 1 and work.levels[Levels.TURNS_LEFT] > 0:
        income = income_of(work, work.shares[b, i], fund_of(cfg, Category.SETTLEMENT))
        sizes[Base.FINISHED] = search(state, cfg, key, work, b, i, income)
    for k in range(sizes[Base.FRONT]):
        cell = work.front[k]
        if work.rival_at[cell] < math.inf:
            sizes[Base.CONTESTED] = 1
        if work.potential[cell] == UNKNOWN:
            work.potential[cell] = index_alone(cfg, work, cell)
            work.goal[cell], work.root[cell] = cell, 0.0


look_around = kernel(_look_around)


def _offer_claim(cfg, key, world, work, found, cell):
    """Offer the best path through ``cell``, unless rivals forestall it; return how many candidates there are."""
    if work.potential[cell] <= 0.0 or work.rival_at[cell] < cfg.claim_lag:
        return found
    at = offer(key, world, work, found, cfg.claim_candidates, cell, work.potential[cell])
    if at >= 0:
        work.choice_plan[at] = Plan.CLAIM
        found = min(found + 1, cfg.claim_candidates)
    return found


offer_claim = kernel(_offer_claim)


def _offer_claims(cfg, key, world, work, found):
    """Offer the best path through every frontier cell, and on from every party under way; return how many there are."""
    for k in range(work.sizes[Base.FRONT]):
        found = offer_claim(cfg, key, world, work, found, np.int64(work.front[k]))
    for k in range(work.sizes[Base.FINISHED]):
        cell = np.int64(work.queue[k])
        if work.parent[cell] < 0 and work.root[cell] > 0.0:
            found = offer_claim(cfg, key, world, work, found, cell)
    return found


offer_claims = kernel(_offer_claims)


def _propose_land(state, cfg, key, work, b, i):
    """Fill the candidates: paths through frontier cells or on from a party under way, and attacks; return how many."""
    found = offer_attacks(state, cfg, key, work, b, i, np.int64(0), work.sizes[Base.FINISHED])
    return offer_claims(cfg, key, state.world_id[b], work, found)


propose_land = kernel(_propose_land)


def _propose_works(state, cfg, key, work, b, i):
    """Write the rule's own work to ``work.rule`` and fill the candidates; return how many, -1 where the rule has none.

    Candidates are the best works that the fund can pay within reach.
    """
    kinds, limit, turns_left = cfg.work_cost.shape[0], cfg.work_candidates, work.levels[Levels.TURNS_LEFT]
    if not rule_of_works(state, cfg, key, work, b):
        return -1
    if rolled_turns(work) == 0:
        return 0
    income = income_of(work, work.shares[b, i], fund_of(cfg, Category.WORKS))
    earned, found = income * work.levels[Levels.REACH], np.int64(0)
    for k in range(work.sizes[Base.HELD]):
        if work.base_counts[Count.LEFT, k] > 0:
            continue
        for kind in range(kinds):
            score = work.base[Realm.WORK_SCORE, k] * kind_rate(cfg, kind, turns_left)
            cost = work_cost(cfg.work_cost[kind], cfg.work_growth, work.base[Realm.WORKS, k])
            if score > 0.0 and cost <= work.funds[Fund.WORKS] + earned:
                entity = work.base_counts[Count.CELL, k] * kinds + kind
                at = offer(key, state.world_id[b], work, found, limit, entity, score)
                if at >= 0:
                    work.choice_column[at], work.choice_menu[at] = k, kind
                    found = min(found + 1, limit)
    return found


propose_works = kernel(_propose_works)


def _walls_are_planned(work):
    """Return True where walls are planned: where raids are expected, or attacks of rivals are played.

    Attacks that come by their witnessed frequency heed no wall, but those who attack do choose: a wall that is weighed
    against the frequency alone is thought to save what is then lost beside it.
    """
    raided = work.scalars[Belief.RAID] > 0.0 or work.sizes[Base.RAIDS] > 0
    return raided or work.sizes[Base.ARMED] == 1


walls_are_planned = kernel(_walls_are_planned)


def _propose_walls(state, cfg, key, work, b, i):
    """Write the rule's own wall to ``work.rule`` and fill the candidates; return how many, -1 where the rule has none.

    Candidates, where walls are planned, are the best walls, those of cells that seen bands make for, and where walls or
    land block the own cell that most ways of bands are believed to cross.
    """
    found, limit = np.int64(0), cfg.wall_candidates
    if not rule_of_walls(state, cfg, key, work, b, i):
        return -1
    if rolled_turns(work) == 0 or not walls_are_planned(work):
        return 0
    for k in range(work.sizes[Base.HELD]):
        if work.base_counts[Count.RAISED, k]:
            continue
        cell = np.int64(work.base_counts[Count.CELL, k])
        worth = wall_worth(work.base, k)
        if worth <= 0.0:
            continue
        at = offer(key, state.world_id[b], work, found, limit, cell, worth)
        if at >= 0:
            work.choice_column[at] = k
            found = min(found + 1, limit)
    for r in range(work.sizes[Base.RAIDS]):
        if work.raid_column[NOW, r] >= 0:
            found = add_threatened(work, found, limit, work.raid_column[NOW, r])
    if cfg.blocks and cfg.raid_noise <= 0.0 and work.scalars[Belief.GATES] > 0.0:
        column = most_crossed(cfg, key, work, state.world_id[b], np.int64(NOW))
        if column >= 0:
            found = add_threatened(work, found, limit, column)
    return found


def _add_threatened(work, found, limit, column):
    """Put a cell where a band is expected to come among the candidates, in place of the last if they are full."""
    if work.base_counts[Count.RAISED, column]:
        return found
    for index in range(found):
        if work.choice_column[index] == column:
            return found
    at = min(found, limit - 1)
    work.choice_column[at] = column
    return at + 1


add_threatened = kernel(_add_threatened)
propose_walls = kernel(_propose_walls)


def _set_rolled(cfg, work, phase):
    """Set how many turns a rollout simulates: as many as a mind needs where rivals would take land in question."""
    levels, sizes = work.levels, work.sizes
    turns = levels[Levels.ROLLOUT]
    if turns > 0 and phase == Phase.LAND and levels[Levels.MIND] >= RIVALS_PLAY and sizes[Base.CONTESTED] == 1:
        turns = max(turns, cfg.mind_turns)
    turns = min(turns, levels[Levels.TURNS_LEFT])
    if turns != sizes[Base.ROLLED]:
        forget_values(work)
        sizes[Base.ROLLED] = turns


set_rolled = kernel(_set_rolled)


def _propose(state, cfg, key, work, b, i, phase):
    """Write what the rule would order to ``work.rule`` and fill the candidates; return how many.

    -1 where neither the rule nor anything else is worth a thought.
    """
    no_rule(work)
    if phase == Phase.LAND or cfg.pooled or rolled_turns(work) > 0:
        look_around(state, cfg, key, work, b, i)
    set_rolled(cfg, work, phase)
    if phase == Phase.LAND:
        return propose_land(state, cfg, key, work, b, i)
    if phase == Phase.WORK:
        return propose_works(state, cfg, key, work, b, i)
    return propose_walls(state, cfg, key, work, b, i)


propose = kernel(_propose)
