"""The league: who is met how often, that draws depend on their names alone, and that opponents play as they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from worlds import bits, differing, scenario

from civsim.agents.league import LATEST, LEARNER, League
from civsim.agents.league_settings import LeagueSettings
from civsim.agents.league_store import Counts, LeagueState, load_league, save_league
from civsim.agents.network import LearnedPolicy, Normalisation, layer_names
from civsim.agents.policy import SeatPolicies
from civsim.agents.registry import make_policy
from civsim.base.constants import N_CATEGORIES
from civsim.base.errors import ActionError, CheckpointError, ScenarioError
from civsim.engine.observation.features import N_FEATURES
from civsim.engine.observation.observer import observe
from civsim.engine.world import World
from civsim.faces.sb3 import WorldVecEnv

SEATS = 3
HIDDEN = (6, 5)
GAME = scenario(
    {
        "map.width": 6,
        "map.height": 6,
        "game.civilizations": SEATS,
        "game.turns": 4,
        "thinking.max_horizon": 1,
        "thinking.max_sight": 2,
    }
)
ANCHORS = ("adaptive", "builder", "random")
MIXED = LeagueSettings(latest=0.4, past=0.35, scripted=0.25, anchors=ANCHORS, every=10, capacity=4)


def weights(seed: int) -> dict[str, np.ndarray]:
    """A network's weights as PPO names them, with those of a value network among them."""
    rng = np.random.default_rng(seed)
    widths = (N_FEATURES, *HIDDEN, N_CATEGORIES)
    arrays = {"value_net.bias": np.zeros(1, np.float32)}
    for name, fan_in, fan_out in zip(layer_names("ppo", len(HIDDEN)), widths[:-1], widths[1:], strict=True):
        arrays[f"{name}.weight"] = rng.normal(0.0, 0.3, (fan_out, fan_in)).astype(np.float32)
        arrays[f"{name}.bias"] = rng.normal(0.0, 0.3, fan_out).astype(np.float32)
    return arrays


def moments(seed: int) -> Normalisation:
    rng = np.random.default_rng(seed)
    mean, var = rng.normal(0.0, 0.5, N_FEATURES), rng.uniform(0.2, 2.0, N_FEATURES)
    return Normalisation(mean, var, np.array(0.01), np.array(10.0))


def make(settings: LeagueSettings = MIXED, snapshots: int = 0, seed: int = 5, **choice: Any) -> League:
    """A league whose latest is network 0, after snapshots of the networks 1, 2, … each 10 turns."""
    league = League(GAME, settings, seed, **choice)
    for k in range(1, snapshots + 1):
        league.refresh(weights(k), moments(k))
        assert league.snapshot(10 * k)
    league.refresh(weights(0), moments(0))
    return league


def nobody(world: World) -> np.ndarray:
    return np.zeros((world.n_worlds, world.n_civilizations), bool)


def episode(world_id: int, seat: int, objectives: list[float], dead: tuple[int, ...] = ()) -> dict[str, Any]:
    alive = [each not in dead for each in range(len(objectives))]
    return {"world_id": world_id, "seat": seat, "objectives": objectives, "alive": alive}


def probabilities(league: League) -> dict[str, float]:
    return {row.name: row.probability for row in league.standings()}


# Settings


def test_proportions_must_sum_to_one() -> None:
    with pytest.raises(ValidationError, match="latest \\+ past \\+ scripted = 0.9, not 1; correct one"):
        LeagueSettings(latest=0.5, past=0.2, scripted=0.2)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"latest": 0.7, "past": 0.3, "scripted": 0.0, "anchors": ("builder",)}, "anchors has no effect.*scripted=0"),
        ({"latest": 0.8, "past": 0.0, "scripted": 0.2, "exponent": 1.0}, "exponent has no effect.*past=0"),
        ({"latest": 0.8, "past": 0.0, "scripted": 0.2, "capacity": 5}, "capacity has no effect.*past=0"),
        ({"latest": 0.8, "past": 0.0, "scripted": 0.2, "every": 5}, "every has no effect.*past=0"),
        ({"latest": 0.5, "past": 0.3, "scripted": 0.2, "anchors": ()}, "without anchors; name at least one"),
        ({"anchors": ("builder", "builder")}, "anchors name a policy twice"),
        ({"exponent": 2000.0}, "exponent\n.*less than or equal to 20"),
        ({"prior": 1e-9}, "prior\n.*greater than or equal to 0.001"),
    ],
)
def test_settings_of_no_use_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        LeagueSettings(**values)


