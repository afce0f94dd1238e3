"""The state of B worlds as one record of arrays, and the specification each field is allocated from.

Axes: B worlds, N civilizations, C cells (row-major, cell = row · W + column), L muster slots, P parties under way,
K orders a turn, R raider bands. Where a civilization has several seats of thought O is the most that one has; M = N · O
rows hold what each of them knows, the capitals' first, then civilization by civilization the others'; D turns of the
past are kept for messengers. Elsewhere M = N, and O, D, C' and P' (else C and P) are 0. Quantities are float32, sums of
many terms float64, ids small integers.

To add a field, declare it in :class:`State` and give its line in :data:`SPEC`: allocation, reset, snapshots, copies of
rows and the documentation follow from those two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import (
    FAR,
    MAX_SURVEY,
    N_CATEGORIES,
    N_CHANNELS,
    N_NOISE,
    N_OBJECTIVES,
    N_ORDER_KINDS,
    N_PRICES,
    N_PURSES,
    N_SEEN,
    N_VARIABLES,
    N_WITNESS,
    NEVER,
    NO_WORK,
    NOBODY,
    UNMADE,
    WORLD_IDS,
    OrderKind,
    OrderStatus,
)
from civsim.base.scenario import MAX_LEVEL, MAX_TURNS, Scenario

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I8 = NDArray[np.int8]
I16 = NDArray[np.int16]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]
Role = Literal["clock", "land", "physical", "mind", "ledger", "orders"]
Bound = int | float | str | None
"""A number, the name of one of :func:`limits`, or None for the least or largest finite value of the dtype."""
Span = tuple[Bound, Bound]


class State(NamedTuple):
    """B worlds. Every array is C-contiguous and owned by one :class:`civsim.World`."""

    # clock
    world_id: I64  # [B] id of the world within the study seed, >= 0
    turn: I32  # [B] turns played, 0 .. T
    # land, fixed for a game
    fertility: F32  # [B, C] output per turn without works (a volatile site's high state), >= 0
    ore: F32  # [B, C] units of ore, >= 0
    ruggedness: F32  # [B, C] in [0, 1]
    hazard: F32  # [B, C] probability of a disaster a turn, in [0, 1)
    site: U8  # [B, C] 1 where the cell is a rich site
    price_factor: F64  # [B, 4] the world's prices over the scenario's, by Channel, then force; > 0
    # physical: cells
    owner: I8  # [B, C] civilization, or -1
    works: F32  # [B, C] D, added share of fertility, >= 0
    wall: F32  # [B, C] units of wall, >= 0
    disrupted: I16  # [B, C] turns until the cell gives output again, >= 0
    site_state: U8  # [B, C] 1 high, 0 low; 1 where the cell is no volatile site
    work_left: I16  # [B, C] turns until the work under way matures; 0 for none
    work_kind: I8  # [B, C] menu entry of the work under way; -1 for none
    # physical: civilizations
    alive: U8  # [B, N] 1 while it holds a cell
    capital: I32  # [B, N] cell of the capital; kept after elimination
    cells: I32  # [B, N] cells held
    stock: F32  # [B, N, 8] by Category: funds (output), army (force), staff (output); consumption's is 0
    muster: F32  # [B, N, L] force under way; slot (turn % L) arrives at that turn
    party_cell: I32  # [B, N, P] target of a settlement party, or -1
    party_due: I32  # [B, N, P] turn at which it arrives
    band_cell: I32  # [B, R] where a raider band stands, or -1
    band_target: I32  # [B, R] the cell it makes for, or -1
    band_strength: F32  # [B, R] units of force
    band_came: I32  # [B, R] turn at which it appeared, or -1
    band_next: I32  # [B, R] the cell it is entering where land or walls block, or -1
    band_left: I32  # [B, R] turns until it has entered that
    play_order: I8  # [B, N] civilizations in the order they act this turn
    # ledger: what was produced and enjoyed
    output: F32  # [B, N] output of the turn just played, grant included
    consumption: F32  # [B, N] consumption of the turn just played, tribute included
    tribute: F32  # [B, N] tribute received in the turn just played
    spent: F64  # [B, N, 8] cumulative spending by Category (output)
    utility: F64  # [B, N, 4] cumulative value of each Objective
    reward: F64  # [B, N] flow of the scenario's objective in the turn just played, not discounted
    gains: I32  # [B, N, 4] orders done so far by OrderKind
    losses: I32  # [B, N, 3] cells struck by disaster, lost in battle, sacked by raiders so far
    # mind: what each civilization knows, wants and has planned
    level: I16  # [B, M, 3] levels h, r, k in force this turn
    salience: I8  # [B, N, 4] Variables in the order attention takes them up
    seen: I32  # [B, M, C] turn at which the cell was last seen, or -1
    near: U8  # [B, M, C] steps to own territory as of the last survey, 255 where farther than sight
    near_fresh: U8  # [B, M] 1 while ``near`` matches the territory
    near_depth: I16  # [B, M] sight to which ``near`` was surveyed
    known_owner: I8  # [B, M, C] last seen owner, or -1
    known_works: F32  # [B, M, C] last seen works
    known_wall: F32  # [B, M, C] last seen wall
    known_site: U8  # [B, M, C] last seen site state
    force_seen: F32  # [B, M, N] last seen army of each rival (units of force)
    force_turn: I32  # [B, M, N] turn it was seen, or -1
    known_capital: I32  # [B, M, N] where each rival's capital was last seen, or -1
    band_seen: I32  # [B, M, R] where each band was last seen, or -1
    band_turn: I32  # [B, M, R] turn it was seen, or -1
    band_since: I32  # [B, M, R] turn at which the band last seen had appeared, or -1
    band_from: I32  # [B, M, R] where the band last seen was seen first, or -1
    band_aim: I32  # [B, M, R] cell that it was believed to make for when it set out, or -1
    witness: F64  # [B, N, 8] counts by Witness
    seen_sum: F64  # [B, M, 5] sums by Seen over cells ever seen
    prior_fertility: F64  # [B, M, 2] fertility believed of a cell never seen; the count of cells it was made from
    noise: F32  # [B, N, 4, C] fixed error factors by Noise; [B, N, 0, 0] where the model is right
    plan_kind: I8  # [B, M] kind of the last plan's first order, or -1
    plan_cell: I32  # [B, M] its cell, or -1
    plan_value: F32  # [B, M] its believed value (the objective to come; its index where nothing is simulated)
    plan_turn: I32  # [B, M] turn it was made, or -1
    plans: I64  # [B, N] planning runs so far
    # mind: where thought is housed in several seats; what they stand for is in ``offices``
    office_count: I8  # [B, N] seats of thought when provinces were last drawn
    office_cell: I32  # [B, N, O] where each stands, the capital's first; -1 for none, or where it has fallen since
    office_cells: I32  # [B, N, O] cells of its province
    office_weight: F64  # [B, N, O] its share of the staff
    province: I8  # [B, C'] which seat of thought of its holder a cell belongs to, or -1
    road: I32  # [B, C'] steps from it along own land as of when the cell joined
    province_output: F64  # [B, N, O] output of each province in the turn just played, grant left out
    purse: F64  # [B, N, O, 3] what each commands of the funds for settlement, works and walls (output)
    drawn_cells: I32  # [B, N] cells when provinces were last drawn; 0 where they are to be drawn anew
    drawn_turn: I32  # [B, N] turn in which they were
    party_by: I8  # [B, N, P'] seat of thought that sent a party
    past_view: U8  # [B, N, D, C'] by turn modulo D: which seats had the cell in sight, one bit each
    past_owner: I8  # [B, D, C'] by turn modulo D, as all that follows: who held the cell, or -1
    past_works: F32  # [B, D, C'] its works
    past_wall: F32  # [B, D, C'] its wall (units of wall)
    past_site: U8  # [B, D, C'] its site state
    past_army: F32  # [B, D, N] each army (units of force)
    past_capital: I32  # [B, D, N] where each capital stood
    past_band: I32  # [B, D, R] where each band stood, or -1
    past_came: I32  # [B, D, R] turn at which it had appeared, or -1


class Orders(NamedTuple):
    """Orders of one turn, in the sequence each civilization gave them; ids only, never a quantity."""

    kind: I8  # [B, N, K] OrderKind; -1 where empty
    cell: I32  # [B, N, K] cell; -1 where empty
    choice: I8  # [B, N, K] works menu entry; 0 otherwise
    status: U8  # [B, N, K] OrderStatus, written by the step


class FieldSpec(NamedTuple):
    """How a field of :class:`State` or :class:`Orders` is allocated, what it belongs to, and between what it lies."""

    shape: tuple[str, ...]
    dtype: type[np.generic]
    fill: int
    role: Role
    span: Span  # least and largest value in any world that has begun, both allowed; never NaN or infinite


_ABOVE_0 = float(np.nextafter(0.0, 1.0))
_BELOW_1 = float(np.nextafter(np.float32(1.0), np.float32(0.0)))
_NONNEGATIVE: Span = (0, None)
_ANY: Span = (None, None)
_FLAG: Span = (0, 1)
_CELL: Span = (NOBODY, "cell")
_CIV: Span = (NOBODY, "civ")
_TURN: Span = (NEVER, "turns")


def _spec(shape: str, dtype: type[np.generic], role: Role, fill: int = 0, span: Span = _NONNEGATIVE) -> FieldSpec:
    return FieldSpec(tuple(shape.split()), dtype, fill, role, span)


SPEC: Mapping[str, FieldSpec] = {
    "world_id": _spec("B", np.int64, "clock", 0, (0, WORLD_IDS - 1)),
    "turn": _spec("B", np.int32, "clock", 0, (0, "turns")),
    "fertility": _spec("B C", np.float32, "land"),
    "ore": _spec("B C", np.float32, "land"),
    "ruggedness": _spec("B C", np.float32, "land", 0, (0, 1)),
    "hazard": _spec("B C", np.float32, "land", 0, (0, _BELOW_1)),
    "site": _spec("B C", np.uint8, "land", 0, _FLAG),
    "price_factor": _spec("B prices", np.float64, "land", 1, (_ABOVE_0, None)),
    "owner": _spec("B C", np.int8, "physical", NOBODY, _CIV),
    "works": _spec("B C", np.float32, "physical"),
    "wall": _spec("B C", np.float32, "physical"),
    "disrupted": _spec("B C", np.int16, "physical", 0, (0, "idle")),
    "site_state": _spec("B C", np.uint8, "physical", 1, _FLAG),
    "work_left": _spec("B C", np.int16, "physical", 0, (0, "maturity")),
    "work_kind": _spec("B C", np.int8, "physical", NO_WORK, (NO_WORK, "menu")),
    "alive": _spec("B N", np.uint8, "physical", 1, _FLAG),
    "capital": _spec("B N", np.int32, "physical", NOBODY, (0, "cell")),
    "cells": _spec("B N", np.int32, "physical", 0, (0, "cells")),
    "stock": _spec("B N categories", np.float32, "physical"),
    "muster": _spec("B N L", np.float32, "physical"),
    "party_cell": _spec("B N P", np.int32, "physical", NOBODY, _CELL),
    "party_due": _spec("B N P", np.int32, "physical", NEVER, (NEVER, "due")),
    "band_cell": _spec("B R", np.int32, "physical", NOBODY, _CELL),
    "band_target": _spec("B R", np.int32, "physical", NOBODY, _CELL),
    "band_strength": _spec("B R", np.float32, "physical"),
    "band_came": _spec("B R", np.int32, "physical", NEVER, _TURN),
    "band_next": _spec("B R", np.int32, "physical", NOBODY, _CELL),
    "band_left": _spec("B R", np.int32, "physical", 0, (0, MAX_TURNS + 1)),
    "play_order": _spec("B N", np.int8, "physical", 0, (0, "civ")),
    "output": _spec("B N", np.float32, "ledger"),
    "consumption": _spec("B N", np.float32, "ledger"),
    "tribute": _spec("B N", np.float32, "ledger"),
    "spent": _spec("B N categories", np.float64, "ledger"),
    "utility": _spec("B N objectives", np.float64, "ledger", 0, _ANY),
    "reward": _spec("B N", np.float64, "ledger", 0, _ANY),
    "gains": _spec("B N kinds", np.int32, "ledger"),
    "losses": _spec("B N losses", np.int32, "ledger"),
    "level": _spec("B M channels", np.int16, "mind", 0, (0, 2 * MAX_LEVEL)),
    "salience": _spec("B N variables", np.int8, "mind", 0, (0, N_VARIABLES - 1)),
    "seen": _spec("B M C", np.int32, "mind", NEVER, _TURN),
    "near": _spec("B M C", np.uint8, "mind", FAR, (0, FAR)),
    "near_fresh": _spec("B M", np.uint8, "mind", 0, _FLAG),
    "near_depth": _spec("B M", np.int16, "mind", UNMADE, (UNMADE, MAX_SURVEY)),
    "known_owner": _spec("B M C", np.int8, "mind", NOBODY, _CIV),
    "known_works": _spec("B M C", np.float32, "mind"),
    "known_wall": _spec("B M C", np.float32, "mind"),
    "known_site": _spec("B M C", np.uint8, "mind", 1, _FLAG),
    "force_seen": _spec("B M N", np.float32, "mind"),
    "force_turn": _spec("B M N", np.int32, "mind", NEVER, _TURN),
    "known_capital": _spec("B M N", np.int32, "mind", NOBODY, _CELL),
    "band_seen": _spec("B M R", np.int32, "mind", NOBODY, _CELL),
    "band_turn": _spec("B M R", np.int32, "mind", NEVER, _TURN),
    "band_since": _spec("B M R", np.int32, "mind", NEVER, _TURN),
    "band_from": _spec("B M R", np.int32, "mind", NOBODY, _CELL),
    "band_aim": _spec("B M R", np.int32, "mind", NOBODY, _CELL),
    "witness": _spec("B N witness", np.float64, "mind"),
    "seen_sum": _spec("B M sums", np.float64, "mind"),
    "prior_fertility": _spec("B M pair", np.float64, "mind", UNMADE, (UNMADE, None)),
    "noise": _spec("B N noises noisy", np.float32, "mind", 1),
    "plan_kind": _spec("B M", np.int8, "mind", OrderKind.NONE, (OrderKind.NONE, N_ORDER_KINDS - 1)),
    "plan_cell": _spec("B M", np.int32, "mind", NOBODY, _CELL),
    "plan_value": _spec("B M", np.float32, "mind", 0, _ANY),
    "plan_turn": _spec("B M", np.int32, "mind", NEVER, _TURN),
    "plans": _spec("B N", np.int64, "mind"),
    "office_count": _spec("B N", np.int8, "mind", 1, (1, "offices")),
    "office_cell": _spec("B N O", np.int32, "mind", NOBODY, _CELL),
    "office_cells": _spec("B N O", np.int32, "mind", 0, (0, "cells")),
    "office_weight": _spec("B N O", np.float64, "mind", 0, (0, 1)),
    "province": _spec("B C'", np.int8, "mind", NOBODY, (NOBODY, "office")),
    "road": _spec("B C'", np.int32, "mind", 0, (0, "cells")),
    "province_output": _spec("B N O", np.float64, "mind"),
    "purse": _spec("B N O purses", np.float64, "mind"),
    "drawn_cells": _spec("B N", np.int32, "mind", 0, (0, "cells")),
    "drawn_turn": _spec("B N", np.int32, "mind", 0, (0, "turns")),
    "party_by": _spec("B N P'", np.int8, "mind", 0, (0, "office")),
    "past_view": _spec("B N D C'", np.uint8, "mind", 0, (0, 255)),
    "past_owner": _spec("B D C'", np.int8, "mind", NOBODY, _CIV),
    "past_works": _spec("B D C'", np.float32, "mind"),
    "past_wall": _spec("B D C'", np.float32, "mind"),
    "past_site": _spec("B D C'", np.uint8, "mind", 1, _FLAG),
    "past_army": _spec("B D N", np.float32, "mind"),
    "past_capital": _spec("B D N", np.int32, "mind", NOBODY, _CELL),
    "past_band": _spec("B D R", np.int32, "mind", NOBODY, _CELL),
    "past_came": _spec("B D R", np.int32, "mind", NEVER, _TURN),
}
"""Every field of :class:`State`, in its order."""

ORDER_SPEC: Mapping[str, FieldSpec] = {
    "kind": _spec("B N K", np.int8, "orders", OrderKind.NONE, (OrderKind.NONE, N_ORDER_KINDS - 1)),
    "cell": _spec("B N K", np.int32, "orders", NOBODY, _CELL),
    "choice": _spec("B N K", np.int8, "orders", 0, (0, "menu")),
    "status": _spec("B N K", np.uint8, "orders", OrderStatus.EMPTY, (0, max(OrderStatus))),
}
"""Every field of :class:`Orders`, in its order."""

PHYSICAL_FIELDS = tuple(name for name, spec in SPEC.items() if spec.role in ("clock", "land", "physical", "ledger"))
"""Fields that a cognition level must never change when orders and shares are given."""


def orders_per_turn(scenario: Scenario) -> int:
    """Return K, the order slots of a civilization and turn (at least 1)."""
    return max(1, scenario.claims.per_turn + scenario.army.per_turn + scenario.works.per_turn + scenario.walls.per_turn)


def most_offices(scenario: Scenario) -> int:
    """Return the most seats of thought that a civilization of a scenario may have (1 … MAX_OFFICES)."""
    return max(scenario.thought(index).count for index in range(scenario.game.civilizations))


def axis_sizes(scenario: Scenario, n_worlds: int) -> dict[str, int]:
    """Return the length of every named axis for ``n_worlds`` worlds of a scenario."""
    noisy = scenario.thinking.noise > 0.0
    civilizations, offices = scenario.game.civilizations, most_offices(scenario)
    parties = max(1, scenario.claims.per_turn * (scenario.claims.lag + 1))
    several = offices > 1
    return {
        "B": n_worlds,
        "M": civilizations * offices,
        "O": offices if several else 0,
        "C'": scenario.n_cells if several else 0,
        "P'": parties if several else 0,
        "D": 1 + max(scenario.news_turns(index) for index in range(civilizations)) if several else 0,
        "purses": N_PURSES,
        "N": civilizations,
        "C": scenario.n_cells,
        "K": orders_per_turn(scenario),
        "L": scenario.army.lag + 1,
        "P": parties,
        "R": scenario.raiders.bands,
        "categories": N_CATEGORIES,
        "objectives": N_OBJECTIVES,
        "channels": N_CHANNELS,
        "variables": N_VARIABLES,
        "witness": N_WITNESS,
        "sums": N_SEEN,
        "kinds": 4,
        "losses": 3,
        "pair": 2,
        "prices": N_PRICES,
        "noises": N_NOISE if noisy else 0,
        "noisy": scenario.n_cells if noisy else 0,
    }


def field_shapes(scenario: Scenario, n_worlds: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of every field of :class:`State` for ``n_worlds`` worlds of a scenario."""
    sizes = axis_sizes(scenario, n_worlds)
    return {name: tuple(sizes[axis] for axis in spec.shape) for name, spec in SPEC.items()}


