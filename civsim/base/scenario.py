"""The scenario: one frozen, typed description of a game. Every tunable number of the rules is a field here.

A scenario is built from a TOML file by :mod:`civsim.scenarios`; the engine reads it through
:mod:`civsim.engine.compiled`, which packs it into plain scalars for the kernels. Units: *output* is the
numeraire; time is in turns; distance is in cells (grid, 4-neighbour); probabilities are per turn.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from civsim.base.constants import MAX_CIVILIZATIONS, MAX_MIND, MAX_NEWS, RULES_VERSION, Category
from civsim.base.limits import (
    MAX_BANDS,
    MAX_LAG,
    MAX_MENU,
    MAX_SIDE,
    AttacksName,
    CategoryName,
    GuardName,
    RuleName,
    Spread,
)
from civsim.base.limits import MAX_LEVEL as MAX_LEVEL
from civsim.base.limits import MAX_PER_TURN as MAX_PER_TURN
from civsim.base.limits import MAX_TURNS as MAX_TURNS
from civsim.base.limits import Fraction as Fraction
from civsim.base.limits import NonNegative as NonNegative
from civsim.base.limits import Positive as Positive
from civsim.base.limits import Probability as Probability
from civsim.base.settings import Frozen as Frozen
from civsim.base.settings import setting
from civsim.base.thinking import GrantSettings, PartialLevels, PriceSettings, ThinkingSettings, ThoughtSettings


class MapSettings(Frozen):
    """The land. Fertility is output per cell and turn without works."""

    width: int = setting(16, "cells from west to east", ge=2, le=MAX_SIDE, packed="width")
    height: int = setting(16, "cells from north to south", ge=2, le=MAX_SIDE, packed="height")
    torus: bool = setting(False, "opposite edges meet", packed="torus")
    symmetric: bool = setting(False, "every seat gets the same land by rotation (1, 2 or 4 seats)")
    file: str | None = setting(None, "file with the land (npz, csv or asc) instead of a drawn map")
    ground: NonNegative = setting(0.3, "median fertility of common land (output per turn)")
    ground_spread: NonNegative = setting(0.3, "s.d. of log fertility of common land")
    correlation: NonNegative = setting(1.5, "correlation length of ground, ridges and hazard (cells)")
    site_density: Probability = setting(0.04, "share of cells that are rich sites")
    site_value: NonNegative = setting(3.0, "least extra fertility of a site (output per turn)")
    site_tail: Positive = setting(2.0, "Pareto exponent of site value; smaller is heavier")
    site_cap: Positive = setting(5.0, "largest site value over the least")
    ore_density: Probability = setting(0.06, "share of cells with ore")
    ore_value: NonNegative = setting(1.0, "mean ore of a cell that has some (units of ore)")
    ridge_height: Probability = setting(0.0, "ruggedness on a ridge line")
    ridge_width: Positive = setting(0.3, "half-width of a ridge in s.d. of the relief field")
    pass_density: Probability = setting(0.15, "share of ridge land lowered to passes")
    block: NonNegative = setting(0.0, "further turns of way per unit of ruggedness", packed="land_block")
    hazard: Fraction = setting(0.01, "median probability of a disaster in a cell and turn")
    hazard_spread: NonNegative = setting(0.8, "s.d. of log hazard between places")
    volatility: Annotated[float, Field(ge=0.0, le=0.5)] = setting(
        0.0, "flip probability of a site", packed="volatility"
    )
    volatile_low: Probability = setting(0.1, "share of a site's fertility in its low state", packed="volatile_low")
    capital_fertility: NonNegative = setting(2.0, "fertility of every capital (output per turn)")


BESIDE_MAP_FILE = frozenset({"width", "height", "torus", "file", "block", "volatility", "volatile_low"})
"""Settings of the map that have an effect where the land is read from a file; it says what the others would draw."""


class GameSettings(Frozen):
    """Players, length and reward."""

    civilizations: int = setting(4, "seats in the world", ge=1, le=MAX_CIVILIZATIONS, packed="n_civs")
    turns: int = setting(150, "length of the game T (turns)", ge=1, le=MAX_TURNS, packed="turns")
    objective: Literal["welfare", "consumption", "output", "share"] = setting(
        "welfare", "which recorded objective is the reward"
    )
    discount: Annotated[float, Field(gt=0.0, le=1.0)] = setting(0.98, "discount factor per turn")
    consumption_scale: Positive = setting(1.0, "c0 of log(1 + consumption / c0) (output)", packed="consumption_scale")
    closed: tuple[CategoryName, ...] = setting((), "categories whose share is exactly 0")

    @model_validator(mode="after")
    def _check(self) -> GameSettings:
        if len(set(self.closed)) != len(self.closed):
            raise ValueError("closed names a category twice; name each once")
        if len(self.closed) == len(Category):
            raise ValueError(f"closed names all {len(Category)} categories; leave at least one open")
        return self


class Depreciation(Frozen):
    """Share of each stock lost a turn, before the turn's spending is added."""

    settlement: Probability = setting(0.0, "settlement fund")
    works: Probability = setting(0.0, "works fund")
    army: Probability = setting(0.05, "army")
    walls: Probability = setting(0.0, "wall fund")
    strategists: Probability = setting(0.1, "strategists")
    scouts: Probability = setting(0.1, "scouts")
    analysts: Probability = setting(0.1, "analysts")


