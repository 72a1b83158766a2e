#!/bin/sh
# Ticks: what is due is decided once, runs, and can be told; by a clock that is an argument (--now).
# shellcheck disable=SC2119  # project has an optional argument
. "$(dirname "$0")/lib.sh"

# decisions [PIPELINE]: "AT DECISION[:REASON] STATE" a line, oldest first.
decisions() {
	dassie cron history -n 0 --json "$@" 2>"$T/.history" | sed -e 's/"reason":"\([a-z]*\)"/"reason":":\1"/' -e 's/"reason":null/"reason":""/' \
		-e 's/"state":null/"state":"-"/' \
		-e 's/.*"at":"\([^"]*\)","decision":"\([^"]*\)","reason":"\([^"]*\)".*"state":"\([^"]*\)".*/\1 \2\3 \4/' | sort
}

# A. From tick to output, and back.
project
cat >pipeline.yaml <<'YAML'
pipelines:
  fetch:
    input: {cron: {name: tick, spec: "0 3 * * *", tz: Europe/Berlin}}
    run: basename "$tick" >"$out/$(basename "$tick")"
  total:
    input: fetch/
    run: ls "$fetch" >"$out/list"
YAML
ok "A: compile" dassie compile --strict
run dassie cron fire --now 2030-03-30T00:00:00Z
is "A: nothing is due" "$status$out" "0"
is "A: nothing was missed before it was known" "$(decisions)" ""
run dassie cron fire --now 2030-03-30T02:00:01Z
is "A: the tick runs" "$status" 0 || diag "$err"
is "A: its file is named by its time, and its datum saw it" "$(cat out/fetch/2030-03-30T02:00:00Z)" "2030-03-30T02:00:00Z"
is "A: and what reads the pipeline ran" "$(cat out/total/list)" "2030-03-30T02:00:00Z"
is "A: the ledger has it" "$(decisions)" "2030-03-30T02:00:00Z ran success"
run dassie cron fire --now 2030-03-30T02:00:40Z
is "A: once" "$(decisions)" "2030-03-30T02:00:00Z ran success"
ok "A: make has nothing to do" make -q
run dassie cron fire --now 2030-03-31T01:00:10Z
is "A: summer begins: 03:00 is 01:00Z" "$(decisions)" "2030-03-30T02:00:00Z ran success
2030-03-31T01:00:00Z ran success"
is "A: ticks gather" "$(wc -l <out/total/list)" 2
run dassie why "out/fetch/2030-03-30T02:00:00Z"
like "A: why names the tick" "$out" 'tick:/2030-03-30T02:00:00Z .* a tick of fetch_tick'
run dassie why --json "out/total/list"
like "A: through the pipelines, too" "$out" '"repo":"fetch_tick".*"path":"/?2030-03-31T01:00:00Z"|"path":"/?2030-03-31T01:00:00Z".*"repo":"fetch_tick"'
run dassie ls fetch_tick
like "A: its repo is one like others" "$out" '2030-03-31T01:00:00Z'
make -q
rm -f .dassie/lock/fetch_tick
make -q
ok "A: a scan that finds no new tick does not lock their repo" test ! -e .dassie/lock/fetch_tick
commit=.dassie/commits/$(sed -n 's/^id //p' .dassie/refs/fetch_tick)
rm -f "$commit"
ok "A: without their commit make has nothing to do" make -q
ok "A: and it is made again" test -f "$commit"
rm -rf .dassie/ticks
ok "A: without their file the newest commit has the ticks" make -q
run dassie cron fire --now 2030-04-01T01:00:10Z
is "A: and they go on from it" "$(wc -l <out/total/list)" 3
cp .dassie/provenance.db "$T/db"
before=$(decisions)
rm -f .dassie/provenance.db*
ok "A: the database is made again" dassie fsck --rebuild
is "A: with the ledger" "$(decisions)" "$before"

# B. overwrite: only the newest is there, each is seen.
project
cat >pipeline.yaml <<'YAML'
pipelines:
  p:
    input: {cron: {name: tick, spec: "@every 1h", overwrite: true, missed: all(max 3), start: "2030-01-01T00:00:00Z"}}
    run: |
      basename "$tick" >>"$SEEN"
      basename "$tick" >"$out/now"
    env: {SEEN: SEENFILE}
