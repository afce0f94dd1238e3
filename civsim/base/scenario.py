"""The scenario: one frozen, typed description of a game. Every tunable number of the rules is a field here.

A scenario is built from a TOML file by :mod:`civsim.scenarios`; the engine reads it through
:mod:`civsim.engine.compiled`, which packs it into plain scalars for the kernels. Units: *output* is the
numeraire; time is in turns; distance is in cells (grid, 4-neighbour); probabilities are per turn.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from civsim.base.constants import MAX_ATTENTION, MAX_CIVILIZATIONS, RULES_VERSION, UNLIMITED, Category

MAX_SIDE = 128
MAX_TURNS = 2000
MAX_LAG = 32
MAX_PER_TURN = 4
MAX_BANDS = 16
MAX_LEVEL = UNLIMITED
MAX_MENU = 16

Probability = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0.0, lt=1.0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0.0, le=1e6, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0.0, le=1e6, allow_inf_nan=False)]
Spread = Annotated[float, Field(ge=1.0, le=1000.0, allow_inf_nan=False)]
CategoryName = Literal["consumption", "settlement", "works", "army", "walls", "strategists", "scouts", "analysts"]
VariableName = Literal["ore", "hazard", "rivals", "raiders"]


class Frozen(BaseModel):
    """Base of every settings table: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class MapSettings(Frozen):
    """The land. Fertility is output per cell and turn without works."""

    width: int = Field(16, ge=2, le=MAX_SIDE, description="cells from west to east")
    height: int = Field(16, ge=2, le=MAX_SIDE, description="cells from north to south")
    torus: bool = Field(False, description="opposite edges meet")
    symmetric: bool = Field(False, description="every seat gets the same land by rotation (1, 2 or 4 seats)")
    file: str | None = Field(None, description="npz file with the land instead of a drawn map")
    ground: NonNegative = Field(0.3, description="median fertility of common land (output per turn)")
    ground_spread: NonNegative = Field(0.3, description="s.d. of log fertility of common land")
    correlation: NonNegative = Field(1.5, description="correlation length of ground, ridges and hazard (cells)")
    site_density: Probability = Field(0.04, description="share of cells that are rich sites")
    site_value: NonNegative = Field(3.0, description="least extra fertility of a site (output per turn)")
    site_tail: Positive = Field(2.0, description="Pareto exponent of site value; smaller is heavier")
    site_cap: Positive = Field(5.0, description="largest site value over the least")
    ore_density: Probability = Field(0.06, description="share of cells with ore")
    ore_value: NonNegative = Field(1.0, description="mean ore of a cell that has some (units of ore)")
    ridge_height: Probability = Field(0.0, description="ruggedness on a ridge line")
    ridge_width: Positive = Field(0.3, description="half-width of a ridge in s.d. of the relief field")
    pass_density: Probability = Field(0.15, description="share of ridge land lowered to passes")
    hazard: Fraction = Field(0.01, description="median probability of a disaster in a cell and turn")
    hazard_spread: NonNegative = Field(0.8, description="s.d. of log hazard between places")
    volatility: Annotated[float, Field(ge=0.0, le=0.5)] = Field(0.0, description="flip probability of a site")
    volatile_low: Probability = Field(0.1, description="share of a site's fertility in its low state")
    capital_fertility: NonNegative = Field(2.0, description="fertility of every capital (output per turn)")


class GameSettings(Frozen):
    """Players, length and reward."""

    civilizations: int = Field(4, ge=1, le=MAX_CIVILIZATIONS, description="seats in the world")
    turns: int = Field(150, ge=1, le=MAX_TURNS, description="length of the game T (turns)")
    objective: Literal["welfare", "consumption", "output", "share"] = Field(
        "welfare", description="which recorded objective is the reward"
    )
    discount: Annotated[float, Field(gt=0.0, le=1.0)] = Field(0.98, description="discount factor per turn")
    consumption_scale: Positive = Field(1.0, description="c0 of log(1 + consumption / c0) (output)")
    closed: tuple[CategoryName, ...] = Field((), description="categories whose share is exactly 0")

    @model_validator(mode="after")
    def _check(self) -> GameSettings:
        if len(set(self.closed)) != len(self.closed):
            raise ValueError("closed names a category twice; name each once")
        if len(self.closed) == len(Category):
            raise ValueError("closed names all 8 categories; leave at least one open")
        return self


