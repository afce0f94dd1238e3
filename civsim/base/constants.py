"""Names for every small integer of the rules. Nothing here is tunable: tunables live in the scenario."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

RULES_VERSION = 2
"""Version of the world's rules; it travels in manifests, snapshots, checkpoints and the environment id."""

MAX_CIVILIZATIONS = 8
"""Most civilizations in one world; observation shapes are fixed for this many."""

N_NEIGHBOURS = 4
"""Cells meet along edges only (von Neumann neighbourhood)."""

WORLD_IDS = 1 << 32
"""World ids are below this: one word of the generator's counter."""

NOBODY = -1
"""Owner of an unowned cell, and the id of 'no cell' in plans and parties."""

NEVER = -1
"""Turn at which a cell never seen was last seen."""

NO_WORK = -1
"""Menu entry of the work under way where there is none."""

UNMADE = -1
"""What is worked out when it is first asked for, before it has been: a survey's depth, a cached belief."""

FAR = 255
"""``State.near`` of a cell farther than was surveyed."""

MAX_SURVEY = FAR - 1
"""Most steps a survey of the territory looks out."""

BOUGHT = -1
"""Exogenous level of a channel whose level is bought."""

FOLLOW = -1
"""Reach or rollout of a seat that follows its horizon."""

DRAWN = -1
"""Salience of a civilization whose order is drawn."""

UNLIMITED = 4096
"""Largest level; a reach of this many turns is no limit."""

TIE = 1e-6
"""Two values closer than this, relative to the larger, are tied."""


class Category(IntEnum):
    """What output is spent on. The order is the order of the last axis of every share array."""

    CONSUMPTION = 0
    SETTLEMENT = 1
    WORKS = 2
    ARMY = 3
    WALLS = 4
    STRATEGISTS = 5
    SCOUTS = 6
    ANALYSTS = 7


N_CATEGORIES = len(Category)


class Channel(IntEnum):
    """The three channels of cognition; the order of the last axis of every level array."""

    HORIZON = 0
    SIGHT = 1
    ATTENTION = 2


N_CHANNELS = len(Channel)


class ChannelFacts(NamedTuple):
    """What the rules and the pages say of a channel of cognition."""

    staff: Category  # what is spent on to buy it; in the channels' order
    symbol: str  # its level in formulas
    unit: str  # of a level
    over: str  # what bounds a level whatever is spent on it; empty where nothing does

    def label(self, name: str) -> str:
        """Return the title of an axis of levels, such as ``horizon h (turns)``."""
        return f"{name} {self.symbol} ({self.unit})"


COGNITION = {
    Channel.HORIZON: ChannelFacts(Category.STRATEGISTS, "h", "turns", ""),
    Channel.SIGHT: ChannelFacts(Category.SCOUTS, "r", "cells", ""),
    Channel.ATTENTION: ChannelFacts(Category.ANALYSTS, "k", "variables", "the most there is to attend to"),
}
"""Every channel. What cognition is, by name, label or category, is asked of this table and listed nowhere else."""

COGNITIVE = tuple(facts.staff for facts in COGNITION.values())
CHANNEL_LABELS = {channel.name.lower(): facts.label(channel.name.lower()) for channel, facts in COGNITION.items()}
"""The title of an axis of levels, by the channel's name."""

CHANNEL_NAMES = tuple(CHANNEL_LABELS)
PHYSICAL = tuple(c for c in Category if c != Category.CONSUMPTION and c not in COGNITIVE)
FUNDS = (Category.SETTLEMENT, Category.WORKS, Category.WALLS)
"""Muscle that is paid into a fund first, and out of the fund for orders: what no order takes lies idle."""


class OrderKind(IntEnum):
    """Kinds of order. An order is (kind, cell, choice): ids only."""

    NONE = -1
    CLAIM = 0
    ATTACK = 1
    WORK = 2
    WALL = 3


ORDERS = {
    OrderKind.CLAIM: "claims",
    OrderKind.ATTACK: "attacks",
    OrderKind.WORK: "works",
    OrderKind.WALL: "walls",
}
"""Every kind of order that can be given, and what tables call those that were carried out."""