class EconomySettings(Frozen):
    """Production and stocks."""

    ore_weight: NonNegative = setting(0.5, "output per unit of ore and turn", packed="ore_weight")
    pooled: bool = setting(False, "settlement, works and walls share one treasury, settlement's", packed="pooled")
    depreciation: Depreciation = Field(default_factory=lambda: Depreciation())

    @model_validator(mode="after")
    def _check(self) -> EconomySettings:
        for name in ("works", "walls"):
            # Compared with the default, not with the keys given: a resolved scenario names every key.
            if self.pooled and getattr(self.depreciation, name) != Depreciation.model_fields[name].default:
                raise ValueError(
                    f"depreciation.{name} has no effect with pooled: the treasury has settlement's; drop one of them"
                )
        return self


class ClaimSettings(Frozen):
    """Settling land. Cost = base · (1 + ruggedness_cost · R) · (1 + growth · (cells + parties under way − 1))."""

    cost: Positive = setting(4.0, "cost of a claim on flat land for a realm of one cell (output)", packed="claim_cost")
    ruggedness_cost: NonNegative = setting(
        6.0, "extra cost per unit of ruggedness (multiples of cost)", packed="claim_rugged"
    )
    growth: NonNegative = setting(0.04, "extra cost per cell already held (multiples of cost)", packed="claim_growth")
    lag: int = setting(2, "turns from payment to arrival", ge=0, le=MAX_LAG, packed="claim_lag")
    per_turn: int = setting(8, "most claims a turn", ge=0, le=MAX_PER_TURN, packed="claims_per_turn")


class WorkKind(Frozen):
    """One entry of the works menu."""

    gain: Positive = setting(0.25, "works added to D at maturity", packed="work_gain")
    cost: Positive = setting(5.0, "cost at D = 0 (output)", packed="work_cost")
    maturity: int = setting(4, "turns until it adds to output", ge=1, le=MAX_TURNS, packed="work_turns")


class WorksSettings(Frozen):
    """Improving land. Cost = menu cost · (1 + growth · D)."""

    menu: tuple[WorkKind, ...] = setting((WorkKind(),), "kinds of work", min_length=1, max_length=MAX_MENU)
    growth: NonNegative = setting(1.0, "extra cost per unit of D (multiples of cost)", packed="work_growth")
    per_turn: int = setting(8, "most works a turn", ge=0, le=MAX_PER_TURN, packed="works_per_turn")


class WallSettings(Frozen):
    """Walls rise by at most ``rate`` a turn and cell."""

    cost: Positive = setting(1.0, "cost of one unit of wall (output)", packed="wall_cost")
    rate: Positive = setting(1.0, "largest rise a turn and cell (units of wall)", packed="wall_rate")
    per_turn: int = setting(16, "most cells walled a turn", ge=0, le=MAX_PER_TURN, packed="walls_per_turn")
    block: NonNegative = setting(0.0, "further turns of way per unit of a wall not one's own", packed="wall_block")


class ArmySettings(Frozen):
    """Force and battle. p(win) = a^m / (a^m + d^m), d = (projected force + wall) · (1 + R) (Tullock 1980)."""

    war: bool = setting(True, "attacks on rivals are allowed")
    price: Positive = setting(1.0, "output per unit of force")
    lag: int = setting(2, "turns from spending to force", ge=0, le=MAX_LAG, packed="army_lag")
    projection: Annotated[float, Field(gt=0.0)] = setting(
        8.0, "λ of e^(−d/λ) (cells); inf for none", packed="force_length"
    )
    decisiveness: Annotated[float, Field(gt=0.0, le=16.0)] = setting(2.0, "exponent m", packed="decisiveness")
    loss_winner: Probability = setting(0.15, "share of projected force lost by the winner", packed="loss_winner")
    loss_loser: Probability = setting(0.4, "share of projected force lost by the loser", packed="loss_loser")
    keep_works: Probability = setting(0.5, "share of works that survives capture", packed="keep_works")
    disruption: int = setting(2, "turns a taken cell gives nothing", ge=0, le=MAX_TURNS, packed="capture_turns")
    minimum: NonNegative = setting(1.0, "least projected force of an attack", packed="minimum_force")
    per_turn: int = setting(1, "most attacks a turn", ge=0, le=MAX_PER_TURN)
    siege: NonNegative = setting(0.0, "wall breached a turn per unit of projected force; 0: it defends", packed="siege")


