"""The zoo: the contract every entry keeps, how entries are made from runs, and what is refused."""

from __future__ import annotations

import csv
import importlib.util
import json
import shlex
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from commands import refused, said
from safetensors import safe_open
from tree import ROOT

from civsim.agents import SeatPolicies, make_policy, policy_names, register, seat_policies, zoo
from civsim.agents.checkpoint import LAST, load_config, load_policy, scenario_of
from civsim.agents.evaluate import HELD_OUT_FIRST, VALIDATION_FIRST
from civsim.agents.network import LearnedPolicy, layer_names
from civsim.agents.registry import NoParams
from civsim.agents.training.run import train
from civsim.agents.training.settings import train_settings
from civsim.agents.zoo import ABOUT, FILES, MAX_ENTRY_BYTES, About, load_about, zoo_folder, zoo_names
from civsim.base.constants import RULES_VERSION
from civsim.base.errors import CheckpointError, ScenarioError
from civsim.base.scenario import Scenario
from civsim.engine.world import World
from civsim.scenarios import content_hash, list_scenarios, load_scenario, loader

PROMISED = {"baseline", "war", "raiders", "cheap-thought", "dear-thought", "varied-prices"}
MOST_BYTES = 600_000
"""The whole zoo."""

ENTRIES = pytest.mark.parametrize("name", zoo_names())
OLD = {name for name in zoo_names() if load_config(zoo_folder(name), allow_rules=True).rules != RULES_VERSION}
"""Entries of other rules. They play, with a warning, and their promises of the library as it is now are not kept."""

CURRENT = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.xfail(reason="trained under other rules")) if name in OLD else name
        for name in zoo_names()
    ],
)
TINY: dict[str, Any] = {
    "steps": 64,
    "worlds": 4,
    "rollout": 8,
    "batch": 16,
    "epochs": 2,
    "hidden": [8],
    "eval_episodes": 4,
}
ONCE = {name: value for name, value in TINY.items() if name != "eval_episodes"} | {"eval_freq": 0}
TOML = 'name = "tiny"\n[map]\nwidth = 6\nheight = 6\n[game]\nturns = 5\ncivilizations = 2\n'
COMMAND = ["/somewhere/bin/civsim", "train", "tiny", "--out", "a run", "--seed", "3"]
WORLDS = 4