YAML
sed -i "s|SEENFILE|'$T/seen'|" pipeline.yaml
ok "B: compile" dassie compile
run dassie cron fire --now 2030-01-01T06:10:00Z
is "B: the newest three of seven ran" "$(decisions)" "2030-01-01T04:00:00Z ran success
2030-01-01T05:00:00Z ran success
2030-01-01T06:00:00Z ran success"
is "B: each was seen, in order" "$(tr '\n' ' ' <"$T/seen")" "2030-01-01T04:00:00Z 2030-01-01T05:00:00Z 2030-01-01T06:00:00Z "
is "B: the output is the newest's" "$(cat out/p/now)" "2030-01-01T06:00:00Z"
run dassie cron fire --now 2030-01-01T11:20:00Z
is "B: off for five hours: what is missed is said" "$(decisions | tail -5)" "2030-01-01T07:00:00Z missed -
2030-01-01T08:00:00Z missed -
2030-01-01T09:00:00Z ran success
2030-01-01T10:00:00Z ran success
2030-01-01T11:00:00Z ran success"
ok "B: pause" dassie pause --why 'a test' p
run dassie cron fire --now 2030-01-01T12:00:10Z
is "B: its ticks are recorded as paused" "$(decisions | tail -1)" "2030-01-01T12:00:00Z paused -"
run dassie tick p
is "B: nor by hand" "$status" 1
like "B: which says the way out" "$err" "dassie resume p"
ok "B: resume" dassie resume p

# C. missed: none; a time that never comes; a schedule that changes.
project
printf 'pipelines:\n  p: {input: {cron: {name: tick, spec: "0 * * * *", missed: none}}, run: "true"}\n' >pipeline.yaml
ok "C: compile" dassie compile
run dassie cron fire --now 2030-01-01T00:30:00Z
run dassie cron fire --now 2030-01-01T04:30:00Z
is "C: nobody was there" "$(decisions | cut -d' ' -f2 | sort | uniq -c | tr -s ' ')" " 4 missed"
run dassie cron fire --now 2030-01-01T05:01:30Z
is "C: a minute late is on time" "$(decisions | tail -1)" "2030-01-01T05:00:00Z ran success"
sed -i 's/0 \* \* \* \*/*\/10 * * * */' pipeline.yaml
run dassie cron fire --now 2030-01-01T06:55:00Z
is "C: another expression is compiled, and has no past" "$(decisions | tail -1)" "2030-01-01T05:00:00Z ran success"
run dassie cron fire --now 2030-01-01T07:00:05Z
is "C: but goes on" "$(decisions | tail -1)" "2030-01-01T07:00:00Z ran success"

echo '  nonsense' >>pipeline.yaml
run dassie cron fire --now 2030-01-01T07:10:05Z
is "C: a spec that is wrong is told" "$status" 3
like "C: in words" "$err" 'the schedules are those of before'
is "C: which hold" "$(decisions | tail -1 | cut -d' ' -f1,2)" "2030-01-01T07:10:00Z ran"

# D. By hand: tick, backfill.
project
cat >pipeline.yaml <<'YAML'
pipelines:
  p: {input: {cron: {name: tick, spec: "@never"}}, run: touch "$out/$(basename "$tick")"}
  day: {input: {cron: {name: tick, spec: "@daily", tz: America/New_York, overwrite: true}}, run: basename "$tick" >"$out/day"}
  plain: {input: p/, run: "true"}