def allocate(scenario: Scenario, n_worlds: int) -> State:
    """Return a state of ``n_worlds`` empty worlds: every field at its resting value, no land, nobody placed."""
    shapes = field_shapes(scenario, n_worlds)
    return State(**{name: np.full(shapes[name], spec.fill, spec.dtype) for name, spec in SPEC.items()})


def allocate_orders(scenario: Scenario, n_worlds: int) -> Orders:
    """Return an empty :class:`Orders` record for ``n_worlds`` worlds."""
    sizes = axis_sizes(scenario, n_worlds)
    shape = {name: tuple(sizes[axis] for axis in spec.shape) for name, spec in ORDER_SPEC.items()}
    return Orders(**{name: np.full(shape[name], spec.fill, spec.dtype) for name, spec in ORDER_SPEC.items()})


def limits(scenario: Scenario) -> dict[str, int]:
    """Return the bounds of fields that depend on the scenario, by the names that :data:`SPEC` gives them."""
    return {
        "civ": scenario.game.civilizations - 1,
        "office": most_offices(scenario) - 1,
        "offices": most_offices(scenario),
        "cell": scenario.n_cells - 1,
        "cells": scenario.n_cells,
        "turns": scenario.game.turns,
        "due": scenario.game.turns + scenario.claims.lag,
        "menu": len(scenario.works.menu) - 1,
        "maturity": max(kind.maturity for kind in scenario.works.menu),
        # A taken cell misses the turns to come, so the turn in which it is taken counts on top.
        "idle": max(scenario.disasters.duration, scenario.raiders.disruption, scenario.army.disruption + 1),
    }


def field_ranges(
    scenario: Scenario, specification: Mapping[str, FieldSpec] = SPEC
) -> dict[str, tuple[int | float, int | float]]:
    """Return the least and largest value of every field in a world of the scenario that has begun."""
    known = limits(scenario)

    def number(bound: Bound, otherwise: int | float) -> int | float:
        return otherwise if bound is None else known[bound] if isinstance(bound, str) else bound

    ranges = {}
    for name, spec in specification.items():
        kind = np.dtype(spec.dtype)
        finite = np.finfo(kind) if kind.kind == "f" else np.iinfo(kind)
        low, high = spec.span
        least, most = (int(finite.min), int(finite.max)) if kind.kind != "f" else (float(finite.min), float(finite.max))
        ranges[name] = (number(low, least), number(high, most))
    return ranges


def bytes_per_world(scenario: Scenario) -> int:
    """Return the memory one world takes in :class:`State` (bytes), without scratch space shared by a thread."""
    shapes = field_shapes(scenario, 1)
    return sum(int(np.prod(shapes[name])) * np.dtype(spec.dtype).itemsize for name, spec in SPEC.items())