def test_resolved_settings_make_the_same_settings() -> None:
    for settings in (LeagueSettings(), MIXED, LeagueSettings(latest=1.0, past=0.0, scripted=0.0)):
        assert LeagueSettings(**settings.model_dump(mode="json")) == settings


def test_an_unknown_anchor_is_refused() -> None:
    with pytest.raises(ScenarioError, match="'bilder' is unknown; did you mean 'builder'"):
        League(GAME, LeagueSettings(anchors=("bilder",)), 0)


# Who is met


def test_the_share_of_the_past_goes_to_the_latest_while_there_is_none() -> None:
    assert probabilities(make()) == pytest.approx(
        {"latest": 0.75, "adaptive": 0.25 / 3, "builder": 0.25 / 3, "random": 0.25 / 3}
    )


def test_past_selves_are_weighted_by_how_often_they_still_win() -> None:
    """f(p) = (1 − p)^k with p = (wins + prior / 2) / (games + prior)."""
    league = make(MIXED.model_copy(update={"memory": 1e6}), snapshots=2)
    first, second = league._kept
    for _ in range(30):
        league._note(first, 1.0)
        league._note(second, 0.5)
    p = np.array([(30.0 + 5.0) / 40.0, 0.5])
    expected = 0.35 * (1 - p) ** 2 / ((1 - p) ** 2).sum()
    found = probabilities(league)
    assert [found["past:10"], found["past:20"]] == pytest.approx(expected, rel=1e-4)
    assert found["latest"] == 0.4
    assert sum(found.values()) == pytest.approx(1.0)


def test_an_exponent_of_zero_weighs_all_alike() -> None:
    league = make(MIXED.model_copy(update={"exponent": 0.0}), snapshots=2)
    league._note(next(iter(league._kept)), 1.0)
    assert [probabilities(league)[f"past:{steps}"] for steps in (10, 20)] == [0.175, 0.175]


@pytest.mark.parametrize("exponent", [2.0, 20.0])
def test_snapshots_that_never_win_share_the_past_at_the_least_prior(exponent: float) -> None:
    settings = LeagueSettings(**MIXED.model_dump() | {"exponent": exponent, "prior": 1e-3, "memory": 1e6})
    league = make(settings, snapshots=3)
    league._counts |= {number: Counts(1e6, 1e6) for number in league._kept}
    found = probabilities(league)
    assert [found[f"past:{steps}"] for steps in (10, 20, 30)] == pytest.approx([0.35 / 3] * 3)


def test_opponents_are_met_in_the_stated_proportions() -> None:
    league, worlds = make(snapshots=2), 4000
    names = {LATEST: "latest"} | league._anchor_names | {number: f"past:{s}" for number, s in league._kept.items()}
    numbers, bounds = league._distribution()
    world = World(GAME, 1)
    drawn = []
    for world_id in range(worlds):
        world.state.world_id[0] = world_id
        league._begin(world, nobody(world))
        drawn += league._opponent[0].tolist()
    for number in numbers:
        share, expected = np.mean(np.array(drawn) == number), probabilities(league)[names[int(number)]]
        assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / len(drawn))
    assert len(bounds) == len(numbers) - 1


def test_the_learners_seats_are_the_callers() -> None:
    league, world = make(snapshots=1), World(GAME, 6)
    mask = nobody(world)
    mask[np.arange(6), np.arange(6) % SEATS] = True
    shares = league(world, mask)
    assert (shares[mask] == 0.0).all()
    assert shares[~mask].sum(-1) == pytest.approx(1.0)
    assert (league._opponent == LEARNER).tolist() == mask.tolist()