class DisasterSettings(Frozen):
    """Disasters strike cells with the map's hazard."""

    duration: int = setting(3, "turns a struck cell gives nothing", ge=0, le=MAX_TURNS, packed="disaster_turns")


class RaiderSettings(Frozen):
    """Bands that come over the edge and sack a cell unless (wall + projected force) · (1 + R) ≥ their strength.

    When a band sets out it weighs every held cell by loot · e^(−defence / mean strength) / (1 + steps)^way.
    """

    rate: Probability = setting(0.0, "probability that a band appears in a turn", packed="raid_rate")
    strength: Positive = setting(3.0, "mean strength of a band (exponential; units of force)", packed="raid_strength")
    bands: int = setting(4, "most bands on the map at once", ge=1, le=MAX_BANDS)
    disruption: int = setting(6, "turns a sacked cell gives nothing", ge=0, le=MAX_TURNS, packed="raid_turns")
    damage: Probability = setting(0.5, "share of works and wall lost in a sack", packed="raid_damage")
    way: Annotated[float, Field(ge=0.0, le=16.0)] = setting(
        1.0, "exponent of the way to a cell in what draws a band there; 0: distance does not matter", packed="raid_way"
    )
    noise: Annotated[float, Field(ge=0.0, le=100.0)] = setting(
        0.0,
        "spread of a band's own taste for a cell (s.d. of log score · √6/π); 0: the greatest score",
        packed="raid_noise",
    )
    gather: int = setting(
        0, "turns a band gathers where it has appeared before it sets out", ge=0, le=MAX_TURNS, packed="raid_gather"
    )


class TributeSettings(Frozen):
    """A prize shared each turn by force^m / Σ force^m and consumed at once (Tullock 1980)."""

    prize: NonNegative = setting(0.0, "V, the prize a turn (output)", packed="prize")
    decisiveness: Annotated[float, Field(gt=0.0, le=16.0)] = setting(1.0, "exponent m", packed="prize_decisiveness")


class DrawSettings(Frozen):
    """How far the prices of a world may lie from the scenario's.

    A price is multiplied by a factor drawn log-uniformly from [1/x, x], anew for every world and alike for all its
    seats, who see the price they pay. A policy that is trained so knows what to do at every price in between.
    """

    horizon: Spread = setting(1.0, "x of the price of horizon; 1 for none")
    sight: Spread = setting(1.0, "x of the price of sight")
    attention: Spread = setting(1.0, "x of the price of attention")
    force: Spread = setting(1.0, "x of the price of force")


class PolicySettings(Frozen):
    """Which allocation policy plays a seat, by name, with its parameters (see :mod:`civsim.agents`)."""

    name: str = setting("fixed", "a registered policy")
    params: dict[str, Any] = Field(default_factory=dict, description="its parameters")


class SeatSettings(Frozen):
    """One civilization."""

    policy: PolicySettings = Field(default_factory=lambda: PolicySettings())
    levels: PartialLevels = Field(default_factory=lambda: PartialLevels(), description="exogenous levels")
    grant: GrantSettings = Field(default_factory=lambda: GrantSettings())
    sham: Literal["none", "inert", "shuffled"] = setting("none", "placebo arm")
    levels_known: bool = setting(False, "rivals observe its levels")
    force_price: Positive | None = setting(None, "overrides army.price for this seat")
    price: PriceSettings | None = setting(None, "overrides thinking.price for this seat")
    reach: int | None = setting(None, "overrides thinking.reach for this seat", ge=0, le=MAX_LEVEL)
    rollout: int | None = setting(None, "overrides thinking.rollout for this seat", ge=0, le=MAX_LEVEL)
    rule: RuleName | None = setting(None, "overrides thinking.rule for this seat")
    attacks: AttacksName | None = setting(None, "overrides thinking.attacks for this seat")
    guard: GuardName | None = setting(None, "overrides thinking.guard for this seat")
    levels_of_mind: int | None = setting(None, "overrides thinking.levels_of_mind for this seat", ge=0, le=MAX_MIND)
    thought: ThoughtSettings | None = setting(None, "overrides thinking.seats for this seat, whole")


