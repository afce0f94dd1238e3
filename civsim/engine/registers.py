"""What stands where in the arrays of a thread's working space: one class an array, one member a place."""

from __future__ import annotations

from enum import IntEnum

NOW, ROLLED = 0, 1
"""Rows of what a rollout changes: as known or believed now, and as a rollout has unrolled it."""


class Realm(IntEnum):
    """Rows of a believed realm: one column a cell held or to be held."""

    # what stands as long as the cell is held
    FERTILITY = 0  # expected output without works, hazard counted (output)
    ORE_OUTPUT = 1  # expected output of ore, hazard counted (output)
    SWING = 2  # what is known now of a volatile site beyond its mean (output)
    PROJECTION = 3  # e^(−d/λ) from the capital
    RUGGEDNESS = 4  # R
    EXPOSURE = 5  # attacks expected a turn
    THREAT = 6  # force expected in an attack
    PLAYED = 7  # 1 where rivals' attacks are played in a rollout, not expected by their frequency
    # what turns and orders change
    STAY = 8  # probability that it is still held
    HOLD = 9  # probability of holding it through a turn
    KEEP = 10  # share of output that raids leave
    WORKS = 11  # D
    WALL = 12  # units of wall
    GAIN = 13  # works gained when the work under way matures
    OUT = 14  # output a turn if held, without swing; 0 while idle
    SWING_OUT = 15  # swing of that output
    WORK_SCORE = 16  # return of a work per cost, up to what the kind of work decides; 0 while one is under way
    WALL_SCORE = 17  # output guarded per unit of wall
    RAIDED = 18  # raids expected a turn


CHANGING = Realm.STAY
"""The first row of a realm that turns and orders change."""


class Site(IntEnum):
    """What is believed of a cell as a column of the realm; columns of ``Work.survey``."""

    WORKS = 0  # D
    WALL = 1  # units of wall
    PROJECTION = 2  # share of the own army that counts there
    RUGGEDNESS = 3  # R
    EXPOSURE = 4  # attacks expected a turn
    THREAT = 5  # force expected in an attack
    PLAYED = 6  # 1 where those attacks are played in a rollout


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
    MIND = 6  # level of mind: how rivals are believed to go on
    GUARD = 7  # Guard
    OFFICE = 8  # 1 + the seat of thought at work; 0 where one decides for the whole realm


class Fund(IntEnum):
    """What a civilization plans with now; ``knowledge.own.read_funds`` writes it."""

    SETTLEMENT = 0  # output
    WORKS = 1  # output
    ARMY = 2  # force
    WALLS = 3  # output
    OUTPUT = 4  # output of the turn
    FORCE_PRICE = 5  # output a unit of force
    CONSUMED = 6  # consumption over its scale per unit of output where the objective is welfare; 0 where it is linear
    COMMANDED = 7  # share of what the region gives that is paid into the funds one orders from
    GRANTED = 8  # what of the grant of output is
    REST = 9  # output of the turn that does not come from the region, the grant in it
    REALM = 10  # output of the turn of the whole realm, the grant in it
    SENT = 11  # share of the army that one may send out to attack


class Base(IntEnum):
    """Sizes of the region as it is now; ``prepare.py`` writes them."""

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
    ROLLED = 13  # turns that a rollout simulates
    CONTESTED = 14  # 1 where rivals are expected to take land beside the realm, or that the search met
    ARMED = 15  # 1 where rivals in mind attack in rollouts
    WAR = 16  # 1 where an attack is allowed at all and rivals are attended to
    HOLDS = 17  # 1 where a base that does not attack was found better in this deliberation
    KNOWN = 18  # cells that rivals are known to hold
    COPIED = 19  # 1 where the rollout's own space holds what stands of the base realm's columns
    APART = 20  # own cells outside the region, listed in ``Work.rivals`` behind those of rivals
    ELSEWHERE = 21  # these and the parties of other seats of thought: they make claims dearer
    ORDERED = 22  # 1 where frontiers of rivals are marks on places in ``Work.thumb``, not lists of cells
    LOTS = 23  # 1 + the world whose cells' ranks are in ``Work.lot``; 0 for none
    DELAYED = 24  # cells in ``Work.delayed``, where a rollout's walls hold bands up longer than is believed now
    KEPT_WAYS = 25  # rows of ``Work.way_kept`` that are filled
    FORESEEN = 26  # turns of rivals' walk that rollouts can follow; 0 for none


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
    BASE = 9  # BaseRule of the policy that carries on after it
    DATES = 10  # 1 where that pays for walls against bands in view before all else that a treasury pays


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
    SIEGE = 9  # 1 from when the plan's attack breaches a wall until the battle
    FOES = 10  # rivals' cells that border the realm
    STORMED = 11  # the one whose wall the base breaches, or -1
    STORM_DUE = 12  # turn of the battle for it
    EXPOSED = 13  # columns that rivals in mind may attack, in ``Work.exposed``; -1 to list them
    LISTED = 14  # columns there were when they were listed
    GIVEN = 15  # orders given so far on land, sieges begun among them; works and walls are the next two, as of Phase
    GIVEN_WORKS = 16
    GIVEN_WALLS = 17
    CHANGED = 18  # columns that score for works otherwise than in the base realm, or are not of it
    CHANGED_WALLS = 19  # the same for walls
    AT = 20  # place in each ranking of what comes next; as many as there are of Ranked
    AT_WALLS = 21
    AT_LAND = 22
    AT_PATHS = 23
    COUNTED = 24  # rivals, as bits, for whom it was counted how much is open to each; -1 where it must be
    FORESEEN = 25  # turn in which rivals leave what was foreseen; below 0 where they are rolled on


