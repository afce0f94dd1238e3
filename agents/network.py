"""The network of a trained policy, played without torch: normalised features through a few dense layers to shares.

A row's result depends on that row alone, bit for bit, whatever else is in the batch: sums run in a fixed order, which
the matrix products of linear-algebra libraries do not promise, and tanh is a fixed rational function, which does not
differ between machines as a library's may. The names under which Stable-Baselines3 keeps the layers are in
:data:`LAYOUTS` and nowhere else.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from civsim.agents.policy import PolicyContext
from civsim.base.constants import N_CATEGORIES
from civsim.base.errors import CheckpointError
from civsim.base.kernels import kernel
from civsim.engine.observation.features import N_FEATURES
from civsim.engine.observation.observer import Observation
from civsim.engine.state import F32, F64
from civsim.faces.actions import project_shares, shares_from_action

Algorithm = Literal["ppo", "a2c", "sac", "td3"]
Head = Literal["softmax", "dirichlet"]
"""How the last layer becomes shares: softmax(3a) of its output clipped to [−1, 1], or the mean of a Dirichlet."""

Activation = Literal["tanh", "relu"]

MAX_WIDTH = 4096
"""Widest hidden layer that is played."""

_UNROLLED = 4
_TANH_LIMIT = np.float32(7.90531110763549805)
_P = tuple(
    np.float32(value)
    for value in (
        4.89352455891786e-03,
        6.37261928875436e-04,
        1.48572235717979e-05,
        5.12229709037114e-08,
        -8.60467152213735e-11,
        2.00018790482477e-13,
        -2.76076847742355e-16,
    )
)
_Q = tuple(
    np.float32(value)
    for value in (4.89352518554385e-03, 2.26843463243900e-03, 1.18534705686654e-04, 1.19825839466702e-06)
)
_LINEAR, _TANH, _RELU = 0, 1, 2
_ZERO, _ONE = np.zeros(()), np.ones(())
_CODES: dict[Activation, int] = {"tanh": _TANH, "relu": _RELU}
for _constant in (_ZERO, _ONE):
    _constant.flags.writeable = False  # they are defaults, shared by all


class Layout(NamedTuple):
    """Where a learning algorithm of Stable-Baselines3 keeps its actor, and what that actor is unless told otherwise."""

    hidden: str  # name of a hidden layer; {} is twice its place
    head: str  # name of the last layer; {} as if it were one more hidden layer
    activation: Activation
    squash: bool  # tanh after the head


_ON_POLICY = Layout("mlp_extractor.policy_net.{}", "action_net", "tanh", squash=False)
LAYOUTS: dict[Algorithm, Layout] = {
    "ppo": _ON_POLICY,
    "a2c": _ON_POLICY,
    "sac": Layout("actor.latent_pi.{}", "actor.mu", "relu", squash=True),
    "td3": Layout("actor.mu.{}", "actor.mu.{}", "relu", squash=True),
}
"""The one table of layers' names; each name is followed by ``.weight`` [out, in] and ``.bias`` [out]."""


class Normalisation(NamedTuple):
    """How features are scaled before the first layer: clip((x − mean) / √(var + ε), ±clip).

    The first four fields are what playing needs. The others are the state of running moments, as
    Stable-Baselines3's ``VecNormalize`` keeps them, with which a training goes on.
    """

    mean: F64  # [F]
    var: F64  # [F] >= 0
    epsilon: F64  # [] > 0
    clip: F64  # [] > 0
    count: F64 = _ZERO  # type: ignore[assignment]  # [] observations behind mean and var, >= 0; hides tuple.count
    return_mean: F64 = _ZERO  # [] running mean of discounted returns (the objective's unit)
    return_var: F64 = _ONE  # [] their variance, >= 0
    return_count: F64 = _ZERO  # [] returns behind them, >= 0


def _tanh(x):
    """Return tanh(x), float32, within 4e-7: the rational approximation of degree 13/6 in Eigen's MathFunctionsImpl.h.

    NaN stays NaN.
    """
    if x > _TANH_LIMIT:
        x = _TANH_LIMIT
    if x < -_TANH_LIMIT:
        x = -_TANH_LIMIT
    s = x * x
    p = ((((((_P[6] * s + _P[5]) * s + _P[4]) * s + _P[3]) * s + _P[2]) * s + _P[1]) * s + _P[0]) * x
    q = ((_Q[3] * s + _Q[2]) * s + _Q[1]) * s + _Q[0]
    return p / q