class Scenario(Frozen):
    """A whole game, frozen. Seat i is ``seats[i]`` where given, else ``seat_default``."""

    name: str = setting("unnamed", "short name", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    description: str = setting("", "one line for people", max_length=2000)
    rules: int = setting(RULES_VERSION, "version of the rules")
    map: MapSettings = Field(default_factory=lambda: MapSettings())
    game: GameSettings = Field(default_factory=lambda: GameSettings())
    economy: EconomySettings = Field(default_factory=lambda: EconomySettings())
    claims: ClaimSettings = Field(default_factory=lambda: ClaimSettings())
    works: WorksSettings = Field(default_factory=lambda: WorksSettings())
    walls: WallSettings = Field(default_factory=lambda: WallSettings())
    army: ArmySettings = Field(default_factory=lambda: ArmySettings())
    disasters: DisasterSettings = Field(default_factory=lambda: DisasterSettings())
    raiders: RaiderSettings = Field(default_factory=lambda: RaiderSettings())
    tribute: TributeSettings = Field(default_factory=lambda: TributeSettings())
    thinking: ThinkingSettings = Field(default_factory=lambda: ThinkingSettings())
    draws: DrawSettings = Field(default_factory=lambda: DrawSettings())
    seat_default: SeatSettings = Field(default_factory=lambda: SeatSettings())
    seats: tuple[SeatSettings, ...] = Field((), max_length=MAX_CIVILIZATIONS)

    def seat(self, index: int) -> SeatSettings:
        """Return the settings of seat ``index`` (0 ≤ index < civilizations)."""
        return self.seats[index] if index < len(self.seats) else self.seat_default

    @property
    def n_cells(self) -> int:
        """Cells on the map."""
        return self.map.width * self.map.height

    @model_validator(mode="after")
    def _check(self) -> Scenario:
        if self.rules != RULES_VERSION:
            raise ValueError(f"rules={self.rules} is not {RULES_VERSION}, the version this release plays")
        n = self.game.civilizations
        if len(self.seats) > n:
            raise ValueError(f"seats has {len(self.seats)} entries but civilizations={n}; drop some or raise it")
        if 2 * n > self.n_cells:
            raise ValueError(f"civilizations={n} on {self.n_cells} cells; lower it or enlarge the map")
        self._check_map_file()
        self._check_symmetry(n)
        for index in range(n):
            self._check_messengers(index)
        if math.isnan(self.army.projection):
            raise ValueError("army.projection is nan; give a length in cells, or inf for no decay")
        return self

    def thought(self, index: int) -> ThoughtSettings:
        """Return the seats of thought of seat ``index`` (0 ≤ index < civilizations)."""
        return self.seat(index).thought or self.thinking.seats

    def news_turns(self, index: int) -> int:
        """Return the turns that a messenger of seat ``index`` takes across the map: 0 where all is heard at once."""
        thought = self.thought(index)
        if thought.count == 1:
            return 0
        turns = (self.map.width + self.map.height - 2) / thought.messenger
        return math.ceil(turns) if turns < MAX_LEVEL else MAX_LEVEL

    def _check_messengers(self, index: int) -> None:
        turns, pace = self.news_turns(index), self.thought(index).messenger
        if turns > MAX_NEWS:
            least = (self.map.width + self.map.height - 2) / MAX_NEWS
            raise ValueError(
                f"messenger = {pace:g} cells a turn is up to {turns} turns on its road here, over {MAX_NEWS};"
                f" give {math.ceil(100.0 * least) / 100.0:g} or more, or a smaller map"
            )

    def _check_map_file(self) -> None:
        for name in MapSettings.model_fields if self.map.file is not None else ():
            # Compared with the default, not with the keys given: a resolved scenario names every key.
            value, default = getattr(self.map, name), MapSettings.model_fields[name].default
            if name not in BESIDE_MAP_FILE and value != default:
                raise ValueError(
                    f"map.{name}={value} has no effect with map.file; leave it at {default}, or drop map.file"
                )

    def _check_symmetry(self, n: int) -> None:
        if not self.map.symmetric:
            return
        if n not in (1, 2, 4):
            raise ValueError(f"symmetric map with civilizations={n}; use 1, 2 or 4")
        if n == 4 and self.map.width != self.map.height:
            raise ValueError("symmetric map with 4 civilizations must be square; make width equal height")
