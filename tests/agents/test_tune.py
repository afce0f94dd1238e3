"""A study of settings: the same trials whether or not it is stopped, and nothing lost when it is."""

from __future__ import annotations

import json
import os
import sys

import numpy as np
import pytest
from checkpoints import StubLearner

from civsim.agents import tune as module
from civsim.agents.evaluate import HELD_OUT_FIRST, VALIDATION_FIRST, validation
from civsim.agents.training.settings import flat_settings, train_settings
from civsim.agents.tune import ENDINGS, Trial, TuneReport, TuneSettings, tune
from civsim.agents.tune_space import SPACE, OneOf, searched
from civsim.base.errors import CheckpointError, CivsimError
from civsim.base.scenario import Scenario

pytest.importorskip("optuna")

SCENARIO = Scenario.model_validate(
    {"name": "tiny", "map": {"width": 5, "height": 5}, "game": {"turns": 3, "civilizations": 2}}
)
SMALL = TuneSettings(trials=8, steps=100, seeds=2, worlds=2, seed=5)


@pytest.fixture(autouse=True)
def _early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the estimator and the pruner begin early, so that a study can be short."""
    monkeypatch.setattr(module, "STARTUP", 3)
    monkeypatch.setattr(module, "PRUNE_AFTER", 2)


def facts(report: TuneReport) -> list[tuple]:
    return [(trial.number, trial.pruned, trial.scores, trial.settings) for trial in report.trials]


def finite(trial: Trial) -> bool:
    return bool(trial.scores) and np.isfinite(trial.mean)


def test_it_finds_what_is_better_and_says_so(tmp_path):
    learner, told = StubLearner(), []
    report = tune(SCENARIO, tmp_path / "study.journal", SMALL, learner=learner, report=told.append)
    assert len(report.trials) == 8
    assert (report.kept, report.interrupted) == (0, False)
    assert [facts(TuneReport((trial,), 0, False)) for trial in told] == [[fact] for fact in facts(report)]
    best, *others = report.best(4)
    assert best.mean >= max(trial.mean for trial in others)
    misses = [abs(np.log10(trial.settings["learning_rate"]) + 3) for trial in report.trials if not trial.pruned]
    assert abs(np.log10(best.settings["learning_rate"]) + 3) == min(misses)
    assert best.per_cpu_second == pytest.approx(best.mean / 2.0)
    assert best.mean == pytest.approx(np.mean(best.scores))
    assert all(finite(trial) for trial in report.trials)


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_kind_of_file_keeps_the_study(tmp_path, ending):
    few = SMALL._replace(trials=1, seeds=1)
    first = tune(SCENARIO, tmp_path / f"study{ending}", few, learner=StubLearner())
    again = tune(SCENARIO, tmp_path / f"study{ending}", few._replace(trials=2), learner=StubLearner())
    assert (again.kept, len(again.trials)) == (1, 2)
    assert facts(again)[:1] == facts(first)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_second_tuner_of_one_file_is_refused(tmp_path, ending):
    storage, few = tmp_path / f"study{ending}", SMALL._replace(trials=1, seeds=1)
    said = []

    def learner(*arguments):
        with pytest.raises(CheckpointError) as caught:
            tune(SCENARIO, storage, few, learner=StubLearner())
        said.append(str(caught.value))
        return StubLearner()(*arguments)

    assert len(tune(SCENARIO, storage, few, learner=learner).trials) == 1
    assert [f"is in use by process {os.getpid()} on " in line for line in said] == [True]
    assert not list(tmp_path.glob(".*"))


def test_a_trial_below_the_median_is_given_up(tmp_path):
    report = tune(SCENARIO, tmp_path / "study.journal", SMALL, learner=StubLearner())
    given_up = [trial for trial in report.trials if trial.pruned]
    assert given_up
    assert all(len(trial.scores) == 1 and not trial.error for trial in given_up)
    assert all(len(trial.scores) == 2 for trial in report.trials if not trial.pruned)


def test_a_study_that_was_stopped_makes_the_same_trials_as_one_that_was_not(tmp_path):
    whole, stopped = tmp_path / "whole.journal", tmp_path / "stopped.journal"
    straight = tune(SCENARIO, whole, SMALL, learner=StubLearner())
    first = tune(SCENARIO, stopped, SMALL._replace(trials=3), learner=StubLearner())
    second = tune(SCENARIO, stopped, SMALL, learner=StubLearner(stop_at=5))
    assert len(first.trials) == 3
    assert (second.kept, second.interrupted) == (3, True)
    assert 3 < len(second.trials) < 8
    third = tune(SCENARIO, stopped, SMALL, learner=StubLearner())
    assert (third.kept, third.interrupted) == (len(second.trials), False)
    assert facts(third) == facts(straight)
    assert facts(first) == facts(straight)[:3]
    untouched = StubLearner(fail=True)
    assert facts(tune(SCENARIO, stopped, SMALL, learner=untouched)) == facts(straight)


def test_an_interrupt_anywhere_keeps_what_is_done(tmp_path):
    def learner(scenario, out, settings):
        if len(list(tmp_path.iterdir())) and learner.left == 0:
            raise KeyboardInterrupt
        learner.left -= 1
        return StubLearner()(scenario, out, settings)

    learner.left = 5
    report = tune(SCENARIO, tmp_path / "study.journal", SMALL, learner=learner)
    assert report.interrupted
    assert len(report.trials) == 2


def test_seeds_follow_from_the_study_and_the_place(tmp_path):
    one, again, other = StubLearner(), StubLearner(), StubLearner()
    tune(SCENARIO, tmp_path / "one.journal", SMALL._replace(trials=3), learner=one)
    tune(SCENARIO, tmp_path / "again.journal", SMALL._replace(trials=3), learner=again)
    tune(SCENARIO, tmp_path / "other.journal", SMALL._replace(trials=3, seed=6), learner=other)
    assert one.seen == again.seen
    seeds = [settings.seed for settings in one.seen]
    assert len(set(seeds)) == len(seeds) == 6
    assert not set(seeds) & {settings.seed for settings in other.seen}


def test_every_setting_of_the_space_is_one_and_is_drawn(tmp_path):
    learner = StubLearner()
    report = tune(SCENARIO, tmp_path / "study.journal", SMALL, learner=learner)
    for trial in report.trials:
        assert trial.settings.keys() == SPACE.keys()
    for name in SPACE:
        assert len({str(trial.settings[name]) for trial in report.trials}) > 1
    for settings in learner.seen:
        assert (settings.rows * settings.learner.rollout) % settings.learner.batch == 0
    kept = {json.dumps({**flat_settings(settings), "seed": 0}) for settings in learner.seen}
    own = {"steps": 100, "threads": 1, "eval_freq": 0, "save_freq": 0}
    asked = {json.dumps(flat_settings(train_settings("ppo", **{**trial.settings, **own}))) for trial in report.trials}
    assert kept == asked


def test_what_is_given_is_not_searched(tmp_path):
    learner = StubLearner()
    fixed = {"epochs": 3, "rollout": 25, "worlds": 6, "policy": "dirichlet"}
    report = tune(SCENARIO, tmp_path / "study.journal", SMALL._replace(trials=6, fixed=fixed), learner=learner)
    for settings in learner.seen:
        assert (settings.learner.epochs, settings.learner.rollout, settings.worlds) == (3, 25, 6)
        assert settings.policy == "dirichlet"
        assert settings.learner.batch in (150, 75)
    assert not {"epochs", "rollout", "log_std"} & set(report.trials[0].settings)
    batch = searched({"rollout": 25, "worlds": 6})["batch"]
    assert isinstance(batch, OneOf)
    assert set(batch.values.values()) == {1, 2}


def test_validation_worlds_are_their_own():
    ids = validation(10_000)
    assert ids.min() >= VALIDATION_FIRST > 10**9
    assert ids.max() < HELD_OUT_FIRST


def test_training_that_fails_is_given_up_and_all_failing_is_an_error(tmp_path):
    class Half(StubLearner):
        def __call__(self, scenario, out, settings):
            self.fail = settings.learner.learning_rate > 1e-3
            return super().__call__(scenario, out, settings)

    report = tune(SCENARIO, tmp_path / "half.journal", SMALL, learner=Half())
    failed = [trial for trial in report.trials if trial.error]
    assert failed
    assert all(trial.pruned and not trial.scores and trial.settings["learning_rate"] > 1e-3 for trial in failed)
    assert "\n" not in failed[0].error
    with pytest.raises(
        CheckpointError, match="all 2 trials failed, the first with: Expected parameter loc to be finite"
    ):
        tune(SCENARIO, tmp_path / "all.journal", SMALL._replace(trials=2), learner=StubLearner(fail=True))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 200}, "whose steps is 100, not 200; name a new file"),
        ({"seed": 1}, "whose seed is 5, not 1"),
        ({"fixed": {"epochs": 2}}, "whose fixed is"),
    ],
    ids=["steps", "seed", "fixed"],
)
def test_another_study_is_not_mixed_in(tmp_path, changes, message):
    path = tmp_path / "study.journal"
    tune(SCENARIO, path, SMALL._replace(trials=1), learner=StubLearner())
    with pytest.raises(CheckpointError, match=message):
        tune(SCENARIO, path, SMALL._replace(**changes), learner=StubLearner())
    other = Scenario.model_validate({**SCENARIO.model_dump(), "map": {"width": 6, "height": 5}})
    with pytest.raises(CheckpointError, match="whose scenario is another one"):
        tune(other, path, SMALL, learner=StubLearner())


def test_errors_are_one_line_and_write_nothing(tmp_path):
    (tmp_path / "text.db").write_text("not a database at all " * 100)
    (tmp_path / "text.journal").write_text("not a journal\n")
    (tmp_path / "folder.db").mkdir()
    cases = [
        ("study.txt", SMALL, "does not end in .db or .journal"),
        ("none/study.db", SMALL, "lies in none"),
        ("folder.db", SMALL, "is a folder"),
        ("text.db", SMALL, "is no study"),
        ("text.journal", SMALL, "is no study"),
        ("study.db", SMALL._replace(trials=0), "trials=0"),
        ("study.db", SMALL._replace(worlds=0), "worlds=0"),
        ("study.db", SMALL._replace(fixed={"epohcs": 1}), "did you mean 'epochs'"),
        ("study.db", SMALL._replace(fixed={"epochs": 0}), "epochs=0"),
        ("study.db", SMALL._replace(fixed={"batch": 1000}), "batch=1000 does not divide"),
        ("study.db", SMALL._replace(fixed={"steps": 5}), "give it as --steps"),
        ("study.db", SMALL._replace(fixed={"worlds": "many"}), "worlds='many'"),
        ("study.db", SMALL._replace(fixed={"rollout": 0}), "rollout=0"),
        ("study.db", SMALL._replace(fixed={"algorithm": "sac"}), "only ppo"),
        ("study.db", SMALL._replace(fixed=dict.fromkeys(SPACE, 1)), "leave one of"),
    ]
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for name, settings, message in cases:
        with pytest.raises(CivsimError, match=message) as caught:
            tune(SCENARIO, tmp_path / name, settings, learner=StubLearner(fail=True))
        assert "\n" not in str(caught.value)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_without_optuna_the_line_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(CheckpointError, match=r"tuning needs optuna; pip install 'civsim\[tune\]'"):
        tune(SCENARIO, tmp_path / "study.journal", SMALL, learner=StubLearner())


def test_it_tunes_the_training_itself(tmp_path):
    fixed = {"worlds": 4, "rollout": 8, "hidden": [4], "epochs": 1}
    settings = TuneSettings(trials=2, steps=32, seeds=1, worlds=2, fixed=fixed)
    report = tune(SCENARIO, tmp_path / "study.journal", settings)
    assert len(report.trials) == 2
    assert all(finite(trial) and trial.cpu_seconds > 0.0 for trial in report.trials)
    assert module.TuneSettings().trials > 2