def test_a_draw_depends_on_seed_world_and_seat_alone() -> None:
    ids = np.arange(40)
    whole, other = make(snapshots=3), make(snapshots=3, seed=6)
    for league in (whole, other):
        world = World(GAME, world_ids=ids)
        league(world, nobody(world))
    assert (whole._opponent != other._opponent).mean() > 0.3
    part = make(snapshots=3)
    world = World(GAME, world_ids=[31, 7, 2])
    mask = nobody(world)
    mask[1, 0] = True
    part(world, mask)
    expected = whole._opponent[[31, 7, 2]].copy()
    expected[1, 0] = LEARNER
    assert part._opponent.tolist() == expected.tolist()


def test_an_opponent_is_kept_to_the_end_of_its_world() -> None:
    league, world = make(LeagueSettings(latest=0.0, past=1.0, scripted=0.0, every=10, capacity=2), 2), World(GAME, 8)
    shares = league(world, nobody(world))
    began = league._opponent.copy()
    before = league._networks[int(began[0, 0])]
    for k in range(3, 8):
        world.step(shares)
        league.refresh(weights(k), moments(k))
        league.snapshot(10 * k)
        if world.done.all():
            break
        shares = league(world, nobody(world))
        assert (league._opponent == began).all()
        assert league._networks[int(began[0, 0])] is before
    assert set(np.unique(began)) & set(league._networks), "thinned out, but still playing"
    world.reset()
    league(world, nobody(world))
    assert set(np.unique(league._opponent)) <= set(league._kept)
    assert set(league._networks) == {LATEST, *league._kept}


def test_the_latest_is_refreshed_within_a_world() -> None:
    league = make(LeagueSettings(latest=1.0, past=0.0, scripted=0.0))
    world = World(GAME, 2)
    first = league(world, nobody(world))
    league.refresh(weights(9), moments(9))
    assert not np.array_equal(league(world, nobody(world)), first)


# How opponents play


