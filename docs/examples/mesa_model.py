"""A civilization of your own in a Mesa model; what Mesa collects of the game becomes two tables.

python mesa_model.py [SEED] writes turns.csv and civilizations.csv into the working folder.
"""

import sys

from mesa import DataCollector

from civsim.faces.mesa import Civilization, CivModel


class Settler(Civilization):
    """Settles while there is land to claim, then lives well, and arms if it has been attacked."""

    def allocate(self):
        """Return the weights by which the next turn's output is divided."""
        if self.observation["frontier"] > 0 and self.size < 30:
            return {"settlement": 3, "works": 1}
        danger = self.observation["rate_attack"]
        return {"consumption": 3, "works": 1, "army": 5 * danger}


model = CivModel("baseline", seed=int(sys.argv[1]) if len(sys.argv) > 1 else 0, civilizations={0: Settler})
model.datacollector = DataCollector(
    model_reporters={"alive": "living", "largest": lambda model: max(model.agents.get("size"), default=0)},
    agent_reporters={"civilization": "seat", "cells": "size", "turns_ahead": "horizon", "welfare": "objective"},
)
while model.running:
    model.step()
    model.datacollector.collect(model)

model.datacollector.get_model_vars_dataframe().to_csv("turns.csv", index_label="row")
model.datacollector.get_agent_vars_dataframe().to_csv("civilizations.csv")
