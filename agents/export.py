"""A trained policy for programs without civsim: an npz file that numpy alone plays, or an ONNX model.

Both hold the whole way from an observation (float32, the features in the order of the file's ``features``) to shares of
output (float32 [8], in the order of the categories): normalisation, network, head, and which categories are open.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from civsim.agents.checkpoint import load_config, load_policy, scenario_of
from civsim.agents.network import LearnedPolicy
from civsim.base.archive import write_archive
from civsim.base.constants import N_CATEGORIES, RULES_VERSION, Category
from civsim.base.errors import CheckpointError
from civsim.base.files import write_bytes
from civsim.base.scenario import Scenario
from civsim.engine.compiled import open_categories
from civsim.engine.observation.features import FEATURES, N_FEATURES
from civsim.faces.actions import ACTION_BOUND, SHARPNESS

Format = Literal["npz", "onnx"]
FORMATS: tuple[Format, ...] = get_args(Format)
CATEGORIES = tuple(category.name.lower() for category in Category)

OPSET, IR_VERSION = 17, 8
"""What the model asks of a runtime: versions of 2022, so that older ones play it too."""


def export_policy(
    source: str | Path, out: str | Path, kind: Format | None = None, scenario: Scenario | None = None
) -> Path:
    """Write the policy of a checkpoint or a training run to the file ``out``, and return its path.

    Args:
        source: the checkpoint's or the run's folder.
        out: a file that ends in .npz or .onnx; it appears whole or not at all.
        kind: npz or onnx; left out, what the file's name says.
        scenario: whose closed categories get nothing; left out, the scenario the policy was trained on.

    Raises:
        CheckpointError: the checkpoint cannot be read, the name says another kind, or onnx is not installed.
        CivsimError: the folder of ``out`` does not exist.
    """
    target = Path(out)
    said = target.suffix.removeprefix(".")
    chosen = said if kind is None else kind
    if chosen not in FORMATS or chosen != said:
        endings = (chosen,) if chosen in FORMATS else FORMATS
        raise CheckpointError(f"{str(target)!r} does not end in {' or '.join(f'.{end}' for end in endings)}; rename it")
    policy, config = load_policy(source), load_config(source)
    game = scenario_of(config) if scenario is None else scenario
    opened = open_categories(game).astype(np.bool_)
    if chosen == "onnx":
        write_bytes(target, onnx_bytes(policy, opened, game.name))
    else:
        write_archive(target, policy_arrays(policy, opened))
    return target


def policy_arrays(policy: LearnedPolicy, open_categories: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    """Return the arrays of the npz file, by name; :func:`npz_shares` says what each is for.

    Args:
        policy: the policy.
        open_categories: bool [8], True where a category may be spent on.
    """
    normalisation = policy.normalisation
    arrays: dict[str, NDArray[Any]] = {
        "features": np.array(FEATURES),
        "categories": np.array(CATEGORIES),
        "rules": np.array(RULES_VERSION),
        "head": np.array(policy.head),
        "activation": np.array(policy.activation),
        "squash": np.array(policy.squash),
        "sharpness": np.array(SHARPNESS),
        "bound": np.array(ACTION_BOUND),
        "open": np.array(open_categories, np.bool_),
        "mean": normalisation.mean,
        "scale": np.sqrt(normalisation.var + normalisation.epsilon),
        "clip": normalisation.clip,
        "layers": np.array(len(policy.layers)),
    }
    for place, (weight, bias) in enumerate(policy.layers):
        arrays |= {f"weight_{place}": weight, f"bias_{place}": bias}
    return arrays


def npz_shares(policy, observation):
    """Return the shares of an exported policy, for copying: this function needs numpy alone.

    Args:
        policy: what ``numpy.load("policy.npz")`` returns; no pickle is needed.
        observation: float32 [..., F], the features in the order of ``policy["features"]``.

    Returns:
        shares of output [..., 8] in the order of ``policy["categories"]``: at least 0, summing to 1.
    """
    import numpy as np

    def tanh_or_relu(x):
        return np.tanh(x) if policy["activation"] == "tanh" else np.maximum(x, 0)

    x = np.clip((observation - policy["mean"]) / policy["scale"], -policy["clip"], policy["clip"])
    last = int(policy["layers"]) - 1
    for place in range(last):
        x = tanh_or_relu(x @ policy[f"weight_{place}"] + policy[f"bias_{place}"])
    x = x @ policy[f"weight_{last}"] + policy[f"bias_{last}"]
    x = np.tanh(x) if policy["squash"] else x
    if policy["head"] == "dirichlet":
        weights = 1 + np.logaddexp(0, x)
    else:
        weights = np.exp(policy["sharpness"] * np.clip(x, -policy["bound"], policy["bound"]))
    weights = np.where(policy["open"], weights, 0)
    return weights / weights.sum(axis=-1, keepdims=True)


def onnx_bytes(policy: LearnedPolicy, open_categories: NDArray[np.bool_], name: str) -> bytes:
    """Return an ONNX model: ``observation`` float32 [batch, F] → ``shares`` float32 [batch, 8].

    Features are normalised in float64, as here; the rest is float32. The model's metadata names the features, the
    categories, the scenario and the rules' version.

    Args:
        policy: the policy.
        open_categories: bool [8], True where a category may be spent on.
        name: of the scenario, for the metadata.

    Raises:
        CheckpointError: onnx is not installed.
    """
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise CheckpointError(f"an ONNX model needs {error.name}; pip install 'civsim[export]', or use npz") from None
    graph = _Graph(onnx.helper, onnx.numpy_helper)
    x = _hidden(graph, policy)
    if policy.head == "dirichlet":
        weights = graph.add("Add", graph.add("Softplus", x), graph.constant("one", np.float32(1.0)))
    else:
        bound = np.float32(ACTION_BOUND)
        x = graph.add("Clip", x, graph.constant("least", -bound), graph.constant("most", bound))
        weights = graph.add("Exp", graph.add("Mul", x, graph.constant("sharpness", np.float32(SHARPNESS))))
    weights = graph.add("Mul", weights, graph.constant("open", open_categories.astype(np.float32)))
    total = graph.add("ReduceSum", weights, graph.constant("last", np.array([-1], np.int64)), keepdims=1)
    graph.add("Div", weights, total, output="shares")
    model = graph.model(name)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _hidden(graph: _Graph, policy: LearnedPolicy) -> str:
    """Add normalisation and network; return the name of the last layer's output."""
    normalisation = policy.normalisation
    scale, clip = np.sqrt(normalisation.var + normalisation.epsilon), normalisation.clip
    x = graph.add("Cast", "observation", to=graph.helper.TensorProto.DOUBLE)
    x = graph.add("Sub", x, graph.constant("mean", normalisation.mean))
    x = graph.add("Div", x, graph.constant("scale", scale))
    x = graph.add("Clip", x, graph.constant("low", -clip), graph.constant("high", clip))
    x = graph.add("Cast", x, to=graph.helper.TensorProto.FLOAT)
    for place, (weight, bias) in enumerate(policy.layers):
        x = graph.add("Gemm", x, graph.constant(f"weight_{place}", weight), graph.constant(f"bias_{place}", bias))
        if place < len(policy.layers) - 1:
            x = graph.add("Tanh" if policy.activation == "tanh" else "Relu", x)
    return graph.add("Tanh", x) if policy.squash else x