YAML
ok "D: compile" dassie compile
run dassie tick --at 2020-05-05T05:05:05Z p
is "D: tick at a time" "$status $(ls out/p)" "0 2020-05-05T05:05:05Z"
run dassie tick --at 2020-05-05T05:05:05Z p
like "D: not twice" "$status $err" 'has run'
ok "D: tick now" dassie tick p
is "D: is another one" "$(find out/p -type f | wc -l)" 2
run dassie tick plain
is "D: what cannot tick" "$status" 2
like "D: is told what can be done" "$err" 'dassie run plain'
run dassie tick nosuch
is "D: no such pipeline" "$status" 2
run dassie backfill day --from 2020-03-07 --to 2020-03-10 --dry-run
is "D: a backfill, tried" "$out" "2020-03-07T05:00:00Z  day/tick  would run
2020-03-08T05:00:00Z  day/tick  would run
2020-03-09T04:00:00Z  day/tick  would run
2020-03-10T04:00:00Z  day/tick  would run"
ok "D: one day of it before" dassie backfill day --from 2020-03-09 --to 2020-03-09
ok "D: backfill" dassie backfill day --from 2020-03-07 --to 2020-03-10 -j2
is "D: all of it ran" "$(decisions day | grep -c 'ran success')" 4
is "D: the output is that of the newest" "$(cat out/day/day)" "2020-03-10T04:00:00Z"
ok "D: older ones" dassie backfill day --from 2019-06-01 --to 2019-06-03 --newest-first
is "D: do not hide it" "$(cat out/day/day)" "2020-03-10T04:00:00Z"
run dassie backfill day --from 2019-06-01 --to 2019-06-03
like "D: again: nothing is left" "$err" '0 ticks to run, 3 ran before'
run dassie backfill plain --from 2019-06-01
is "D: nothing to fill" "$status" 2

# E. Pause: make passes by.
ok "E: pause" dassie pause p
ok "E: make goes on" make
run dassie pause
like "E: which are" "$out" '^p '
like "E: status, too" "$(dassie status)" '^ +paused +since'
like "E: and as JSON" "$(dassie status --json)" '"pipeline":"p",.*"paused":true'
rm -rf .dassie/refs/p .dassie/refs/p.done
run make
like "E: its stage says so" "$err$out" 'p: paused since .*dassie resume p'
is "E: what waits for it is no failure" "$status" 0 || diag "$err"
like "E: but told" "$err$out" "plain: waits for 'p', which is paused"
ok "E: resume" dassie resume p
ok "E: it runs again" make
run dassie pause nosuch
is "E: no such pipeline" "$status" 2

# F. A failing tick does not stop the next, nor another pipeline.
project
cat >pipeline.yaml <<'YAML'
pipelines:
  bad:
    tries: 1
    input: {cron: {name: tick, spec: "0 * * * *", overwrite: true}}
    run: case $tick in *T01:*) exit 9 ;; esac; basename "$tick" >"$out/ok"
  good: {input: {cron: {name: tick, spec: "0 * * * *"}}, run: "true"}
YAML
ok "F: compile" dassie compile
dassie cron fire --now 2030-01-01T00:30:00Z
run dassie cron fire --now 2030-01-01T01:00:00Z
is "F: it fails" "$status" 1
is "F: the other one ran" "$(decisions good)" "2030-01-01T01:00:00Z ran success"
is "F: the ledger says so" "$(decisions bad)" "2030-01-01T01:00:00Z ran failure"
run dassie cron fire --now 2030-01-01T02:00:00Z
is "F: the next one runs" "$status $(cat out/bad/ok)" "0 2030-01-01T02:00:00Z"

