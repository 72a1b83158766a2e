"""score.py MODEL TEST.csv: how many penguins the model knows, how sure it is, and what it takes for what."""
import collections
import json
import math
import sys

from penguins import probabilities, read, scaled

with open(sys.argv[1]) as file:
    model = json.load(file)
rows, labels = read(sys.argv[2], model["columns"])
species = list(model["weights"])

taken = collections.Counter()
loss = 0.0
for row, label in zip(rows, labels):
    chances = probabilities(scaled(row, model["means"], model["deviations"]), list(model["weights"].values()))
    taken[label, species[chances.index(max(chances))]] += 1
    loss -= math.log(chances[species.index(label)])

right = sum(taken[name, name] for name in species)
print(f"right {right} of {len(rows)}, loss {loss / len(rows):.4f}")
print()
print(f"{'':10}" + "".join(f"{name:>10}" for name in species))
for label in species:
    print(f"{label:10}" + "".join(f"{taken[label, name]:10}" for name in species))
