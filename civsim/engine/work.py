"""Working space of one thread: everything a step writes that is not state. Allocated once, never in a step."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import MAX_CIVILIZATIONS, N_ORDER_KINDS, N_VARIABLES
from civsim.base.scenario import Scenario
from civsim.engine.land.marks import margin_size
from civsim.engine.noted import ENTRY_COLUMNS, Noted, RaidField, Worth
from civsim.engine.state import F64, I32, I64, U8, U32


class Realm(IntEnum):
    """Rows of a believed realm: one column a cell held or to be held."""

    FERTILITY = 0  # expected output without works, hazard counted (output)
    ORE_OUTPUT = 1  # expected output of ore, hazard counted (output)
    SWING = 2  # what is known now of a volatile site beyond its mean (output)
    STAY = 3  # probability that it is still held
    HOLD = 4  # probability of holding it through a turn
    KEEP = 5  # share of output that raids leave
    WORKS = 6  # D
    WALL = 7  # units of wall
    PROJECTION = 8  # e^(−d/λ) from the capital
    RUGGEDNESS = 9  # R
    EXPOSURE = 10  # attacks expected a turn
    THREAT = 11  # force expected in an attack
    GAIN = 12  # works gained when the work under way matures
    OUT = 13  # output a turn if held, without swing; 0 while idle
    SWING_OUT = 14  # swing of that output
    WORK_SCORE = 15  # return of a work per cost, up to what the kind of work decides; 0 while one is under way
    WALL_SCORE = 16  # output guarded per unit of wall
    RAIDED = 17  # raids expected a turn


class Count(IntEnum):
    """Integer rows of a believed realm."""

    CELL = 0  # which cell
    IDLE = 1  # turns until it gives output
    LEFT = 2  # turns until the work under way matures; 0 for none
    RAISED = 3  # 1 where its wall was raised this turn


class Levels(IntEnum):
    """What a civilization plans with its mind; ``knowledge.own.read_levels`` writes it."""

    ATTENTION = 0  # k
    REACH = 1  # turns within which a plan must be paid
    ROLLOUT = 2  # turns that are simulated
    TURNS_LEFT = 3  # turns after this one
    RUNG = 4  # Rung that is followed where nothing is simulated
    ATTACKS = 5  # Attacks


class Fund(IntEnum):
    """What a civilization plans with now; ``knowledge.own.read_funds`` writes it."""

    SETTLEMENT = 0  # output
    WORKS = 1  # output
    ARMY = 2  # force
    WALLS = 3  # output
    OUTPUT = 4  # output of the turn
    FORCE_PRICE = 5  # output a unit of force
    CONSUMED = 6  # consumption over its scale per unit of output where the objective is welfare; 0 where it is linear


class Base(IntEnum):
    """Sizes of the region as it is now; ``decide.prepare`` writes them."""

    HELD = 0  # columns of the base realm: the cells of the region
    FRONT = 1  # cells on its frontier
    PENDING = 2  # parties under way
    TIMERS = 3  # columns that are idle or have a work under way
    RIVALS = 4  # bordering cells known to be a rival's
    RAIDS = 5  # bands believed to be on their way here
    WALLS_MATTER = 6  # 1 where attacks or raids are expected at all
    SEARCHED = 7  # 1 where ``Work.potential`` is that of the region as it is now
    FINISHED = 8  # cells that the search found paths to, listed in ``Work.queue``
    PROMISING = 9  # cells that have a surplus
    CHOSEN = 10  # 1 + the base policy found better in this deliberation; 0 before
    TARGETS = 11  # cells that a band may make for; 0 where raiders are not attended to
    OPEN = 12  # those of them that may pull most from the rim, now or once own cells are walled


class PlanField(IntEnum):
    """The candidate plan that is rolled out; the decisions write it, the rollout reads it."""

    KIND = 0  # Plan
    PHASE = 1  # Phase
    LENGTH = 2  # cells of ``Work.path``, an attack at its end included
    READY = 3  # turn from which the first cell of the path borders the realm
    COLUMN = 4  # base column of the work or wall
    MENU = 5  # menu entry of the work
    COURSES = 6  # turns in which the wall is raised
    ORDER = 7  # OrderKind of its first order, NONE to wait
    CELL = 8  # cell of its first order, -1 to wait
    BASE = 9  # Base policy that carries on after it


class Rule(IntEnum):
    """What the rule would order next; the planner's ``propose.py`` writes it."""

    ORDER = 0  # OrderKind, NONE for none
    CELL = 1  # -1 for none
    MENU = 2  # menu entry of a work
    MAY_WAIT = 3  # 1 where giving no order differs from following the rule


