"""A replay is the recorded game: every bit by shares, all that happens by orders; and it says when it is not."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
from recorded import GAMES, on_file, recorded, strangers
from worlds import BUSY, scenario, with_levels

from civsim.base.constants import RULES_VERSION, Category
from civsim.base.errors import RecordingError
from civsim.engine.state import PHYSICAL_FIELDS, SPEC
from civsim.scenarios.recordings import replay as replaying
from civsim.scenarios.recordings.file import load_recording, save_recording
from civsim.scenarios.recordings.replay import By, Replay

SEVERAL = "several seats of thought"
PLANS = {"plan_kind", "plan_cell", "plan_value", "plan_turn", "plans", "band_aim"}


@pytest.mark.parametrize("game", GAMES)
def test_by_shares_it_is_every_bit(game: str, tmp_path: Path) -> None:
    recording, world = recorded(GAMES[game](), seed=2)
    save_recording(recording, tmp_path / "game.rec")
    replay = Replay(load_recording(tmp_path / "game.rec"))
    assert (replay.by, replay.turn) == ("shares", 0)
    replay.to_turn(recording.turns)
    assert strangers(replay.world, world) == set()
    assert (replay.done, replay.strays, replay.note()) == (True, None, "")


@pytest.mark.parametrize("game", [game for game in GAMES if game != SEVERAL])
def test_by_orders_everything_that_happens_and_all_that_is_seen_is_the_same(game: str) -> None:
    recording, world = recorded(GAMES[game](), seed=2)
    replay = Replay(recording, "orders")
    replay.to_turn(recording.turns)
    different = strangers(replay.world, world)
    assert different <= PLANS
    assert different.isdisjoint(PHYSICAL_FIELDS)
    assert replay.strays is None
    assert replay.note() == "its orders are carried out and nobody plans"


def test_by_orders_everything_that_happens_is_the_same_whichever_seat_of_thought_gave_them() -> None:
    recording, world = recorded(GAMES[SEVERAL](), seed=2)
    assert world.state.office_count.max() > 1
    replay = Replay(recording, "orders")
    replay.to_turn(recording.turns)
    different = strangers(replay.world, world)
    assert {"province"} <= different - PLANS
    assert different.isdisjoint(PHYSICAL_FIELDS)
    assert replay.strays is None
    assert replay.note() == (
        "its orders are carried out and nobody plans; "
        "which seat of thought gave one is not recorded, so that provinces may be drawn otherwise"
    )


def test_every_turn_of_a_replay_is_the_turn_that_was_played() -> None:
    recording, _ = recorded(GAMES["raiders"]())
    replay = Replay(recording)
    for turn in range(5):
        replay.step()
        _, world = recorded(GAMES["raiders"](), turns=turn + 1)
        assert strangers(replay.world, world) == set()


def test_a_recording_needs_its_map_file_no_more(tmp_path: Path) -> None:
    recording, world = recorded(on_file(tmp_path))
    assert recording.land is not None
    save_recording(recording, tmp_path / "game.rec")
    (tmp_path / "land.npz").unlink()
    for by in ("auto", "orders"):
        replay = Replay(load_recording(tmp_path / "game.rec"), by)
        replay.to_turn(recording.turns)
        assert strangers(replay.world, world) <= (PLANS if by == "orders" else set())
    assert set(strangers(world, recorded(GAMES["baseline"]())[1])) & {"fertility", "ore"}


def test_other_code_that_plays_the_same_game_replays_every_bit() -> None:
    recording, world = recorded(GAMES["baseline"]())
    for other in (recording._replace(engine="0" * 64), recording._replace(rules=0)):
        replay = Replay(other)
        replay.to_turn(recording.turns)
        assert (replay.by, replay.note()) == ("shares", "")
        assert strangers(replay.world, world) == set()


def test_a_planner_of_another_version_leaves_the_game_as_it_was_and_that_is_said() -> None:
    """A recording whose seats thought further than the scenario now says stands for one of another planner."""
    deep, shallow = (with_levels(scenario(BUSY), *levels) for levels in ((8, 3, 6), (0, 3, 6)))
    recording, world = recorded(deep)
    replay = Replay(recording._replace(scenario=shallow, engine="other", version="0.0.9"))
    assert replay.by == "orders"
    replay.to_turn(recording.turns)
    assert strangers(replay.world, world) <= PLANS | {"level"}
    assert replay.strays is None
    note = replay.note()
    assert note.startswith("from turn ")
    made = f"civsim 0.0.9, rules version {RULES_VERSION}"
    assert f"orders otherwise than what recorded it ({made}), so that its orders" in note
    assert "not what was recorded" not in note
    # Asked for by shares, it is another game from that turn on, and says so.
    forced = Replay(recording._replace(scenario=shallow), "shares")
    forced.to_turn(recording.turns)
    assert f"from turn {forced.strays} on" in forced.note()
    # An order that turns out void is another order, but not yet another game.
    first = int(note.removeprefix("from turn ").split()[0])
    assert first <= forced.strays


def test_other_rules_are_found_out_by_the_marks() -> None:
    recording, _ = recorded(GAMES["baseline"]())
    marks = recording.marks.copy()
    marks[4:] += 1
    replay = Replay(recording._replace(marks=marks, engine="other"))
    assert replay.by == "orders"
    replay.to_turn(3)
    assert replay.strays is None
    replay.to_turn(9)
    assert replay.strays == 4
    assert replay.note().endswith(
        f"is not what was recorded (civsim {recording.version}, rules version {RULES_VERSION}) from turn 4 on"
    )
    other_land = Replay(recording._replace(marks=recording.marks + 1, engine="other"))
    assert other_land.note().startswith("from turn 0 this release")


def test_shares_that_are_none_are_one_line() -> None:
    recording, _ = recorded(GAMES["baseline"]())
    shares = recording.shares.copy()
    shares[2, 1, Category.ARMY] = np.nan
    replay = Replay(recording._replace(shares=shares))
    replay.to_turn(2)
    with pytest.raises(RecordingError, match=r"recorded turn 3 cannot be played \(share of army .* record again"):
        replay.step()
    assert replay.turn == 2


def test_there_is_no_turn_after_the_last_and_no_other_way() -> None:
    recording, _ = recorded(GAMES["baseline"](), turns=2)
    replay = Replay(recording)
    replay.to_turn(100)
    assert replay.turn == 2
    with pytest.raises(RecordingError, match="all 2 recorded turns were replayed"):
        replay.step()
    with pytest.raises(RecordingError, match="by='plans' is unknown; use one of auto, shares, orders"):
        Replay(recording, "plans")  # type: ignore[arg-type]
    assert set(replaying.WAYS) == set(By.__args__)  # type: ignore[attr-defined]


def test_two_replays_share_nothing() -> None:
    recording, _ = recorded(GAMES["baseline"]())
    before = copy.deepcopy(recording)
    one, other = Replay(recording), Replay(recording)
    one.to_turn(5)
    assert other.turn == 0
    other.to_turn(5)
    assert {name for name in SPEC if getattr(one.world.state, name) is getattr(other.world.state, name)} == set()
    assert all(np.array_equal(now, then) for now, then in zip(recording[8:], before[8:], strict=True))