@pytest.mark.parametrize("head", ["softmax", "dirichlet"])
def test_every_opponent_plays_as_it_does_alone(head: Any) -> None:
    league, world = make(snapshots=3, head=head), World(GAME, 24)
    networks = {LATEST: 0} | {number: steps // 10 for number, steps in league._kept.items()}
    everywhere = {n: SeatPolicies([make_policy(name, {}, GAME)] * SEATS) for n, name in league._anchor_names.items()}
    for _ in range(3):
        observation = observe(world)
        shares = league(world, nobody(world))
        for number in np.unique(league._opponent).tolist():
            held = league._opponent == number
            if number in everywhere:
                expected = everywhere[number].shares(world)
            else:
                k = networks[number]
                alone = LearnedPolicy.from_arrays(weights(k), moments(k), head)
                rows = observation.features.reshape(-1, N_FEATURES)
                expected = alone.shares(rows, observation.open).reshape(shares.shape)
            assert np.array_equal(shares[held], expected[held])
        world.step(shares)
    assert len(np.unique(league._opponent)) == 7, "all seven play"


def test_a_world_plays_out_the_same_alone_and_in_any_batch() -> None:
    def played(ids: list[int]) -> World:
        league, world = make(snapshots=2), World(GAME, world_ids=ids)
        while not world.done.all():
            world.step(league(world, nobody(world)))
        return world

    batch, alone = played([4, 5, 6]), played([5])
    assert not differing(bits(batch, row=1), bits(alone, row=0))


def test_the_dead_and_the_finished_are_not_asked() -> None:
    league, world = make(snapshots=1), World(GAME, 2)
    world.state.alive[0, 1] = 0
    shares = league(world, nobody(world))
    assert (shares[0, 1] == 0.0).all()
    while not world.done.all():
        world.step(league(world, nobody(world)))
    assert (league(world, nobody(world)) == 0.0).all()


def test_weights_are_copied() -> None:
    league, world = League(GAME, LeagueSettings(latest=1.0, past=0.0, scripted=0.0), 0), World(GAME, 2)
    arrays, scale = weights(1), moments(1)
    league.refresh(arrays, scale)
    before = league(world, nobody(world))
    for values in (*arrays.values(), scale.mean):
        values[...] = 0.0
    assert np.array_equal(league(world, nobody(world)), before)


def test_misuse_is_refused() -> None:
    league, world = League(GAME, MIXED, 0), World(GAME, 2)
    with pytest.raises(CheckpointError, match="no latest player; call refresh"):
        league(world, nobody(world))
    with pytest.raises(CheckpointError, match="no latest player to keep"):
        league.snapshot(100)
    with pytest.raises(CheckpointError, match="lacks action_net.weight"):
        league.refresh({k: v for k, v in weights(0).items() if k != "action_net.weight"}, moments(0))
    league.refresh(weights(0), moments(0))
    with pytest.raises(ActionError, match=r"the league plays bool \(worlds, 3\)"):
        league(world, np.zeros((2, 2), bool))
    world.step(league(world, nobody(world)))
    stranger = World(GAME, world_ids=[7, 8])
    stranger.state.turn[:] = 2
    with pytest.raises(ActionError, match="world 7 in row 0 is in turn 2, but the league has not seen it begin"):
        league(stranger, nobody(stranger))


def test_the_league_plays_without_torch() -> None:
    code = "import sys, civsim.agents.league; raise SystemExit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# Snapshots


def test_snapshots_are_due_every_so_many_turns() -> None:
    league = make()
    assert [league.snapshot(steps) for steps in (9, 10, 15, 19, 25, 34, 35)] == [
        *(False, True, False, False, True),
        *(False, True),
    ]
    assert list(league._kept.values()) == [10, 25, 35]


def test_no_snapshots_are_kept_where_none_would_play() -> None:
    league = make(LeagueSettings(latest=1.0, past=0.0, scripted=0.0))
    assert not league.snapshot(10**9)


@pytest.mark.parametrize("capacity", [2, 3, 5, 12])
def test_thinning_keeps_the_first_the_newest_and_an_even_spread(capacity: int) -> None:
    league = make(MIXED.model_copy(update={"capacity": capacity}))
    for k in range(1, 101):
        league.snapshot(10 * k)
        times = np.array(list(league._kept.values()))
        assert len(times) == min(k, capacity)
        assert times[0] == 10
        assert times[-1] == 10 * k
        if k > capacity > 3:
            gaps = np.diff(times)
            assert gaps.max() <= 2 * np.median(gaps)
    assert set(league._counts) == {LATEST, *league._anchors, *league._kept}


# Reports


def begun(seats: tuple[int, ...] = (0,), worlds: int = 2, settings: LeagueSettings = MIXED) -> tuple[League, World]:
    """A league that has begun a batch with learners in ``seats``."""
    league, world = make(settings, snapshots=1), World(GAME, worlds)
    mask = nobody(world)
    mask[:, list(seats)] = True
    world.step(np.where(mask[..., None], 1 / N_CATEGORIES, league(world, mask)))
    return league, world


def test_larger_objectives_win_and_ties_are_half() -> None:
    league, _ = begun()
    league._opponent[0] = [LEARNER, 1, 2]
    league._opponent[1] = [LEARNER, 1, 3]
    league.report([episode(0, 0, [2.0, 1.0, 3.0]), episode(1, 0, [2.0, 1.0, 2.0])])
    forgetting = 1 - 1 / MIXED.memory
    assert league._counts[1] == pytest.approx((1 + forgetting, 1 + forgetting))
    assert league._counts[2] == (1.0, 0.0)
    assert league._counts[3] == (1.0, 0.5)
    standing = {row.name: row for row in league.standings()}
    assert standing["adaptive"].win_rate == pytest.approx((2 - 1 / 500 + 5) / (2 - 1 / 500 + 10))
    assert standing["builder"].win_rate == pytest.approx(5 / 11)
    assert standing["random"].win_rate == pytest.approx(0.5)


def test_few_games_say_little_and_old_games_fade() -> None:
    league, _ = begun(settings=MIXED.model_copy(update={"memory": 50.0}))
    assert league._win_rate(1) == 0.5
    for _ in range(2000):
        league._note(1, 1.0)
    games, wins = league._counts[1]
    assert (games, wins) == pytest.approx((50.0, 50.0))
    assert 0.9 < league._win_rate(1) < 1.0
    for _ in range(2000):
        league._note(1, 0.0)
    assert league._win_rate(1) < 0.1


def test_other_learners_are_no_opponents() -> None:
    league, _ = begun(seats=(0, 2))
    league.report([episode(0, 0, [2.0, 1.0, 3.0]), episode(0, 2, [2.0, 1.0, 3.0])])
    opponent = int(league._opponent[0, 1])
    assert league._counts[opponent].games == pytest.approx(2 - 1 / MIXED.memory)
    assert sum(counts.games for counts in league._counts.values()) == league._counts[opponent].games


def test_an_eliminated_learner_loses_to_those_who_outlive_it() -> None:
    league, _ = begun()
    league._opponent[0] = [LEARNER, 1, 2]
    league.report([episode(0, 0, [2.0, 1.0, 1.0], dead=(0, 2))])
    assert league._counts[1] == (1.0, 0.0)
    assert league._counts[2] == (1.0, 1.0)


def test_an_opponent_that_dies_between_the_learners_end_and_the_report_has_won() -> None:
    league, world = begun(seats=(0, 1))
    league._opponent[0] = [LEARNER, LEARNER, 1]
    early = episode(0, 0, [2.0, 1.0, 1.0], dead=(0,))
    world.state.alive[0, [0, 2]] = 0
    league(world, league._opponent == LEARNER)
    league.report([early, episode(0, 1, [2.0, 1.0, 1.5], dead=(0, 2))])
    assert league._counts[1] == pytest.approx((2 - 1 / MIXED.memory, 0.0))


def test_a_learner_that_dies_in_the_last_turn_has_lost_to_the_living() -> None:
    """The environment says who lives at an episode's end; its length would not tell."""
    league = make(LeagueSettings(latest=1.0, past=0.0, scripted=0.0))
    env = WorldVecEnv(GAME, league, 1, seed=2, seat=0)
    env.reset()
    for _ in range(GAME.game.turns - 1):
        env.step(np.zeros((1, N_CATEGORIES), np.float32))
    state = env.world.state
    state.alive[0, 0], state.cells[0, 0] = 0, 0
    state.owner[0][state.owner[0] == 0] = -1
    _, _, done, infos = env.step(np.zeros((1, N_CATEGORIES), np.float32))
    said = infos[0]["episode"]
    assert (done.tolist(), said["alive"], said["l"]) == ([True], [False, True, True], GAME.game.turns)
    league.report([said | {"objectives": [9.0, 1.0, 1.0]}])
    assert league._counts[LATEST].wins == 0.0


def test_ended_worlds_are_known_until_the_report() -> None:
    league, world = begun()
    world.reset(world_ids=[10, 11])
    mask = nobody(world)
    mask[:, 0] = True
    league(world, mask)
    league.report([episode(0, 0, [2.0, 1.0, 1.0]), episode(10, 0, [2.0, 1.0, 1.0], dead=(0,))])
    with pytest.raises(ActionError, match="world 1 was not played by this league; report every episode once"):
        league.report([episode(1, 0, [2.0, 1.0, 1.0])])


def test_a_learner_of_the_vector_environment() -> None:
    """What the environment says of its episodes is what the league can use."""
    league = make(snapshots=1)
    env = WorldVecEnv(GAME, league, 3, seed=2, learners=2)
    env.reset()
    episodes = []
    for _ in range(2 * GAME.game.turns):
        _, _, done, infos = env.step(np.zeros((6, N_CATEGORIES), np.float32))
        episodes += [infos[row]["episode"] for row in np.flatnonzero(done)]
    league.report(episodes)
    assert len(episodes) == 12
    assert sum(counts.games for counts in league._counts.values()) == pytest.approx(12, rel=0.05)


# Going on


def run(league: League, world: World, turns: int) -> list[np.ndarray]:
    """Play turns with the learner in seat world id mod 3, reporting, refreshing and keeping every two turns."""
    history = []
    for turn in range(turns):
        mask = nobody(world)
        mask[np.arange(world.n_worlds), world.state.world_id % SEATS] = True
        shares = league(world, mask)
        history += [shares.copy(), league._opponent.copy()]
        shares[mask] = 1 / N_CATEGORIES
        world.step(shares)
        if world.done.all():
            objectives = world.state.utility[:, :, 0].tolist()
            ids = world.state.world_id.tolist()
            ended = [episode(w, w % SEATS, objectives[row]) for row, w in enumerate(ids)]
            world.reset(world_ids=[w + world.n_worlds for w in ids])
            league.report(ended)
            league.refresh(weights(ids[0] + turn), moments(turn))
            league.snapshot(10 * ids[0] + 30)
    return history


@pytest.mark.parametrize("turns", [3, 4, 9, 22])
def test_a_restored_league_goes_on_bit_for_bit(turns: int, tmp_path: Path) -> None:
    league, world = make(snapshots=2), World(GAME, 6)
    run(league, world, turns)
    save_league(tmp_path / "league.safetensors", league.state())
    copy = World.restore(world.snapshot())
    again = League.restore(GAME, MIXED, 5, load_league(tmp_path / "league.safetensors"))
    assert again.standings() == league.standings()
    for ours, theirs in zip(run(league, world, 12), run(again, copy, 12), strict=True):
        assert ours.tobytes() == theirs.tobytes()
    assert again.standings() == league.standings()
    assert again.state().record == league.state().record


def test_a_league_that_began_nothing_can_be_saved() -> None:
    for league in (League(GAME, MIXED, 5), make()):
        again = League.restore(GAME, MIXED, 5, league.state())
        assert again.standings() == league.standings()


def test_a_state_is_a_copy() -> None:
    league, world = make(snapshots=2), World(GAME, 2)
    run(league, world, 2)
    state = league.state()
    kept = {name: values.copy() for name, values in state.arrays.items()}
    run(league, world, 6)
    assert all(np.array_equal(values, kept[name]) for name, values in state.arrays.items())


def test_another_seed_or_setting_cannot_go_on() -> None:
    state = make(snapshots=1).state()
    with pytest.raises(CheckpointError, match="saved for seed=5 and 3 seats, not seed=6 and 3"):
        League.restore(GAME, MIXED, 6, state)
    with pytest.raises(CheckpointError, match="saved under another exponent; resume with the settings"):
        League.restore(GAME, MIXED.model_copy(update={"exponent": 1.0}), 5, state)


def damaged(state: LeagueState, fault: str) -> LeagueState:
    record, arrays = dict(state.record), dict(state.arrays)
    if fault == "lacks":
        del arrays["opponent"]
    elif fault == "dtype":
        arrays["world_id"] = arrays["world_id"].astype(np.float64)
    elif fault == "shape":
        arrays["ended.opponent"] = arrays["ended.opponent"][:, :2]
    elif fault == "width":
        arrays["network.0.0.weight"] = arrays["network.0.0.weight"][:, :-1]
    elif fault == "nan":
        arrays["network.0.2.bias"] = np.full(N_CATEGORIES, np.nan, np.float32)
    elif fault == "var":
        arrays["network.0.var"] = -arrays["network.0.var"]
    elif fault == "unknown":
        record["more"] = 1
    elif fault == "type":
        record["kept"] = "all"
    elif fault == "opponent":
        arrays["opponent"] = np.full_like(arrays["opponent"], 77)
    elif fault == "counts":
        record["counts"] = record["counts"][1:]
    return LeagueState(record, arrays)


@pytest.mark.parametrize(
    "fault", ["lacks", "dtype", "shape", "width", "nan", "var", "unknown", "type", "opponent", "counts"]
)
def test_a_damaged_state_is_refused_in_one_line(fault: str) -> None:
    state = begun()[0].state()
    with pytest.raises(CheckpointError, match="^league: .*; train again$") as caught:
        League.restore(GAME, MIXED, 5, damaged(state, fault))
    assert "\n" not in str(caught.value)


def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "league.safetensors"
    with pytest.raises(CheckpointError, match="does not exist; give the file"):
        load_league(path)
    save_league(path, make().state())
    whole = path.read_bytes()
    lying = (2**60).to_bytes(8, "little") + whole[8:]
    for content in (b"", b"\x80\x04.", whole[:-9], whole.replace(b'"league"', b'"leaguf"'), lying):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match="; train again$") as caught:
            load_league(path)
        assert "\n" not in str(caught.value)
