"""split.py CSV FOLDER: fold-1 to fold-5 and final, each with a train.csv and a test.csv.

Every seventh penguin is kept for the final test; the others are tested once each, in one of the five folds.
Penguins that were not measured (NA) are left out.
"""
import csv
import os
import sys

FOLDS = 5
KEPT = 7


def write(folder, head, train, test):
    os.mkdir(folder)
    for name, rows in ("train.csv", train), ("test.csv", test):
        with open(os.path.join(folder, name), "w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([head] + rows)


with open(sys.argv[1], newline="") as file:
    head, *rows = csv.reader(file)
measures = [i for i, name in enumerate(head) if name.endswith(("_mm", "_g"))]
rows = [row for row in rows if all(row[i] != "NA" for i in measures)]

final = rows[KEPT - 1::KEPT]
known = [row for i, row in enumerate(rows) if i % KEPT != KEPT - 1]
write(os.path.join(sys.argv[2], "final"), head, known, final)
for fold in range(FOLDS):
    train = [row for i, row in enumerate(known) if i % FOLDS != fold]
    write(os.path.join(sys.argv[2], f"fold-{fold + 1}"), head, train, known[fold::FOLDS])