class Depreciation(Frozen):
    """Share of each stock lost a turn, before the turn's spending is added."""

    settlement: Probability = Field(0.0, description="settlement fund")
    works: Probability = Field(0.0, description="works fund")
    army: Probability = Field(0.05, description="army")
    walls: Probability = Field(0.0, description="wall fund")
    strategists: Probability = Field(0.1, description="strategists")
    scouts: Probability = Field(0.1, description="scouts")
    analysts: Probability = Field(0.1, description="analysts")


class EconomySettings(Frozen):
    """Production and stocks."""

    ore_weight: NonNegative = Field(0.5, description="output per unit of ore and turn")
    depreciation: Depreciation = Field(default_factory=lambda: Depreciation())


class ClaimSettings(Frozen):
    """Settling land. Cost = base · (1 + ruggedness_cost · R) · (1 + growth · (cells + parties under way − 1))."""

    cost: Positive = Field(4.0, description="cost of a claim on flat land for a realm of one cell (output)")
    ruggedness_cost: NonNegative = Field(6.0, description="extra cost per unit of ruggedness (multiples of cost)")
    growth: NonNegative = Field(0.04, description="extra cost per cell already held (multiples of cost)")
    lag: int = Field(2, ge=0, le=MAX_LAG, description="turns from payment to arrival")
    per_turn: int = Field(2, ge=0, le=MAX_PER_TURN, description="most claims a turn")


class WorkKind(Frozen):
    """One entry of the works menu."""

    gain: Positive = Field(0.25, description="works added to D at maturity")
    cost: Positive = Field(5.0, description="cost at D = 0 (output)")
    maturity: int = Field(4, ge=1, le=MAX_TURNS, description="turns until it adds to output")


class WorksSettings(Frozen):
    """Improving land. Cost = menu cost · (1 + growth · D)."""

    menu: tuple[WorkKind, ...] = Field((WorkKind(),), min_length=1, max_length=MAX_MENU, description="kinds of work")
    growth: NonNegative = Field(1.0, description="extra cost per unit of D (multiples of cost)")
    per_turn: int = Field(2, ge=0, le=MAX_PER_TURN, description="most works a turn")


class WallSettings(Frozen):
    """Walls rise by at most ``rate`` a turn and cell."""

    cost: Positive = Field(1.0, description="cost of one unit of wall (output)")
    rate: Positive = Field(1.0, description="largest rise a turn and cell (units of wall)")
    per_turn: int = Field(2, ge=0, le=MAX_PER_TURN, description="most cells walled a turn")


class ArmySettings(Frozen):
    """Force and battle. p(win) = a^m / (a^m + d^m), d = (projected force + wall) · (1 + R) (Tullock 1980)."""

    war: bool = Field(True, description="attacks on rivals are allowed")
    price: Positive = Field(1.0, description="output per unit of force")
    lag: int = Field(2, ge=0, le=MAX_LAG, description="turns from spending to force")
    projection: Annotated[float, Field(gt=0.0)] = Field(8.0, description="λ of e^(−d/λ) (cells); inf for none")
    decisiveness: Annotated[float, Field(gt=0.0, le=16.0)] = Field(2.0, description="exponent m")
    loss_winner: Probability = Field(0.15, description="share of projected force lost by the winner")
    loss_loser: Probability = Field(0.4, description="share of projected force lost by the loser")
    keep_works: Probability = Field(0.5, description="share of works that survives capture")
    disruption: int = Field(2, ge=0, le=MAX_TURNS, description="turns a taken cell gives nothing")
    minimum: NonNegative = Field(1.0, description="least projected force of an attack")
    per_turn: int = Field(1, ge=0, le=MAX_PER_TURN, description="most attacks a turn")


class DisasterSettings(Frozen):
    """Disasters strike cells with the map's hazard."""

    duration: int = Field(3, ge=0, le=MAX_TURNS, description="turns a struck cell gives nothing")


