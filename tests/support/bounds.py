"""How far apart two right computations of one number may lie, so that a test is red for a fault and for nothing else.

Machines differ in the width of their vector registers, in fused multiplication, and in their libraries' exp and tanh;
they add in another order and round elsewhere. The bounds here hold for every order. They are the standard model
(Higham 2002, *Accuracy and Stability of Numerical Algorithms*, ch. 2–4): an operation's result is the exact one times
1 + δ, |δ| <= u, the unit roundoff; k operations in a row are off by a factor of at most 1 ± γ(k), γ(k) = ku / (1 − ku).
Only for a network, :func:`layers_bound`, is the worst case replaced by a likely one.

A bound is the distance of one computation from the exact value; two computations are at most twice that apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from civsim.agents.network import LearnedPolicy, concentration
from civsim.faces.actions import ACTION_BOUND, SHARPNESS

F64 = NDArray[np.float64]
SINGLE, DOUBLE = np.float32, np.float64
TANH = 4e-7
"""Error of any float32 tanh in use: what ours promises; those of torch, numpy and ONNX Runtime are nearer."""

DEVIATIONS = 8.0
"""Standard deviations allowed where roundings are taken for independent; a normal one goes beyond them once in 1e15."""

LIBRARY_ULPS = 4
"""Error of exp, log, log1p or pow of a mathematical library: numpy's vector ones state up to 4 ulps."""


def roundings(count: int, dtype: DTypeLike = SINGLE) -> float:
    """γ(count): the relative error of ``count`` rounded operations in a row."""
    off = count * float(np.finfo(np.dtype(dtype)).eps) / 2.0
    return off / (1.0 - off)


def rounded(value: ArrayLike, count: int = 1, dtype: DTypeLike = SINGLE) -> F64:
    """Error of a value that was rounded ``count`` times in a row."""
    return roundings(count, dtype) * np.abs(np.asarray(value, DOUBLE))


def ulps(value: ArrayLike, count: float, dtype: DTypeLike = SINGLE) -> F64:
    """``count`` units in the last place of ``value``."""
    return count * np.spacing(np.abs(np.asarray(value, dtype))).astype(DOUBLE)


def sum_bound(terms: ArrayLike, dtype: DTypeLike = SINGLE, already: int = 0, axis: int | None = None) -> F64:
    """Error of a sum in any order; each term was rounded ``already`` times: γ(n − 1 + already) Σ |terms|."""
    sizes = np.abs(np.asarray(terms, DOUBLE))
    count = sizes.size if axis is None else sizes.shape[axis]
    return roundings(count - 1 + already, dtype) * sizes.sum(axis=axis)


def mean_bound(terms: ArrayLike, dtype: DTypeLike = SINGLE) -> float:
    """Error of a mean in any order: n − 1 additions and a division."""
    sizes = np.abs(np.asarray(terms, DOUBLE))
    return roundings(sizes.size, dtype) * float(sizes.mean())


def variance_bound(values: ArrayLike, dtype: DTypeLike = SINGLE) -> float:
    """Error of the variance Σ (x − m)² / n about a computed mean m.

    A mean that is off by D adds D² (its first order cancels, since deviations from the true mean sum to 0). Each
    square was rounded three times (the difference counts twice), then come n − 1 additions and a division.
    """
    x = np.asarray(values, DOUBLE)
    off = mean_bound(x, dtype) ** 2
    return roundings(x.size + 3, dtype) * (float(x.var()) + off) + off


def explained_bound(predicted: ArrayLike, true: ArrayLike, dtype: DTypeLike = SINGLE) -> float:
    """Error of 1 − Var(y − p) / Var(y): of either variance, of the ratio's rounding, and of the difference's."""
    y = np.asarray(true, dtype)
    left = y - np.asarray(predicted, dtype)  # the same in every implementation: one rounding of the same numbers
    top, bottom = float(left.astype(DOUBLE).var()), float(y.astype(DOUBLE).var())
    ratio = (top + variance_bound(left, dtype)) / (bottom - variance_bound(y, dtype))
    return ratio * (1.0 + roundings(1, dtype)) - top / bottom + float(rounded(1.0 - ratio, 1, dtype))