def filler() -> ModuleType:
    """``benchmarks/zoo.py`` as a module."""
    spec = importlib.util.spec_from_file_location("benchmarks_zoo", ROOT / "benchmarks" / "zoo.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# The contract. It is walked entry by entry, and the first test sees to it that there are entries to walk.


def test_the_zoo_holds_what_is_promised() -> None:
    missing = sorted(PROMISED - set(zoo_names()))
    assert not missing, f"the zoo lacks {', '.join(missing)}: python benchmarks/zoo.py RUN NAME makes an entry of a run"


def test_the_zoo_is_small() -> None:
    files = [path for name in zoo_names() for path in zoo_folder(name).rglob("*")]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES


def test_nothing_else_lies_in_the_zoo() -> None:
    found = {path.name for path in zoo.ZOO.iterdir()} - {"__pycache__"}
    assert found == {"__init__.py", *zoo_names()}


@ENTRIES
def test_an_entry_is_whole_and_small(name: str) -> None:
    folder = zoo_folder(name)
    assert {path.name for path in folder.iterdir()} == {*FILES, ABOUT}
    assert load_about(name).files == zoo.digests(folder), "the files are not those that were judged"
    assert sum(path.stat().st_size for path in folder.iterdir()) <= MAX_ENTRY_BYTES


@ENTRIES
def test_an_entry_holds_the_actor_alone(name: str) -> None:
    config = load_config(zoo_folder(name), allow_rules=True)
    layers = layer_names(config.algorithm, len(config.hidden))
    with safe_open(zoo_folder(name) / "policy.safetensors", framework="numpy") as tensors:
        assert set(tensors.keys()) == {f"{layer}.{part}" for layer in layers for part in ("weight", "bias")}


@CURRENT
def test_an_entry_was_trained_and_judged_on_a_scenario_of_the_library_as_it_is_now(name: str) -> None:
    about, config = load_about(name), load_config(zoo_folder(name))
    assert about.scenario in list_scenarios()
    now = content_hash(load_scenario(about.scenario))
    assert content_hash(scenario_of(config)) == now
    assert about.evaluation.content == now
    assert about.evaluation.objective == load_scenario(about.scenario).game.objective


@CURRENT
def test_an_entry_says_how_it_was_made_and_how_it_did(name: str) -> None:
    about, config = load_about(name), load_config(zoo_folder(name))
    words = shlex.split(about.training.command)
    assert words[:3] == ["civsim", "train", about.scenario]
    seeds = about.training.seeds
    assert seeds.model_dump(mode="json") == config.seeds
    assert str(config.settings["seed"]) == (words[words.index("--seed") + 1] if "--seed" in words else "0")
    assert seeds.study == seeds.learner == config.settings["seed"]
    assert seeds.training_worlds[1] < VALIDATION_FIRST == seeds.validation_worlds
    assert config.settings["steps"] <= about.training.trained
    judged = about.evaluation
    assert shlex.split(judged.command)[:3] == ["civsim", "evaluate", f"zoo:{name}"]
    assert judged.first_world_id == seeds.held_out_worlds == HELD_OUT_FIRST
    assert judged.worlds >= 100
    assert judged.versions["rules"] == str(RULES_VERSION)
    assert sum(judged.shares.values()) == pytest.approx(1)
    assert {other.policy for other in judged.against} == set(policy_names())
    for other in judged.against:
        assert other.difference.value == pytest.approx(judged.mean.value - other.mean)
        assert 0 <= other.improvement.low <= other.improvement.high <= 1


@ENTRIES
def test_an_entry_plays(name: str) -> None:
    scenario = load_scenario(load_about(name).scenario)
    world = World(scenario, n_worlds=2, seed=1)
    seats = SeatPolicies([make_policy(f"zoo:{name}", None, scenario)] * scenario.game.civilizations)
    for _ in range(3):
        shares = seats.shares(world)
        assert shares.shape == (2, scenario.game.civilizations, 8)
        assert (shares >= 0).all()
        np.testing.assert_allclose(shares.sum(-1), 1, atol=1e-6)
        assert not shares[..., ~world.open].any()
        world.step(shares)


# How an entry is made.


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    (folder / "tiny.toml").write_text(TOML)
    return folder


@pytest.fixture(scope="module")
def run(library: Path) -> Path:
    scenario = load_scenario(library / "tiny.toml")
    settings = train_settings(**TINY, seed=3, eval_freq=32)
    return train(scenario, library.parent / "runs" / "a run", settings, command=COMMAND).folder


@pytest.fixture
def home(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty zoo and a library of one scenario."""
    home = tmp_path / "zoo"
    home.mkdir()
    monkeypatch.setattr(zoo, "ZOO", home)
    monkeypatch.setattr(loader, "LIBRARY", library)
    return home


@pytest.fixture(scope="module")
def judged(library: Path, run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``civsim evaluate`` says of the run."""
    from civsim.cli import main

    out = tmp_path_factory.mktemp("judged") / "out"
    arguments = ["evaluate", str(run), "--worlds", str(WORLDS), "--threads", "1", "--out", str(out)]
    assert main(arguments) == 0
    return out


@pytest.fixture
def entry(home: Path, run: Path, judged: Path) -> Path:
    return Path(filler().fill(run, "agent", judged))


def test_an_entry_plays_as_the_best_checkpoint_of_its_run(entry: Path, run: Path) -> None:
    assert zoo_names() == ("agent",)
    assert zoo_folder("agent") == entry
    scenario = load_scenario("tiny")
    features = np.random.default_rng(0).normal(size=(5, len(load_config(run).features))).astype(np.float32)
    opened = np.ones(8, bool)
    policy = make_policy("zoo:agent", {}, scenario)
    assert isinstance(policy, LearnedPolicy)
    shares = policy.shares(features, opened)
    assert np.array_equal(shares, load_policy(run / "best").shares(features, opened))


@pytest.mark.parametrize("name", ["agent"])
def test_a_new_entry_keeps_the_contract(entry: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    test_an_entry_is_whole_and_small(name)
    test_an_entry_holds_the_actor_alone(name)
    test_an_entry_was_trained_and_judged_on_a_scenario_of_the_library_as_it_is_now(name)
    test_an_entry_plays(name)
    with pytest.raises(AssertionError, match=f"{WORLDS} >= 100"):
        test_an_entry_says_how_it_was_made_and_how_it_did(name)


def test_it_says_what_the_run_and_its_evaluation_say(entry: Path, run: Path, judged: Path) -> None:
    about = load_about("agent")
    assert about.scenario == "tiny"
    assert about.training.command == "civsim train tiny --out 'a run' --seed 3"
    with np.load(run / "evaluations.npz") as archive:
        best = archive["timesteps"][archive["results"].mean(axis=1).argmax()]
    assert (about.training.checkpoint, about.training.steps, about.training.trained) == ("best", best, 64)
    assert about.training.seeds.study == 3
    with (judged / "evaluation.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    score: dict[str, list[float]] = {row["run"]: [] for row in rows}
    for row in rows:
        score[row["run"]].append(float(row["welfare"]))
    own = np.array(score[str(run)])
    assert about.evaluation.mean.value == pytest.approx(own.mean())
    for other in about.evaluation.against:
        assert other.mean == pytest.approx(np.mean(score[other.policy]))
        assert other.difference.value == pytest.approx((own - score[other.policy]).mean())


def test_the_command_it_states_makes_its_numbers_again(
    entry: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stated = load_about("agent").evaluation
    said(capsys, *shlex.split(stated.command)[1:], "--threads", "1", "--out", str(tmp_path / "again"))
    again = json.loads((tmp_path / "again" / "evaluation.json").read_text())
    assert again["runs"]["zoo:agent"] == ["zoo:agent"]
    assert again["summary"][0]["mean"] == stated.mean.value
    assert [row["difference"] for row in again["comparisons"]] == [other.difference.value for other in stated.against]


def test_the_script_judges_the_run_itself(
    home: Path, run: Path, judged: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module = filler()
    assert module.main([str(run), "one", "--worlds", str(WORLDS)]) == 0
    assert capsys.readouterr() == (f"{home / 'one'}\n", "")
    module.fill(run, "two", judged)
    one, two = (load_about(name).model_dump(exclude={"evaluation": {"command"}}) for name in ("one", "two"))
    assert one == two


def test_an_entry_is_judged_again_where_it_stands(entry: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = load_about("agent")
    outdated = before.evaluation.model_copy(update={"content": "0" * 64})
    told = before.model_copy(update={"evaluation": outdated}).model_dump_json()
    (entry / zoo.ABOUT).write_text(told)
    assert filler().main(["--again", "agent", "--worlds", str(WORLDS)]) == 0
    assert capsys.readouterr() == (f"{entry}\n", "")
    assert load_about("agent") == before
    assert filler().main(["--again", "nobody"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_run_without_evaluations_gives_its_last_checkpoint(home: Path, library: Path, tmp_path: Path) -> None:
    run = train(load_scenario("tiny"), tmp_path / "x", train_settings(**ONCE), command=COMMAND).folder
    training = filler().read_training(run)
    assert (training.checkpoint, training.steps, training.trained) == (LAST, 64, 64)


def test_an_entry_takes_part_wherever_a_policy_is_named(entry: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "tournament", "zoo:agent", "rusher", "--worlds", "2", "--threads", "1")
    assert "zoo:agent" in text
    assert "tiny: 2 held-out worlds" in text
    named = Scenario.model_validate(
        {**load_scenario("tiny").model_dump(), "seats": [{"policy": {"name": "zoo:agent"}}, {}]}
    )
    world = World(named, n_worlds=2)
    shares = seat_policies(named).shares(world)
    alone = SeatPolicies([make_policy("zoo:agent", {}, named)] * 2).shares(world)
    assert np.array_equal(shares[:, 0], alone[:, 0])


def test_an_entry_is_not_pooled_with_the_run_it_came_from(
    entry: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(capsys, "evaluate", str(run), "zoo:agent", "--worlds", "2", "--against", "fixed", "--threads", "1")
    assert "×2" not in text
    assert "a run" in text


# What is refused.


@pytest.mark.parametrize("name", ["nobody", "", "../agent", "agent/", "."])
def test_a_name_that_is_no_entry_is_one_line(entry: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CheckpointError, match="is not in the zoo; it has agent$"):
        make_policy(f"zoo:{name}", {}, Scenario())
    assert "is not in the zoo" in refused(capsys, "evaluate", f"zoo:{name}")


def test_an_empty_zoo_says_so(home: Path) -> None:
    with pytest.raises(CheckpointError, match="it has no entries"):
        zoo_folder("agent")


def test_an_entry_takes_no_parameters_and_its_name_no_other_policy(entry: Path) -> None:
    with pytest.raises(ScenarioError, match="zoo:agent takes no parameters; drop x"):
        make_policy("zoo:agent", {"x": 1}, Scenario())
    with pytest.raises(ValueError, match="taken"):
        register("zoo:other", NoParams, lambda _params, _scenario: make_policy("uniform", {}, Scenario()))


def test_an_entry_is_never_overwritten_and_a_name_is_one(entry: Path, run: Path, judged: Path) -> None:
    before = {path: path.read_bytes() for path in entry.iterdir()}
    with pytest.raises(CheckpointError, match="is there already; remove"):
        filler().fill(run, "agent", judged)
    assert {path: path.read_bytes() for path in entry.iterdir()} == before
    with pytest.raises(CheckpointError, match="use letters, digits"):
        filler().fill(run, "../agent", judged)


def test_a_large_network_is_refused_and_leaves_nothing(
    home: Path, run: Path, judged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zoo, "MAX_ENTRY_BYTES", 10_000)
    with pytest.raises(CheckpointError, match="more than 10000; train a smaller network"):
        filler().fill(run, "agent", judged)
    assert list(home.iterdir()) == []


WRONG = {
    "another scenario": (lambda said: said | {"content": "0" * 64}, "of another scenario"),
    "a policy too few": (lambda said: said | {"runs": {**said["runs"], "rusher": []}}, "no comparison with rusher"),
    "runs together": (lambda said: said | {"runs": {"both": ["a", "b"]}}, "alone; evaluate it without its sister runs"),
    "no summary": (lambda said: {key: said[key] for key in said if key != "summary"}, "damaged .*summary"),
    "a number that is none": (lambda said: said | {"worlds": 1}, "worlds: .*; evaluate again"),
    "a list": (lambda said: [said], "damaged"),
}


@pytest.mark.parametrize(("change", "message"), WRONG.values(), ids=WRONG.keys())
def test_an_evaluation_that_does_not_fit_is_refused(home, run, judged, tmp_path, capsys, change, message) -> None:
    found = json.loads((judged / "evaluation.json").read_text())
    (tmp_path / "evaluation.json").write_text(json.dumps(change(found)))
    module = filler()
    with pytest.raises(CheckpointError, match=message):
        module.fill(run, "agent", tmp_path)
    assert module.main([str(run), "agent", "--evaluation", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert list(home.iterdir()) == []


def test_a_run_that_does_not_fit_is_refused(home: Path, run: Path, judged: Path, tmp_path: Path) -> None:
    module = filler()
    with pytest.raises(CheckpointError, match="no training run"):
        module.fill(tmp_path, "agent", judged)
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    config = json.loads((copy / "config.json").read_text())

    def changed(**values: object) -> Path:
        (copy / "config.json").write_text(json.dumps(config | values))
        return copy

    with pytest.raises(CheckpointError, match="does not say what command made it"):
        module.read_training(changed(command=[]))
    with pytest.raises(CheckpointError, match="has 64 of 100 turns; go on"):
        module.read_training(changed(settings=config["settings"] | {"steps": 100}))
    shutil.rmtree(changed() / "resume")
    with pytest.raises(CheckpointError, match="never saved"):
        module.read_training(copy)


def test_a_scenario_that_is_not_the_librarys_is_refused(
    home: Path, run: Path, judged: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "tiny.toml").write_text(TOML.replace("turns = 5", "turns = 6"))
    for folder in (tmp_path, tmp_path / "zoo"):
        monkeypatch.setattr(loader, "LIBRARY", folder)
        with pytest.raises(CheckpointError, match="not the library's of that name"):
            filler().fill(run, "agent", judged)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("format",), 2),
        (("extra",), 1),
        (("training", "command"), "rm -rf /"),
        (("training", "steps"), 65),
        (("evaluation", "mean", "low"), 1e9),
        (("evaluation", "mean", "value"), "1"),
        (("evaluation", "shares"), {"army": 1.0}),
        (("evaluation", "against"), []),
        (("files",), {}),
        (("files", "config.json"), "../"),
    ],
)
def test_what_an_entry_says_of_itself_is_checked(entry: Path, path: tuple[str, ...], value: object) -> None:
    tables = json.loads((entry / ABOUT).read_text())
    here = tables
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = value
    (entry / ABOUT).write_text(json.dumps(tables))
    with pytest.raises(CheckpointError, match="install civsim again$") as caught:
        load_about("agent")
    assert "\n" not in str(caught.value)


def test_a_damaged_or_endless_about_is_refused(entry: Path) -> None:
    for content in (b"\xff", b"{", b"[" * 100_000, b" " * 1_000_001):
        (entry / ABOUT).write_bytes(content)
        with pytest.raises(CheckpointError, match="install civsim again$"):
            load_about("agent")


def test_about_goes_to_json_and_back(entry: Path) -> None:
    about = load_about("agent")
    assert About.model_validate_json(about.model_dump_json(), strict=True) == about