# G. schedule: make for the pipeline, and for all.
project
mkdir in; echo 1 >in/a
cat >pipeline.yaml <<'YAML'
repos: {in: in}
schedule: "0 5 * * *"
pipelines:
  a: {input: in/*, schedule: {spec: "0 4 * * *", tz: UTC}, run: cp "$in" "$out/"}
  b: {input: in/*, run: cp "$in" "$out/"}
  c: {input: {cron: {name: tick, spec: "0 4 * * *"}}, run: basename "$tick" >"$out/c", egress: PUSHED}
YAML
mkdir "$T/pushed"
sed -i "s|PUSHED|'file://$(printf %s "$T/pushed" | sed 's/ /%20/g')'|" pipeline.yaml
ok "G: compile" dassie compile --strict
dassie cron fire --now 2030-01-01T00:00:00Z
run dassie cron fire --now 2030-01-01T04:00:00Z
is "G: the pipeline's" "$status $(ls out | tr '\n' ' ')" "0 a c "
is "G: what a tick makes is pushed" "$(cat "$T/pushed/c")" "2030-01-01T04:00:00Z"
run dassie cron fire --now 2030-01-01T05:00:00Z
is "G: the whole spec's" "$status $(ls out | tr '\n' ' ')" "0 a b c "
is "G: in the ledger" "$(dassie cron history | grep -v c/tick | tr -s ' ' | cut -d' ' -f1-4)" "2030-01-01 05:00:00Z * ran
2030-01-01 04:00:00Z a ran"

# H. Two crons at once: every instant has one decision, and one only.
project
start=2030-01-01T00:00:00Z
printf 'pipelines:\n  p: {input: {cron: {name: tick, spec: "@every 1s", missed: all, start: "%s"}}, run: "true"}\n' "$start" >pipeline.yaml
ok "H: compile" dassie compile
dassie cron fire --decide --now 2030-01-01T05:33:19Z & one=$!
dassie cron fire --decide --now 2030-01-01T05:33:19Z & two=$!
owned $one $two
wait $one; first=$?
wait $two
is "H: both are content" "$first $?" "0 0"
decisions >"$T/rows"
is "H: 20,000 instants, 20,000 rows" "$(wc -l <"$T/rows") $(cut -d' ' -f1 "$T/rows" | sort -u | wc -l)" "20000 20000"
is "H: all are to run" "$(grep -c ' ran waiting$' "$T/rows")" 20000

# until_ WANT COMMAND: wait until it says so, half a minute at most.
until_() {
	for _ in $(seq 300); do
		[ "$("$2")" = "$1" ] && return
		sleep 0.1
	done
	diag "never: $1 of $2"
}
count_states() { echo "$(decisions | grep -c running) $(decisions free | grep -c success)"; }
count_second() { echo "$(decisions cancel | grep -c '00:02:00Z ran success') $(decisions free | grep -c '00:02:00Z ran success')"; }
count_killed() { decisions queue | grep -c '01:01:00Z ran running'; }

# I. Overlap: who finds a run under way.
project
cat >pipeline.yaml <<'YAML'
pipelines:
  skip: {input: {cron: {name: tick, spec: "* * * * *", start: "2030-01-01T00:01:00Z", overlap: skip}}, run: "SLOW"}
  queue: {input: {cron: {name: tick, spec: "* * * * *", start: "2030-01-01T00:01:00Z", overlap: queue}}, run: "SLOW"}
  cancel: {input: {cron: {name: tick, spec: "* * * * *", start: "2030-01-01T00:01:00Z", overlap: cancel}}, run: "SLOW"}
  free: {input: {cron: {name: tick, spec: "* * * * *", start: "2030-01-01T00:01:00Z"}}, run: "true"}
YAML
# The first tick waits until it is let go.
sed -i "s|SLOW|case \$tick in *T00:01:00Z) until test -e '$T/go'; do sleep 0.05; done ;; esac|" pipeline.yaml
ok "I: compile" dassie compile
dassie cron fire --now 2030-01-01T00:01:00Z >"$T/first" 2>&1 & one=$!
owned $one
until_ "3 1" count_states
dassie cron fire --now 2030-01-01T00:02:00Z >"$T/second" 2>&1 & two=$!
owned $two
until_ "1 1" count_second
is "I: skip" "$(decisions skip)" "2030-01-01T00:01:00Z ran running
2030-01-01T00:02:00Z skipped:overlap -"
is "I: queue" "$(decisions queue)" "2030-01-01T00:01:00Z ran running
2030-01-01T00:02:00Z ran waiting"
is "I: cancel" "$(decisions cancel)" "2030-01-01T00:01:00Z ran cancelled
2030-01-01T00:02:00Z ran success"
is "I: another pipeline is not asked" "$(decisions free | grep -c success)" 2
: >"$T/go"
wait $one $two
is "I: what waited ran behind it" "$(decisions queue)" "2030-01-01T00:01:00Z ran success
2030-01-01T00:02:00Z ran success"

# J. kill -9 in a tick: the next fire goes on with it.
rm -f "$T/go"
sed -i 's/T00:01:00Z/T01:01:00Z/g' pipeline.yaml
ok "J: compile" dassie compile
dassie cron fire --now 2030-01-01T01:01:00Z >"$T/first" 2>&1 & one=$!
owned $one
until_ 1 count_killed
for pid in $(pgrep -P $one) $one; do kill -KILL "$pid"; done
wait $one 2>/dev/null
is "J: it was running" "$(decisions queue | tail -1)" "2030-01-01T01:01:00Z ran running"
: >"$T/go"
run dassie cron fire --now 2030-01-01T01:01:10Z
is "J: it ran" "$(decisions queue | tail -1)" "2030-01-01T01:01:00Z ran success"
is "J: nothing is open" "$(decisions | grep -c 'running\|waiting')" 0
ok "J: the state is sound" dassie fsck

# K. What is to come.
project
cat >pipeline.yaml <<'YAML'
pipelines:
  fixed: {input: {cron: {name: tick, spec: "30 2 * * *", tz: America/New_York}}, run: "true"}
  wild: {input: {cron: {name: tick, spec: "30 */2 * * *", tz: America/New_York}}, run: "true"}
YAML
ok "K: compile" dassie compile
run dassie cron next --from 2026-03-08T00:00:00Z -n 1 fixed
like "K: moved" "$out" '^Sun 2026-03-08 03:00:00 +-04:00 EDT +2026-03-08 07:00:00Z +fixed/tick +02:30 is skipped by the clocks: runs at once'
run dassie cron next --from 2026-03-08T06:59:00Z -n 1 wild
like "K: dropped" "$out" '02:30 is skipped by the clocks: does not run'
run dassie cron next --from 2026-11-01T00:00:00Z --until 2026-11-01T23:00:00Z --json wild
is "K: as many as there are" "$(printf '%s\n' "$out" | wc -l)" 11
like "K: JSON" "$out" '"at":"2026-11-01T04:30:00Z","local":"2026-11-01T00:30:00-04:00","zone":"America/New_York"'
run dassie cron status
like "K: status: nothing was decided yet, this comes" "$out" '^ *next +20..-..-..T..:..:..Z of (fixed|wild)/tick'
run dassie cron next nosuch
is "K: no such pipeline" "$status" 2
run dassie cron fire --now yesterday
is "K: no time" "$status" 2

# L. Two crons a minute, both killed with all that they started, at random: every instant ran once. DASSIE_SEED repeats it.
project
cat >pipeline.yaml <<'YAML'
pipelines:
  keep: {input: {cron: {name: tick, spec: "* * * * *", missed: all, overlap: queue, start: "2030-01-01T00:00:00Z"}}, run: touch "$out/$(basename "$tick")"}
  over: {input: {cron: {name: tick, spec: "* * * * *", missed: all, overlap: queue, overwrite: true, start: "2030-01-01T00:00:00Z"}}, run: "basename \"$tick\" >\"$out/t\""}
YAML
ok "L: compile" dassie compile
rounds=${DASSIE_KILLS:-8}
seed=${DASSIE_SEED:-$$}
perl -e 'my ($rounds, $seed) = @ARGV; srand $seed; for my $i (1 .. $rounds) { my @p;
	for (1, 2) { my $p = fork // die; if (!$p) { setpgrp; open STDOUT, ">>", "log"; open STDERR, ">&STDOUT";
		exec "dassie", "cron", "fire", "--now", sprintf("2030-01-01T00:%02d:30Z", $i % 12) } push @p, $p }
	select undef, undef, undef, 0.02 + rand 0.5; kill KILL => -$_ for @p; waitpid $_, 0 for @p }' "$rounds" "$seed"
ok "L: a fire that is not killed" dassie cron fire --now 2030-01-01T00:12:30Z
is "L: all ran (seed $seed)" "$(decisions | cut -d' ' -f2,3 | sort | uniq -c | tr -s ' ')" " 26 ran success"
is "L: once each" "$(dassie datums over --json 2>"$T/.e" | wc -l) $(find out/keep -type f | wc -l)" "1 13"
is "L: the newest is shown" "$(cat out/over/t)" "2030-01-01T00:12:00Z"
ok "L: the state is sound" dassie fsck
ok "L: and make has nothing to do" make -q

done_testing