tanh = kernel(_tanh)


def _normalise(rows, mean, scale, clip, out):
    """Write clip((rows − mean) / scale, ±clip), computed in float64, into ``out`` [n, F] float32. NaN stays NaN."""
    for n in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            x = (rows[n, j] - mean[j]) / scale[j]
            if x > clip:
                x = clip
            if x < -clip:
                x = -clip
            out[n, j] = x


normalise = kernel(_normalise)


def _dense(rows, weight, bias, activation, out):
    """Write activation(rows · weight + bias) into ``out``.

    Args:
        rows: float32 [n, I].
        weight: float32 [I, O], contiguous.
        bias: float32 [O].
        activation: 0 nothing, 1 tanh, 2 max(0, ·).
        out: float32 [n, O].

    A row's sums run over its own inputs in a fixed order; several inputs are taken in one pass over the outputs only to
    spare memory traffic.
    """
    width = rows.shape[1]
    whole = width - width % _UNROLLED
    for n in range(rows.shape[0]):
        row, total = rows[n], out[n]
        total[:] = bias
        for k in range(0, whole, _UNROLLED):
            a, b, c, d = row[k], row[k + 1], row[k + 2], row[k + 3]
            wa, wb, wc, wd = weight[k], weight[k + 1], weight[k + 2], weight[k + 3]
            for j in range(total.shape[0]):
                total[j] = (((total[j] + a * wa[j]) + b * wb[j]) + c * wc[j]) + d * wd[j]
        for k in range(whole, width):
            x = row[k]
            for j in range(total.shape[0]):
                total[j] += x * weight[k, j]
        if activation == _TANH:
            for j in range(total.shape[0]):
                total[j] = tanh(total[j])
        elif activation == _RELU:
            for j in range(total.shape[0]):
                if total[j] < 0.0:
                    total[j] = 0.0


dense = kernel(_dense)


def concentration(outputs: F32) -> F64:
    """Return the concentrations 1 + log(1 + e^x) of a Dirichlet head's outputs, float32 [..., 8] → float64 [..., 8]."""
    with np.errstate(invalid="ignore"):  # NaN stays NaN and is refused where shares are made
        return 1.0 + np.logaddexp(0.0, outputs.astype(np.float64))