class Roll(IntEnum):
    """Registers of one rollout."""

    HELD = 0  # columns of the realm
    FRONT = 1  # cells on the frontier
    PENDING = 2  # parties under way
    TIMERS = 3  # columns that are idle or have a work under way
    RAISED = 4  # columns whose wall was raised this turn
    STEP = 5  # what the plan has done: cells claimed, works begun or courses raised
    READY = 6  # turn from which the next cell of the path borders the realm
    TARGET = 7  # frontier index of the rule's next claim, or -1 to find it
    WORK_TARGET = 8  # realm column of the rule's next work, or -1 to find it


class Left(IntEnum):
    """What a base's own rollout tells: the worth of a unit left in a fund (output to come), of land, and of itself."""

    LAND = 0
    WORKS = 1
    KEPT = 2  # the share of output that raids leave to the base's realm, and in time to land newly settled
    ALONE = 3  # the believed value of the base's own rollout; NaN where the realm has changed since


class Purse(IntEnum):
    """Quantities of one rollout."""

    SETTLEMENT = 0
    WORKS = 1
    ARMY = 2
    WALLS = 3
    VALUE = 4  # discounted objective so far
    GARRISON = 5  # the army at which losses were last worked out
    LOST = 6  # force lost, discounted, at its price (output)
    LAST = 7  # output of the turn last rolled


class Clock(IntEnum):
    """Counters that never go back: what is stamped with an older one is stale."""

    DELIBERATION = 0
    MARK = 1


class Belief(IntEnum):
    """Scalars believed alike of every cell; indices of ``Work.scalars``."""

    ORE = 0  # of a cell never seen, or of any cell where ore is not attended
    RUGGEDNESS = 1  # of a cell never seen
    HAZARD = 2  # of a cell never seen
    UPTIME = 3  # share of turns without disaster where hazard is not attended
    ATTACK = 4  # attacks per exposed cell and turn
    FORCE = 5  # force of an attack where the rival is not known
    RAID = 6  # raids per own cell and turn
    ADVANCE = 7  # cells a rival's border advances a turn
    SHUFFLE_SCALE = 8  # a of the shuffle c → (a · c + s) mod C; 0 for none
    SHUFFLE_SHIFT = 9  # s of the shuffle
    GATES = 10  # cells of the rim from which bands make for own cells; shares where their taste is unknown


