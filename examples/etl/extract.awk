# One region of the tz database -> tab-separated lines, one for each period of each zone:
#   zone, since (its end of the period before, empty for the first), until (empty: still so), offset from UTC in seconds, rules, abbreviation
# Format: zic(8).  A zone line is "Zone NAME STDOFF RULES FORMAT [UNTIL]", continued without the first two fields until there is no UNTIL.
function seconds(text,    sign, part, n) {
	sign = sub(/^-/, "", text) ? -1 : 1
	n = split(text, part, ":")
	return sign * (part[1] * 3600 + (n > 1 ? part[2] * 60 : 0) + (n > 2 ? part[3] : 0))
}

function period(first,    i, until) {
	until = ""
	for (i = first + 3; i <= NF; i++)
		until = until (until == "" ? "" : " ") $i
	printf "%s\t%s\t%s\t%d\t%s\t%s\n", zone, since, until, seconds($first), $(first + 1), $(first + 2)
	since = until
	within = until != ""
}

{ sub(/#.*/, "") }
NF == 0 { next }
$1 == "Zone" { zone = $2; since = ""; period(3); next }
within { period(1) }
