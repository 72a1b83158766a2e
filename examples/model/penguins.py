"""What fit.py and score.py share: rows of a CSV, and the probabilities that a model gives them."""
import csv
import math


def read(path, columns):
    """The measurements of each penguin, and its species."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    return [[float(row[name]) for name in columns] for row in rows], [row["species"] for row in rows]


def scaled(values, means, deviations):
    """Measurements in deviations from the mean, and a 1 for the constant term."""
    return [(v - m) / d for v, m, d in zip(values, means, deviations)] + [1.0]


def probabilities(x, weights):
    """Softmax: one probability a species."""
    scores = [sum(w * v for w, v in zip(row, x)) for row in weights]
    top = max(scores)
    powers = [math.exp(score - top) for score in scores]
    return [power / sum(powers) for power in powers]