class RaiderSettings(Frozen):
    """Bands that come over the edge and sack a cell unless (wall + projected force) · (1 + R) ≥ their strength."""

    rate: Probability = Field(0.0, description="probability that a band appears in a turn")
    strength: Positive = Field(3.0, description="mean strength of a band (exponential; units of force)")
    bands: int = Field(4, ge=1, le=MAX_BANDS, description="most bands on the map at once")
    disruption: int = Field(6, ge=0, le=MAX_TURNS, description="turns a sacked cell gives nothing")
    damage: Probability = Field(0.5, description="share of works and wall lost in a sack")


class TributeSettings(Frozen):
    """A prize shared each turn by force^m / Σ force^m and consumed at once (Tullock 1980)."""

    prize: NonNegative = Field(0.0, description="V, the prize a turn (output)")
    decisiveness: Annotated[float, Field(gt=0.0, le=16.0)] = Field(1.0, description="exponent m")


class PriceSettings(Frozen):
    """Price of a first level on each channel, in units of staff, for a realm of one cell."""

    horizon: Positive = Field(0.1, description="p_h (output of staff per level at span 0)")
    sight: Positive = Field(0.1, description="p_r")
    attention: Positive = Field(0.15, description="p_k")


class DrawSettings(Frozen):
    """How far the prices of a world may lie from the scenario's.

    A price is multiplied by a factor drawn log-uniformly from [1/x, x], anew for every world and alike for all its
    seats, who see the price they pay. A policy that is trained so knows what to do at every price in between.
    """

    horizon: Spread = Field(1.0, description="x of the price of horizon; 1 for none")
    sight: Spread = Field(1.0, description="x of the price of sight")
    attention: Spread = Field(1.0, description="x of the price of attention")
    force: Spread = Field(1.0, description="x of the price of force")


class CurvatureSettings(Frozen):
    """γ of level = ⌊(staff / (p · cells^s))^(1/γ)⌋: how steeply further levels cost."""

    horizon: Annotated[float, Field(ge=0.25, le=8.0)] = Field(1.0, description="γ_h")
    sight: Annotated[float, Field(ge=0.25, le=8.0)] = Field(1.0, description="γ_r")
    attention: Annotated[float, Field(ge=0.25, le=8.0)] = Field(1.0, description="γ_k")


class Levels(Frozen):
    """Levels of the three channels: horizon h (turns), sight r (cells), attention k (variables)."""

    horizon: int = Field(0, ge=0, le=MAX_LEVEL, description="h (turns)")
    sight: int = Field(1, ge=0, le=MAX_SIDE, description="r (cells)")
    attention: int = Field(2, ge=0, le=MAX_ATTENTION, description="k (variables)")


class PartialLevels(Frozen):
    """Exogenous levels; a channel left out is bought as usual."""

    horizon: int | None = Field(None, ge=0, le=MAX_LEVEL)
    sight: int | None = Field(None, ge=0, le=MAX_SIDE)
    attention: int | None = Field(None, ge=0, le=MAX_ATTENTION)


class GrantSettings(Frozen):
    """Gifts on top of what is bought: free levels, and output a turn (the physical control)."""

    horizon: int = Field(0, ge=0, le=MAX_LEVEL, description="levels")
    sight: int = Field(0, ge=0, le=MAX_SIDE, description="levels")
    attention: int = Field(0, ge=0, le=MAX_ATTENTION, description="levels")
    output: NonNegative = Field(0.0, description="output a turn")


class PriorSettings(Frozen):
    """What a civilization expects before it has witnessed anything; each a frequency with a weight."""

    weight: Positive = Field(20.0, description="pseudo-observations behind each prior")
    disaster: Probability = Field(0.01, description="disasters per cell and turn")
    attack: Probability = Field(0.01, description="attacks per exposed cell and turn")
    attack_force: NonNegative = Field(3.0, description="force of an attack (units of force)")
    raid: Probability = Field(0.002, description="raids per cell and turn")
    advance: Probability = Field(0.02, description="chance a free cell beside a rival is taken in a turn")


class CandidateSettings(Frozen):
    """How many plans of each kind are compared by rollout, beside the rule's own choice and waiting."""

    claims: int = Field(4, ge=1, le=32, description="cells a claim or an attack may end in")
    works: int = Field(2, ge=1, le=32, description="cells to work")
    walls: int = Field(2, ge=1, le=32, description="cells to wall")