N_ORDER_KINDS = len(ORDERS)


class OrderStatus(IntEnum):
    """What became of an order."""

    EMPTY = 0
    DONE = 1
    VOID = 2


class Variable(IntEnum):
    """The drawn variables of attention; fertility and cost are always attended."""

    ORE = 0
    HAZARD = 1
    RIVALS = 2
    RAIDERS = 3


N_VARIABLES = len(Variable)
ALWAYS_ATTENDED = 2
"""Fertility and cost: k = 2 attends to these and to none of :class:`Variable`."""

MAX_ATTENTION = ALWAYS_ATTENDED + N_VARIABLES
MAX_MIND = 3
"""The highest level of mind: rivals that plan, by a level less."""

MAX_OFFICES = 8
"""Most seats of thought of a civilization: as many as there are bits in a byte."""

N_PURSES = 3
"""Funds that seats of thought command: settlement, works and walls, or a treasury in the place of the first."""

MAX_NEWS = 128
"""Most turns that a messenger may be on the road: what is kept of the past goes back so far."""


class Sham(IntEnum):
    """Placebo arms: the civilization pays for cognition as usual, but its planner is served otherwise."""

    NONE = 0
    INERT = 1
    SHUFFLED = 2


class Rung(IntEnum):
    """Rules by which a civilization claims land without simulating anything: a ladder, see ``ladder.py``."""

    MYOPIC = 0
    RATE = 1
    NPV = 2


class Attacks(IntEnum):
    """When a civilization may attack."""

    NEVER = 0
    RULE = 1
    PLAN = 2


class Guard(IntEnum):
    """What a civilization walls by where it simulates nothing."""

    THUMB = 0
    DATES = 1


class Objective(IntEnum):
    """What a civilization's reward is. All are recorded, whichever is the reward."""

    WELFARE = 0
    CONSUMPTION = 1
    OUTPUT = 2
    SHARE = 3


N_OBJECTIVES = len(Objective)


class Noise(IntEnum):
    """Variables that a wrong model distorts by a fixed factor."""

    FERTILITY = 0
    COST = 1
    ORE = 2
    HAZARD = 3


N_NOISE = len(Noise)


class Draw(IntEnum):
    """Purposes of keyed draws. A number is never reused or renumbered: it is part of every recorded result."""

    GROUND = 1
    SITE = 2
    SITE_VALUE = 3
    ORE = 4
    ORE_VALUE = 5
    RIDGE = 6
    PASS = 7
    HAZARD = 8
    CAPITAL = 9
    SALIENCE = 10
    NOISE = 11
    SITE_STATE = 12
    PRICE = 13
    DISASTER = 20
    FLIP = 21
    RAID_SPAWN = 22
    RAID_PLACE = 23
    RAID_STRENGTH = 24
    RAID_TARGET = 25
    TURN_ORDER = 30
    TIE = 31
    BATTLE = 32
    SHUFFLE = 33
    OFFICE_ORDER = 34
    POLICY = 40
    DESIGN = 41
    LEAGUE = 42


class Witness(IntEnum):
    """What a civilization counts of what it has witnessed; the order of the last axis of ``State.witness``."""

    DISASTERS = 0
    CELL_TURNS = 1
    ATTACKS = 2
    ATTACK_FORCE = 3
    EXPOSED_TURNS = 4
    RAIDS = 5
    RIVAL_GAINS = 6
    RIVAL_EXPOSURE = 7


N_WITNESS = len(Witness)


class Price(IntEnum):
    """Prices that a world may draw; the last axis of ``State.price_factor``. The first three are the Channels'."""

    HORIZON = 0
    SIGHT = 1
    ATTENTION = 2
    FORCE = 3


N_PRICES = len(Price)


class Seen(IntEnum):
    """Running sums over the cells a civilization has ever seen; the last axis of ``State.seen_sum``."""

    CELLS = 0
    FERTILITY = 1
    ORE = 2
    RUGGEDNESS = 3
    HAZARD = 4


N_SEEN = len(Seen)
