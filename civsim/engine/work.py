"""Working space of one thread: everything a step writes that is not state; ``workspace.py`` allocates it."""

from __future__ import annotations

from typing import NamedTuple

from civsim.engine.registers import CHANGING as CHANGING
from civsim.engine.registers import Base as Base
from civsim.engine.registers import Belief as Belief
from civsim.engine.registers import Clock as Clock
from civsim.engine.registers import Count as Count
from civsim.engine.registers import Foe as Foe
from civsim.engine.registers import Fund as Fund
from civsim.engine.registers import Left as Left
from civsim.engine.registers import Levels as Levels
from civsim.engine.registers import Mind as Mind
from civsim.engine.registers import MindFund as MindFund
from civsim.engine.registers import MindPlan as MindPlan
from civsim.engine.registers import PlanField as PlanField
from civsim.engine.registers import Purse as Purse
from civsim.engine.registers import Ranked as Ranked
from civsim.engine.registers import Ranks as Ranks
from civsim.engine.registers import Realm as Realm
from civsim.engine.registers import Roll as Roll
from civsim.engine.registers import Rule as Rule
from civsim.engine.registers import Site as Site
from civsim.engine.state import F64, I8, I32, I64, U8, U32


class Work(NamedTuple):
    """One thread's working space and the step's inputs. C cells, M menu, Q heap slots, W words."""

    shares: F64  # [B, N, 8] the step's shares, on the simplex
    replay: bool  # some orders are given
    given: U8  # [B, N] 1 where they are, and the planner is skipped; read where some are
    lo: int  # first world of this thread
    hi: int  # one past the last
    uniforms: F64  # [C]
    words: U32  # [C] the 32-bit words behind draws
    marked: U8  # [C + 2 W] marked cells, with a row of margin at either end
    beside: U8  # [C] cells beside a marked one; any other marks
    visible: U8  # [C] 0 where a seat of thought sees a cell or is told at once, 255 elsewhere
    office_order: U8  # [8] the order in which the seats of thought of a realm decide
    redrawn: U8  # [N] 1 where provinces were drawn this turn
    queue: I32  # [C]
    totals: F64  # [16] a number for each civilization, then places that nobody reads
    # the civilization now deliberating: what it plans for and with
    region: I32  # [C] cells to plan for, ascending
    holder: I8  # [C] who is known to hold each cell: oneself, the rival last seen there, or NOBODY
    rivals: I32  # [C] cells that rivals are known to hold, ascending
    levels: I64  # [8] Levels
    funds: F64  # [7] Fund
    done: I64  # [4] orders of the turn carried out so far, by OrderKind
    # its beliefs
    stamp: I64  # [C] deliberation in which the belief of a cell was made
    clock: I64  # [7] Clock
    force_to_come: F64  # [T + 1] the army now and after each of the turns to come
    fertility: F64  # [C] expected output without works, hazard counted
    ore_output: F64  # [C] expected output of ore
    swing: F64  # [C] deviation of a volatile site from its mean
    claim_cost: F64  # [C] believed cost of a claim before growth
    known_at: F64  # [C] turns until a rival holds the cell as far as is seen: 0, a party's arrival, inf
    rival_at: F64  # [C] turns until rivals are expected to hold the cell; inf for never
    mind: I64  # [2, N, 5] Mind: of every rival as known, and as rolled on
    mind_purse: F64  # [2, N, 3] MindFund
    mind_front: I32  # [2, N, C] its frontier
    mind_ahead: I64  # [2, N, W] the same as bits, one for each place in `thumb`; where rivals play on in order
    thumb: I32  # [C] free cells by the rule of thumb, the best first; made where rivals play on
    place: I32  # [C] place of each cell there; -1 for none
    lot: F64  # [C] what each cell ranks in ties
    lots: I32  # [C] cells by that, the highest first
    mind_mark: I64  # [N, C] walk that has put the cell on a rival's frontier
    mind_beside: I32  # [2, C] rivals that hold land beside the cell: bit j for rival j; 0 where none attacks
    mind_plan: I64  # [N, 3] MindPlan
    mind_path: I32  # [N, C] cells of that plan, in turn
    mind_index: F64  # [N, C] index by which a rival that plans claims under the index rule
    mind_reach: F64  # [N, C] share of each rival's army that counts at each cell; made where it attacks
    exposed: I32  # [C] columns that rivals in mind may attack, ascending
    exposed_to: I32  # [C] rivals that hold land beside each, as bits
    listed_as: I32  # [C] the column as which a cell of the rolled realm was looked at for that
    open_to: F64  # [N] how many of them are open to each rival whose army is enough to attack
    mind_parties: I64  # [2] parties of rivals under way
    mind_cell: I32  # [2, C] where each makes for
    mind_due: I32  # [2, C] turns until it is there
    mind_of: I32  # [2, C] whose it is
    # the walk in which rivals are foreseen, as it is after every KEPT_EVERY turns
    kept_mind: I64  # [K, N, 5]
    kept_purse: F64  # [K, N, 3]
    kept_ahead: I64  # [K, N, W]
    kept_parties: I64  # [K]
    kept_party: I32  # [K, 3, C] where each makes for, turns until it is there, whose it is
    wanted: I32  # [2, C] first and last turn in which a rival claims the cell there, or would if it could pay; -1: none
    scalars: F64  # [16] frequencies and beliefs common to all cells (see belief.py)
    value: F64  # [C] expected output if held
    ratio: F64  # [C] value per believed cost
    single: I32  # [1] one cell to be believed
    score: F64  # [C] of a work or a wall on each own cell
    attended: U8  # [4] by Variable
    front: I32  # [C] frontier
    foes: I32  # [C] rivals' cells beside the region
    foe: F64  # [4, C] Foe
    sized: I64  # [C] deliberation in which those beliefs were formed
    # search
    cost: F64  # [C] cheapest path's cost
    when: F64  # [C] turns until its last claim is paid
    spared: F64  # [C] what it leaves in the settlement fund then
    earns: F64  # [C] income of the settlement fund until the last cell is settled
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
    price: F64  # [4, 7] Left: what is left in the funds for land and works is worth at a rollout's end, by base policy
    # candidates
    choice_score: F64  # [36]
    choice_entity: I64  # [36] what ties are broken by: the cell, or cell · M + menu entry of a work
    choice_plan: I32  # [36] Plan of a path: claims, or an attack at its end
    choice_column: I32  # [36] base column of a work or wall
    choice_menu: I32  # [36] menu entry of a work
    rule: I64  # [4] Rule
    plan: I64  # [11] PlanField
    path: I32  # [C] cells of that plan, in turn
    # the region as now
    sizes: I64  # [27] Base
    base: F64  # [19, C + 8] Realm
    base_counts: I32  # [4, C + 8] Count
    base_timer: I32  # [C] columns that are idle or have a work under way
    survey: F64  # [C, 7] Site: what each cell would be as a column
    surveyed: I64  # [C] base realm for which that was worked out
    ranks: I64  # [4, 3] Ranks of what is Ranked
    ranked: I32  # [4, C] columns, or cells, the greatest score first
    unranked: F64  # [4, C] what the columns, or the cells of the frontier, that are not ranked yet score
    pending_cell: I32  # [C]
    pending_due: I32  # [C] turns from now
    target: I32  # [C] cells that a band may make for: the region's, then those known to be rivals'
    target_column: I32  # [C] the base column of each, -1 for a rival's
    prize: F64  # [2, C] what a band may expect to win there (output), as believed now and as rolled
    open: I32  # [C] those that may pull most from the rim, now or once own cells are walled, as places in `target`
    gate: I32  # [2, G] which of them a band makes for from each cell of the rim, now and as rolled; noise has none
    spare: F64  # [2, G] what the next best pulls there, or more
    pull: F64  # [2, G] the greatest pull on a band from each cell of the rim, and the third
    pulled: I64  # [2, G] which target pulls most there, and which next
    second: I32  # [2, G] which that is where no other comes near, else -1
    drawn: F64  # [C] how much each target draws a band from a cell of the rim; the greatest 1
    weighed: F64  # [G, C] the same, as last weighed by the walls of now; no G without taste, or where something blocks
    weighed_prize: F64  # [C] by these prizes
    weighed_most: F64  # [G] and by what drew most
    weighed_at: I64  # [G] when that was, by Clock.SURVEY
    raid_band: I32  # [R] slot of a seen band
    raid_column: I32  # [2, R] base column it makes for, now and as rolled; -1 for a rival's
    raid_due: I32  # [2, R] turns until it is there, now and as rolled
    raid_step: I32  # [R] rollout turn in which it sets out; -1 where it has
    raid_force: F64  # [R]
    job: I32  # [R] bands, as places of the rows above, that a wall may yet stop, the soonest first
    job_courses: I32  # [R] courses that a cell lacks to hold against each band
    job_taken: I32  # [R] 1 where it is to be done
    ways: I32  # [12 + N, C] Way; [12 + N, 0] where nothing blocks
    from_rim: I32  # [C, G] turns of a band's way from each cell of the rim to a cell, when it was last looked for
    rim_share: F64  # [C, G] what is left over that way of what draws a band
    rim_seen: I64  # [2, C] when that was, by Clock.SURVEY and by Clock.PASSAGE
    way_kept: I32  # [64, C] turns from a cell to every other, as believed now
    way_row: I32  # [C] the row of those from a cell, -1 where there was none left
    delayed: I32  # [C] cells that a rollout's walls hold bands up at; these six have no C where nothing blocks
    # the region as a rollout unrolls it
    roll: I64  # [26] Roll
    purse: F64  # [12] Purse
    realm: F64  # [19, C + 8] Realm
    counts: I32  # [4, C + 8] Count
    timer: I32  # [C]
    roll_rival: F64  # [C] turns until a rival holds the cell
    roll_front: I32  # [C] the frontier as rolled, cells claimed since among it
    unclaimed: I32  # [C] those of the frontier as rolled that are not claimed
    changed: I64  # [2, C] twice the rollout generation that has changed what the column scores, 1 more where listed
    roll_changed: I32  # [2, C] which those are
    chosen: I32  # [C] columns chosen at once, the greatest score first
    chosen_score: F64  # [C] what they score
    roll_foes: I32  # [C] rivals' cells beside the realm
    opened: F64  # [C] chance that the way to a bordering cell is held: below 1 behind a cell that an attack takes
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
KEPT_WAYS = 64
"""Cells from which ways are kept at a time."""
MAX_CANDIDATES = 36
N_SCALARS = 16
BASES = 4
"""Base policies: two rules for land, each with walls against bands in view by their return, or before all else."""
UNSEARCHED = 2
"""Candidates that are not searched for: the rule's own plan and waiting."""
BESIDE = 8
"""Columns of a realm that nobody uses: with 256 cells its rows would otherwise all lie on the same lines of a cache."""
KEPT_EVERY = 8
"""Turns between those of which rivals' walk is kept."""
PLACES_A_WORD = 32
"""Places in a word of ``mind_ahead``."""
SPARE_TOTALS = 8
"""Places of ``totals`` behind the civilizations': what goes to nobody is added to them in turn."""