class LearnedPolicy:
    """A trained policy: normalised features through a small network; its mean action, without noise.

    The head "softmax" gives the shares of the mean action, "dirichlet" the mean shares.
    """

    needs_observation = True

    def __init__(
        self,
        layers: Sequence[tuple[F32, F32]],
        normalisation: Normalisation,
        head: Head = "softmax",
        *,
        activation: Activation = "tanh",
        squash: bool = False,
    ) -> None:
        """``layers``: (weight float32 [in, out] contiguous, bias float32 [out]) each, the head last."""
        self.layers = tuple(layers)
        self.normalisation = normalisation
        self.head: Head = head
        self.activation: Activation = activation
        self.squash = squash
        self._scale = np.sqrt(normalisation.var + normalisation.epsilon)
        hidden = [_CODES[activation]] * (len(self.layers) - 1)
        self._codes = (*hidden, _TANH if squash else _LINEAR)

    @classmethod
    def from_arrays(
        cls,
        weights: Mapping[str, NDArray[Any]],
        normalisation: Normalisation,
        head: Head = "softmax",
        *,
        algorithm: Algorithm = "ppo",
        activation: Activation | None = None,
        squash: bool | None = None,
    ) -> Self:
        """Return the policy of arrays under Stable-Baselines3's names, which are copied; others are ignored.

        Args:
            weights: float32 arrays by the names of :data:`LAYOUTS`, as a policy's ``state_dict`` gives them.
            normalisation: how features are scaled.
            head: what the last layer means.
            algorithm: whose names to look for.
            activation: of the hidden layers; left out, the algorithm's own.
            squash: whether tanh follows the head; left out, the algorithm's own.

        Raises:
            CheckpointError: an array is missing, of another dtype or shape than its neighbours need, or not finite.
        """
        layout = LAYOUTS[algorithm]
        layers = layers_from(weights, algorithm, hidden_widths(weights, algorithm), "weights")
        return cls(
            layers,
            normalisation,
            head,
            activation=layout.activation if activation is None else activation,
            squash=layout.squash if squash is None else squash,
        )

    def outputs(self, features: F32) -> F32:
        """Return the last layer's outputs for rows of features, float32 [n, F] → float32 [n, 8].

        Under the head "softmax" they are the mean actions, not yet clipped to [−1, 1].
        """
        rows: F32 = np.empty(features.shape, np.float32)
        normalise(features, self.normalisation.mean, self._scale, float(self.normalisation.clip), rows)
        for (weight, bias), code in zip(self.layers, self._codes, strict=True):
            out: F32 = np.empty((len(rows), weight.shape[1]), np.float32)
            dense(rows, weight, bias, code, out)
            rows = out
        return rows

    def shares(self, features: F32, open_categories: NDArray[np.bool_]) -> F32:
        """Return the shares for rows of features, float32 [n, F] → float32 [n, 8], closed categories exactly 0.

        Of longer rows it reads what every game tells: the first F.

        Raises:
            ActionError: a feature or a weight is so large, or NaN, that the result is not finite.
        """
        outputs = self.outputs(np.ascontiguousarray(features[:, :N_FEATURES]))
        if self.head == "dirichlet":
            return project_shares(concentration(outputs), open_categories)
        return shares_from_action(outputs, open_categories)

    def __call__(self, observation: Observation | None, context: PolicyContext) -> F32:
        """Return the shares of every seat it plays, float32 [B, S, 8]."""
        if observation is None:
            raise TypeError("a learned policy needs an observation")
        seen = observation.features
        return self.shares(seen.reshape(-1, seen.shape[-1]), context.open).reshape(*seen.shape[:2], N_CATEGORIES)


def layer_names(algorithm: Algorithm, hidden: int) -> tuple[str, ...]:
    """Return the names of an actor's layers, ``hidden`` of them and the head, in order."""
    layout = LAYOUTS[algorithm]
    return (*(layout.hidden.format(2 * place) for place in range(hidden)), layout.head.format(2 * hidden))


def layers_from(
    weights: Mapping[str, NDArray[Any]], algorithm: Algorithm, hidden: Sequence[int], place: str
) -> tuple[tuple[F32, F32], ...]:
    """Return (weight [in, out], bias [out]) of every layer of an actor with ``hidden`` widths, fresh float32 arrays.

    Raises:
        CheckpointError: an array is missing, not float32 of the shape that belongs, or not finite; ``place`` names
            the source in the message.
    """
    widths = (N_FEATURES, *hidden, N_CATEGORIES)
    layers = []
    for name, fan_in, fan_out in zip(layer_names(algorithm, len(hidden)), widths[:-1], widths[1:], strict=True):
        weight = _tensor(weights, f"{name}.weight", (fan_out, fan_in), place)
        bias = _tensor(weights, f"{name}.bias", (fan_out,), place)
        layers.append((np.array(weight.T, order="C"), bias.copy()))
    return tuple(layers)


def hidden_widths(weights: Mapping[str, Any], algorithm: Algorithm) -> tuple[int, ...]:
    """Return the widths of the hidden layers whose biases are there, in order; only the ``shape`` of each is read."""
    layout = LAYOUTS[algorithm]
    series = (f"{layout.hidden.format(2 * place)}.bias" for place in itertools.count())
    widths = tuple(math.prod(weights[name].shape) for name in itertools.takewhile(weights.__contains__, series))
    return widths[:-1] if layout.head == layout.hidden else widths


def _tensor(weights: Mapping[str, NDArray[Any]], name: str, shape: tuple[int, ...], place: str) -> F32:
    if name not in weights:
        raise CheckpointError(f"{place} lacks {name}; train again")
    tensor = weights[name]
    if tensor.shape != shape or tensor.dtype != np.float32:
        raise CheckpointError(f"{place}: {name} is {tensor.dtype} {tensor.shape}, not float32 {shape}; train again")
    if not np.isfinite(tensor).all():
        raise CheckpointError(f"{place}: {name} holds NaN or infinity; train again at a lower learning rate")
    return tensor
