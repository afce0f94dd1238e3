"""The map of a world as a grid of Mesa's, with layers that are the engine's own memory."""

from __future__ import annotations

import copyreg
import random
import weakref
from typing import Any

from mesa.discrete_space import OrthogonalVonNeumannGrid, PropertyLayer
from numpy.typing import NDArray

from civsim.base.errors import ActionError
from civsim.engine.world import World

LAYERS = ("fertility", "ore", "ruggedness", "hazard", "site", "owner", "works", "wall", "disrupted", "site_state")
"""The fields of the state that are layers of the grid, under their own names (:class:`civsim.engine.state.State`).

Where a civilization may have several seats of thought ``province`` is one more: which of its holder's a cell is in.
"""


class Layer(PropertyLayer):
    """A layer of Mesa's grid that is the engine's own memory: it shows every turn as it is played and is read-only.

    Axis 0 is x, the column, axis 1 y, the row. Mesa draws row 0 at the bottom; civsim's own pictures have it on top.

    Args:
        name: the field's.
        values: [W, H], a view of the state.
    """

    def __init__(self, name: str, values: NDArray[Any]) -> None:
        kind = values.dtype.type
        super().__init__(name, values.shape, default_value=kind(0), dtype=kind)
        values.flags.writeable = False
        # The array's private name in Mesa 3.3 and in 3.5, where a grid hands out the array as it was when it was added.
        self._mesa_data = self._data = values

    def set_cells(self, value: Any, condition: Any = None) -> None:
        """Refuse. Raises :class:`civsim.base.errors.ActionError`."""
        raise ActionError(f"layer {self.name!r} is the engine's and read-only; work on a copy: layer.data.copy()")

    def modify_cells(self, operation: Any, value: Any = None, condition: Any = None) -> None:
        """Refuse. Raises :class:`civsim.base.errors.ActionError`."""
        self.set_cells(value)


def make_grid(world: World, draws: random.Random) -> OrthogonalVonNeumannGrid:
    """Return the grid of a batch's first world, cell (x, y) = (column, row), with its layers.

    Args:
        world: the batch; the layers are views of its state.
        draws: what Mesa draws cells from.
    """
    land = world.scenario.map
    grid = OrthogonalVonNeumannGrid((land.width, land.height), torus=land.torus, random=draws)
    for name in (*LAYERS, "province") if world.config.most_offices > 1 else LAYERS:
        values: NDArray[Any] = getattr(world.state, name)[0]
        grid.add_property_layer(Layer(name, values.reshape(land.height, land.width).T))
    # Mesa enters every grid's class of cells, and with it the layers, in a table of the interpreter's for good.
    weakref.finalize(grid, copyreg.dispatch_table.pop, grid.cell_klass, None)
    return grid
