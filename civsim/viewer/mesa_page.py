"""The Mesa page: Mesa's own controls round the viewer's map, table and charts, and sliders for the seat one holds.

    import solara
    from mesa.visualization import SolaraViz
    from civsim.faces.mesa import CivModel
    from civsim.viewer.mesa_page import GameView

    @solara.component
    def Page():
        model = solara.use_memo(lambda: CivModel("baseline"), [])     # one for each browser session
        SolaraViz(model, components=[GameView], play_interval=100)

``civsim mesa`` serves :func:`Page`. Everything here needs the extra ``civsim[viz]``.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from functools import partial
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.errors import ScenarioError
from civsim.base.scenario import Scenario
from civsim.engine.observation.features import CATEGORY_NAMES
from civsim.faces.answers import Answer
from civsim.faces.mesa import Civilization, CivModel
from civsim.viewer.camera import Camera
from civsim.viewer.document import message
from civsim.viewer.header import make_header, policy_label
from civsim.viewer.page import script, style

try:
    import solara
    from mesa.visualization import SolaraViz
    from mesa.visualization.utils import update_counter
except ModuleNotFoundError as missing:
    raise ImportError(
        f"{missing.name} is not installed; install civsim with its extra: pip install 'civsim[viz]'"
    ) from None

PLAY_INTERVAL = 101
"""Milliseconds between turns while Mesa plays, as the page begins; below 50 a browser does not keep up."""

NOBODY = "nobody"
FULL = 100
"""Weight at the end of a slider."""


class Offer(NamedTuple):
    """The game that a session begins with."""

    scenario: Scenario
    seed: int
    world_id: int


_offered: list[Offer] = []


def offer(scenario: Scenario, seed: int = 0, world_id: int = 0) -> None:
    """Say which game :func:`Page` begins with in every session from now on, and play a turn of it.

    That turn nobody sees: it compiles what is not compiled yet, so that no browser has to wait for it.

    Raises:
        ScenarioError: the seed or the world id is out of range, or a seat's policy cannot be used.
        CheckpointError: a trained policy that the scenario names cannot be loaded.
    """
    model = CivModel(scenario, seed, world_id, _hands(scenario))
    Reel(model)
    model.step()
    _offered[:] = [Offer(scenario, seed, world_id)]


def _hands(scenario: Scenario) -> dict[int, type[Civilization]]:
    """Return the civilizations of a page: every seat may be held."""
    return dict.fromkeys(range(scenario.game.civilizations), Held)


class Held(Civilization):
    """A civilization that is held by hand while it has weights, and follows its scenario's policy while it has none.

    Attributes:
        weights: of the categories by name, none below 0 and one of an open category above it; None for none.
    """

    weights: Mapping[str, float] | None = None

    def allocate(self) -> Answer:
        """Return the weights given, or else what the scenario's policy answers."""
        return super().allocate() if self.weights is None else self.weights


class PageModel(CivModel):
    """The model of the page: it takes what stands in Mesa's fields and says what is wrong with it instead of raising.

    Attributes:
        complaint: why there is no game, one line; empty where there is one. A model with a complaint never moves.
    """

    def __init__(
        self,
        game: Scenario,
        seed: int | str = 0,
        world_id: int | str = 0,
        civilizations: Mapping[int, type[Civilization]] | None = None,
        rng: Any = None,
    ) -> None:
        self.complaint = ""
        try:
            super().__init__(game, seed, world_id, civilizations, rng)
        except ScenarioError as error:
            # Mesa makes the model again in a handler of its page, which would show nothing of an exception.
            super().__init__(game, civilizations=civilizations)
            self.complaint, self.running = str(error), False

    def step(self) -> None:
        """Play one turn, as :meth:`civsim.faces.mesa.CivModel.step`; without a game nothing moves."""
        if self.complaint:
            self.running = False
        else:
            super().step()


