"""What ``civsim.analysis`` says of itself is so: the lines of its docstring run, in their order."""

from __future__ import annotations

from pathlib import Path

import pytest

import civsim.analysis
from civsim.scenarios import loads_study, run_batch

STUDY = """
name = "tiny"
seed = 3
replicates = 6
focal = "rotate"

[set]
"game.turns" = 12
"map.width" = 8
"map.height" = 8
"focal.policy" = { name = "fixed", params = { cognition = 0.0 } }

[factors.cognition_share]
path = "focal.policy.params.cognition"
levels = [0.0, 0.1, 0.2, 0.4]

[hypotheses.pays]
claim = "A tenth spent on thinking pays."
expected = "either"
source = "None: it is here to be judged."
test = "contrast"
unit = "welfare"
smallest = 5.0
margin = 1.0
worlds = 6

[hypotheses.pays.params]
outcome = "welfare"
plus = [{ cognition_share = 0.1 }]
minus = [{ cognition_share = 0.0 }]
"""


def test_the_example_runs(tmp_path: Path) -> None:
    run_batch(loads_study(STUDY), tmp_path / "out")
    example = [line.strip().split("   ")[0] for line in (civsim.analysis.__doc__ or "").splitlines()[2:9] if line]
    assert len(example) == 7
    known = {name: getattr(civsim.analysis, name) for name in civsim.analysis.__all__}
    for line in example:
        exec(line.replace("out/tradeoff", str(tmp_path / "out")), known)
    assert known["tables"][""].shape[0] > 0


def test_an_unknown_name_is_refused_with_the_known() -> None:
    with pytest.raises(AttributeError, match="it exports Resampling, Results, find_kind, judge_study, open_results"):
        _ = civsim.analysis.nothing
    assert set(civsim.analysis.__all__) <= set(dir(civsim.analysis))
