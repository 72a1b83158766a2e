#!/bin/sh
# Make's own flags, ^C, and being included.
# shellcheck disable=SC2119  # project has an optional argument
. "$(dirname "$0")/lib.sh"

small() {
	project
	mkdir in
	for i in 1 2 3 4; do echo "$i" >"in/$i"; done
	cat >pipeline.yaml <<-'EOF'
	repos: {in: in}
	pipelines:
	  one: {input: in/*, run: 'cat "$in" > "$out/${in##*/}"'}
	  two: {input: one/, run: 'cat "$one"/* > "$out/all"'}
	EOF
	run dassie compile
}

state() {
	find .dassie out -type f ! -path '*/scan/*' ! -path '*/lock/*' ! -name clock -exec cksum {} + 2>/dev/null | sort
}

small
run make -n
is "make -n on a fresh project: status" "$status" 0
is "runs no datum" "$(results)" 0
ok "makes no output" test ! -e out
run make -q
is "make -q: something is to be done" "$status" 1
is "runs no datum" "$(results)" 0
run make -t
is "make -t makes no data" "$(results)" 0
ran "so make runs all of it" 5 make -j2
run make -q
is "make -q: nothing is to be done" "$status" 0
ran "make -B runs no datum again" 0 make -B
run make -q
is "and leaves it so" "$status" 0
ran "make -W of a ref runs no datum" 0 make -W .dassie/refs/in
echo x >in/1
before=$(state | grep -v refs/in)
run make -n
like "make -n says how many would run" "$out$err" '1 of 4 datums'
is "and changes nothing but the source's ref" "$(state | grep -v -e refs/in -e commits/)" "$(echo "$before" | grep -v commits/)"
run make -t
is "make -t after a change: still stale" "$(make -q >/dev/null 2>&1; echo $?)" 1
ran "which make then does" 2 make -k -j3
ran "a pipeline by its name" 0 make two
run make help
like "make help lists the pipelines" "$out" '^ *two'

# -k with a broken pipeline beside a good one
project
mkdir in
echo 1 >in/1
cat >pipeline.yaml <<'EOF'
repos: {in: in}
pipelines:
  bad: {input: in/*, run: 'exit 7', tries: 1}
  after: {input: bad/, run: 'echo x > "$out/x"'}
  good: {input: in/*, run: 'echo y > "$out/y"'}
EOF
run dassie compile
run make -k
is "make -k: status" "$status" 2
ok "the good one ran" test -f out/good/y
ok "what depends on the bad one did not" test ! -e out/after
run make -i
ok "make -i does not believe a failed one either" test ! -e out/after/x

# ^C
project
mkdir in
for i in 1 2 3 4 5 6; do echo "$i" >"in/$i"; done
cat >pipeline.yaml <<'EOF'
repos: {in: in}
pipelines:
  slow: {input: in/*, run: 'sleep 0.3; cat "$in" > "$out/${in##*/}"'}
EOF
run dassie compile
perl -e '$SIG{INT} = "DEFAULT"; setpgrp; exec @ARGV' make -j2 >"$T/said" 2>&1 &
pid=$!
owned "$pid"
n=0
while [ "$(results)" -lt 2 ] && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done
kill -INT "-$pid"
wait "$pid"
ok "^C ends make" test $? -ne 0
n=0
while pgrep -g "$pid" >/dev/null && [ $n -lt 50 ]; do sleep 0.1; n=$((n + 1)); done
is "no process is left" "$(pgrep -g "$pid")" ""
had=$(results)
ok "results in place stay" test "$had" -ge 2
ok "and nothing half-done lies about" test -z "$(find .dassie/work -mindepth 1 -print -quit)"
ran "the next make runs the rest only" $((6 - had)) make -j2

# included in a user's own Makefile
small
rm -f Makefile
run dassie compile -o dassie.mk
cat >Makefile <<'EOF'
.DELETE_ON_ERROR:
SHELL := /bin/bash
default: report
include dassie.mk
report: .dassie/refs/two
	cp out/two/all $@
help:
	@echo my own help
EOF
run make -j2
is "a user's Makefile that includes ours: status" "$status" 0
is "its default goal stays its own" "$(tr '\n' ' ' <report)" "1 2 3 4 "
run make help
is "its own names too" "$out" "my own help"
run make
like "and a no-op" "$out" 'Nothing to be done|up to date'
echo 9 >in/1
run make -j2
is "data that moved makes the user's target again" "$(tr '\n' ' ' <report)" "9 2 3 4 "
ok "no warning about overridden recipes" test -z "$(printf '%s' "$err" | grep -i warning)"

# a project in a folder with odd names, dassie at a path with a blank
mkdir "$T/bin dir"
cp "$DASSIE_BUILD/dassie" "$DASSIE_BUILD/dassie-compile" "$DASSIE_BUILD/dassie-datum" "$T/bin dir/"
small
run make "DASSIE=$T/bin dir/dassie"
is "a dassie whose path has a blank" "$status$(results)" "05"

done_testing