def layers_bound(
    inputs: NDArray[Any], layers: Sequence[tuple[NDArray[Any], NDArray[Any]]], activations: Sequence[str]
) -> tuple[F64, F64]:
    """(Outputs in float64, the error of a float32 evaluation), carried from layer to layer.

    The worst case of every sum of every layer at once is a thousand times what happens, and would hide a fault. The
    roundings are taken for independent instead, of variance u² / 3 relative to what is rounded (Higham and Mary 2019,
    *SIAM J. Sci. Comput.* 41). A sum S of n terms t rounds every term once and every partial sum; over the orders of
    summation the squares of the partial sums add up to n S² / 3 + n Σt² / 6 on average. Variances pass through a layer
    by W², the error of a tanh, which is no rounding, by |W|; a tanh passes on no more than its steepest slope in reach.

    Args:
        inputs: [rows, in], each rounded once to float32.
        layers: (weight [in, out], bias [out]) each.
        activations: "tanh", "relu" or "" after each layer.
    """
    x = inputs.astype(DOUBLE)
    one = roundings(1) ** 2 / 3.0
    fixed, variance = np.zeros_like(x), one * x**2
    for (weight, bias), activation in zip(layers, activations, strict=True):
        w, count = weight.astype(DOUBLE), len(weight) + 1
        squares = x**2 @ w**2 + bias.astype(DOUBLE) ** 2
        x = x @ w + bias
        owed = one * (count * x**2 / 3.0 + (count / 6.0 + 1.0) * squares)
        fixed, variance = fixed @ np.abs(w), variance @ w**2 + owed
        if activation == "tanh":
            nearest = np.maximum(np.abs(x) - fixed - DEVIATIONS * np.sqrt(variance), 0.0)
            slope = 1.0 - np.tanh(nearest) ** 2
            x, fixed, variance = np.tanh(x), slope * fixed + TANH, slope**2 * variance
        elif activation == "relu":
            x = np.maximum(x, 0.0)
    return x, fixed + DEVIATIONS * np.sqrt(variance)


def outputs_bound(policy: LearnedPolicy, features: NDArray[Any]) -> tuple[F64, F64]:
    """(Outputs in float64, the error of a float32 evaluation) of a network's last layer, [n, 8] each."""
    scale = policy.normalisation
    x = np.clip((features.astype(DOUBLE) - scale.mean) / np.sqrt(scale.var + scale.epsilon), -scale.clip, scale.clip)
    hidden = [policy.activation] * (len(policy.layers) - 1)
    return layers_bound(x, policy.layers, [*hidden, "tanh" if policy.squash else ""])


def shares_bound(policy: LearnedPolicy, features: NDArray[Any], opened: NDArray[np.bool_]) -> F64:
    """Error of the shares of a network that is evaluated in float32, [n, 8].

    Weights w that are off by d make shares w / Σw that are off by (d + s Σd) / (Σw − Σd). Then come a function of the
    library, seven additions, a division and the rounding to float32, in whichever precision.
    """
    outputs, error = outputs_bound(policy, features)
    if policy.head == "dirichlet":
        weights, off = concentration(outputs), error  # the slope of log(1 + e^x) is at most 1
    else:
        weights = np.exp(SHARPNESS * np.clip(outputs, -ACTION_BOUND, ACTION_BOUND))
        off = weights * np.expm1(SHARPNESS * error)
    weights, off = weights * opened, off * opened
    total, lost = (part.sum(axis=-1, keepdims=True) for part in (weights, off))
    shares = weights / total
    return (off + shares * lost) / (total - lost) + rounded(shares, 2 * LIBRARY_ULPS + 9)


def assert_within(actual: ArrayLike, expected: ArrayLike, bound: ArrayLike) -> None:
    """Assert |actual − expected| <= bound, entry by entry, and say where it is exceeded most."""
    one, other = np.broadcast_arrays(np.asarray(actual, DOUBLE), np.asarray(expected, DOUBLE))
    limit = np.broadcast_to(np.asarray(bound, DOUBLE), one.shape)
    off = np.abs(one - other)
    if not (off <= limit).all():
        with np.errstate(divide="ignore", invalid="ignore"):
            worst = np.unravel_index(np.argmax(np.nan_to_num(off / limit, nan=np.inf)), one.shape)
        place = tuple(int(k) for k in worst)
        here, there = float(one[worst]), float(other[worst])
        raise AssertionError(f"{here} is {off[worst]:.3g} from {there} at {place}; it may be {limit[worst]:.3g}")
