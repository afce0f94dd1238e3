"""When a game of a study is over before its last turn: an expression over what a turn brought, such as one realm left.

    sum(alive) <= 1                     one realm is left
    cells[0] >= 100 or turn == 50       seat 0 holds 100 cells, or 50 turns are played
    alive[focal] == 0                   the focal civilization has fallen
    max(output) > 2 * mean(output)      somebody puts out twice the mean

Columns are those of the per-turn table and the study's own metrics; each has a value for each seat, but ``turn``. They
are taken together over the seats by ``sum``, ``mean``, ``min``, ``max``, conditions by ``any``, ``all`` and ``count``,
or of one seat by its number or as ``[focal]``. It is no program: nothing else can be said, and nothing is executed.
"""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.errors import StudyError
from civsim.scenarios.complaints import did_you_mean, show_value

TURN = "turn"
"""The column that every world has one value of: turns played."""

FOCAL = "focal"
LONGEST = 500
"""Most characters of an expression."""

_LARGEST = 1e15  # every whole number up to here is one of float64's

Values = Mapping[str, NDArray[Any]]
_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARED: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_OF_NUMBERS: Mapping[str, Callable[..., Any]] = {"sum": np.sum, "mean": np.mean, "min": np.min, "max": np.max}
_OF_CONDITIONS: Mapping[str, Callable[..., Any]] = {"any": np.any, "all": np.all, "count": np.sum}


class _Term(NamedTuple):
    """A part of an expression."""

    seats: bool  # it has a value for each seat, [B, N]; else one for each world, [B]
    truth: bool  # it is a condition; else a number
    value: Callable[[Values, int | None], Any]  # of the columns and the focal seat


class Stop(NamedTuple):
    """A condition under which a game is over, read and checked."""

    text: str
    term: _Term
    seats: frozenset[int]  # the seats it names by number
    names_focal: bool  # it speaks of the focal seat
    focal: int | None = None

    def of(self, civilizations: int, focal: int | None = None) -> Stop:
        """Return the condition for games with so many seats, of which ``focal`` is the focal one, if any is.

        Raises:
            StudyError: it names a seat that there is not, or the focal one where there is none.
        """
        beyond = [seat for seat in sorted(self.seats) if seat >= civilizations]
        if beyond:
            raise StudyError(f"stop={show_value(self.text)} names seat {beyond[0]}; give 0 to {civilizations - 1}")
        if self.names_focal and focal is None:
            raise StudyError(f"stop={show_value(self.text)} names the focal seat, and none is; give a seat's number")
        return self._replace(focal=focal)

    def holds(self, values: Values) -> NDArray[np.bool_]:
        """Return where the game is over, bool [B]; ``values`` are [B, N] by column, ``turn`` [B]."""
        with np.errstate(all="ignore"):
            found: NDArray[np.bool_] = np.asarray(self.term.value(values, self.focal), np.bool_)
        return found


def parse_stop(text: str, columns: Iterable[str]) -> Stop:
    """Return the condition that an expression states over ``columns`` and ``turn``.

    Raises:
        StudyError: it is too long, no expression, or says what cannot be said; one line that names what can.
    """
    shown = f"stop={show_value(text)}"
    if len(text) > LONGEST:
        raise StudyError(f"{shown} has {len(text)} characters; give at most {LONGEST}")
    reader = _Reader(shown, frozenset({*columns, TURN}))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python would warn of is refused below
            tree = ast.parse(text.strip(), mode="eval")
        term = reader.read(tree.body)
    except StudyError:
        raise
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise StudyError(f"{shown} is no expression; write one such as 'sum(alive) <= 1'") from None
    if not reader.named:
        raise StudyError(f"{shown} names no column; {did_you_mean('', reader.columns)}")
    if not term.truth:
        raise StudyError(f"{shown} is a number, not a condition; compare it, as in 'sum(alive) <= 1'")
    if term.seats:
        raise StudyError(f"{shown} differs from seat to seat; say any(…), all(…), or of which seat, as in cells[0]")
    return Stop(text, term, frozenset(reader.seats), reader.names_focal)


