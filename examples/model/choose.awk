# The first lines of all scores, …/NAME/FOLD/score.txt -> one line a candidate: right answers, mean loss, name.
FNR == 1 {
	parts = split(FILENAME, part, "/")
	name = part[parts - 2]
	right[name] += $2
	asked[name] += $4
	loss[name] += $6
	folds[name]++
}
END {
	for (name in right)
		printf "%d of %d  loss %.4f  %s\n", right[name], asked[name], loss[name] / folds[name], name
}
