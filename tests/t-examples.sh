#!/bin/sh
# The examples as their READMEs tell them: run, run again, change one thing, ask where a result came from.
. "$(dirname "$0")/lib.sh"

example() {
	cp -R "$DASSIE_SRC/examples/$1" "$T/$1 here"
	cd "$T/$1 here" || exit 1
	ok "$1: compiles" dassie compile
}

# edit FILE SED-SCRIPT: in place, the file stays the same one.
edit() {
	sed "$2" <"$1" >"$T/edited" && cat "$T/edited" >"$1"
}

example wordcount
ran "wordcount: nine datums" 9 make -j2
like "wordcount: 'the' is the most frequent word" "$(head -n 1 out/total/total.txt)" '^ *[0-9]+ the$'
is "wordcount: nothing is lost" "$(cat texts/* | tr -cs '[:alpha:]' '\n' | grep -c .)" \
	"$(awk '$2 != "" { n += $1 } END { print n }' out/total/total.txt)"
ran "wordcount: again, nothing" 0 make -j2
touch texts/*
ran "wordcount: touched, nothing" 0 make -j2
cp -R out "$T/wordcount before"
cp texts/BSD.txt "$T/BSD.txt"
echo 'one more line' >>texts/BSD.txt
ran "wordcount: a text changed, its datum and the total" 2 make -j2
cat "$T/BSD.txt" >texts/BSD.txt
ran "wordcount: changed back, nothing" 0 make -j2
same "wordcount: the old result is there again" out "$T/wordcount before"
edit texts/GPL-3.txt s/warranty/WARRANTY/
ran "wordcount: a change that the count does not see stops there" 1 make -j2
same "wordcount: the result stays" out "$T/wordcount before"
run dassie why out/total/total.txt
is "wordcount: why" "$status" 0
for part in total count total.awk texts Apache-2.0.txt 'tr -cs' 'awk -f'; do
	like "wordcount: why names $part" "$out" "$(printf '%s' "$part" | sed 's/[].[*^$]/\\&/g')"
done

if have sqlite3; then
	example etl
	ran "etl: fifteen datums" 15 make -j2
	like "etl: report" "$(cat out/load/report.txt)" '^countries 247, zones 312, periods 2396$'
	is "etl: database" "$(sqlite3 out/load/timezones.db "SELECT minutes FROM period WHERE code = 'NP' AND until = ''")" 345.0
	ran "etl: again, nothing" 0 make -j2
	edit data/tzdb/europe "\$s/$/ # a remark/"
	ran "etl: a comment changed, one extract" 1 make -j2
	edit data/tzdb/asia "s/^\\(Zone.*Kathmandu[[:blank:]]*\\)5:41:16/\\15:41:20/"
	ran "etl: an offset changed, one datum of each step" 3 make -j2
	edit data/tables/iso3166.tab "1s/$/ and a remark/"
	ran "etl: a table changed, every transform" 7 make -j2
	like "etl: why names the table" "$(dassie why out/load/report.txt)" 'iso3166\.tab'
else
	skip "no sqlite3 command" "etl"
fi
done_testing
