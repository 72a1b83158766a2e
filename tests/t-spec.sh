#!/bin/sh
# Golden tests of the compiler: spec/NAME.yaml or NAME.json and what it must give:
#
#	NAME.err     what is said; without NAME.mk the status must be 1 and nothing may be written
#	NAME.mk      the Makefile; the status must be 0
#	NAME.sh      the step scripts, one after another by their pipelines' names
#	NAME.long    what --print-spec prints
#
# A first line `# dirs: A B` in a spec makes these folders, `# files: A B` files, `# options: …` adds to the command line.
# Each is compiled twice, in two folders and two locales, and must give the same bytes; a third time, and must change nothing;
# and from its own --print-spec, and must give the same files.
#
#	UPDATE=1 tests/t-spec.sh      writes anew what is expected, for the eyes of who changes it

. "$(dirname "$0")/lib.sh"

spec=$DASSIE_SRC/tests/spec
want=$T/want

# word KEY FILE: what the file says after "# KEY:" in its first lines.
word() {
	sed -n "1,4s/^# $1: //p" "$2"
}

# prepare FOLDER FILE: an empty project with the spec.
prepare() {
	rm -rf "$1"
	mkdir "$1" && cp "$2" "$1/" || exit 1
	(
		cd "$1" || exit 1
		for d in $(word dirs "$2"); do mkdir -p "$d"; done
		for f in $(word files "$2"); do mkdir -p "$(dirname "$f")" && echo x >"$f"; done
	)
}

# compile FOLDER LOCALE FILE [OPTION...]: its output goes to FOLDER.err and FOLDER.out; the status is compile's.
compile() {
	c_folder=$1 c_locale=$2 c_file=$3
	shift 3
	# shellcheck disable=SC2046
	(cd "$c_folder" && LC_ALL=$c_locale dassie-compile compile $(word options "$c_file") "$@" "$(basename "$c_file")") \
		>"$c_folder.out" 2>"$c_folder.err"
}

steps() {
	for conf in "$1"/.dassie/steps/*.conf; do
		cat "$1/$(sed -n 's/^script //p' "$conf")"
	done
}

# written FOLDER: what compile wrote but the index, which names the spec's bytes.
written() {
	(cd "$1" && find . -type f ! -name index ! -name '*.yaml' ! -name '*.json' | sort | xargs sha256sum)
}

expect() {
	if [ -n "${UPDATE:-}" ]; then
		cp "$2" "$3"
	fi
	same "$1" "$2" "$3"
}

refused() {
	is "$name: status" "$status" 1
	expect "$name: what is said" "$T/a.err" "$spec/$name.err"
	ok "$name: nothing written" test ! -e "$T/a/Makefile" -a ! -e "$T/a/.dassie"
	same "$name: the same elsewhere" "$T/a.err" "$T/a much longer place.err"
}

accepted() {
	is "$name: status" "$status" 0 || diag "$(cat "$T/a.err")"
	sed '1s/ by dassie [^ ]* / by dassie VERSION /' "$T/a/Makefile" >"$want.mk"
	expect "$name: Makefile" "$want.mk" "$spec/$name.mk"
	sed '/: Makefile written$/d' "$T/a.err" >"$want.err"
	if [ -s "$want.err" ] || [ -e "$spec/$name.err" ]; then
		expect "$name: what is said" "$want.err" "$spec/$name.err"
	fi
	if [ -e "$spec/$name.sh" ]; then
		steps "$T/a" >"$want.sh"
		expect "$name: steps" "$want.sh" "$spec/$name.sh"
	fi
	same "$name: the same elsewhere" "$T/a" "$T/a much longer place"
	written "$T/a" >"$want.sums"
	ok "$name: compiles again" compile "$T/a" C "$file"
	like "$name: to the same" "$(cat "$T/a.err")" ': Makefile unchanged$'
	compile "$T/a" C "$file" --print-spec
	if [ -e "$spec/$name.long" ]; then
		expect "$name: the long form" "$T/a.out" "$spec/$name.long"
	fi
	cp "$T/a.out" "$T/a/$(basename "$file")"
	ok "$name: the long form compiles" compile "$T/a" C "$file"
	written "$T/a" >"$want.again"
	same "$name: to the same files" "$want.sums" "$want.again"
}

for file in "$spec"/*.yaml "$spec"/*.json; do
	name=$(basename "$file")
	name=${name%.*}
	prepare "$T/a" "$file"
	prepare "$T/a much longer place" "$file"
	status=0
	compile "$T/a" C "$file" || status=$?
	compile "$T/a much longer place" C.UTF-8 "$file"
	if [ -e "$spec/$name.mk" ]; then
		accepted
	elif [ -n "${UPDATE:-}" ] && [ "$status" -eq 0 ]; then
		accepted
	else
		refused
	fi
done

done_testing
