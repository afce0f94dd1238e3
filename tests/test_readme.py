"""The README keeps its word: its files exist, its code runs, its commands are commands."""

from __future__ import annotations

import re
import shlex

import pytest
from tree import ROOT

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = dict(enumerate(re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)))
COMMANDS = [line.split("  ")[0].strip() for line in re.findall(r"^civsim .*$", TEXT, re.MULTILINE)]
TARGETS = re.findall(r"^make (\w+)", TEXT, re.MULTILINE)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", TEXT))))
def test_a_linked_file_exists(link: str) -> None:
    assert (ROOT / link).is_file()


@pytest.mark.parametrize("target", TARGETS)
def test_a_make_target_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("block", BLOCKS.values(), ids=["library", "environment", "mesa"])
def test_an_example_runs(block: str, capsys: pytest.CaptureFixture[str]) -> None:
    block = block.replace("n_worlds=64", "n_worlds=2")
    if "load_scenario" in block:
        block = block.replace("world = ", "import civsim.scenarios\nscenario = civsim.scenarios.override("
                              "scenario, {'game.turns': 6})\nworld = ")  # fmt: skip
    exec(compile(block, "README.md", "exec"), {})


def test_the_scenario_shown_is_one() -> None:
    from civsim.scenarios import load_scenario, loads_scenario

    (block,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    scenario = loads_scenario(block)
    assert scenario.raiders.rate == 0.15
    half = {name: price / 2 for name, price in load_scenario("baseline").thinking.price.model_dump().items()}
    assert scenario.thinking.price.model_dump() == pytest.approx(half), "it says that thinking costs half"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_one(command: str) -> None:
    from typer.testing import CliRunner

    from civsim.cli.app import app

    words = [word for word in shlex.split(command)[1:] if word != "COMMAND"]
    verbs = [word for word in words if not word.startswith("-")][:2] if words[:1] == ["plot"] else words[:1]
    flags = [word for word in words if word.startswith("--")]
    runner = CliRunner()
    shown = runner.invoke(app, [*verbs, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert shown.exit_code == 0, shown.output
    for flag in flags:
        assert flag in shown.output
