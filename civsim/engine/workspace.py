"""Working space allocated: how long every array of a thread's working space is. Once, never in a step."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import MAX_CIVILIZATIONS, MAX_OFFICES, N_ORDER_KINDS, N_VARIABLES, NOBODY
from civsim.base.scenario import Scenario
from civsim.engine.land.marks import margin_size
from civsim.engine.land.ways import Way, blocks
from civsim.engine.noted import ENTRY_COLUMNS, Noted, RaidField, Worth
from civsim.engine.work import (
    BASES,
    BESIDE,
    HEAP_FACTOR,
    KEPT_EVERY,
    KEPT_WAYS,
    MAX_CANDIDATES,
    N_SCALARS,
    PLACES_A_WORD,
    SPARE_TOTALS,
    UNSEARCHED,
    Base,
    Clock,
    Count,
    Foe,
    Fund,
    Left,
    Levels,
    Mind,
    MindFund,
    MindPlan,
    PlanField,
    Purse,
    Ranked,
    Ranks,
    Realm,
    Roll,
    Rule,
    Site,
    Work,
)

_INTEGER_FIELDS = {
    "queue": "C",
    "region": "C",
    "rivals": "C",
    "exposed": "C",
    **dict.fromkeys(("exposed_to", "listed_as", "thumb", "place", "lots"), "C"),
    "front": "C",
    "foes": "C",
    "parent": "C",
    "hops": "C",
    "heap_cell": "Q",
    "path": "C",
    "base_counts": "counts columns",
    "counts": "counts columns",
    "mind_front": "two N C",
    "mind_path": "N C",
    "mind_beside": "two C",
    "kept_party": "kept party C",
    "wanted": "two C",
    "mind_cell": "two C",
    "mind_due": "two C",
    "mind_of": "two C",
    "roll_front": "C",
    "unclaimed": "C",
    "chosen": "C",
    "ranked": "ranked C",
    "roll_changed": "two C",
    "roll_foes": "C",
    "gate": "rows G",
    "second": "rows G",
    "ways": "ways passable",
    "from_rim": "passable G",
    "way_kept": "ways_kept passable",
    **dict.fromkeys(("way_row", "delayed"), "passable"),
    **dict.fromkeys(("raid_band", "raid_step", "job", "job_courses", "job_taken"), "R"),
    **dict.fromkeys(("target", "target_column", "open", "base_timer", "timer", "raised", "promising", "goal"), "C"),
    **dict.fromkeys(("raid_column", "raid_due"), "rows R"),
    **dict.fromkeys(("choice_plan", "choice_column", "choice_menu"), "candidates"),
    **dict.fromkeys(("pending_cell", "pending_due", "roll_cell", "roll_due"), "parties"),
}
_REGISTERS = {
    "levels": Levels,
    "sizes": Base,
    "rule": Rule,
    "plan": PlanField,
    "roll": Roll,
    "clock": Clock,
    "noted": Noted,
}
_FLOAT_FIELDS = {
    "funds": "funds",
    "force_to_come": "turns",
    "mind_purse": "two N funds_in_mind",
    "mind_reach": "N C",
    "kept_purse": "kept N funds_in_mind",
    "mind_index": "N C",
    "scalars": "scalars",
    "open_to": "N",
    "foe": "foe C",
    "heap_key": "Q",
    "price": "bases prices",
    "choice_score": "candidates",
    "base": "realm columns",
    "unranked": "ranked C",
    "survey": "C site",
    "realm": "realm columns",
    "prize": "rows C",
    "spare": "rows G",
    "pull": "rows G",
    "rim_share": "passable G",
    "weighed": "tasting C",
    "weighed_most": "G",
    "raid_force": "R",
    "purse": "purse",
    "muster": "L",
    "tried": "tried",
    **dict.fromkeys(("uniforms", "fertility", "ore_output", "swing", "claim_cost", "known_at"), "C"),
    **dict.fromkeys(("rival_at", "roll_rival", "value", "chosen_score", "ratio", "score"), "C"),
    **dict.fromkeys(("lot", "opened", "cost", "when", "worth", "spared"), "C"),
    **dict.fromkeys(("earns", "root", "potential", "surplus", "onward", "drawn", "weighed_prize"), "C"),
}


_LENGTHS = {
    "counts": Count,
    "foe": Foe,
    "realm": Realm,
    "site": Site,
    "purse": Purse,
    "funds": Fund,
    "prices": Left,
    "ranked": Ranked,
    "minds": Mind,
    "funds_in_mind": MindFund,
    "plans_in_mind": MindPlan,
}


def _axes(scenario: Scenario) -> dict[str, int]:
    """Return the length of every axis of the working space, by name."""
    cells, rim, blocked = scenario.n_cells, 2 * (scenario.map.width + scenario.map.height), blocks(scenario)
    return {
        "C": cells,
        "Q": cells * HEAP_FACTOR,
        "R": scenario.raiders.bands,
        "G": rim,
        "rows": 2,
        "ways": Way.FORCE + scenario.game.civilizations,
        "passable": cells if blocked else 0,
        "ways_kept": KEPT_WAYS,
        "tasting": rim if scenario.raiders.noise > 0.0 and not blocked else 0,
        "L": scenario.army.lag + 1,
        "parties": max(cells, scenario.claims.per_turn * (scenario.claims.lag + 1)),
        "candidates": MAX_CANDIDATES,
        "tried": MAX_CANDIDATES + UNSEARCHED,
        "turns": scenario.game.turns + 1,
        "columns": cells + BESIDE,
        **{name: len(register) for name, register in _LENGTHS.items()},
        "scalars": N_SCALARS,
        "bases": BASES,
        "two": 2,
        "N": scenario.game.civilizations,
        "party": 3,
        "kept": scenario.thinking.mind_turns // KEPT_EVERY + 1,
        "words": cells // PLACES_A_WORD + 1,
    }


def allocate_work(scenario: Scenario, shares: NDArray[np.float64], given: NDArray[np.uint8] | None = None) -> Work:
    """Return working space for one thread.

    ``shares``, float64 [B, N, 8], and ``given``, uint8 [B, N], are the batch's input buffers, which threads share;
    without ``given`` any orders that are given are given to all.
    """
    cells, sizes = scenario.n_cells, _axes(scenario)

    def shape(axes: str) -> tuple[int, ...]:
        return tuple(sizes[axis] for axis in axes.split())

    fields: dict[str, Any] = {name: np.zeros(shape(axes), np.int32) for name, axes in _INTEGER_FIELDS.items()}
    fields |= {name: np.zeros(len(register), np.int64) for name, register in _REGISTERS.items()}
    fields |= {name: np.zeros(shape(axes), np.float64) for name, axes in _FLOAT_FIELDS.items()}
    return Work(
        shares=shares,
        replay=False,
        given=np.ones(shares.shape[:2], np.uint8) if given is None else given,
        lo=0,
        hi=shares.shape[0],
        holder=np.full(cells, NOBODY, np.int8),
        stamp=np.zeros(cells, np.int64),
        mark=np.zeros(cells, np.int64),
        sized=np.zeros(cells, np.int64),
        surveyed=np.zeros(cells, np.int64),
        claimed=np.zeros(cells, np.int64),
        changed=np.zeros(shape("two C"), np.int64),
        ranks=np.zeros((len(Ranked), len(Ranks)), np.int64),
        mind=np.zeros(shape("two N minds"), np.int64),
        mind_plan=np.zeros(shape("N plans_in_mind"), np.int64),
        mind_mark=np.zeros(shape("N C"), np.int64),
        mind_ahead=np.zeros(shape("two N words"), np.int64),
        mind_parties=np.zeros(2, np.int64),
        kept_mind=np.zeros(shape("kept N minds"), np.int64),
        kept_ahead=np.zeros(shape("kept N words"), np.int64),
        kept_parties=np.zeros(sizes["kept"], np.int64),
        single=np.zeros(1, np.int32),
        attended=np.zeros(N_VARIABLES, np.uint8),
        words=np.zeros(cells, np.uint32),
        totals=np.zeros(MAX_CIVILIZATIONS + SPARE_TOTALS, np.float64),
        marked=np.zeros(margin_size(scenario.map.width, cells), np.uint8),
        beside=np.zeros(cells, np.uint8),
        visible=np.zeros(cells, np.uint8),
        office_order=np.zeros(MAX_OFFICES, np.uint8),
        redrawn=np.zeros(scenario.game.civilizations, np.uint8),
        done=np.zeros(N_ORDER_KINDS, np.int64),
        pulled=np.zeros(shape("rows G"), np.int64),
        rim_seen=np.zeros(shape("two passable"), np.int64),
        weighed_at=np.zeros(shape("G"), np.int64),
        choice_entity=np.zeros(MAX_CANDIDATES, np.int64),
        journal=np.zeros((0, ENTRY_COLUMNS), np.int64),
        journal_value=np.zeros((0, len(Worth)), np.float64),
        journal_path=np.zeros((0, 2, cells), np.int32),
        raids=np.zeros((0, len(RaidField)), np.int64),
        **fields,
    )
