#!/bin/sh
# dassie run: what a person sees while it runs and when it has ended; forced and repeated runs.
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"

esc=$(printf '\033')

# on_terminal COLUMNS COMMAND: what a terminal got is in $screen.
on_terminal() {
	columns=$1
	shift
	status=0
	TERM=xterm script -qefc "stty cols $columns rows 24; $*" "$T/screen" </dev/null >/dev/null 2>&1 || status=$?
	screen=$(tr -d '\r' <"$T/screen")
}

# until_seen FILE PATTERN: within twenty seconds.
until_seen() {
	seen=0
	while ! grep -q -e "$2" "$1" 2>/dev/null && [ $seen -lt 400 ]; do
		sleep 0.05
		seen=$((seen + 1))
	done
	[ $seen -lt 400 ]
}

three() {
	project
	mkdir data more
	echo 1 >data/a; echo 2 >data/b; echo 3 >data/c
	cat >pipeline.yaml <<-'EOF'
	repos: {data: data, more: more}
	pipelines:
	  count:
	    input: data/*
	    run: |
	      if [ ! -e "$DASSIE_PROJECT/fixed" ] && [ "$(cat "$data")" = 2 ]; then seq 30; printf 'no \033[2Jrow\n'; exit 4; fi
	      cat "$data" >"$out/$(basename "$data")"
	  total:
	    input: count/
	    run: cat "$count"/* >"$out/t"
	  last:
	    input: total/
	    run: cat "$total"/t >"$out/l"
	  other:
	    input: more/
	    run: ls "$more" >"$out/n"
	EOF
	echo x >more/x
}

# --- the summary, without a terminal
three
run dassie run -k
is "a failed datum: status 1" "$status" 1
unlike "no escape sequence where there is no terminal" "$err" "$esc"
like "the whole in a line" "$err" '^dassie: 1 pipeline done, 1 failed, 2 blocked \([0-9.a-z ]+\); datums: 3 ran, 1 failed$'
like "-k goes on with what does not depend on it" "$err" '^  other  success +1 ran, '
like "and the one that failed" "$err" '^  count  failure +2 ran, 1 failed, '
like "what reads from it is blocked by it" "$err" '^  total  blocked by count$'
like "and what reads from that, by where it began" "$err" '^  last   blocked by count$'
like "the failed datum" "$err" '^dassie: count: datum data:/b failed: exit status 4, the same way twice \(2 tries\)$'
like "its class" "$err" '^  class  exit status$'
like "its input, as a file" "$err" '^  input  data/b$'
like "attempt k of n with its time" "$err" '^  try    2 of 3  20[0-9-]+ [0-9:]+Z  [0-9.a-z]+, exit status 4$'
is "its last 20 lines" "$(printf '%s\n' "$err" | grep -c '^    | ')" 20
like "made harmless" "$err" '^    \| no \^\[\[2Jrow$'
log=$(printf '%s\n' "$err" | sed -n 's/^  log    //p')
like "the log" "$(cat "$log")" '^30$'
like "last of all how to run it again" "$(printf '%s\n' "$err" | tail -n 1)" '^  (rerun|debug)  dassie '
is "the failure is told once" "$(printf '%s\n' "$err" | grep -c '^  class')" 1

three
sed -i 's/^  other:/  zother:/' pipeline.yaml
run dassie run -j1
is "without -k: status 1" "$status" 1
like "make stops, and that is said" "$err" '^  zother  not reached +make stops at a failure; with -k'

# --- again
run dassie run -k
key=$(printf '%s\n' "$err" | sed -n 's/^  rerun  dassie rerun //p')
run dassie rerun "$key"
is "one datum alone fails again" "$status" 1
is "what it prints is shown" "$(printf '%s\n' "$err" | grep -c '^17$')" 2
touch fixed
before=$(results)
run dassie rerun --failed
is "rerun --failed" "$status:$(($(results) - before))" 0:1
like "runs just what failed" "$err" 'count: 1 datum ran, 2 skipped'
unlike "not what was blocked" "$err" 'total'
run dassie rerun --failed
like "then nothing is left to do" "$status:$err" "^0:dassie: no pipeline's newest job failed$"
run dassie run
is "the next run does the rest" "$status:$(cat out/last/l | tr '\n' ' ')" "0:1 2 3 "
run dassie run
like "up to date" "$err" '^dassie: everything is up to date \('
run dassie run -q
is "quiet where all is well" "$status$err" 0
run dassie rerun --failed nowhere
is "an unknown pipeline" "$status" 2

# --- forced
ran "--force runs all of a pipeline again" 3 dassie run --force count
like "what reads from it saw the same bytes" "$err" 'count: 3 datums ran \(.*unchanged'
ran "once" 0 dassie run
ran "and again" 3 dassie run --force count
ran "without names, everything" 6 dassie run --force
echo 4 >data/d
ran "after it a new file is one datum, and two that read all" 3 dassie run
cp -r .dassie/refs "$T/refs"
run dassie run --force cuont
is "a wrong name" "$status" 2
ran "changed nothing" 0 dassie run
run dassie run --force -n
is "an order is not given for fun" "$status" 2
run dassie why out/count/a
is "why works on forced ones" "$status" 0
run dassie fsck --rebuild
ran "and after a rebuild" 0 dassie run

# --- exit statuses
run dassie run nowhere
is "no such pipeline" "$status" 2
like "which is said" "$err" "there is no pipeline 'nowhere'"
run dassie run -j0
is "-j0" "$status" 2
run dassie run --progress=pretty
is "--progress=pretty" "$status" 2
cp pipeline.yaml "$T/good.yaml"
echo '    glbo: x' >>pipeline.yaml
run dassie run
is "a wrong spec" "$status" 1
unlike "has no summary" "$err" 'pipeline done|up to date'
cp "$T/good.yaml" pipeline.yaml
run env -i PATH="$PATH" dassie run
is "without an environment, as cron has it" "$status" 0

# --- a push that fails: what was made is made
project
mkdir src
echo 1 >src/a
: >notdir
cat >pipeline.yaml <<'EOF'
repos: {src: src}
pipelines:
  copy: {input: src/, run: 'cp -r "$src"/. "$out"', egress: "file://./notdir/x"}
  down: {input: copy/, run: 'ls "$copy" >"$out/n"'}
EOF
run dassie run
ok "a push that fails: not status 0" test "$status" -ne 0
like "is told of its pipeline" "$err" "^  copy  not pushed  1 ran, .*'dassie egress copy' tries again"
like "what reads from it went on" "$err" '^  down  success'
rm notdir
run dassie run
is "then it is pushed" "$status" 0
run dassie run copy.egress
is "an egress can be asked for" "$status" 0

# --- on a terminal
slow() {
	project
	mkdir data
	echo 1 >data/a; echo 2 >data/b
	cat >pipeline.yaml <<-'EOF'
	repos: {data: data}
	pipelines:
	  count:
	    input: data/*
	    run: |
	      cat "$data" >"$out/$(basename "$data")"
	      [ "$(cat "$data")" = 2 ] || exit 0
	      printf 'first\n\033]0;title\007half \233 way\n\n'
	      echo $$ >"$DASSIE_PROJECT/started"
	      i=0
	      while [ ! -e "$DASSIE_PROJECT/go" ] && [ $i -lt 400 ]; do sleep 0.05; i=$((i + 1)); done
	EOF
}

if have script && have stty; then
	slow
	on_terminal 100 dassie run -j2 &
	pid=$!
	owned $pid
	ok "a line for the pipeline" until_seen "$T/screen" 'count \[#*-*\] 1/2'
	ok "the last line of the slowest datum" until_seen "$T/screen" 'data:/b, [0-9]*s: .*half'
	like "its log is on the disk while it runs" "$(cat .dassie/logs/*/*)" '^first$'
	touch go
	wait $pid
	screen=$(tr -d '\r' <"$T/screen")
	like "odd bytes are made harmless" "$screen" '\^\[\]0;title\^Ghalf <9B> way'
	unlike "none comes through" "$screen" "$esc\\]0;"
	like "what the stage says" "$screen" 'count: 2 datums ran'
	like "the whole" "$screen" '^dassie: 1 pipeline done \('
	rm -f go
	echo 3 >data/a
	for kind in "NO_COLOR=1 dassie run" "TERM=dumb dassie run" "dassie run --progress=plain"; do
		echo "$kind" >data/a
		on_terminal 100 "env $kind"
		unlike "no escape sequence: $kind" "$screen" "$esc"
		like "but the lines" "$screen" 'count: 1 datum ran'
	done
	echo narrow >data/a
	on_terminal 30 dassie run
	unlike "nor where it is narrow" "$screen" "$esc"

	# ^C; a shell's background ignores it, so that is taken back
	slow
	mkfifo "$T/keys"
	(exec 3<>"$T/keys"; TERM=xterm env --default-signal=INT script -qefc "stty cols 100 rows 24; dassie run -j2" "$T/screen" <"$T/keys" >/dev/null 2>&1) &
	pid=$!
	owned $pid
	exec 4>"$T/keys"
	until_seen started . || diag "it did not start"
	until_seen "$T/screen" '1/2' || diag "the first datum is not done"
	printf '\003' >&4
	wait $pid
	exec 4>&-
	screen=$(tr -d '\r' <"$T/screen")
	like "^C: it says so" "$screen" '^dassie: interrupted: '
	like "and how to go on" "$screen" "'dassie run' goes on from there"
	is "nothing half-done is left" "$(find .dassie/work -mindepth 1)" ""
	touch go
	ran "only what was not finished runs then" 1 dassie run
else
	skip "no script or stty" "the display"
fi

# --- a display that dies
slow
dassie run --progress=live >"$T/out" 2>"$T/err" </dev/null &
pid=$!
owned $pid
until_seen started . || diag "it did not start"
display=
for stat in /proc/[0-9]*/stat; do
	# shellcheck disable=SC2034
	{ read -r it name state parent rest <"$stat"; } 2>/dev/null || continue
	[ "$parent" = "$pid" ] && [ "$name" = "(dassie)" ] && display=$it
done
isnt "the display is a process" "$display" ""
kill -KILL "$display"
touch go
wait $pid
is "killing it does not touch the run" "$?" 0
like "nor what the stages say" "$(cat "$T/err")" 'count: 2 datums ran'
like "nor the summary" "$(cat "$T/err")" '^dassie: 1 pipeline done'

# --- a signal to the run alone
slow
dassie run >"$T/out" 2>"$T/err" </dev/null &
pid=$!
owned $pid
until_seen started . || diag "it did not start"
kill -TERM $pid
status=0
wait $pid || status=$?
is "it ends by that signal" "$status" 143
like "says so" "$(cat "$T/err")" '^dassie: interrupted: '
not_ok "the command is gone" kill -0 "$(cat started)"

done_testing