class Foe(IntEnum):
    """What is believed of a battle for a rival's cell."""

    PROJECTION = 0  # share of the own army that counts there
    DEFENCE = 1  # (force + wall that stands in battle) · (1 + R)
    WALL = 2  # units of wall
    PRIZE = 3  # expected output of the cell once captured


class Left(IntEnum):
    """What a base's own rollout tells: the worth of a unit left in a fund (output to come), of land, and of itself."""

    LAND = 0
    WORKS = 1
    KEPT = 2  # the share of output that raids leave to the base's realm, and in time to land newly settled
    ALONE = 3  # the believed value of the base's own rollout; NaN where the realm has changed since
    AT_ONCE = 4  # orders that it gives now on land; works and walls are the next two, as of Phase
    WORKS_AT_ONCE = 5
    WALLS_AT_ONCE = 6


class Ranked(IntEnum):
    """What is ranked for all rollouts from a realm; the first two are of columns, in the order of their Realm rows."""

    WORKS = 0
    WALLS = 1
    LAND = 2  # cells of the frontier by output per cost
    PATHS = 3  # the same by potential


class Ranks(IntEnum):
    """How far a ranking is made."""

    LENGTH = 0  # columns, or cells, ranked so far; -1 where none is of the realm as it is now
    OF = 1  # of how many
    CLOSE = 2  # 1 where near ties would decide differently once something is taken away


class Purse(IntEnum):
    """Quantities of one rollout."""

    SETTLEMENT = 0
    WORKS = 1
    ARMY = 2
    WALLS = 3
    VALUE = 4  # discounted objective so far
    GARRISON = 5  # the army at which losses were last worked out
    LOST = 6  # force lost, discounted, at its worth then (output)
    LAST = 7  # output of the turn last rolled
    BOUND = 8  # what columns changed, and cells new on the frontier, score at most; as many as there are of Ranked
    BOUND_WALLS = 9
    BOUND_LAND = 10
    BOUND_PATHS = 11


class Mind(IntEnum):
    """What is in mind of a rival."""

    CELLS = 0  # cells it holds, and parties
    FRONT = 1  # free cells beside its land; in order 1 where there is one
    TARGET = 2  # place on the frontier of its next claim, or -1 to find it; in order its first place, -1 for none
    STEP = 3  # cells of its plan that it has claimed
    READY = 4  # turn from which on it goes on with its plan


class MindPlan(IntEnum):
    """What a rival that plans is believed to have planned."""

    LENGTH = 0  # cells of its path
    READY = 1  # turn from which the first of them borders its land; 1 where its plan is to wait a turn
    BASE = 2  # BaseRule that carries on after it


class MindFund(IntEnum):
    """Quantities in mind of a rival."""

    FUND = 0  # what it settles from (output)
    OUTPUT = 1  # a turn
    ARMY = 2  # force that it may attack with; below 0 where it was never seen, or none attacks


class Clock(IntEnum):
    """Counters that never go back: what is stamped with an older one is stale."""

    DELIBERATION = 0
    MARK = 1
    MIND = 2  # walks of the rivals in mind
    MIND_NOW = 3  # the one that began what is known of them now
    SURVEY = 4  # base realms built: what a cell would be as a column stands as long as one does
    PASSAGE = 5  # changes of what bands are believed to take to enter some cell
    KEPT_WAYS = 6  # the one since which ways are kept in ``Work.way_kept``


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
