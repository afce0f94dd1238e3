"""Results of a study in which a realm's log output is linear in its log shares, with Gumbel luck.

The difference of two Gumbel variables is logistic, so the odds of the larger output have exactly the planted exponents.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from civsim.analysis.results import Results
from civsim.analysis.study import StudyFacts

ELASTICITY = {"cognition": 0.2, "muscle": 0.6}
LUCK = 0.25
EXPONENT = {name: value / LUCK for name, value in ELASTICITY.items()}
FACTORS = {
    "cognition": "focal.policy.params.cognition",
    "consumption": "focal.policy.params.consumption",
    "rival_cognition": "seat_default.policy.params.cognition",
    "rival_consumption": "seat_default.policy.params.consumption",
}


def duel_results(
    *, points: int = 40, worlds: int = 30, rivals: int = 1, seed: int = 0, scenarios: tuple[str, ...] = ("baseline",),
    fixed_army: bool = False, wobble: float = 0.0,
) -> Results:  # fmt: skip
    """Results of ``points`` pairs of policies on ``worlds`` common worlds, a stratum a scenario."""
    rng = np.random.default_rng(seed)
    runs, civs = [], []
    for scenario in scenarios:
        land = 0.5 * rng.normal(size=worlds)
        for point in range(points):
            levels = {
                name: rng.uniform(0.1, 0.5) if "cons" in name else np.exp(rng.uniform(-4.6, -1.2)) for name in FACTORS
            }
            army = [0.15 if fixed_army else rng.uniform(0.05, 0.4) for _ in range(2)]
            for world in range(worlds):
                run = f"{scenario}-{point}-{world}"
                columns = {f"factor.{name}": level for name, level in levels.items()} | {
                    "point": point,
                    "world_id": world,
                }
                runs.append({"run_id": run, "scenario": scenario, "seed": 3, "status": "ok", **columns})
                for seat in range(1 + rivals):
                    focal = seat == world % (1 + rivals)
                    prefix = "" if focal else "rival_"
                    shares = {
                        "cognition": levels[f"{prefix}cognition"] * np.exp(wobble * rng.normal()),
                        "consumption": levels[f"{prefix}consumption"],
                    }
                    shares["muscle"] = 1.0 - shares["cognition"] - shares["consumption"]
                    made = 3.0 + land[world] + LUCK * rng.gumbel()
                    made += sum(value * np.log(shares[name]) for name, value in ELASTICITY.items())
                    civs.append({"run_id": run, "seat": seat, "is_focal": focal, "policy": "fixed", **columns,
                                 **_spending(shares, army[0 if focal else 1], np.exp(made)), "output": np.exp(made),
                                 "welfare": made + shares["consumption"]})  # fmt: skip
    factors = {name: {"path": path, "low": 0.01, "high": 0.5} for name, path in FACTORS.items()}
    if len(scenarios) > 1:
        factors = {"context": {"scenarios": list(scenarios)}, **factors}
    manifest = {"study": {"factors": factors, "paired": True}}
    table = pd.DataFrame(runs)
    if len(scenarios) > 1:
        table["factor.context"] = table["scenario"]
    results = Results(Path(), manifest, table, StudyFacts("duels", {}, ("Planted duels.",), "civsim batch duels"))
    results.__dict__["civs"] = pd.DataFrame(civs)
    return results


def _spending(shares: dict[str, float], army: float, output: float) -> dict[str, float]:
    """The spending of a realm by category; the army gets ``army`` of muscle."""
    muscle, thought = output * shares["muscle"], output * shares["cognition"]
    parts = {"consumption": output * shares["consumption"], "settlement": 0.5 * (1.0 - army) * muscle,
             "works": 0.3 * (1.0 - army) * muscle, "army": army * muscle, "walls": 0.2 * (1.0 - army) * muscle,
             "strategists": 0.5 * thought, "scouts": 0.25 * thought, "analysts": 0.25 * thought}  # fmt: skip
    return {f"spent_{name}": value for name, value in parts.items()}