class Reel:
    """What a page has still to show of a model's game: every frame, however many turns are played between two looks.

    Args:
        model: the model; its turns are filmed from now on, and its game is the one that nobody films.
    """

    _games = itertools.count(1)

    def __init__(self, model: CivModel) -> None:
        self._camera, self._game = Camera(model.world), next(self._games)
        self._number, self._lock = 0, Lock()
        self._pending = [message(self._camera.frame())]
        self.header = json.dumps({**make_header(self._camera), "game": self._game})
        model.world.watch(self)

    def played(self, planned: bool) -> None:
        """Film the turn that was played."""
        frame = message(self._camera.frame())
        with self._lock:
            self._pending.append(frame)

    def replaced(self, rows: NDArray[np.int64]) -> None:
        """Nothing is begun anew: every model has a world of its own."""

    def take(self) -> str:
        """Return the frames since it was last asked, as JSON under the number of this call."""
        with self._lock:
            frames, self._pending = self._pending, []
            self._number += 1
            return json.dumps({"game": self._game, "number": self._number, "frames": frames})


@solara.component_vue("mesa_map.vue", vuetify=True)
def _Map(header: str, frames: str, code: str, look: str) -> None:  # noqa: N802
    """Paint frames as they come; ``code`` and ``look`` are the viewer's script and style."""


@solara.component
def GameView(model: CivModel) -> None:  # noqa: N802
    """Show a model's game: map, table and charts, of the truth and of what each civilization knows and plans.

    A component for ``SolaraViz(components=[GameView])``, or to stand anywhere else on a page of its own.
    """
    update_counter.get()
    reel = solara.use_memo(lambda: Reel(model), [model])
    frames = solara.use_memo(reel.take, [reel, model.turn])
    _Map(header=reel.header, frames=frames, code=script(), look=style())


@solara.component
def Hands(model: CivModel) -> None:  # noqa: N802
    """Offer to hold a seat: its policy steps aside for the sliders' shares, from the next turn on."""
    held, set_held = solara.use_state(NOBODY)
    none_yet: dict[str, int] = {}
    weights, set_weights = solara.use_state(none_yet)
    seats = {_seat_name(model, seat): seat for seat in range(len(model.civilizations))}
    choice = held if held in seats else NOBODY
    opened = [name for name, is_open in zip(CATEGORY_NAMES, model.world.open, strict=True) if is_open]
    total = sum(weights.get(name, 0) for name in opened)

    def hold(name: str) -> None:
        set_held(name)
        if name in seats:
            shares = model.scripted(seats[name])
            set_weights({name: round(FULL * float(share)) for name, share in zip(CATEGORY_NAMES, shares, strict=True)})

    def slide(name: str, value: int) -> None:
        set_weights(lambda old: {**old, name: value})

    for one in model.civilizations:
        if isinstance(one, Held) and (total or one.seat != seats.get(choice)):
            one.weights = weights if one.seat == seats.get(choice) else None
    solara.Select("Seat you hold", value=choice, values=[NOBODY, *seats], on_value=hold)
    if choice == NOBODY:
        return
    if not total:
        solara.Error("Give at least one category something; until then nothing changes.")
    for name in opened:
        weight = weights.get(name, 0)
        label = f"{name} {weight / total:.0%}" if total else name
        solara.SliderInt(label, value=weight, min=0, max=FULL, on_value=partial(slide, name))


def _seat_name(model: CivModel, seat: int) -> str:
    return f"seat {seat} ({policy_label(model.game.seat(seat).policy.name)})"


@solara.component
def Page() -> None:  # noqa: N802
    """The page that ``civsim mesa`` serves; every browser session has a model of its own."""
    scenario, seed, world_id = _offered[-1]
    hands = _hands(scenario)
    first = solara.use_memo(lambda: PageModel(scenario, seed, world_id, hands), [])
    model: solara.Reactive[PageModel] = solara.use_reactive(first)
    solara.Title(f"{scenario.name} – civsim")
    with solara.Sidebar(), solara.Card("Hands on"):
        Hands(model.value)
    SolaraViz(
        model,
        play_interval=PLAY_INTERVAL,
        name=f"civsim: {scenario.name}",
        model_params={
            "game": scenario,
            "seed": {"type": "InputText", "value": str(seed), "label": "Seed (taken at Reset)"},
            "world_id": {"type": "InputText", "value": str(world_id), "label": "World (taken at Reset)"},
            "civilizations": hands,
        },
    )
    if model.value.complaint:
        solara.Error(f"No game: {model.value.complaint}")
    else:
        GameView(model.value)