class _Graph:
    """Nodes and constants of a model as they are added."""

    def __init__(self, helper: Any, numpy_helper: Any) -> None:
        self.helper, self.numpy_helper = helper, numpy_helper
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, value: Any) -> str:
        """Add a constant and return its name."""
        self.constants.append(self.numpy_helper.from_array(np.asarray(value), name))
        return name

    def add(self, operator: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Add a node and return the name of its output."""
        result = f"{operator.lower()}_{len(self.nodes)}" if output is None else output
        self.nodes.append(self.helper.make_node(operator, list(inputs), [result], **attributes))
        return result

    def model(self, name: str) -> Any:
        """Return the model."""
        value, float32 = self.helper.make_tensor_value_info, self.helper.TensorProto.FLOAT
        inputs = [value("observation", float32, ["batch", N_FEATURES])]
        outputs = [value("shares", float32, ["batch", N_CATEGORIES])]
        graph = self.helper.make_graph(self.nodes, "policy", inputs, outputs, self.constants)
        opset = [self.helper.make_opsetid("", OPSET)]
        model = self.helper.make_model(graph, producer_name="civsim", opset_imports=opset, ir_version=IR_VERSION)
        facts = {"features": json.dumps(FEATURES), "categories": json.dumps(CATEGORIES), "scenario": name}
        self.helper.set_model_props(model, {**facts, "rules": str(RULES_VERSION)})
        return model