class Work(NamedTuple):
    """One thread's working space and the step's inputs. C cells, M menu, Q heap slots."""

    shares: F64  # [B, N, 8] the step's shares, on the simplex
    replay: bool  # some orders are given
    given: U8  # [B, N] 1 where they are, and the planner is skipped; read where some are
    lo: int  # first world of this thread
    hi: int  # one past the last
    uniforms: F64  # [C]
    words: U32  # [C] the 32-bit words behind draws
    marked: U8  # [C + 2 W] marked cells, with a row of margin at either end
    beside: U8  # [C] cells beside a marked one; any other marks
    queue: I32  # [C]
    totals: F64  # [16] a number for each civilization, then places that nobody reads
    # the civilization now deliberating: what it plans for and with
    region: I32  # [C] cells to plan for, ascending
    levels: I64  # [6] Levels
    funds: F64  # [7] Fund
    done: I64  # [4] orders of the turn carried out so far, by OrderKind
    # its beliefs
    stamp: I64  # [C] deliberation in which the belief of a cell was made
    clock: I64  # [2] Clock
    force_to_come: F64  # [T + 1] the army now and after each of the turns to come
    fertility: F64  # [C] expected output without works, hazard counted
    ore_output: F64  # [C] expected output of ore
    swing: F64  # [C] deviation of a volatile site from its mean
    claim_cost: F64  # [C] believed cost of a claim before growth
    rival_at: F64  # [C] turns until rivals are expected to hold the cell; inf for never
    scalars: F64  # [16] frequencies and beliefs common to all cells (see belief.py)
    value: F64  # [C] expected output if held
    ratio: F64  # [C] value per believed cost
    single: I32  # [1] one cell to be believed
    score: F64  # [C] of a work or a wall on each own cell
    attended: U8  # [4] by Variable
    front: I32  # [C] frontier
    # search
    cost: F64  # [C] cheapest path's cost
    when: F64  # [C] turns until its last claim is paid
    worth: F64  # [C] value along it
    parent: I32  # [C]
    hops: I32  # [C]
    root: F64  # [C] turns until the path's first cell borders the realm: 0, or a party's arrival
    mark: I64  # [C] search or rollout generation that has met the cell
    heap_key: F64  # [Q]
    heap_cell: I32  # [Q]
    potential: F64  # [C] best index of any path from the cell on; of itself alone where none was found
    surplus: F64  # [C] what the paths through a cell are worth beyond their cost at the price of land
    onward: F64  # [C] the same of what leads on from the cell
    goal: I32  # [C] where the best path through the cell ends
    promising: I32  # [C] cells that have a surplus
    claimed: I64  # [C] rollout generation that has claimed the cell
    price: F64  # [2, 4] Left: what is left in the funds for land and works is worth at a rollout's end, by base policy
    # candidates
    choice_score: F64  # [36]
    choice_entity: I64  # [36] what ties are broken by: the cell, or cell · M + menu entry of a work
    choice_plan: I32  # [36] Plan of a path: claims, or an attack at its end
    choice_column: I32  # [36] base column of a work or wall
    choice_menu: I32  # [36] menu entry of a work
    rule: I64  # [4] Rule
    plan: I64  # [10] PlanField
    path: I32  # [C] cells of that plan, in turn
    # the region as now
    sizes: I64  # [13] Base
    base: F64  # [18, C] Realm
    base_counts: I32  # [4, C] Count
    base_timer: I32  # [C] columns that are idle or have a work under way
    pending_cell: I32  # [C]
    pending_due: I32  # [C] turns from now
    target: I32  # [C] cells that a band may make for: the region's, then those known to be rivals'
    target_column: I32  # [C] the base column of each, -1 for a rival's
    prize: F64  # [2, C] what a band may expect to win there (output), as believed now and as rolled
    open: I32  # [C] those that may pull most from the rim, now or once own cells are walled, as places in `target`
    gate: I32  # [2, G] which of them a band makes for from each cell of the rim, now and as rolled; noise has none
    spare: F64  # [2, G] what the next best pulls there, or more
    raid_band: I32  # [R] slot of a seen band
    raid_column: I32  # [2, R] base column it makes for, now and as rolled; -1 for a rival's
    raid_due: I32  # [2, R] turns until it is there, now and as rolled
    raid_force: F64  # [R]
    # the region as a rollout unrolls it
    roll: I64  # [9] Roll
    purse: F64  # [8] Purse
    realm: F64  # [18, C] Realm
    counts: I32  # [4, C] Count
    timer: I32  # [C]
    roll_front: I32  # [C]
    roll_cell: I32  # [C] pending cells
    roll_due: I32  # [C]
    muster: F64  # [L] force under way
    raised: I32  # [C] columns whose wall was raised this turn
    # what is kept of a turn for whoever watches; without rows where nobody does, see journal.py
    tried: F64  # [38] value of each candidate of the decision under way; NaN where it was not valued
    journal: I64  # [J, 16] Entry, then two of Side
    journal_value: F64  # [J, 3] Worth
    journal_path: I32  # [J, 2, C] cells of either side's path, in turn
    raids: I64  # [B · R, 4] RaidField
    noted: I64  # [2] Noted


HEAP_FACTOR = 5
"""Heap slots a cell: its first entry and one improvement from each neighbour."""
MAX_CANDIDATES = 36
N_SCALARS = 16
UNSEARCHED = 2
"""Candidates that are not searched for: the rule's own plan and waiting."""
SPARE_TOTALS = 8
"""Places of ``totals`` behind the civilizations': what goes to nobody is added to them in turn."""


