"""Exhaustive search in the engine itself: every sequence of orders of one seat, carried out by the rules.

A turn's orders are tried in every combination that the rules would carry out: claims, attacks that cannot be lost,
full courses of wall on cells that a band makes for. Of positions that hold the same land, with the same bands on the
way, one is dropped where another has no less of anything (funds, force, walls, what was gained so far) and nothing that
comes later. One is dropped, too, where even fractions of cells, bought at once wherever they lie, would not bring it to
the best known. The best that is left at the end is the optimum. Nothing of the rules is written anew but which orders a
turn allows. Works are not among them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import NOBODY, Category, Objective, OrderKind
from civsim.base.kernels import kernel
from civsim.engine.formulas import win_chance
from civsim.engine.state import PHYSICAL_FIELDS, SPEC
from civsim.engine.world import World
from civsim.validation.fronts import SEAT, Front, began, force_felt
from civsim.validation.hand_made import no_orders

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]
Cells = NDArray[np.int64]

CERTAIN = 1.0 - 1e-9
"""An attack that is won with this chance cannot be lost: it would be in one game of 10⁹."""

CHUNK = 256
"""Positions stepped together."""

ROUNDING = 1e-6
"""Positions are dropped that fall short of the best known by more than this, relatively: the game rounds to float32."""

TINY = 1e-12

BEAM = 48
"""Positions kept a turn in the search that comes first, for a value to beat."""

MOVING = tuple(name for name in PHYSICAL_FIELDS if SPEC[name].role != "land")
"""What a position is: all that the rules change, minds apart, which decide nothing where orders are given."""

Positions = dict[str, NDArray]


class Options(NamedTuple):
    """Orders of a turn, n sequences of them, as they are put together."""

    parent: Cells  # [n] position that they are given in
    kind: NDArray[np.int8]  # [n, K]
    cell: NDArray[np.int32]  # [n, K]
    used: Cells  # [n] slots filled so far
    own: Mask  # [n, C] cells held by then
    sent: Mask  # [n, C] cells with a party under way by then
    fund: F64  # [n, 8] stocks by then


class Best(NamedTuple):
    """What the best orders reach, and which they are."""

    value: float  # discounted output Σ γ^t · output_t; nan where there were too many positions
    kind: NDArray[np.int8]  # [T, K] of the orders of each turn; -1 where empty
    cell: NDArray[np.int32]  # [T, K]
    stepped: int  # turns played by the engine


def _joined(parts: list[Positions]) -> Positions:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _some(at: Positions, rows: Cells | slice) -> Positions:
    return {name: values[rows] for name, values in at.items()}


class Board:
    """A front as the search plays it: a batch of the game, and what of it never changes."""

    def __init__(self, front: Front) -> None:
        self.front = front
        self.world: World = began(front, front.game, CHUNK)
        cfg, state = self.world.config, self.world.state
        self.turns, self.cfg = front.game.game.turns, cfg
        self.fertility = state.fertility[0].astype(np.float64)
        self.claim_cost = cfg.claim_cost * (1.0 + cfg.claim_rugged * state.ruggedness[0].astype(np.float64))
        self.meets = np.zeros((cfg.n_cells, cfg.n_cells), np.int64)
        for side in range(cfg.neighbours.shape[1]):
            other = cfg.neighbours[:, side]
            self.meets[np.flatnonzero(other >= 0), other[other >= 0]] = 1
        self.projection = force_felt(self.world)
        self.firm = 1.0 + state.ruggedness[0].astype(np.float64)
        self.purse = Category.SETTLEMENT if cfg.pooled else Category.WALLS
        self.start: Positions = {name: getattr(state, name)[:1].copy() for name in MOVING}
        slots = self.world.orders.kind.shape[2]
        self.start["kinds"] = np.full((1, self.turns, slots), OrderKind.NONE, np.int8)
        self.start["places"] = np.full((1, self.turns, slots), NOBODY, np.int32)
        self.stepped = 0

    def play(self, positions: Positions, options: Options | None) -> Positions:
        """Play a turn from ``positions``: one row for each of ``options``, or without orders one for each position."""
        world, orders, parts = self.world, no_orders(self.world), []
        given = np.ones((CHUNK, world.n_civilizations), bool)
        shares = np.broadcast_to(self.front.shares, (CHUNK, *self.front.shares.shape))
        total = len(positions["turn"]) if options is None else len(options.parent)
        for start in range(0, total, CHUNK):
            rows = np.arange(start, min(start + CHUNK, total))
            parents = rows if options is None else options.parent[rows]
            now, here = int(positions["turn"][0]), _some(positions, parents)
            world.state.turn[:] = self.turns  # rows that are not written stand still
            for name in MOVING:
                getattr(world.state, name)[: len(rows)] = here[name]
            orders.kind[:], orders.cell[:] = OrderKind.NONE, NOBODY
            if options is not None:
                orders.kind[: len(rows), SEAT] = here["kinds"][:, now] = options.kind[rows]
                orders.cell[: len(rows), SEAT] = here["places"][:, now] = options.cell[rows]
            world.step(shares, orders, given)
            parts.append(here | {name: getattr(world.state, name)[: len(rows)].copy() for name in MOVING})
        self.stepped += total
        return _joined(parts)

    def sent(self, at: Positions) -> Mask:
        """Return which cells the seat has a party under way to, bool [n, C]."""
        found = np.zeros((len(at["turn"]), self.cfg.n_cells + 1), bool)
        np.put_along_axis(
            found, at["party_cell"][:, SEAT].astype(np.int64), True, axis=1
        )  # nobody's, -1, is the last column
        return found[:, :-1]

    def value(self, at: Positions) -> F64:
        """Return the discounted output so far, [n]."""
        return at["utility"][:, SEAT, Objective.CONSUMPTION] / self.front.shares[SEAT, Category.CONSUMPTION]


def _can_claim(board: Board, at: Positions, options: Options, beside: Mask) -> tuple[Mask, F64]:
    """Return which cells can be claimed next, bool [n, C], and what each costs."""
    cfg, rows = board.cfg, np.arange(len(options.parent))
    holdings = options.own.sum(axis=1) + options.sent.sum(axis=1)
    cost = board.claim_cost * (1.0 + cfg.claim_growth * np.maximum(holdings - 1, 0))[:, None]
    can = (cost <= options.fund[:, Category.SETTLEMENT, None]) & beside & ~options.sent
    can &= at["owner"][options.parent] == NOBODY
    before = options.used - 1
    again = (before >= 0) & (options.kind[rows, before] == OrderKind.CLAIM)
    if cfg.claim_lag > 0:
        # Two claims of a turn do the same in either order, where the first does not open the way to the second.
        can &= ~again[:, None] | (np.arange(cfg.n_cells) > options.cell[rows, before][:, None])
    return can, cost


def _can_attack(board: Board, at: Positions, options: Options, beside: Mask) -> tuple[Mask, F64]:
    """Return which cells can be taken by force for certain, bool [n, C], and the force that each costs."""
    cfg, owner = board.cfg, at["owner"][options.parent]
    force = options.fund[:, Category.ARMY, None] * board.projection
    can = beside & (owner >= 0) & (owner != SEAT) & (force >= cfg.minimum_force)
    # The rival of a front has no force: what defends is the wall.
    guard = at["wall"][options.parent].astype(np.float64) * board.firm
    for row, cell in zip(*np.nonzero(can), strict=True):
        can[row, cell] = win_chance(force[row, cell], guard[row, cell], cfg.decisiveness) >= CERTAIN
    return can, force * cfg.loss_winner


def _can_wall(board: Board, at: Positions, options: Options) -> tuple[Mask, F64]:
    """Return which own cells can be walled that a band makes for and would sack, bool [n, C], and the cost of each."""
    cfg, target = board.cfg, at["band_target"][options.parent].astype(np.int64)
    need, rows = np.zeros((len(target), cfg.n_cells + 1)), np.arange(len(target))
    for band in range(target.shape[1]):
        cell = target[:, band]  # nobody's, -1, is the last column
        need[rows, cell] = np.maximum(need[rows, cell], at["band_strength"][options.parent, band])
    course = np.full((len(target), cfg.n_cells), cfg.wall_rate * cfg.wall_cost)
    paid = course <= options.fund[:, board.purse, None]
    return paid & options.own & (at["wall"][options.parent] * board.firm < need[:, :-1]), course


def _longer(board: Board, at: Positions, options: Options, kind: OrderKind) -> Options:
    """Return ``options`` and each of them with one more order of ``kind``, on every cell where it can be given."""
    beside = ((options.own.astype(np.int64) @ board.meets) > 0) & ~options.own
    if kind == OrderKind.CLAIM:
        can, cost = _can_claim(board, at, options, beside)
        stock = Category.SETTLEMENT
    elif kind == OrderKind.ATTACK:
        can, cost = _can_attack(board, at, options, beside)
        stock = Category.ARMY
    else:
        can, cost = _can_wall(board, at, options)
        stock = board.purse
    row, cell = np.nonzero(can)
    new = np.arange(len(row))
    more = Options._make(part[row] for part in options)
    more.kind[new, more.used], more.cell[new, more.used] = kind, cell
    more.fund[new, stock] -= cost[row, cell]
    if kind == OrderKind.ATTACK or (kind == OrderKind.CLAIM and board.cfg.claim_lag == 0):
        more.own[new, cell] = True
    elif kind == OrderKind.CLAIM:
        more.sent[new, cell] = True
    both = zip(options, more._replace(used=more.used + 1), strict=True)
    return Options._make(np.concatenate([np.asarray(part) for part in pair]) for pair in both)


def _turns_orders(board: Board, at: Positions) -> Options:
    """Return every sequence of orders that can be given in the turn that led to ``at`` without any, none left out."""
    cfg, n, slots = board.cfg, len(at["turn"]), board.world.orders.kind.shape[2]
    none = Options(
        np.arange(n),
        np.full((n, slots), OrderKind.NONE, np.int8),
        np.full((n, slots), NOBODY, np.int32),
        np.zeros(n, np.int64),
        at["owner"] == SEAT,
        board.sent(at),
        at["stock"][:, SEAT].astype(np.float64),
    )
    claims, attacks = [OrderKind.CLAIM] * cfg.claims_per_turn, [OrderKind.ATTACK] * cfg.attacks_per_turn
    stages = [attacks + claims]
    if attacks and (cfg.claim_growth > 0.0 or cfg.claim_lag == 0):
        # Land taken makes a claim dearer, and a claim may open the way to an attack: either may come first.
        stages.append(claims + attacks)
    parts = []
    for stage in stages:
        options = none
        for kind in [*stage, *[OrderKind.WALL] * cfg.walls_per_turn]:
            options = _longer(board, at, options, kind)
        parts.append(options)
    found = Options._make(np.concatenate(part) for part in zip(*parts, strict=True))
    return Options._make(part[found.used > 0] for part in found)


def _keep_undominated(group, amounts, kept):
    """Mark in ``kept`` the rows of ``amounts`` [n, D] of which no other of their group has as much of everything.

    Rows of a group follow each other, those with the greater sum first: only an earlier one can have as much.
    """
    first = 0
    for row in range(group.shape[0]):
        if group[row] != group[first]:
            first = row
        kept[row] = True
        for other in range(first, row):
            if not kept[other]:
                continue
            less = False
            for k in range(amounts.shape[1]):
                less = less or amounts[other, k] < amounts[row, k]
            if not less:
                kept[row] = False
                break


keep_undominated = kernel(_keep_undominated)


def _undominated(board: Board, at: Positions) -> Cells:
    """Return the rows of positions of which none of the same land has as much of everything."""
    n = len(at["turn"])
    if n == 0:
        return np.zeros(0, np.int64)
    late = np.zeros((n, board.cfg.n_cells + 1))
    np.put_along_axis(late, at["party_cell"][:, SEAT].astype(np.int64), at["party_due"][:, SEAT].astype(float), axis=1)
    alike = [at["owner"], board.sent(at), at["band_cell"], at["band_target"], at["band_strength"]]
    group = np.unique(np.concatenate(alike, axis=1), axis=0, return_inverse=True)[1].reshape(n)
    amounts = [board.value(at)[:, None], at["stock"][:, SEAT], at["muster"][:, SEAT], at["wall"], -at["disrupted"]]
    table = np.concatenate([*(part.astype(np.float64) for part in amounts), -late[:, :-1]], axis=1)
    table = table[:, np.ptp(table, axis=0) > 0.0]
    order = np.lexsort((-table.sum(axis=1), group))
    kept = np.zeros(n, bool)
    keep_undominated(group[order], np.ascontiguousarray(table[order]), kept)
    return order[kept]


def _captures(board: Board, at: Positions, turn: int, output: list[F64]) -> F64:
    """Return the most that land taken by force can give in ``turn``, [n]; ``output`` is of the turns before it."""
    cfg, shares = board.cfg, board.front.shares[SEAT]
    rivals = (at["owner"] >= 0) & (at["owner"] != SEAT)
    best = -np.sort(-np.where(rivals, board.fertility, 0.0), axis=1)
    total, least = np.zeros(len(best)), cfg.minimum_force / board.projection.max()
    if cfg.attacks_per_turn == 0:
        return total
    force = at["stock"][:, SEAT, Category.ARMY] + at["muster"][:, SEAT].sum(axis=1)
    last = turn - cfg.capture_turns - 1  # the last turn in which a cell can be taken that gives in this one
    attacks = np.zeros(len(best))
    for made in output[: max(last - int(at["turn"][0]) + 1, 0)]:
        force = force + shares[Category.ARMY] * made / cfg.force_price[SEAT]
        # Each attack before has lost its part of the least that an attack takes.
        spare = (force - least) / max(cfg.loss_winner * cfg.minimum_force, TINY)
        attacks = np.minimum(attacks + cfg.attacks_per_turn, np.where(spare >= 0.0, 1.0 + np.floor(spare), 0.0))
    return np.where(np.arange(best.shape[1]) < attacks[:, None], best, 0.0).sum(axis=1)


def _most(board: Board, at: Positions) -> F64:
    """Return a bound on the value of the whole game from positions of one turn on, [n].

    Free cells may be bought in parts, the best first, wherever they lie, at the prices of now; no cell is sacked again;
    force need never wait for a border.
    """
    cfg, shares, now = board.cfg, board.front.shares[SEAT], int(at["turn"][0])
    own, sent = at["owner"] == SEAT, board.sent(at)
    rank = np.argsort(-board.fertility / board.claim_cost)
    free = ((at["owner"] == NOBODY) & ~sent)[:, rank]
    growth = 1.0 + cfg.claim_growth * np.maximum(own.sum(axis=1) + sent.sum(axis=1) - 1, 0)
    cost = np.where(free, board.claim_cost[rank], 0.0) * growth[:, None]
    before, gain = np.cumsum(cost, axis=1) - cost, np.where(free, board.fertility[rank], 0.0)
    due, target = at["party_due"][:, SEAT], at["party_cell"][:, SEAT]
    fund, value = at["stock"][:, SEAT, Category.SETTLEMENT].astype(np.float64), board.value(at)
    paid: list[F64] = []
    output: list[F64] = []
    for turn in range(now, board.turns):
        idle = at["disrupted"] > turn - now + 1
        made = (board.fertility * (own & ~idle)).sum(axis=1)
        made += np.where((target >= 0) & (due <= turn), board.fertility[target], 0.0).sum(axis=1)
        late = turn - now - max(cfg.claim_lag, 1)
        if late >= 0:
            part = np.clip((paid[late][:, None] - before) / np.where(cost > 0.0, cost, 1.0), 0.0, 1.0)
            made += (part * gain).sum(axis=1)
        made += _captures(board, at, turn, output)
        output.append(made)
        fund = fund + (shares[Category.SETTLEMENT] + (shares[Category.WALLS] if cfg.pooled else 0.0)) * made
        paid.append(fund)
        value = value + board.front.game.game.discount**turn * made
    return value


def _search(board: Board, known: float, most: int, narrow: bool) -> tuple[float, Positions | None]:
    """Return the best value, ``known`` at least, and where it is above it the position at the end, one row.

    With ``narrow`` only the ``most`` most promising positions of a turn are kept; without, the value is nan where a
    turn has more.
    """
    positions = board.start
    for turn in range(board.turns):
        waited = board.play(positions, None)
        options = _turns_orders(board, waited)
        after = _joined([waited, board.play(positions, options)]) if len(options.parent) else waited
        if turn == board.turns - 1:
            values = board.value(after)
            best = int(values.argmax())
            return (float(values[best]), _some(after, np.array([best]))) if values[best] > known else (known, None)
        after = _some(after, np.flatnonzero(_most(board, after) > known * (1.0 - ROUNDING)))
        after = _some(after, _undominated(board, after))
        if len(after["turn"]) > most and not narrow:
            return float("nan"), None
        if len(after["turn"]) > most:
            after = _some(after, np.argsort(-_most(board, after), kind="stable")[:most])
        if len(after["turn"]) == 0:
            break
        positions = after
    return known, None


def best_of_every_order(front: Front, most: int = 6000) -> Best:
    """Return the largest discounted output that any orders of the first seat reach on ``front``, and those orders.

    Args:
        front: the game; its rivals have no force.
        most: positions of a turn beyond which the answer is nan, >= 1.
    """
    board = Board(front)
    known, first = _search(board, 0.0, BEAM, True)
    value, end = _search(board, known, most, False)
    last = end or first or board.start
    return Best(value, last["kinds"][0], last["places"][0], board.stepped)
