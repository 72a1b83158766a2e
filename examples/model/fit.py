"""fit.py PARAMETERS TRAIN.csv: multinomial logistic regression by gradient descent; the model as JSON.

PARAMETERS is JSON: columns (what to look at), steps (of the descent), decay (how much large weights cost).
"""
import json
import statistics
import sys

from penguins import probabilities, read, scaled

RATE = 1.0

with open(sys.argv[1]) as file:
    parameters = json.load(file)
columns = parameters["columns"]
rows, labels = read(sys.argv[2], columns)
species = sorted(set(labels))
means = [statistics.fmean(column) for column in zip(*rows)]
deviations = [statistics.pstdev(column) for column in zip(*rows)]
rows = [scaled(row, means, deviations) for row in rows]

weights = [[0.0] * len(rows[0]) for _ in species]
for _ in range(parameters["steps"]):
    slopes = [[0.0] * len(rows[0]) for _ in species]
    for x, label in zip(rows, labels):
        for slope, name, p in zip(slopes, species, probabilities(x, weights)):
            error = p - (name == label)
            for i, v in enumerate(x):
                slope[i] += error * v
    for weight, slope in zip(weights, slopes):
        for i in range(len(weight)):
            weight[i] -= RATE * (slope[i] / len(rows) + parameters["decay"] * weight[i])

json.dump({
    "columns": columns,
    "means": [round(v, 6) for v in means],
    "deviations": [round(v, 6) for v in deviations],
    "weights": {name: [round(w, 6) for w in row] for name, row in zip(species, weights)},
}, sys.stdout, indent=1)
print()