class _Reader:
    """Turns a syntax tree into a term; whatever is not on its lists is refused, with :class:`StudyError`."""

    def __init__(self, shown: str, columns: frozenset[str]) -> None:
        self.shown, self.columns = shown, columns
        self.seats: set[int] = set()
        self.names_focal = self.named = False

    def refuse(self, why: str) -> StudyError:
        """Return the complaint."""
        return StudyError(f"{self.shown}: {why}")

    def read(self, node: ast.expr) -> _Term:
        """Return the term of a node."""
        readers: Mapping[type[ast.expr], Callable[[Any], _Term]] = {
            ast.Constant: self.constant,
            ast.Name: self.column,
            ast.Subscript: self.seat,
            ast.UnaryOp: self.unary,
            ast.BinOp: self.arithmetic,
            ast.Compare: self.comparison,
            ast.BoolOp: self.joined,
            ast.Call: self.over_seats,
        }
        if type(node) not in readers:
            raise self.refuse(
                f"{show_value(ast.unparse(node))} cannot be said here; use columns, numbers and conditions"
            )
        return readers[type(node)](node)

    def number(self, node: ast.expr) -> _Term:
        """Return the term of a node that must be a number."""
        term = self.read(node)
        if term.truth:
            raise self.refuse(
                f"{show_value(ast.unparse(node))} is a condition where a number stands; count(…) counts it"
            )
        return term

    def condition(self, node: ast.expr) -> _Term:
        """Return the term of a node that must be a condition."""
        term = self.read(node)
        if not term.truth:
            raise self.refuse(f"{show_value(ast.unparse(node))} is a number where a condition stands; compare it")
        return term

    def constant(self, node: ast.Constant) -> _Term:
        """Return a number that is written out."""
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
            raise self.refuse(f"{show_value(value)} is no number up to {_LARGEST:g}")
        return _Term(False, False, lambda _values, _focal: value)

    def column(self, node: ast.Name) -> _Term:
        """Return a column."""
        name = node.id
        if name not in self.columns:
            raise self.refuse(f"{show_value(name)} is no column; {did_you_mean(name, self.columns)}")
        self.named = True
        return _Term(name != TURN, False, lambda values, _focal: values[name])

    def seat(self, node: ast.Subscript) -> _Term:
        """Return a column of one seat."""
        term, place = self.read(node.value), node.slice
        text = show_value(ast.unparse(node))
        if not isinstance(node.value, ast.Name) or not term.seats:
            raise self.refuse(f"{text}: only a column that every seat has is taken of one seat")
        if isinstance(place, ast.Name) and place.id == FOCAL:
            self.names_focal = True
            return _Term(False, False, lambda values, focal: term.value(values, focal)[:, focal])
        if not isinstance(place, ast.Constant) or type(place.value) is not int:
            raise self.refuse(f"{text}: a seat is a number from 0, or focal")
        number = place.value
        self.seats.add(number)
        return _Term(False, False, lambda values, focal: term.value(values, focal)[:, number])

    def unary(self, node: ast.UnaryOp) -> _Term:
        """Return a negation."""
        if isinstance(node.op, ast.Not):
            term = self.condition(node.operand)
            return term._replace(value=lambda values, focal: np.logical_not(term.value(values, focal)))
        if not isinstance(node.op, ast.USub):
            raise self.refuse(f"{show_value(ast.unparse(node))} cannot be said here; use -, not")
        inner = self.number(node.operand)
        return inner._replace(value=lambda values, focal: -inner.value(values, focal))

    def arithmetic(self, node: ast.BinOp) -> _Term:
        """Return a sum, difference, product or quotient."""
        if type(node.op) not in _ARITHMETIC:
            raise self.refuse(f"{show_value(ast.unparse(node))} cannot be said here; use + - * /")
        return _pair(_ARITHMETIC[type(node.op)], self.number(node.left), self.number(node.right), truth=False)

    def comparison(self, node: ast.Compare) -> _Term:
        """Return a comparison, or a chain of them."""
        sides = [self.number(side) for side in (node.left, *node.comparators)]
        found: _Term | None = None
        for sign, left, right in zip(node.ops, sides, sides[1:], strict=False):
            if type(sign) not in _COMPARED:
                raise self.refuse(f"{show_value(ast.unparse(node))} cannot be said here; use < <= > >= == !=")
            one = _pair(_COMPARED[type(sign)], left, right, truth=True)
            found = one if found is None else _pair(np.logical_and, found, one, truth=True)
        assert found is not None  # noqa: S101  (a comparison compares something)
        return found

    def joined(self, node: ast.BoolOp) -> _Term:
        """Return conditions joined by and, or or."""
        join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
        first, *rest = [self.condition(value) for value in node.values]
        for term in rest:
            first = _pair(join, first, term, truth=True)
        return first

    def over_seats(self, node: ast.Call) -> _Term:
        """Return what the seats make together."""
        known = {**_OF_NUMBERS, **_OF_CONDITIONS}
        text = show_value(ast.unparse(node))
        if not isinstance(node.func, ast.Name) or node.func.id not in known:
            raise self.refuse(f"{text} cannot be said here; use {', '.join(known)} over the seats")
        name = node.func.id
        if len(node.args) != 1 or node.keywords:
            raise self.refuse(f"{text}: {name} takes one thing, of every seat")
        term = self.condition(node.args[0]) if name in _OF_CONDITIONS else self.number(node.args[0])
        if not term.seats:
            raise self.refuse(f"{text}: {name} is over the seats, and this is no column of theirs")
        together = known[name]
        truth = name in ("any", "all")
        return _Term(False, truth, lambda values, focal: together(term.value(values, focal), axis=1))


def _pair(join: Callable[[Any, Any], Any], left: _Term, right: _Term, *, truth: bool) -> _Term:
    """Return two terms joined; what there is one of a world stands beside what every seat has."""
    seats = left.seats or right.seats

    def value(values: Values, focal: int | None) -> Any:
        one, other = left.value(values, focal), right.value(values, focal)
        if seats:
            one, other = (np.asarray(side)[:, None] if np.ndim(side) == 1 else side for side in (one, other))
        return join(one, other)

    return _Term(seats, truth, value)