class ThinkingSettings(Frozen):
    """Cognition: what it costs and what the planner assumes. No field here touches output, battle or score."""

    endowment: Levels = Field(default_factory=lambda: Levels(), description="free levels h0, r0, k0")
    price: PriceSettings = Field(default_factory=lambda: PriceSettings())
    curvature: CurvatureSettings = Field(default_factory=lambda: CurvatureSettings())
    span: Annotated[float, Field(ge=0.0, le=1.0)] = Field(0.5, description="s: price grows as cells^s")
    max_horizon: int = Field(16, ge=0, le=MAX_LEVEL, description="largest horizon that can be bought")
    max_sight: int = Field(8, ge=0, le=MAX_SIDE, description="largest sight that can be bought")
    reach: int | None = Field(None, ge=0, le=MAX_LEVEL, description="turns a plan may take; horizon if left out")
    rollout: int | None = Field(None, ge=0, le=MAX_LEVEL, description="turns simulated; horizon if left out")
    belief: Literal["mean", "optimistic"] = Field("mean", description="rule for cells never seen")
    optimism: Probability = Field(0.8, description="quantile of the optimistic rule")
    noise: NonNegative = Field(0.0, description="s.d. of the log error factor of a wrong model")
    salience: tuple[VariableName, ...] | None = Field(None, description="fixed order; drawn per seat if left out")
    prior: PriorSettings = Field(default_factory=lambda: PriorSettings())
    candidates: CandidateSettings = Field(default_factory=lambda: CandidateSettings())

    @model_validator(mode="after")
    def _check(self) -> ThinkingSettings:
        if self.salience is not None and sorted(self.salience) != ["hazard", "ore", "raiders", "rivals"]:
            raise ValueError("salience must order all of ore, hazard, rivals, raiders; or leave it out to draw it")
        # Compared with the default, not with the keys given: a resolved scenario names every key.
        if self.belief != "optimistic" and self.optimism != type(self).model_fields["optimism"].default:
            raise ValueError("optimism has no effect unless belief = 'optimistic'; drop it or change belief")
        return self


class PolicySettings(Frozen):
    """Which allocation policy plays a seat, by name, with its parameters (see :mod:`civsim.agents`)."""

    name: str = Field("fixed", description="a registered policy")
    params: dict[str, Any] = Field(default_factory=dict, description="its parameters")


class SeatSettings(Frozen):
    """One civilization."""

    policy: PolicySettings = Field(default_factory=lambda: PolicySettings())
    levels: PartialLevels = Field(default_factory=lambda: PartialLevels(), description="exogenous levels")
    grant: GrantSettings = Field(default_factory=lambda: GrantSettings())
    sham: Literal["none", "inert", "shuffled"] = Field("none", description="placebo arm")
    levels_known: bool = Field(False, description="rivals observe its levels")
    force_price: Positive | None = Field(None, description="overrides army.price for this seat")
    price: PriceSettings | None = Field(None, description="overrides thinking.price for this seat")
    reach: int | None = Field(None, ge=0, le=MAX_LEVEL, description="overrides thinking.reach for this seat")
    rollout: int | None = Field(None, ge=0, le=MAX_LEVEL, description="overrides thinking.rollout for this seat")


class Scenario(Frozen):
    """A whole game, frozen. Seat i is ``seats[i]`` where given, else ``seat_default``."""

    name: str = Field("unnamed", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", description="short name")
    description: str = Field("", max_length=2000, description="one line for people")
    rules: int = Field(RULES_VERSION, description="version of the rules")
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
        self._check_symmetry(n)
        if math.isnan(self.army.projection):
            raise ValueError("army.projection is nan; give a length in cells, or inf for no decay")
        return self

    def _check_symmetry(self, n: int) -> None:
        if not self.map.symmetric:
            return
        if n not in (1, 2, 4):
            raise ValueError(f"symmetric map with civilizations={n}; use 1, 2 or 4")
        if n == 4 and self.map.width != self.map.height:
            raise ValueError("symmetric map with 4 civilizations must be square; make width equal height")
        if self.map.file is not None:
            raise ValueError("map.symmetric has no effect with map.file; drop one")
