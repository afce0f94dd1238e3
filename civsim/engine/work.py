"""Working space of one thread: everything a step writes that is not state. Allocated once, never in a step."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import N_VARIABLES
from civsim.base.scenario import Scenario
from civsim.engine.state import F64, I32, I64, U8


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
    RUGGED = 9  # 1 + R
    EXPOSURE = 10  # attacks expected a turn
    THREAT = 11  # force expected in an attack
    GAIN = 12  # works gained when the work under way matures
    OUT = 13  # output a turn if held, without swing; 0 while idle
    SWING_OUT = 14  # swing of that output
    WORK_SCORE = 15  # return of a work per cost, up to what the kind of work decides; 0 while one is under way
    WALL_SCORE = 16  # output guarded per unit of wall


N_REALM = len(Realm)


class Count(IntEnum):
    """Integer rows of a believed realm."""

    CELL = 0  # which cell
    IDLE = 1  # turns until it gives output
    LEFT = 2  # turns until the work under way matures; 0 for none
    RAISED = 3  # 1 where its wall was raised this turn


N_COUNT = len(Count)


class Purse(IntEnum):
    """Scalars of a rollout."""

    SETTLEMENT = 0
    WORKS = 1
    ARMY = 2
    WALLS = 3
    VALUE = 4  # discounted output so far, losses of force deducted
    GARRISON = 5  # the army at which losses were last worked out


N_PURSE = len(Purse)


class Tally(IntEnum):
    """Integer scalars of a rollout."""

    HELD = 0  # columns of the realm
    FRONT = 1  # cells on the frontier
    PENDING = 2  # parties under way
    STEP = 3  # next cell of the plan
    STAMP = 4  # generation of the marks
    TARGET = 5  # frontier index of the rule's next claim, or -1 to find it
    WORK_TARGET = 6  # realm column of the rule's next work, or -1 to find it
    READY = 7  # turn from which the next cell of the plan borders the realm
    BASE_HELD = 8  # as now: columns of the realm
    BASE_FRONT = 9  # as now: cells on the frontier
    BASE_PENDING = 10  # as now: parties under way
    RAIDS = 11  # bands believed to be on their way here
    RIVAL_FRONT = 12  # bordering cells known to be a rival's
    CLAIMS_DONE = 13  # orders of the turn already carried out
    WORKS_DONE = 14
    WALLS_DONE = 15
    WALLS_MATTER = 16  # 1 where attacks or raids are expected at all
    TIMERS = 17  # columns that are idle or have a work under way
    BASE_TIMERS = 18  # as now
    THINKS = 19  # 1 where reach or rollout is above 0
    RAISED = 20  # columns whose wall was raised this turn
    ATTACKS_DONE = 21  # orders of the turn already carried out
    FIRST_READY = 22  # turn from which the first cell of the plan borders the realm


class Belief(IntEnum):
    """Scalars believed alike of every cell; indices of ``Work.scalars``."""

    ORE = 1  # of a cell never seen, or of any cell where ore is not attended
    RUGGEDNESS = 2  # of a cell never seen
    HAZARD = 3  # of a cell never seen
    UPTIME = 4  # share of turns without disaster where hazard is not attended
    ATTACK = 5  # attacks per exposed cell and turn
    FORCE = 6  # force of an attack where the rival is not known
    RAID = 7  # raids per own cell and turn
    ADVANCE = 8  # cells a rival's border advances a turn
    MEMORY = 9  # 1 − 2p, decay of what is known of a volatile site
    SHUFFLE_SCALE = 10  # a of the shuffle c → (a · c + s) mod C; 0 for none
    SHUFFLE_SHIFT = 11  # s of the shuffle


N_TALLY = len(Tally)


class Work(NamedTuple):
    """One thread's working space and the step's inputs. C cells, M menu, Q heap slots."""

    shares: F64  # [B, N, 8] the step's shares, on the simplex
    replay: bool  # orders are given; the planner is skipped
    lo: int  # first world of this thread
    hi: int  # one past the last
    uniforms: F64  # [C]
    queue: I32  # [C]
    # beliefs of the civilization now deliberating
    stamp: I64  # [C] deliberation in which the belief of a cell was made
    clock: I64  # [2] deliberation counter, mark counter
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
    own: I32  # [C] cells held
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
    # candidates
    choice_cell: I32  # [32]
    choice_kind: I32  # [32]
    choice_score: F64  # [32]
    path: I32  # [C]
    # rollout: as now, and as it unrolls
    base: F64  # [17, C] Realm
    base_counts: I32  # [4, C] Count
    realm: F64  # [17, C]
    counts: I32  # [4, C]
    pending_cell: I32  # [C]
    pending_due: I32  # [C] turns from now
    roll_front: I32  # [C]
    roll_cell: I32  # [C] pending cells of the rollout
    roll_due: I32  # [C]
    raid_cell: I32  # [R] own cell a seen band makes for
    raid_due: I32  # [R] turns until it is there
    raid_force: F64  # [R]
    purse: F64  # [6] Purse
    tally: I64  # [23] Tally
    muster: F64  # [L] force under way in the rollout
    base_timer: I32  # [C] columns that are idle or have a work under way, as now
    timer: I32  # [C] the same, in the rollout
    raised: I32  # [C] columns whose wall was raised this turn of the rollout


HEAP_FACTOR = 5
"""Heap slots a cell: its first entry and one improvement from each neighbour."""
MAX_CANDIDATES = 36
N_SCALARS = 16


_INTEGER_FIELDS = {
    "queue": "C",
    "own": "C",
    "front": "C",
    "parent": "C",
    "hops": "C",
    "heap_cell": "Q",
    "choice_cell": "candidates",
    "choice_kind": "candidates",
    "path": "C",
    "base_counts": "counts C",
    "counts": "counts C",
    "pending_cell": "parties",
    "pending_due": "parties",
    "roll_front": "C",
    "roll_cell": "parties",
    "roll_due": "parties",
    "raid_cell": "R",
    "raid_due": "R",
    "base_timer": "C",
    "timer": "C",
    "raised": "C",
}
_FLOAT_FIELDS = {
    "uniforms": "C",
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
    "choice_score": "candidates",
    "base": "realm C",
    "realm": "realm C",
    "raid_force": "R",
    "purse": "purse",
    "muster": "L",
}


def allocate_work(scenario: Scenario, shares: NDArray[np.float64]) -> Work:
    """Return working space for one thread; ``shares`` is the batch's float64 [B, N, 8] input buffer, shared."""
    cells = scenario.n_cells
    sizes = {
        "C": cells,
        "Q": cells * HEAP_FACTOR,
        "R": scenario.raiders.bands,
        "L": scenario.army.lag + 1,
        "parties": max(cells, scenario.claims.per_turn * (scenario.claims.lag + 1)),
        "candidates": MAX_CANDIDATES,
        "counts": N_COUNT,
        "realm": N_REALM,
        "purse": N_PURSE,
        "scalars": N_SCALARS,
    }

    def shape(axes: str) -> tuple[int, ...]:
        return tuple(sizes[axis] for axis in axes.split())

    fields: dict[str, Any] = {name: np.zeros(shape(axes), np.int32) for name, axes in _INTEGER_FIELDS.items()}
    fields |= {name: np.zeros(shape(axes), np.float64) for name, axes in _FLOAT_FIELDS.items()}
    return Work(
        shares=shares,
        replay=False,
        lo=0,
        hi=shares.shape[0],
        stamp=np.zeros(cells, np.int64),
        clock=np.zeros(2, np.int64),
        mark=np.zeros(cells, np.int64),
        single=np.zeros(1, np.int32),
        attended=np.zeros(N_VARIABLES, np.uint8),
        tally=np.zeros(N_TALLY, np.int64),
        **fields,
    )
