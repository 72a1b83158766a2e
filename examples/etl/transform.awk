# iso3166.tab, zone1970.tab and a region's periods -> CSV, one line for each country and period of a zone that it uses:
#   country code, country, zone, first year, last year, offset in minutes, summer time rules (empty: none)
BEGIN { FS = "\t" }
/^#/ { next }
FILENAME ~ /iso3166\.tab$/ { country[$1] = $2; next }
FILENAME ~ /zone1970\.tab$/ { users[$3] = $1; next }

function quoted(text) {
	gsub(/"/, "\"\"", text)
	return "\"" text "\""
}

$1 in users {
	n = split(users[$1], code, ",")
	split($2, since, " ")
	split($3, until, " ")
	for (i = 1; i <= n; i++)
		printf "%s,%s,%s,%s,%s,%.2f,%s\n", code[i], quoted(country[code[i]]), $1, since[1], until[1], $4 / 60, $5 == "-" ? "" : $5
}
