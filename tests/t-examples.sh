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

differ() {
	! cmp -s "$1" "$2"
}

compile_and_make() {
	dassie compile && make -j2
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

if have convert && have montage; then
	example images
	mkdir "$T/photos"
	cp images/* "$T/photos"
	ran "images: edges of five photographs, and the montage" 6 make -j2
	is "images: all is in the montage" "$(convert out/montage/montage.png -format %wx%h info:)" 1240x496
	cp -R out "$T/images before"
	ran "images: again, nothing" 0 make -j2
	convert "$T/photos/cat.jpg" -flop images/cat.jpg
	ran "images: one changed, its edges and the montage" 2 make -j2
	ok "images: the montage is another" differ out/montage/montage.png "$T/images before/montage/montage.png"
	cp "$T/photos/cat.jpg" images/cat.jpg
	ran "images: changed back, nothing" 0 make -j2
	same "images: the old result is there again" out "$T/images before"
	convert "$T/photos/cat.jpg" -flop images/tac.jpg
	ran "images: one more, seen before under another name" 2 make -j2
	rm images/tac.jpg
	ran "images: one less, nothing" 0 make -j2
	same "images: and the old result" out "$T/images before"
	rm -rf out .dassie
	ran "images: all anew" 6 compile_and_make
	same "images: the same bytes" out "$T/images before"
	like "images: why names a photograph" "$(dassie why --all out/montage/montage.png)" 'rocket\.jpg'
else
	skip "no convert and montage of ImageMagick" "images"
fi

if have python3; then
	example model
	ran "model: a split, 25 in the search, a choice, a model" 28 make -j2
	is "model: the ranking" "$(sed 's/  loss [0-9.]*//' out/choose/ranking.txt | tr '\n' ',')" \
		"290 of 294  all,283 of 294  all-short,282 of 294  bill,279 of 294  all-decay,233 of 294  body,"
	like "model: the report" "$(cat out/model/report.txt)" '^right 47 of 48, loss 0\.0'
	cp -R out "$T/model before"
	ran "model: again, nothing" 0 make -j2
	edit grid/body.json 's/"steps": 50/"steps": 60/'
	ran "model: a bad candidate changed, its folds and the choice" 6 make -j2
	same "model: the model stays" out/model "$T/model before/model"
	edit data/penguins.csv 9s/4675/4600/
	ran "model: a penguin kept for the end changed, split and model" 2 make -j2
	same "model: the search stays" out/choose/best.json "$T/model before/choose/best.json"
	edit grid/all.json 's/"steps": 50/"steps": 40/'
	ran "model: the best changed, its folds, the choice, the model" 7 make -j2
	like "model: why names the parameters" "$(dassie why out/model/report.txt)" 'all\.json'
else
	skip "no python3" "model"
fi
done_testing
