"""The scenario: one frozen, typed description of a game. Every tunable number of the rules is a field here.

A scenario is built from a TOML file by :mod:`civsim.scenarios`; the engine reads it through
:mod:`civsim.engine.compiled`, which packs it into plain scalars for the kernels. Units: *output* is the
numeraire; time is in turns; distance is in cells (grid, 4-neighbour); probabilities are per turn.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, model_validator

from civsim.base.constants import MAX_ATTENTION, MAX_CIVILIZATIONS, MAX_MIND, RULES_VERSION, UNLIMITED, Category
from civsim.base.settings import Frozen as Frozen
from civsim.base.settings import setting

MAX_SIDE = 128
MAX_TURNS = 2000
MAX_LAG = 32
MAX_PER_TURN = 64
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
RuleName = Literal["myopic", "rate", "npv"]
AttacksName = Literal["never", "rule", "plan"]
GuardName = Literal["dates", "thumb"]


class MapSettings(Frozen):
    """The land. Fertility is output per cell and turn without works."""

    width: int = setting(16, "cells from west to east", ge=2, le=MAX_SIDE, packed="width")
    height: int = setting(16, "cells from north to south", ge=2, le=MAX_SIDE, packed="height")
    torus: bool = setting(False, "opposite edges meet", packed="torus")
    symmetric: bool = setting(False, "every seat gets the same land by rotation (1, 2 or 4 seats)")
    file: str | None = setting(None, "npz file with the land instead of a drawn map")
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


class PriceSettings(Frozen):
    """Price of a first level on each channel, in units of staff, for a realm of one cell."""

    horizon: Positive = setting(0.1, "p_h (output of staff per level at span 0)")
    sight: Positive = setting(0.1, "p_r")
    attention: Positive = setting(0.15, "p_k")


class DrawSettings(Frozen):
    """How far the prices of a world may lie from the scenario's.

    A price is multiplied by a factor drawn log-uniformly from [1/x, x], anew for every world and alike for all its
    seats, who see the price they pay. A policy that is trained so knows what to do at every price in between.
    """

    horizon: Spread = setting(1.0, "x of the price of horizon; 1 for none")
    sight: Spread = setting(1.0, "x of the price of sight")
    attention: Spread = setting(1.0, "x of the price of attention")
    force: Spread = setting(1.0, "x of the price of force")


class CurvatureSettings(Frozen):
    """γ of level = ⌊(staff / (p · cells^s))^(1/γ)⌋: how steeply further levels cost."""

    horizon: Annotated[float, Field(ge=0.25, le=8.0)] = setting(1.0, "γ_h")
    sight: Annotated[float, Field(ge=0.25, le=8.0)] = setting(1.0, "γ_r")
    attention: Annotated[float, Field(ge=0.25, le=8.0)] = setting(1.0, "γ_k")


class Levels(Frozen):
    """Levels of the three channels: horizon h (turns), sight r (cells), attention k (variables)."""

    horizon: int = setting(0, "h (turns)", ge=0, le=MAX_LEVEL)
    sight: int = setting(1, "r (cells)", ge=0, le=MAX_SIDE)
    attention: int = setting(2, "k (variables)", ge=0, le=MAX_ATTENTION)


class PartialLevels(Frozen):
    """Exogenous levels; a channel left out is bought as usual."""

    horizon: int | None = Field(None, ge=0, le=MAX_LEVEL)
    sight: int | None = Field(None, ge=0, le=MAX_SIDE)
    attention: int | None = Field(None, ge=0, le=MAX_ATTENTION)


class GrantSettings(Frozen):
    """Gifts on top of what is bought: free levels, and output a turn (the physical control)."""

    horizon: int = setting(0, "levels", ge=0, le=MAX_LEVEL)
    sight: int = setting(0, "levels", ge=0, le=MAX_SIDE)
    attention: int = setting(0, "levels", ge=0, le=MAX_ATTENTION)
    output: NonNegative = setting(0.0, "output a turn")


class PriorSettings(Frozen):
    """What a civilization expects before it has witnessed anything; each a frequency with a weight."""

    weight: Positive = setting(20.0, "pseudo-observations behind each prior", packed="prior_weight")
    disaster: Probability = setting(0.01, "disasters per cell and turn", packed="prior_disaster")
    attack: Probability = setting(0.01, "attacks per exposed cell and turn", packed="prior_attack")
    attack_force: NonNegative = setting(3.0, "force of an attack (units of force)", packed="prior_force")
    raid: Probability = setting(0.002, "raids per cell and turn", packed="prior_raid")
    advance: Probability = setting(0.02, "chance a free cell beside a rival is taken in a turn", packed="prior_advance")


class CandidateSettings(Frozen):
    """How many plans of each kind are compared by rollout, beside the rule's own choice and waiting."""

    claims: int = setting(4, "cells a claim or an attack may end in", ge=1, le=32, packed="claim_candidates")
    works: int = setting(2, "cells to work", ge=1, le=32, packed="work_candidates")
    walls: int = setting(2, "cells to wall", ge=1, le=32, packed="wall_candidates")