_INTEGER_FIELDS = {
    "queue": "C",
    "region": "C",
    "front": "C",
    "parent": "C",
    "hops": "C",
    "heap_cell": "Q",
    "promising": "C",
    "goal": "C",
    "choice_plan": "candidates",
    "choice_column": "candidates",
    "choice_menu": "candidates",
    "path": "C",
    "base_counts": "counts C",
    "counts": "counts C",
    "pending_cell": "parties",
    "pending_due": "parties",
    "roll_front": "C",
    "roll_cell": "parties",
    "roll_due": "parties",
    "gate": "rows G",
    "raid_band": "R",
    **dict.fromkeys(("target", "target_column", "open", "base_timer", "timer", "raised"), "C"),
    **dict.fromkeys(("raid_column", "raid_due"), "rows R"),
}
_REGISTERS = {
    "levels": Levels,
    "sizes": Base,
    "rule": Rule,
    "plan": PlanField,
    "roll": Roll,
    "clock": Clock,
    "noted": Noted,
}
_FLOAT_FIELDS = {
    "funds": "funds",
    "uniforms": "C",
    "force_to_come": "turns",
    "fertility": "C",
    "ore_output": "C",
    "swing": "C",
    "claim_cost": "C",
    "rival_at": "C",
    "scalars": "scalars",
    "value": "C",
    "ratio": "C",
    "score": "C",
    "cost": "C",
    "when": "C",
    "worth": "C",
    "root": "C",
    "heap_key": "Q",
    **dict.fromkeys(("potential", "surplus", "onward"), "C"),
    "price": "bases prices",
    "choice_score": "candidates",
    "base": "realm C",
    "realm": "realm C",
    "prize": "rows C",
    "spare": "rows G",
    "raid_force": "R",
    "purse": "purse",
    "muster": "L",
    "tried": "tried",
}


def allocate_work(scenario: Scenario, shares: NDArray[np.float64], given: NDArray[np.uint8] | None = None) -> Work:
    """Return working space for one thread.

    ``shares``, float64 [B, N, 8], and ``given``, uint8 [B, N], are the batch's input buffers, which threads share;
    without ``given`` any orders that are given are given to all.
    """
    cells = scenario.n_cells
    sizes = {
        "C": cells,
        "Q": cells * HEAP_FACTOR,
        "R": scenario.raiders.bands,
        "G": 2 * (scenario.map.width + scenario.map.height),
        "rows": 2,
        "L": scenario.army.lag + 1,
        "parties": max(cells, scenario.claims.per_turn * (scenario.claims.lag + 1)),
        "candidates": MAX_CANDIDATES,
        "tried": MAX_CANDIDATES + UNSEARCHED,
        "turns": scenario.game.turns + 1,
        "counts": len(Count),
        "realm": len(Realm),
        "purse": len(Purse),
        "funds": len(Fund),
        "scalars": N_SCALARS,
        "bases": 2,
        "prices": len(Left),
    }

    def shape(axes: str) -> tuple[int, ...]:
        return tuple(sizes[axis] for axis in axes.split())

    fields: dict[str, Any] = {name: np.zeros(shape(axes), np.int32) for name, axes in _INTEGER_FIELDS.items()}
    fields |= {name: np.zeros(len(register), np.int64) for name, register in _REGISTERS.items()}
    fields |= {name: np.zeros(shape(axes), np.float64) for name, axes in _FLOAT_FIELDS.items()}
    return Work(
        shares=shares,
        replay=False,
        given=np.ones(shares.shape[:2], np.uint8) if given is None else given,
        lo=0,
        hi=shares.shape[0],
        stamp=np.zeros(cells, np.int64),
        mark=np.zeros(cells, np.int64),
        claimed=np.zeros(cells, np.int64),
        single=np.zeros(1, np.int32),
        attended=np.zeros(N_VARIABLES, np.uint8),
        words=np.zeros(cells, np.uint32),
        totals=np.zeros(MAX_CIVILIZATIONS + SPARE_TOTALS, np.float64),
        marked=np.zeros(margin_size(scenario.map.width, cells), np.uint8),
        beside=np.zeros(cells, np.uint8),
        done=np.zeros(N_ORDER_KINDS, np.int64),
        choice_entity=np.zeros(MAX_CANDIDATES, np.int64),
        journal=np.zeros((0, ENTRY_COLUMNS), np.int64),
        journal_value=np.zeros((0, len(Worth)), np.float64),
        journal_path=np.zeros((0, 2, cells), np.int32),
        raids=np.zeros((0, len(RaidField)), np.int64),
        **fields,
    )