class ThinkingSettings(Frozen):
    """Cognition: what it costs and what the planner assumes. No field here touches output, battle or score."""

    endowment: Levels = Field(default_factory=lambda: Levels(), description="free levels h0, r0, k0")
    price: PriceSettings = Field(default_factory=lambda: PriceSettings())
    curvature: CurvatureSettings = Field(default_factory=lambda: CurvatureSettings())
    span: Annotated[float, Field(ge=0.0, le=1.0)] = setting(0.5, "s: price grows as cells^s", packed="span")
    max_horizon: int = setting(16, "largest horizon that can be bought", ge=0, le=MAX_LEVEL)
    max_sight: int = setting(8, "largest sight that can be bought", ge=0, le=MAX_SIDE)
    reach: int | None = setting(None, "turns a plan may take; horizon if left out", ge=0, le=MAX_LEVEL)
    rollout: int | None = setting(None, "turns simulated; horizon if left out", ge=0, le=MAX_LEVEL)
    rule: RuleName = setting("npv", "rule for land, followed where nothing is simulated and the base of what is")
    attacks: AttacksName = setting("plan", "never, also by rule, or only where a plan that is simulated is best")
    guard: GuardName = setting("thumb", "walls where nothing is simulated; dates: first against bands in view")
    levels_of_mind: int = setting(
        1, "rivals: 0 stand still, 1 set deadlines, 2 claim and attack in rollouts, 3 plan as well", ge=0, le=MAX_MIND
    )
    mind_turns: int = setting(40, "most turns that rivals are rolled on", ge=1, le=MAX_LEVEL, packed="mind_turns")
    belief: Literal["mean", "optimistic"] = setting("mean", "rule for cells never seen")
    optimism: Probability = setting(0.8, "quantile of the optimistic rule", packed="optimism")
    noise: NonNegative = setting(0.0, "s.d. of the log error factor of a wrong model")
    salience: tuple[VariableName, ...] | None = setting(None, "fixed order; drawn per seat if left out")
    prior: PriorSettings = Field(default_factory=lambda: PriorSettings())
    candidates: CandidateSettings = Field(default_factory=lambda: CandidateSettings())

    @model_validator(mode="after")
    def _check(self) -> ThinkingSettings:
        if self.salience is not None and sorted(self.salience) != sorted(get_args(VariableName)):
            names = ", ".join(get_args(VariableName))
            raise ValueError(f"salience must order all of {names}; or leave it out to draw it")
        # Compared with the default, not with the keys given: a resolved scenario names every key.
        if self.belief != "optimistic" and self.optimism != type(self).model_fields["optimism"].default:
            raise ValueError("optimism has no effect unless belief = 'optimistic'; drop it or change belief")
        return self


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
